//! Upstreams that are one flat list of files: a find-links page or a directory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use pyspec::{
    CoreMetadata, FileKind, Filename, Hashes, PageFile, ProjectName, ProjectPage, UploadTime,
    UploadTimeSource, Yanked, simple_html,
};
use url::Url;

use super::client::Failure;
use super::config::Upstream;
use super::fetch::{self, Fetched, Validators};
use super::flights::Flights;
use super::{Shared, freshness};
use crate::Error;

/// How long an old list is good enough when a new one cannot be had.
const MEANWHILE: Duration = Duration::from_secs(30);

/// A flat list of files, fetched whole and cut into projects.
pub(crate) struct Flat {
    shared: Arc<Shared>,
    list: Mutex<Option<List>>,
    flights: Arc<Flights<(), List>>,
}

#[derive(Clone)]
struct List {
    files: Arc<[PageFile]>,
    validators: Validators,
    fresh_until: Timestamp,
}

impl Flat {
    /// `None` for an upstream that is a Simple index.
    pub(crate) fn of(shared: &Arc<Shared>) -> Option<Arc<Self>> {
        match shared.config.upstream {
            Upstream::Simple(_) => None,
            Upstream::FindLinks(_) | Upstream::Directory(_) => Some(Arc::new(Self {
                shared: shared.clone(),
                list: Mutex::default(),
                flights: Arc::default(),
            })),
        }
    }

    /// The names of all projects that some file belongs to.
    pub(crate) async fn names(self: &Arc<Self>) -> Result<BTreeSet<ProjectName>, Error> {
        let list = self.list().await?;
        let first = |file: &PageFile| file.filename.candidates().into_iter().next();
        Ok(list.files.iter().filter_map(first).collect())
    }

    /// One project of the list, and until when it is good; `None` if no file belongs to it.
    pub(crate) async fn project(
        self: &Arc<Self>,
        name: &ProjectName,
    ) -> Result<(Option<ProjectPage>, Timestamp), Error> {
        let list = self.list().await?;
        let is_its = |file: &&PageFile| file.filename.candidates().contains(name);
        let files: Vec<PageFile> = list.files.iter().filter(is_its).cloned().collect();
        let page = (!files.is_empty()).then(|| page(name, files));
        Ok((page, list.fresh_until))
    }

    fn held(&self) -> Option<List> {
        self.list
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// The whole list; those who come while it is fetched wait for that one answer.
    async fn list(self: &Arc<Self>) -> Result<List, Error> {
        if let Some(list) = self
            .held()
            .filter(|list| Timestamp::now() < list.fresh_until)
        {
            return Ok(list);
        }
        let flat = self.clone();
        let lost = self.about(Failure::down("the request was given up"));
        let flight = self
            .flights
            .join(&self.shared.runtime, &(), lost, |landing| async move {
                let outcome = flat.renew().await;
                drop(landing);
                outcome
            });
        flight.await
    }

    async fn renew(&self) -> Result<List, Error> {
        let held = self.held();
        let list = match (self.ask(held.as_ref()).await, held) {
            (Ok(list), _) => list,
            (Err(failure), Some(old)) => {
                tracing::warn!(index = %self.shared.name, "the old list of links is used: {}", failure.cause());
                List {
                    fresh_until: Timestamp::now() + MEANWHILE.min(self.shared.config.fresh_for),
                    ..old
                }
            }
            (Err(failure), None) => return Err(self.about(failure)),
        };
        *self.list.lock().unwrap_or_else(PoisonError::into_inner) = Some(list.clone());
        Ok(list)
    }

    async fn ask(&self, held: Option<&List>) -> Result<List, Failure> {
        match &self.shared.config.upstream {
            Upstream::Directory(path) => self.read_directory(path.clone()).await,
            Upstream::FindLinks(url) | Upstream::Simple(url) => self.fetch(url, held).await,
        }
    }

    fn about(&self, failure: Failure) -> Error {
        failure.about(&self.shared.name, "the list of files")
    }

    async fn fetch(&self, url: &Url, known: Option<&List>) -> Result<List, Failure> {
        let fresh_until = |header: Option<&str>| {
            Timestamp::now() + freshness::fresh_for(self.shared.config.fresh_for, header)
        };
        match (
            fetch::page(&self.shared, url, known.map(|list| &list.validators)).await?,
            known,
        ) {
            (Fetched::Unchanged { cache_control }, Some(list)) => Ok(List {
                fresh_until: fresh_until(cache_control.as_deref()),
                ..list.clone()
            }),
            (Fetched::Page(page), _) => {
                let parsed = simple_html::parse_find_links(&page.body, &page.url);
                let parsed = parsed
                    .map_err(|error| Failure::wrong(format!("its page is malformed: {error}")))?;
                Ok(List {
                    files: parsed.value.into(),
                    validators: page.validators,
                    fresh_until: fresh_until(page.cache_control.as_deref()),
                })
            }
            (Fetched::Missing | Fetched::Unchanged { .. }, _) => {
                Err(Failure::wrong("there is no page of links at its address"))
            }
        }
    }

    async fn read_directory(&self, path: std::path::PathBuf) -> Result<List, Failure> {
        let fresh_until = Timestamp::now() + self.shared.config.fresh_for;
        let reading = tokio::task::spawn_blocking(move || {
            read_directory(&path)
                .map_err(|error| Failure::wrong(format!("its directory cannot be read ({error})")))
        });
        let files = reading
            .await
            .unwrap_or_else(|_| Err(Failure::wrong("its directory cannot be read")))?;
        Ok(List {
            files: files.into(),
            validators: Validators::default(),
            fresh_until,
        })
    }
}

fn page(name: &ProjectName, files: Vec<PageFile>) -> ProjectPage {
    let versions: BTreeSet<_> = files
        .iter()
        .filter_map(|file| file.filename.version_of(name))
        .collect();
    ProjectPage {
        name: name.clone(),
        status: None,
        versions: versions
            .into_iter()
            .map(|version| version.to_string())
            .collect(),
        files,
        tracks: Vec::new(),
        alternate_locations: Vec::new(),
        last_serial: None,
    }
}

fn read_directory(path: &Path) -> std::io::Result<Vec<PageFile>> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        // Through symbolic links, as pip does.
        let Ok(metadata) = std::fs::metadata(entry.path()) else {
            continue;
        };
        let filename = entry
            .file_name()
            .to_str()
            .and_then(|name| name.parse::<Filename>().ok());
        let Some(filename) =
            filename.filter(|name| metadata.is_file() && name.kind() != FileKind::Other)
        else {
            continue;
        };
        let Ok(url) = Url::from_file_path(std::path::absolute(entry.path())?) else {
            continue;
        };
        let modified = metadata
            .modified()
            .ok()
            .and_then(|at| Timestamp::try_from(at).ok());
        files.push(PageFile {
            filename,
            url: url.into(),
            hashes: Hashes::default(),
            size: Some(metadata.len()),
            upload_time: modified.map(|at| UploadTime {
                at,
                source: UploadTimeSource::LastModified,
            }),
            requires_python: None,
            yanked: Yanked::No,
            core_metadata: CoreMetadata::Absent,
            provenance: None,
            gpg_sig: None,
        });
    }
    files.sort_by(|a, b| a.filename.cmp(&b.filename));
    Ok(files)
}
