//! A hosted index: a source whose files people upload.
//!
//! What is served comes from rows of the store, kept in memory project by project
//! and dropped when somebody changes the project. Writing goes through methods of
//! its own, one file each: blobs are committed first, then one transaction makes all
//! of the change visible, so that a crash leaves a whole release file or nothing.
//!
//! Who may do what is not decided here; whether an index lets its files be replaced
//! comes with each call, as [`Rules`].

mod attestation;
mod content;
mod docs;
mod elsewhere;
mod form;
mod inspect;
mod log;
mod publish;
mod pull;
mod push;
mod remove;
mod restore;
mod snapshot;
mod toxresult;
mod upload;
mod verdata;
mod yank;

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use arc_swap::ArcSwapOption;
use async_trait::async_trait;
use pyspec::{Digest, ProjectName};
use quick_cache::sync::Cache as QuickCache;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use store::{Beside, Event, HostedRow};

use crate::{Answer, Body, Cache, Changes, Error, IndexName, Listing, Open, Part, Source, Storage};
use snapshot::Snapshot;

pub(crate) use inspect::blocking;

pub use crate::By;
pub use content::{Incoming, Received};
pub use docs::{DocPage, Documentation};
pub use elsewhere::{Elsewhere, Sent};
pub use form::Form;
pub use log::LogEntry;
pub use push::{PushWhat, Pushed, Target};
pub use remove::Force;
pub(crate) use restore::receive_promised;
pub use restore::{Former, Restored};
pub use toxresult::KeptResult;
pub use upload::Uploaded;
pub use verdata::{Link, Verdata};
pub use yank::Which;

/// Projects kept in memory, per index.
const PROJECTS: usize = 1024;
/// Whose file is at which path, kept in memory, per index.
const PATHS: usize = 8192;
/// Whoever keeps an answer asks again at the next change, whatever this says.
const FRESH_FOR: Duration = Duration::from_hours(1);
/// A change of one project makes others be read again only if they share its place.
const PLACES: usize = 64;

/// A hosted index.
pub struct Hosted {
    name: IndexName,
    storage: Arc<Storage>,
    noticed: Changes,
    limits: archive::Limits,
    projects: QuickCache<ProjectName, Arc<Snapshot>>,
    paths: QuickCache<Box<str>, ProjectName>,
    documentations: docs::Kept,
    /// Counts changes: what was read before a change must not be kept after it.
    changes: [AtomicU64; PLACES],
    all_changes: AtomicU64,
    /// The names as of so many changes.
    listing: ArcSwapOption<(u64, Listing)>,
}

/// What an index lets be done to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rules {
    /// Whether files may be replaced and removed.
    pub volatile: bool,
    /// Bytes that its files may take.
    pub quota: Option<u64>,
}

impl Hosted {
    /// The hosted index of this name, empty or not; `noticed` counts its changes with all others.
    pub fn new(name: IndexName, storage: Arc<Storage>, noticed: Changes) -> Self {
        Self {
            name,
            storage,
            noticed,
            limits: archive::Limits::default(),
            projects: QuickCache::new(PROJECTS),
            paths: QuickCache::new(PATHS),
            documentations: docs::Kept::default(),
            changes: [const { AtomicU64::new(0) }; PLACES],
            all_changes: AtomicU64::new(0),
            listing: ArcSwapOption::empty(),
        }
    }

    /// Its name.
    pub fn name(&self) -> &IndexName {
        &self.name
    }

    fn stage(&self) -> &str {
        self.name.as_str()
    }

    /// All there is of a project, as of now.
    async fn snapshot(&self, project: &ProjectName) -> Result<Arc<Snapshot>, Error> {
        if let Some(known) = self.projects.get(project) {
            return Ok(known);
        }
        let changes = &self.changes[place(project)];
        let before = changes.load(Ordering::Acquire);
        let rows = self.storage.db().stage_project(self.stage(), project);
        let (releases, files) = rows.await?;
        let snapshot = Arc::new(Snapshot::new(project.clone(), releases, files));
        if changes.load(Ordering::Acquire) == before {
            self.projects.insert(project.clone(), snapshot.clone());
            // A change may have come between the question and the insert.
            if changes.load(Ordering::Acquire) != before {
                self.projects.remove(project);
            }
        }
        Ok(snapshot)
    }

    /// The project, which must be there.
    async fn known(&self, project: &ProjectName) -> Result<Arc<Snapshot>, Error> {
        let snapshot = self.snapshot(project).await?;
        if snapshot.releases.is_empty() {
            return Err(self.no_such_project(project));
        }
        Ok(snapshot)
    }

    fn no_such_project(&self, project: &ProjectName) -> Error {
        Error::NoSuchProject {
            index: self.name.to_string(),
            project: project.to_string(),
        }
    }

    /// The row at a path, as of now.
    async fn row(&self, path: &str) -> Result<Option<Arc<Snapshot>>, Error> {
        let Some(project) = self.project_at(path).await? else {
            return Ok(None);
        };
        let snapshot = self.snapshot(&project).await?;
        Ok(snapshot.file(path).is_some().then_some(snapshot))
    }

