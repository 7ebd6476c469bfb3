//! What stands beside a file: its metadata (PEP 658) and its provenance (PEP 740).
//!
//! Metadata comes from upstream where upstream has it, and is checked against the
//! digest on the page. Where upstream has none, or is not to be asked, we make it from the wheel's tail.

mod made;

use std::panic::resume_unwind;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pyspec::{CoreMetadata, FileKind, Hashes, PageFile, ProjectName};
use reqwest::header::HeaderMap;
use reqwest::{Method, StatusCode};
use store::{Blob, SidecarKind, SidecarRow, Staged};
use url::Url;

use super::client::{Failure, Purpose};
use super::fetch::{BODY_DEADLINE, within};
use super::file::Files;
use super::flights::{Flight, Flights, Landing};
use super::gate::Gate;
use super::pages::Pages;
use super::read::contradicts;
use super::{MetadataFrom, Shared};
use crate::{Body, Cache, Error, Open, Part};

/// The largest sidecar taken from upstream.
const LARGEST: usize = 16 * 1024 * 1024;

/// Upstream's word that it has no answer has to come so soon that a second try still
/// ends before pip's patience does (15 s).
const SOON: Duration = Duration::from_secs(5);

/// Metadata and provenance of a mirror's files.
pub(crate) struct Sidecars {
    shared: Arc<Shared>,
    pages: Arc<Pages>,
    files: Arc<Files>,
    flights: Arc<Flights<Wanted, Option<Kept>>>,
}

impl Sidecars {
    pub(crate) fn new(shared: Arc<Shared>, pages: Arc<Pages>, files: Arc<Files>) -> Self {
        Self {
            shared,
            pages,
            files,
            flights: Arc::default(),
        }
    }

    /// What stands beside the file at `path`.
    pub(crate) async fn open(
        self: &Arc<Self>,
        path: &str,
        part: Part,
    ) -> Result<Option<Open>, Error> {
        let stats = &self.shared.client.stats().sidecars;
        if let Some(kept) = self.stored(path, part).await? {
            stats.hits.add(1);
            return self.opened(path, part, kept, Cache::Hit).map(Some);
        }
        let Some((project, file)) = self.files.listed(path).await? else {
            return Ok(None);
        };
        let outcome = self.flight(path, project, file, part).await;
        match &outcome {
            Ok(Some(_)) => stats.misses.add(1),
            Ok(None) => {}
            Err(_) => stats.failures.add(1),
        }
        outcome?
            .map(|kept| self.opened(path, part, kept, Cache::Miss))
            .transpose()
    }

    fn opened(&self, path: &str, part: Part, kept: Kept, cache: Cache) -> Result<Open, Error> {
        let name = path.rsplit('/').next().unwrap_or(path);
        let filename = format!("{name}.{}", suffix(part)).parse();
        Ok(Open {
            filename: filename.map_err(|_| Error::NoSuchFile {
                index: self.shared.name.clone(),
                file: name.to_owned(),
            })?,
            etag: format!("\"{}\"", kept.row.digest),
            len: Some(kept.row.size),
            last_modified: None,
            content_type: content_type(part),
            body: Body::Stored(kept.blob),
            cache,
        })
    }

    async fn stored(&self, path: &str, part: Part) -> Result<Option<Kept>, Error> {
        let db = self.shared.storage.db();
        let row = db.sidecar(&self.shared.name, path, kind(part)).await?;
        let Some(row) = row else { return Ok(None) };
        let blob = self.shared.storage.blob(&row.digest, row.size);
        Ok(blob.unwrap_or(None).map(|blob| Kept { row, blob }))
    }

    /// One fetch for all who ask for the same promise at the same time, until it is in the store.
    fn flight(
        self: &Arc<Self>,
        path: &str,
        project: ProjectName,
        file: PageFile,
        part: Part,
    ) -> Flight<Option<Kept>> {
        let lost = Error::UpstreamDown {
            index: self.shared.name.clone(),
            what: format!("what stands beside `{path}`"),
            cause: "the request was given up".to_owned(),
            retry_after: None,
        };
        let wanted = Wanted {
            path: path.to_owned(),
            part,
            of: file.hashes.clone(),
            promised: file.core_metadata.clone(),
        };
        let beside = Beside {
            path: path.to_owned(),
            project,
            file,
            part,
        };
        let sidecars = self.clone();
        self.flights
            .join(&self.shared.runtime, &wanted, lost, |landing| {
                sidecars.fly(beside, landing)
            })
    }

