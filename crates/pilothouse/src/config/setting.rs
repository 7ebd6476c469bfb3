//! A value that remembers who set it.

use std::fmt;
use std::sync::Arc;

/// A value, and who set it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Setting<T> {
    pub(crate) value: T,
    pub(crate) origin: Origin,
}

/// Who set a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Nobody.
    Default,
    /// A line of the config file.
    File { file: Arc<str>, line: usize },
    /// A variable.
    Environment(&'static str),
    /// A flag.
    Flag(&'static str),
    /// The settings of pip or uv, in this file.
    Installer { tool: &'static str, file: String },
}

impl<T> Setting<T> {
    pub(crate) fn new(value: T, origin: Origin) -> Self {
        Self { value, origin }
    }

    pub(crate) fn default(value: T) -> Self {
        Self::new(value, Origin::Default)
    }

    pub(crate) fn map<U>(self, change: impl FnOnce(T) -> U) -> Setting<U> {
        Setting::new(change(self.value), self.origin)
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File { file, line } => write!(f, "{file}:{line}"),
            Self::Environment(name) | Self::Flag(name) => f.write_str(name),
            Self::Installer { tool, file } => write!(f, "{tool}'s own setting in {file}"),
        }
    }
}
