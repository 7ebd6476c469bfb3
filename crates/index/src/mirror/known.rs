//! What a mirror knows of one project, in memory and as a record.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pyspec::{CoreMetadata, Filename, PageFile, ProjectName, ProjectPage};
use store::PageRow;

use super::fetch::Validators;
use crate::{Error, Project};

/// The stored form's version, in front of every body.
const STORED_VERSION: u8 = 1;
const COMPRESSION: i32 = 3;

/// What a mirror knows of one project.
#[derive(Debug, Clone)]
pub(crate) struct Known {
    /// `None`: upstream said that it has no such project.
    pub(crate) project: Option<Arc<Project>>,
    pub(crate) validators: Validators,
    pub(crate) fetched_at: Timestamp,
    pub(crate) fresh_until: Timestamp,
}

impl Known {
    pub(crate) fn is_fresh(&self, now: Timestamp) -> bool {
        now < self.fresh_until
    }

    /// How long ago it stopped being fresh.
    pub(crate) fn stale_for(&self, now: Timestamp) -> Duration {
        Duration::try_from(now - self.fresh_until).unwrap_or_default()
    }

    /// How long it was or is fresh.
    pub(crate) fn lifetime(&self) -> Duration {
        Duration::try_from(self.fresh_until - self.fetched_at).unwrap_or_default()
    }

    /// The end of its freshness on the monotonic clock.
    pub(crate) fn fresh_until(&self, now: Timestamp) -> Instant {
        Instant::now() + Duration::try_from(self.fresh_until - now).unwrap_or_default()
    }

    /// About how many bytes it takes in memory.
    pub(crate) fn weight(&self) -> u64 {
        let files = self
            .project
            .as_ref()
            .map_or(0, |project| project.page.files.len());
        500 + files as u64 * 600
    }

    pub(crate) fn to_row(&self) -> Result<PageRow, Error> {
        let body = self.project.as_deref().map(pack).transpose()?;
        Ok(PageRow {
            etag: self.validators.etag.clone(),
            last_modified: self.validators.last_modified.clone(),
            fetched_at: self.fetched_at,
            fresh_until: self.fresh_until,
            body,
        })
    }

    /// `None` for a record that an older version wrote: it counts as not known.
    ///
    /// It is fresh for no longer than `longest`, which may be less than when it was kept.
    pub(crate) fn from_row(row: PageRow, name: &ProjectName, longest: Duration) -> Option<Self> {
        let project = match row.body {
            Some(body) => Some(Arc::new(project_of(unpack(&body, name)?, BTreeSet::new()))),
            None => None,
        };
        Some(Self {
            project,
            validators: Validators {
                etag: row.etag,
                last_modified: row.last_modified,
            },
            fetched_at: row.fetched_at,
            fresh_until: row.fresh_until.min(row.fetched_at + longest),
        })
    }
}

/// A page with the digest of its content; the metadata of the files in `makes` is not upstream's.
pub(crate) fn project_of(page: ProjectPage, makes: BTreeSet<Filename>) -> Project {
    Project {
        makes,
        ..Project::of(page)
    }
}

/// A page as it is kept: a version byte, then zstd over JSON.
///
/// What is kept is what upstream said, without the metadata that we only make.
fn pack(project: &Project) -> Result<Vec<u8>, Error> {
    let mut page = Cow::Borrowed(&project.page);
    if !project.makes.is_empty() {
        let made = |file: &&mut PageFile| project.makes.contains(&file.filename);
        page.to_mut()
            .files
            .iter_mut()
            .filter(made)
            .for_each(|file| file.core_metadata = CoreMetadata::Absent);
    }
    let unusable = |error: std::io::Error| Error::UpstreamWrong {
        index: String::new(),
        what: format!("project `{}`", page.name),
        cause: format!("its page cannot be stored ({error})"),
    };
    let mut packer = zstd::Encoder::new(vec![STORED_VERSION], COMPRESSION).map_err(unusable)?;
    serde_json::to_writer(&mut packer, page.as_ref()).map_err(|error| unusable(error.into()))?;
    packer.finish().map_err(unusable)
}

/// A kept page; `None` if an older version wrote it.
pub(crate) fn unpack(stored: &[u8], name: &ProjectName) -> Option<ProjectPage> {
    let (version, packed) = stored.split_first()?;
    if *version != STORED_VERSION {
        return None;
    }
    let unpacker = zstd::Decoder::new(packed).ok()?;
    let page: Result<ProjectPage, _> = serde_json::from_reader(std::io::BufReader::new(unpacker));
    page.inspect_err(|error| tracing::warn!(project = %name, %error, "a stored page cannot be read and is fetched again"))
        .ok()
}