    async fn fly(
        self: Arc<Self>,
        beside: Beside,
        landing: Landing<Wanted, Option<Kept>>,
    ) -> Result<Option<Kept>, Error> {
        let busy = self.shared.busy();
        // Another flight may have landed between the look into the store and this one.
        if let Some(kept) = self.stored(&beside.path, beside.part).await? {
            return Ok(Some(kept));
        }
        let fresh = match (beside.part, &beside.file.provenance) {
            (Part::Provenance, Some(url)) => self.fetched(&beside, url, &Hashes::default()).await?,
            (Part::Provenance, None) => None,
            (Part::Metadata | Part::File, _) => self.metadata(&beside).await?,
        };
        let Some(fresh) = fresh else {
            return Ok(None);
        };
        let kept = fresh.kept.clone();
        // Nobody who waits for metadata has to wait for the disk.
        self.shared.runtime.clone().spawn(async move {
            if let Err(error) = self.save(&beside, fresh).await {
                tracing::error!(index = %self.shared.name, %error, "{} cannot be kept", beside.what());
            }
            drop((busy, landing));
        });
        Ok(Some(kept))
    }

    async fn metadata(&self, beside: &Beside) -> Result<Option<Fresh>, Error> {
        let CoreMetadata::Present(promised) = &beside.file.core_metadata else {
            return Ok(None);
        };
        let project = self.pages.project(&beside.project).await?;
        let is_ours =
            project.is_some_and(|answer| answer.project.makes.contains(&beside.file.filename));
        let mut trouble = None;
        let is_upstreams = match self.shared.config.metadata_from {
            MetadataFrom::Listed => !is_ours,
            MetadataFrom::Upstream => true,
            MetadataFrom::Wheel => false,
        };
        if is_upstreams && !self.shared.config.offline {
            let url = metadata_url(&beside.file.url);
            let began = Instant::now();
            match self.fetched(beside, &url, promised).await {
                Ok(Some(fresh)) => return Ok(Some(fresh)),
                // Advertised and not there: better made than missing.
                Ok(None) => {}
                // The wheel may lie here, or its host have no trouble with it.
                Err(error @ Error::UpstreamDown { .. }) if began.elapsed() < SOON => {
                    trouble = Some(error);
                }
                Err(error) if self.files.stored(&beside.path).await?.is_some() => {
                    trouble = Some(error);
                }
                Err(error) => return Err(error),
            }
        }
        if beside.file.filename.kind() != FileKind::Wheel {
            return trouble.map_or(Ok(None), Err);
        }
        match (self.made(beside).await, trouble) {
            (Ok(bytes), _) => {
                self.shared.client.stats().metadata_made.add(1);
                self.checked(beside, bytes, promised, true).await.map(Some)
            }
            (Err(_), Some(trouble)) => Err(trouble),
            (Err(error), None) => Err(error),
        }
    }

    /// The sidecar at `url`, checked; `None` if upstream has none there.
    async fn fetched(
        &self,
        beside: &Beside,
        url: &str,
        promised: &Hashes,
    ) -> Result<Option<Fresh>, Error> {
        if self.shared.config.offline {
            return Err(self.offline(beside));
        }
        let about = |failure| self.about(beside, failure);
        let url: Url = url
            .parse()
            .map_err(|error: url::ParseError| about(Failure::wrong(error.to_string())))?;
        self.shared
            .client
            .check(&url)
            .map_err(|failure| Error::Forbidden {
                why: format!("{} is not fetched: {}", beside.what(), failure.cause()),
            })?;
        let until = Instant::now() + self.shared.config.read_timeout;
        // Compressed on the way if upstream likes: its digest is that of the plain text.
        let client = &self.shared.client;
        let attempt = || async {
            let asking = client.send(Purpose::Page, Method::GET, &url, HeaderMap::new());
            let response = asking.await?;
            match response.status() {
                StatusCode::OK => within(BODY_DEADLINE, client.read(response, LARGEST))
                    .await
                    .map(Some),
                StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => {
                    client.discard(response).await;
                    Ok(None)
                }
                status => Err(Failure::wrong(format!("it answered {status}"))),
            }
        };
        let Some(bytes) = client.patiently(until, attempt).await.map_err(about)? else {
            return Ok(None);
        };
        self.checked(beside, bytes, promised, false).await.map(Some)
    }

