//! What is wrong with a configuration, and where.

use std::fmt;
use std::path::PathBuf;

/// One thing wrong, where it stands, and how to mend it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Fault {
    /// In the file; a variable has none.
    pub(crate) line: Option<usize>,
    /// The key's path in the file, or the variable's name.
    pub(crate) key: String,
    /// What is wrong and how to mend it.
    pub(crate) what: String,
}

/// A configuration that cannot be used, with every reason.
#[derive(Debug)]
pub(crate) struct Faulty {
    pub(crate) file: Option<PathBuf>,
    pub(crate) faults: Vec<Fault>,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(line) = self.line {
            write!(f, "line {line}: ")?;
        }
        if !self.key.is_empty() {
            write!(f, "{}: ", self.key)?;
        }
        f.write_str(&self.what)
    }
}

impl fmt::Display for Faulty {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            Some(file) => write!(f, "the configuration `{}`", file.display())?,
            None => f.write_str("the configuration")?,
        }
        match self.faults.len() {
            1 => f.write_str(" has 1 fault"),
            n => write!(f, " has {n} faults"),
        }
    }
}

impl std::error::Error for Faulty {}
