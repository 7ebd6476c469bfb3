//! Why an archive is refused.

use std::fmt;
use std::io;

use pyspec::{InvalidMetadata, ProjectName, Version};

/// Why an archive could not be opened.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The archive is not one we take; sending it again is no help.
    #[error(transparent)]
    Refused(#[from] Refused),
    /// Its bytes could not be read just now.
    #[error("the archive cannot be read")]
    Io(#[source] io::Error),
}

/// What is wrong with an archive, for whoever sent it: the rest of a sentence that
/// begins with the archive's name and a colon.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// It is something else.
    #[error("it is not a {0}")]
    NotA(&'static str),
    /// It ends too soon.
    #[error("it ends too soon")]
    Truncated,
    /// It is broken, or made so that two readers see different things in it.
    #[error("it is damaged: {0}")]
    Damaged(&'static str),
    /// One entry of it is broken, or could be read in two ways.
    #[error("its entry {entry} is damaged: {why}")]
    DamagedEntry {
        /// Which.
        entry: Shown,
        /// How.
        why: &'static str,
    },
    /// It has more entries than allowed.
    #[error("it has more than {0} entries")]
    TooManyEntries(u64),
    /// It unpacks to more than allowed.
    #[error("it unpacks to more than {} MiB", .0 >> 20)]
    TooLarge(u64),
    /// It unpacks to far more than its own size.
    #[error("it unpacks to more than {0} times its size")]
    Bomb(u64),
    /// The list of its entries is longer than allowed.
    #[error("the list of its entries is longer than {} MiB", .0 >> 20)]
    DirectoryTooLarge(u64),
    /// An entry's name is not one that unpacks within the archive's own folder.
    #[error("its entry {entry} {why}")]
    Path {
        /// Which.
        entry: Shown,
        /// What is wrong with its name.
        why: &'static str,
    },
    /// An entry is a link, a device or else what does not belong here.
    #[error("its entry {entry} is {what}")]
    Kind {
        /// Which.
        entry: Shown,
        /// What it is.
        what: &'static str,
    },
    /// Two entries have one name.
    #[error("it has two entries {0}")]
    Duplicate(Shown),
    /// An entry needs a password.
    #[error("its entry {0} is encrypted")]
    Encrypted(Shown),
    /// An entry is compressed by a method that installers do not all know.
    #[error(
        "its entry {entry} is compressed by method {method}; only 0 (stored) and 8 (deflate) are taken"
    )]
    Method {
        /// Which.
        entry: Shown,
        /// By the number that zip files use.
        method: u16,
    },
    /// What must be there is not.
    #[error("it has no {0}")]
    Missing(Shown),
    /// What must be there is elsewhere.
    #[error("it has no {expected}, but {found}")]
    Misplaced {
        /// Where it belongs.
        expected: Shown,
        /// Where it is.
        found: Shown,
    },
    /// The metadata is longer than allowed.
    #[error("its {file} is longer than {} MiB", .limit >> 20)]
    MetadataTooLarge {
        /// METADATA or PKG-INFO.
        file: &'static str,
        /// Bytes.
        limit: u64,
    },
    /// The metadata is none.
    #[error("its {file} is not valid: {why}")]
    Metadata {
        /// METADATA or PKG-INFO.
        file: &'static str,
        /// Why not.
        why: InvalidMetadata,
    },
    /// A wheel has more than one folder of metadata.
    #[error("it has two folders of metadata, {0} and {1}")]
    TwoDistInfos(Shown, Shown),
    /// An sdist's entries are not all in one folder.
    #[error("its entries are not all in one folder: {0} is not in {1}")]
    TwoFolders(Shown, Shown),
    /// An sdist's entry is in no folder.
    #[error("its entry {0} is in no folder")]
    NoFolder(Shown),
    /// Its name does not say which release it is of.
    #[error("its name does not tell project and version")]
    Filename,
    /// Its folder's name is not that of the release.
    #[error("its folder {folder} is not named for {project} {version}")]
    FolderDisagrees {
        /// The `.dist-info`, or the sdist's one folder.
        folder: Shown,
        /// As the file's name has it.
        project: ProjectName,
        /// As the file's name has it.
        version: Version,
    },
    /// Its metadata is of another project than its name.
    #[error("its name is that of project {filename}, but its metadata says {metadata}")]
    ProjectDisagrees {
        /// As the file's name has it.
        filename: Shown,
        /// As the metadata has it.
        metadata: ProjectName,
    },
    /// Its metadata is of another version than its name.
    #[error("its name is that of version {filename}, but its metadata says {metadata}")]
    VersionDisagrees {
        /// As the file's name has it.
        filename: Version,
        /// As the metadata has it.
        metadata: Version,
    },
}

/// A foreign text, made safe to print in a log line, a header or a terminal.
#[derive(Clone, PartialEq, Eq)]
pub struct Shown(String);

impl Shown {
    pub(crate) fn new(text: &str) -> Self {
        Self::of_bytes(text.as_bytes())
    }

    /// Of bytes that may not be text.
    pub(crate) fn of_bytes(bytes: &[u8]) -> Self {
        const MOST: usize = 100;
        let start = &bytes[..bytes.len().min(MOST)];
        let more = if bytes.len() > MOST { "..." } else { "" };
        Self(format!("`{}{more}`", start.escape_ascii()))
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Error {
    /// Sorts what went wrong with reading: was it the archive or the disk?
    pub(crate) fn reading(error: io::Error, why: &'static str) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => Refused::Truncated.into(),
            // What decoders say about their input, which is the archive.
            io::ErrorKind::InvalidData | io::ErrorKind::InvalidInput => {
                Refused::Damaged(why).into()
            }
            _ => Self::Io(error),
        }
    }
}