    /// Checks a sidecar and stages it, so that it can be read at once.
    async fn checked(
        &self,
        beside: &Beside,
        bytes: Vec<u8>,
        promised: &Hashes,
        made: bool,
    ) -> Result<Fresh, Error> {
        let mut gate = Gate::new(promised);
        gate.update(&bytes);
        let digest = gate.finish().map_err(|mismatch| {
            self.shared.client.stats().refused.add(1);
            Error::Refused {
                file: format!("{}.{}", beside.file.filename, suffix(beside.part)),
                expected: mismatch.expected,
                found: mismatch.found,
            }
        })?;
        let staged = self.shared.storage.blobs().begin()?;
        let size = bytes.len() as u64;
        let writing =
            tokio::task::spawn_blocking(move || staged.write_at(0, &bytes).map(|()| staged));
        let staged = writing
            .await
            .unwrap_or_else(|panic| resume_unwind(panic.into_panic()))?;
        let row = SidecarRow { digest, size, made };
        let blob = staged.blob();
        Ok(Fresh {
            kept: Kept { row, blob },
            staged,
        })
    }

    /// Blob first, record second.
    async fn save(&self, beside: &Beside, fresh: Fresh) -> Result<(), Error> {
        let (name, path, row) = (&self.shared.name, &beside.path, &fresh.kept.row);
        if !self.is_meant(beside, row).await? {
            return Ok(());
        }
        fresh.staged.commit(&row.digest).await?;
        let db = self.shared.storage.db();
        db.save_sidecar(name, path, kind(beside.part), row, Timestamp::now())
            .await?;
        if row.made {
            db.note_made_metadata(name, &beside.project, path, Some(&row.digest))
                .await?;
        }
        self.shared.storage.grew(row.size);
        // First kept, then looked at again: a page that comes in between settles it.
        if !self.is_meant(beside, row).await? {
            db.forget_beside(name, &beside.project, std::slice::from_ref(path))
                .await?;
        }
        Ok(())
    }

    /// Whether the page, as last read, means what was found beside the file.
    async fn is_meant(&self, beside: &Beside, row: &SidecarRow) -> Result<bool, Error> {
        let meant = self.pages.entry(&beside.project, &beside.path).await?;
        Ok(meant.is_none_or(|meant| beside.is_of(&meant, row, self.shared.config.offline)))
    }

    fn about(&self, beside: &Beside, failure: Failure) -> Error {
        failure.about(&self.shared.name, &beside.what())
    }

    fn offline(&self, beside: &Beside) -> Error {
        Error::Offline {
            index: self.shared.name.clone(),
            what: beside.what(),
        }
    }
}

/// What clients wait for together: who has read a newer page wants something else.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Wanted {
    path: String,
    part: Part,
    of: Hashes,
    promised: CoreMetadata,
}

/// What is wanted, beside which file.
struct Beside {
    path: String,
    project: ProjectName,
    file: PageFile,
    part: Part,
}

impl Beside {
    fn what(&self) -> String {
        format!("the {} of `{}`", suffix(self.part), self.file.filename)
    }

    /// Whether what was promised beside this file is beside that one as well.
    ///
    /// Offline a page promises of metadata what can be made, and not what upstream had.
    fn is_of(&self, meant: &PageFile, row: &SidecarRow, offline: bool) -> bool {
        let is_other = match (self.part, &meant.core_metadata) {
            (Part::Metadata, CoreMetadata::Present(hashes)) if !offline => {
                hashes.sha256().is_some_and(|digest| digest != row.digest)
            }
            _ => false,
        };
        !contradicts(&self.file.hashes, &meant.hashes) && !is_other
    }
}

/// A sidecar that can be read.
#[derive(Debug, Clone)]
struct Kept {
    row: SidecarRow,
    blob: Blob,
}

/// A sidecar that is not in the store yet.
struct Fresh {
    kept: Kept,
    staged: Staged,
}

/// The address of the metadata beside a file: the suffix goes before the query (PEP 658).
fn metadata_url(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    format!("{}.metadata{}", &url[..end], &url[end..])
}

fn kind(part: Part) -> SidecarKind {
    match part {
        Part::Provenance => SidecarKind::Provenance,
        Part::Metadata | Part::File => SidecarKind::Metadata,
    }
}

fn suffix(part: Part) -> &'static str {
    match part {
        Part::Provenance => "provenance",
        Part::Metadata | Part::File => "metadata",
    }
}

fn content_type(part: Part) -> &'static str {
    match part {
        Part::Provenance => "application/vnd.pypi.integrity.v1+json",
        Part::Metadata | Part::File => "text/plain; charset=utf-8",
    }
}
