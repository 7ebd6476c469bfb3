//! The files of a Docker build, as engines see and compare them.
//!
//! A [`Snapshot`] is what of a directory or a git revision would be sent to an engine. It
//! answers with BuildKit's content digests, byte for byte, and knows which changes an
//! engine that was sent the files before will not notice.

mod archive;
mod digest;
mod edit;
mod entry;
mod revision;
mod select;
mod snapshot;
mod transfer;
mod walk;

pub use edit::{Edit, InvalidEdit};
pub use entry::{Bytes, Digests, Entry, Kind};
pub use revision::checkout;
pub use snapshot::Snapshot;
pub use transfer::Received;

/// Why files cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The system says no.
    #[error("cannot read `{path}`")]
    Read {
        /// What it is about.
        path: String,
        /// What it says.
        #[source]
        source: std::io::Error,
    },
    /// git says no.
    #[error("git has no revision `{revision}` of `{path}`: {message}")]
    Revision {
        /// What was asked for.
        revision: String,
        /// Of which directory.
        path: String,
        /// In git's words.
        message: String,
    },
}

impl Error {
    fn read(path: &std::path::Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.display().to_string();
        |source| Self::Read { path, source }
    }
}