    /// To be called after every change of a project.
    fn changed(&self, project: &ProjectName) {
        self.changes[place(project)].fetch_add(1, Ordering::AcqRel);
        self.all_changes.fetch_add(1, Ordering::AcqRel);
        self.projects.remove(project);
        self.noticed.note();
    }

    /// What tells of a change, with whatever else there is to say of it: a JSON object.
    fn event(&self, what: &str, project: &ProjectName, by: &By, detail: Value) -> Event {
        Event {
            stage: Some(self.name.to_string()),
            project: Some(project.clone()),
            ..by.event(what, detail)
        }
    }

    async fn opened(&self, path: &str, part: Part, with_body: bool) -> Result<Option<Open>, Error> {
        let Some(snapshot) = self.row(path).await? else {
            return Ok(None);
        };
        let Some(row) = snapshot.file(path) else {
            return Ok(None);
        };
        let Some(Beside { digest, size }) = part_of(row, part) else {
            return Ok(None);
        };
        let body = if with_body {
            match self.storage.blob(&digest, size)? {
                Some(blob) => Body::Stored(blob),
                // Its blob is gone with it, since we looked.
                None if self.is_gone(row).await? => return Ok(None),
                None => return Err(lost(&digest)),
            }
        } else {
            Body::Unopened
        };
        Ok(Some(Open {
            filename: row.filename.clone(),
            etag: format!("\"{digest}\""),
            len: Some(size),
            last_modified: Some(row.uploaded_at),
            content_type: match part {
                Part::File | Part::Metadata => "application/octet-stream",
                Part::Provenance => "application/vnd.pypi.integrity.v1+json",
            },
            body,
            cache: Cache::Hit,
        }))
    }

    async fn is_gone(&self, row: &HostedRow) -> Result<bool, Error> {
        let now = self.storage.db().hosted_file(&row.stage, &row.path).await?;
        self.changed(&row.project);
        Ok(now.is_none_or(|now| now.digest != row.digest))
    }
}

#[async_trait]
impl Source for Hosted {
    async fn projects(&self) -> Result<Listing, Error> {
        let changes = self.all_changes.load(Ordering::Acquire);
        let kept = self.listing.load_full();
        if let Some(kept) = kept.filter(|kept| kept.0 == changes) {
            return Ok(kept.1.clone());
        }
        let names = self.storage.db().stage_projects(self.stage()).await?;
        let listing = listing(&names);
        // Of no use, but harmless, if there was another change since.
        let kept = Arc::new((changes, listing.clone()));
        self.listing.store(Some(kept));
        Ok(listing)
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Answer>, Error> {
        let snapshot = self.snapshot(name).await?;
        let is_there = !snapshot.releases.is_empty();
        Ok(is_there.then(|| Answer {
            project: snapshot.project.clone(),
            cache: Cache::Hit,
            // What changes it is counted.
            fresh_until: Instant::now() + FRESH_FOR,
        }))
    }

    async fn open(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        self.opened(path, part, true).await
    }

    async fn head(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        self.opened(path, part, false).await
    }

    async fn project_at(&self, path: &str) -> Result<Option<ProjectName>, Error> {
        if let Some(project) = self.paths.get(path) {
            return Ok(Some(project));
        }
        let row = self.storage.db().hosted_file(self.stage(), path).await?;
        let Some(row) = row else {
            return Ok(None);
        };
        self.paths.insert(path.into(), row.project.clone());
        Ok(Some(row.project))
    }
}

fn listing(names: &[ProjectName]) -> Listing {
    let mut hasher = Sha256::new();
    for name in names {
        hasher.update(name.as_str());
        hasher.update([0]);
    }
    let names: Arc<[Box<str>]> = names.iter().map(|name| name.as_str().into()).collect();
    Listing {
        names: names.into(),
        cache: Cache::Hit,
        digest: hex::encode(hasher.finalize()),
    }
}

fn part_of(row: &HostedRow, part: Part) -> Option<Beside> {
    match part {
        Part::File => Some(Beside {
            digest: row.digest,
            size: row.size,
        }),
        Part::Metadata => row.metadata,
        Part::Provenance => row.provenance,
    }
}

/// The blob of a record is not there: only damage from outside does that.
fn lost(digest: &Digest) -> Error {
    store::Error::NotFound {
        what: format!("blob `{digest}`"),
    }
    .into()
}

fn place(project: &ProjectName) -> usize {
    let sum = project.as_str().bytes().fold(0_usize, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(byte.into())
    });
    sum % PLACES
}

/// A text as devpi's messages have it, which is how Python shows one.
fn quoted(text: &str) -> String {
    let escaped = text.escape_debug().to_string().replace("\\\"", "\"");
    if escaped.contains("\\'") && !text.contains('"') {
        format!("\"{}\"", escaped.replace("\\'", "'"))
    } else {
        format!("'{escaped}'")
    }
}
