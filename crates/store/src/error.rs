//! What can go wrong with the store, by what the caller can do about it.

use std::error::Error as StdError;
use std::io;
use std::path::{Path, PathBuf};

use pyspec::Digest;

/// What can go wrong with the store, by what the caller can do about it.
///
/// `Display` names no SQL and no path inside the data directory, so it may be shown to
/// anybody; both are in the `source`, for operators.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// It is not there.
    #[error("{what} is not in the store")]
    NotFound {
        /// What was looked for.
        what: String,
    },
    /// A blob is there, but its bytes are not those its name promises.
    #[error(
        "blob `{digest}` is damaged: expected {expected}, found {found}; \
         `pilothouse cache verify --repair` drops it so that it is fetched again"
    )]
    Corrupt {
        /// The blob's name.
        digest: Digest,
        /// A digest or a length, in words.
        expected: String,
        /// The same, as it is.
        found: String,
    },
    /// The disk, or the quota on it, has no room left.
    #[error(
        "no room left on the data directory's disk while {doing}: free some space or allow the cache less"
    )]
    Full {
        /// What was going on, as in "writing a file".
        doing: &'static str,
    },
    /// The disk failed, or somebody took away our rights on it.
    #[error("{doing} failed")]
    Io {
        /// What was going on.
        doing: &'static str,
        /// Where and why; for operators only.
        source: AtPath,
    },
    /// A later pilothouse has written this data directory.
    #[error(
        "the data directory has format {found} and this pilothouse knows only up to {supported}: \
         run the later pilothouse that wrote it, or name another data directory"
    )]
    Newer {
        /// The format found.
        found: u64,
        /// The newest format this program knows.
        supported: u64,
    },
    /// The records are of an earlier format, and only a server may change that.
    #[error(
        "the records have format {found} and this pilothouse wants {wanted}: \
         start `pilothouse serve` of this version once to bring them up to date"
    )]
    Older {
        /// The format found.
        found: u64,
        /// The format of this program.
        wanted: u64,
    },
    /// The directory belongs to somebody else.
    #[error(
        "the data directory holds `{entry}`, which is not ours, and no VERSION file: name an empty or a new directory"
    )]
    Foreign {
        /// The name of one thing found there.
        entry: String,
    },
    /// Another server uses the data directory.
    #[error("the data directory is in use by another pilothouse{}: stop it first, or name another data directory", pid(*by_pid))]
    Locked {
        /// Who, if it could be read.
        by_pid: Option<u32>,
    },
    /// The database failed.
    #[error("the database failed while {doing}")]
    Db {
        /// What was going on.
        doing: &'static str,
        /// Why; for operators only.
        source: Box<dyn StdError + Send + Sync>,
    },
}

/// An error of the file system and the path it is about.
#[derive(Debug, thiserror::Error)]
#[error("`{}`: {error}", path.display())]
pub struct AtPath {
    /// The file or directory.
    pub path: PathBuf,
    /// What the system said.
    pub error: io::Error,
}

impl Error {
    /// Turns what the system said into what the caller can do.
    pub(crate) fn io(doing: &'static str, path: &Path, error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => Self::Full { doing },
            _ => Self::Io {
                doing,
                source: AtPath {
                    path: path.to_owned(),
                    error,
                },
            },
        }
    }

    /// The same for what the database said.
    pub(crate) fn db(doing: &'static str, source: sqlx::Error) -> Self {
        // SQLite's primary result code 13 is SQLITE_FULL; extended codes keep it in the low byte.
        let full = |code: &str| code.parse::<u32>().is_ok_and(|code| code & 0xff == 13);
        match &source {
            sqlx::Error::Database(error) if error.code().is_some_and(|code| full(&code)) => {
                Self::Full { doing }
            }
            _ => Self::Db {
                doing,
                source: source.into(),
            },
        }
    }

    pub(crate) fn no_user(name: &str) -> Self {
        Self::NotFound {
            what: format!("user `{name}`"),
        }
    }

    pub(crate) fn no_blob(digest: &Digest) -> Self {
        Self::NotFound {
            what: format!("blob `{digest}`"),
        }
    }
}

fn pid(by_pid: Option<u32>) -> String {
    by_pid.map_or_else(String::new, |pid| format!(" (process {pid})"))
}
