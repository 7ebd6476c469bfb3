//! Why a step is repeated.

use std::fmt;

/// Why a step is repeated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// There was no step that it could be compared with.
    New,
    /// The instruction itself is another.
    Text {
        /// What it was.
        before: String,
        /// What it is.
        after: String,
    },
    /// A variable, by `ENV` or `ARG`.
    Variable {
        /// Which.
        name: String,
        /// What it was, if it was set.
        before: Option<String>,
        /// What it is, if it is set.
        after: Option<String>,
    },
    /// The same variables, set in another order.
    Order,
    /// Something else that the step is told.
    Setting {
        /// What: `user`, `folder`, `network`, ….
        what: &'static str,
        /// Which of several.
        name: String,
        /// What it was, if it was there.
        before: Option<String>,
        /// What it is, if it is there.
        after: Option<String>,
    },
    /// A file that it takes.
    File {
        /// Within the context.
        path: String,
        /// What is different.
        change: Change,
    },
    /// What it is built on.
    Base {
        /// What it was.
        before: String,
        /// What it is.
        after: String,
    },
    /// An earlier step is repeated; its number in the report.
    Earlier(usize),
    /// It follows another step than before, which is in the cache; its number in the report.
    Follows(usize),
    /// It is as it was if that step writes what it wrote before; its number in the report.
    Depends(usize),
    /// It copies something else out of a stage.
    Copied,
}

/// What is different about a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It was not there.
    Added,
    /// It is not there any more.
    Removed,
    /// Other bytes.
    Content,
    /// Other permissions.
    Mode {
        /// What they were.
        before: u32,
        /// What they are.
        after: u32,
    },
    /// Another kind of file.
    Kind,
    /// A link that points elsewhere.
    Target,
    /// Another owner.
    Owner,
    /// Other extended attributes.
    Attributes,
}

impl Change {
    /// One word for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Added => "added",
            Self::Removed => "removed",
            Self::Content => "content",
            Self::Mode { .. } => "mode",
            Self::Kind => "kind",
            Self::Target => "target",
            Self::Owner => "owner",
            Self::Attributes => "attributes",
        }
    }
}

impl Cause {
    /// One word for programs.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Text { .. } => "text",
            Self::Variable { .. } => "variable",
            Self::Order => "order",
            Self::Setting { what, .. } => what,
            Self::File { .. } => "file",
            Self::Base { .. } => "base",
            Self::Earlier(_) => "earlier",
            Self::Follows(_) => "follows",
            Self::Depends(_) => "depends",
            Self::Copied => "copied",
        }
    }
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Added => f.write_str("is new"),
            Self::Removed => f.write_str("is gone"),
            Self::Content => f.write_str("changed"),
            Self::Mode { before, after } => {
                write!(f, "has mode {after:04o}, it had {before:04o}")
            }
            Self::Kind => f.write_str("is another kind of file"),
            Self::Target => f.write_str("points elsewhere"),
            Self::Owner => f.write_str("belongs to somebody else"),
            Self::Attributes => f.write_str("has other extended attributes"),
        }
    }
}

impl fmt::Display for Cause {
    /// A clause after "because"; other steps are named by who prints it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::New => f.write_str("there was no such step"),
            Self::Text { .. } => f.write_str("its text changed"),
            Self::Variable {
                name,
                before,
                after,
            } => differs(f, "variable", name, before.as_deref(), after.as_deref()),
            Self::Order => f.write_str("its variables are set in another order"),
            Self::Setting {
                what,
                name,
                before,
                after,
            } => differs(f, what, name, before.as_deref(), after.as_deref()),
            Self::File { path, change } => write!(f, "`{path}` {change}"),
            Self::Base { before, after } => {
                write!(f, "it builds on `{after}`, it built on `{before}`")
            }
            Self::Earlier(step) => write!(f, "step {step} comes first and is repeated"),
            Self::Follows(step) => write!(f, "it follows step {step} now"),
            Self::Depends(step) => write!(f, "it depends on what step {step} writes"),
            Self::Copied => f.write_str("it copies something else"),
        }
    }
}

fn differs(
    f: &mut fmt::Formatter<'_>,
    what: &str,
    name: &str,
    before: Option<&str>,
    after: Option<&str>,
) -> fmt::Result {
    f.write_str(what)?;
    if !name.is_empty() {
        write!(f, " `{name}`")?;
    }
    match (before, after) {
        (Some(""), Some("")) | (None, None) => f.write_str(" changed"),
        (None, Some("")) => f.write_str(" is new"),
        (Some(""), None) => f.write_str(" is gone"),
        (Some(before), Some(after)) => write!(f, " is `{after}`, it was `{before}`"),
        (None, Some(after)) => write!(f, " is `{after}`, it was not there"),
        (Some(before), None) => write!(f, " is gone, it was `{before}`"),
    }
}
