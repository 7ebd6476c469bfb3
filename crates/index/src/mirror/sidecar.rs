//! What stands beside a file: its metadata (PEP 658) and its provenance (PEP 740).
//!
//! Metadata comes from upstream where upstream has it, and is checked against the
//! digest on the page. Where upstream has none, we make it from the wheel's tail.

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, Shared as SharedFuture};
use pyspec::{CoreMetadata, Digest, FileKind, Hashes, PageFile, ProjectName};
use reqwest::StatusCode;
use reqwest::header::HeaderMap;
use store::{Blob, SidecarKind, SidecarRow};
use url::Url;

use super::Shared;
use super::client::{Failure, Purpose};
use super::file::Files;
use super::gate::Gate;
use super::pages::Pages;
use super::span::{Remote, Trouble};
use super::zip_tail::{self, Unreadable};
use crate::{Body, Cache, Error, Open, Part};

/// The largest sidecar taken from upstream.
const LARGEST: usize = 16 * 1024 * 1024;

type Flight = SharedFuture<BoxFuture<'static, Result<Option<SidecarRow>, Error>>>;

/// Metadata and provenance of a mirror's files.
pub(crate) struct Sidecars {
    shared: Arc<Shared>,
    pages: Arc<Pages>,
    files: Arc<Files>,
    flights: Mutex<HashMap<(String, Part), Flight>>,
}

impl Sidecars {
    pub(crate) fn new(shared: Arc<Shared>, pages: Arc<Pages>, files: Arc<Files>) -> Self {
        Self {
            shared,
            pages,
            files,
            flights: Mutex::default(),
        }
    }

    /// What stands beside the file at `path`.
    pub(crate) async fn open(
        self: &Arc<Self>,
        path: &str,
        part: Part,
    ) -> Result<Option<Open>, Error> {
        let stats = &self.shared.client.stats().sidecars;
        if let Some((row, blob)) = self.stored(path, part).await? {
            stats.hits.add(1);
            return self.opened(path, part, &row, blob, Cache::Hit);
        }
        let outcome = self.flight(path, part).await;
        match &outcome {
            Ok(Some(_)) => stats.misses.add(1),
            Ok(None) => {}
            Err(_) => stats.failures.add(1),
        }
        let Some(row) = outcome? else { return Ok(None) };
        match self.shared.storage.blob(&row.digest, row.size)? {
            Some(blob) => self.opened(path, part, &row, blob, Cache::Miss),
            None => Ok(None),
        }
    }

    fn opened(
        &self,
        path: &str,
        part: Part,
        row: &SidecarRow,
        blob: Blob,
        cache: Cache,
    ) -> Result<Option<Open>, Error> {
        let suffix = if part == Part::Metadata {
            "metadata"
        } else {
            "provenance"
        };
        let name = path.rsplit('/').next().unwrap_or(path);
        let filename = format!("{name}.{suffix}")
            .parse()
            .map_err(|_| Error::NoSuchFile {
                index: self.shared.name.clone(),
                file: name.to_owned(),
            })?;
        Ok(Some(Open {
            filename,
            etag: format!("\"{}\"", row.digest),
            len: Some(row.size),
            last_modified: None,
            content_type: content_type(part),
            body: Body::Stored(blob),
            cache,
        }))
    }

    async fn stored(&self, path: &str, part: Part) -> Result<Option<(SidecarRow, Blob)>, Error> {
        let Some(row) = self
            .shared
            .storage
            .db()
            .sidecar(&self.shared.name, path, kind(part))
            .await?
        else {
            return Ok(None);
        };
        let blob = self
            .shared
            .storage
            .blob(&row.digest, row.size)
            .unwrap_or(None);
        Ok(blob.map(|blob| (row, blob)))
    }

    /// One fetch for all who ask at the same time.
    fn flight(self: &Arc<Self>, path: &str, part: Part) -> Flight {
        let mut flights = self.flights.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (path.to_owned(), part);
        if let Some(flight) = flights.get(&key) {
            return flight.clone();
        }
        let (sidecars, key_) = (self.clone(), key.clone());
        let task = self.shared.runtime.spawn(async move {
            let outcome = sidecars.get(&key_.0, part).await;
            sidecars
                .flights
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .remove(&key_);
            outcome
        });
        let lost = Error::UpstreamDown {
            index: self.shared.name.clone(),
            what: format!("what stands beside `{path}`"),
            cause: "the request was given up".to_owned(),
            retry_after: None,
        };
        let flight: Flight = async move { task.await.unwrap_or(Err(lost)) }
            .boxed()
            .shared();
        flights.insert(key, flight.clone());
        flight
    }

