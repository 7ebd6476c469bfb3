//! The one trait of the domain: a place that projects come from.

use std::sync::Arc;
use std::time::Instant;

use async_trait::async_trait;
use jiff::Timestamp;
use pyspec::{Filename, ProjectName};
use url::Url;

use crate::{Error, Growing, Names, Project};

/// A place that projects come from.
///
/// `Ok(None)` means the source has no such project, so the next source may be
/// asked. `Err` means the source does not know, so nobody else may be asked:
/// answering from the next source would let a stranger's upload stand in for a
/// private project whenever the private source is down.
#[async_trait]
pub trait Source: Send + Sync {
    /// Every project's name, in the source's own order.
    async fn projects(&self) -> Result<Listing, Error>;

    /// The files of one project.
    async fn project(&self, name: &ProjectName) -> Result<Option<Answer>, Error>;

    /// One file of a project, or what stands beside it.
    ///
    /// `path` is what follows `+f/` in our URL, percent-decoded, without the
    /// `.metadata` or `.provenance` that `part` stands for.
    async fn open(&self, path: &str, part: Part) -> Result<Option<Open>, Error>;

    /// The same without its bytes, and without fetching them.
    async fn head(&self, path: &str, part: Part) -> Result<Option<Open>, Error>;

    /// Whose file `path` is, if that is known here at once.
    ///
    /// `None` says nothing about whether there is such a file: then the pages of
    /// the projects it may belong to tell.
    async fn project_at(&self, path: &str) -> Result<Option<ProjectName>, Error> {
        let _ = path;
        Ok(None)
    }

    /// Asks upstream about a project again, however fresh the answer that is kept.
    ///
    /// A source without an upstream knows all there is to know.
    async fn refresh(&self, name: &ProjectName) -> Result<(), Error> {
        let _ = name;
        Ok(())
    }
}

/// Which of a file's resources is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Part {
    /// The wheel or sdist itself.
    File,
    /// Its METADATA (PEP 658).
    Metadata,
    /// Its provenance (PEP 740).
    Provenance,
}

/// All names of a source.
#[derive(Debug, Clone)]
pub struct Listing {
    /// Shared, since there may be a million.
    pub names: Names,
    /// Where the listing came from.
    pub cache: Cache,
    /// Changes with the names; unquoted.
    pub digest: String,
}

/// A project, and how fresh our knowledge of it is.
#[derive(Debug, Clone)]
pub struct Answer {
    /// The same `Arc` as long as nothing changed: render once per `Arc`.
    pub project: Arc<Project>,
    /// Where it came from.
    pub cache: Cache,
    /// Until then the answer may be given again without asking.
    pub fresh_until: Instant,
}

/// Where an answer came from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cache {
    /// Kept and fresh.
    Hit,
    /// Kept and no longer fresh, with the reason why nothing better was to be had.
    Stale {
        /// One line for a person.
        why: String,
    },
    /// Fetched for this answer.
    Miss,
    /// Kept, and upstream said for this answer that it still holds.
    Revalidated,
    /// Kept, and upstream is not to be asked.
    Offline,
}

/// A file ready to be read.
#[derive(Debug, Clone)]
pub struct Open {
    /// Its name.
    pub filename: Filename,
    /// Strong and quoted (RFC 9110, 8.8.3).
    pub etag: String,
    /// Bytes; unknown while upstream has not said.
    pub len: Option<u64>,
    /// Upstream's, if it gave one.
    pub last_modified: Option<Timestamp>,
    /// The media type to announce.
    pub content_type: &'static str,
    /// The bytes.
    pub body: Body,
    /// Where they come from.
    pub cache: Cache,
}

/// The bytes of an open file.
#[derive(Debug, Clone)]
pub enum Body {
    /// All in the store.
    Stored(store::Blob),
    /// Still arriving from upstream.
    Growing(Arc<Growing>),
    /// Not asked for.
    Unopened,
    /// Not to be had here: this is where whoever asks gets it.
    Elsewhere(Url),
}