    async fn get(&self, path: &str, part: Part) -> Result<Option<SidecarRow>, Error> {
        let Some((project, file)) = self.files.listed(path).await? else {
            return Ok(None);
        };
        match part {
            Part::Provenance => match &file.provenance {
                Some(url) => {
                    self.fetched(path, &project, &file, url, &Hashes::default(), part)
                        .await
                }
                None => Ok(None),
            },
            Part::Metadata | Part::File => self.metadata(path, &project, &file).await,
        }
    }

    async fn metadata(
        &self,
        path: &str,
        project: &ProjectName,
        file: &PageFile,
    ) -> Result<Option<SidecarRow>, Error> {
        let CoreMetadata::Present(promised) = &file.core_metadata else {
            return Ok(None);
        };
        let is_ours = self
            .pages
            .project(project)
            .await?
            .is_some_and(|answer| answer.project.makes.contains(&file.filename));
        if !is_ours && !self.shared.config.offline {
            let url = beside(&file.url);
            let fetched = self
                .fetched(path, project, file, &url, promised, Part::Metadata)
                .await;
            match fetched {
                Ok(Some(row)) => return Ok(Some(row)),
                // Advertised and not there: better made than missing.
                Ok(None) => {}
                Err(error) => return Err(error),
            }
        }
        if file.filename.kind() != FileKind::Wheel {
            return Ok(None);
        }
        let bytes = self.made(path, project, file).await?;
        self.shared.client.stats().metadata_made.add(1);
        self.keep(path, project, file, bytes, promised, Part::Metadata, true)
            .await
            .map(Some)
    }

    /// The sidecar at `url`, checked; `None` if upstream has none there.
    async fn fetched(
        &self,
        path: &str,
        project: &ProjectName,
        file: &PageFile,
        url: &str,
        promised: &Hashes,
        part: Part,
    ) -> Result<Option<SidecarRow>, Error> {
        let what = format!("what stands beside `{}`", file.filename);
        if self.shared.config.offline {
            return Err(Error::Offline {
                index: self.shared.name.clone(),
                what,
            });
        }
        let about = |failure: Failure| failure.about(&self.shared.name, &what);
        let url: Url = url
            .parse()
            .map_err(|error: url::ParseError| about(Failure::wrong(error.to_string())))?;
        let until = std::time::Instant::now() + self.shared.config.read_timeout;
        // Compressed on the way if upstream likes: its digest is that of the plain text.
        let response = self
            .shared
            .client
            .send_patiently(Purpose::Page, &url, HeaderMap::new(), until)
            .await
            .map_err(about)?;
        match response.status() {
            StatusCode::OK => {}
            StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN => return Ok(None),
            status => return Err(about(Failure::wrong(format!("it answered {status}")))),
        }
        let bytes = self
            .shared
            .client
            .read(response, LARGEST)
            .await
            .map_err(about)?;
        self.keep(path, project, file, bytes, promised, part, false)
            .await
            .map(Some)
    }

    /// Checks and stores a sidecar.
    #[expect(
        clippy::too_many_arguments,
        reason = "a record is made of all of them, in one place"
    )]
    async fn keep(
        &self,
        path: &str,
        project: &ProjectName,
        file: &PageFile,
        bytes: Vec<u8>,
        promised: &Hashes,
        part: Part,
        made: bool,
    ) -> Result<SidecarRow, Error> {
        let mut gate = Gate::new(promised);
        gate.update(&bytes);
        let digest: Digest = gate.finish().map_err(|mismatch| {
            self.shared.client.stats().refused.add(1);
            Error::Refused {
                file: format!("{}.metadata", file.filename),
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
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        staged.commit(&digest).await?;
        let row = SidecarRow { digest, size, made };
        let db = self.shared.storage.db();
        db.save_sidecar(
            &self.shared.name,
            path,
            kind(part),
            &row,
            jiff::Timestamp::now(),
        )
        .await?;
        if made {
            db.note_made_metadata(&self.shared.name, project, path, Some(&digest))
                .await?;
        }
        self.shared.storage.grew(size);
        Ok(row)
    }

    /// METADATA out of the wheel: the stored one, or range reads of upstream's.
    async fn made(
        &self,
        path: &str,
        project: &ProjectName,
        file: &PageFile,
    ) -> Result<Vec<u8>, Error> {
        let outcome = match self.files.stored(path).await? {
            Some((row, blob)) => from_blob(blob, row.size).await,
            None => self.from_ranges(path, file).await?,
        };
        match outcome {
            Ok(metadata) => Ok(metadata),
            Err(Unreadable::Wheel(why)) => {
                tracing::warn!(index = %self.shared.name, "no metadata can be made for `{}`: {why}", file.filename);
                // From the next page on it is no longer advertised.
                self.shared
                    .storage
                    .db()
                    .note_made_metadata(&self.shared.name, project, path, None)
                    .await?;
                Err(Failure::wrong(why).about(
                    &self.shared.name,
                    &format!("the metadata of `{}`", file.filename),
                ))
            }
            Err(Unreadable::Io(error)) => Err(Error::UpstreamDown {
                index: self.shared.name.clone(),
                what: format!("the metadata of `{}`", file.filename),
                cause: error.to_string(),
                retry_after: None,
            }),
        }
    }

    async fn from_ranges(
        &self,
        path: &str,
        file: &PageFile,
    ) -> Result<Result<Vec<u8>, Unreadable>, Error> {
        let what = format!("the metadata of `{}`", file.filename);
        let about = |failure: Failure| failure.about(&self.shared.name, &what);
        if self.shared.config.offline {
            return Err(Error::Offline {
                index: self.shared.name.clone(),
                what,
            });
        }
        let url: Url = file
            .url
            .parse()
            .map_err(|error: url::ParseError| about(Failure::wrong(error.to_string())))?;
        if url.scheme() == "file" {
            return self.from_whole(path).await;
        }
        let remote = Remote {
            client: self.shared.client.clone(),
            url,
        };
        match remote.len_if_ranged().await {
            Ok(Some(len)) => {
                let runtime = self.shared.runtime.clone();
                let reading = tokio::task::spawn_blocking(move || {
                    zip_tail::metadata(len, |start, length| {
                        runtime
                            .block_on(remote.read(start, length))
                            .map_err(io::Error::other)
                    })
                });
                Ok(reading
                    .await
                    .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())))
            }
            // No ranges: the wheel will be wanted soon anyway.
            Ok(None) => self.from_whole(path).await,
            Err(Trouble::Upstream(failure)) => Err(about(failure)),
            Err(Trouble::Missing(_)) => Err(about(Failure::wrong(
                "it lists the wheel but does not have it",
            ))),
            Err(Trouble::Here(error)) => Err(error),
        }
    }

    async fn from_whole(&self, path: &str) -> Result<Result<Vec<u8>, Unreadable>, Error> {
        if let Some(running) = self.files.running(path).await? {
            running
                .growing
                .finished()
                .await
                .map_err(|error| (*error).clone())?;
            let growing = running.growing.clone();
            let len = growing.arrived();
            let reading = tokio::task::spawn_blocking(move || {
                zip_tail::metadata(len, |start, length| {
                    growing
                        .slice(start, length as usize)
                        .map(Into::into)
                        .map_err(io::Error::other)
                })
            });
            return Ok(reading
                .await
                .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic())));
        }
        Ok(Err(Unreadable::Wheel("it is no longer listed".to_owned())))
    }
}

async fn from_blob(blob: Blob, len: u64) -> Result<Vec<u8>, Unreadable> {
    let reading = tokio::task::spawn_blocking(move || {
        zip_tail::metadata(len, |start, length| {
            blob.slice(start, length as usize)
                .map(Into::into)
                .map_err(io::Error::other)
        })
    });
    reading
        .await
        .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))
}

/// The address of the metadata beside a file: the suffix goes before the query (PEP 658).
fn beside(url: &str) -> String {
    let end = url.find(['?', '#']).unwrap_or(url.len());
    format!("{}.metadata{}", &url[..end], &url[end..])
}

fn kind(part: Part) -> SidecarKind {
    match part {
        Part::Provenance => SidecarKind::Provenance,
        Part::Metadata | Part::File => SidecarKind::Metadata,
    }
}

fn content_type(part: Part) -> &'static str {
    match part {
        Part::Provenance => "application/vnd.pypi.integrity.v1+json",
        Part::Metadata | Part::File => "text/plain; charset=utf-8",
    }
}
