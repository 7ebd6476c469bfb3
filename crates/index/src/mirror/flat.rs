//! Upstreams that are one flat list of files: a find-links page or a directory.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use pyspec::{
    CoreMetadata, FileKind, Filename, Hashes, PageFile, ProjectName, ProjectPage, UploadTime,
    UploadTimeSource, Yanked, simple_html,
};
use tokio::sync::Mutex;
use url::Url;

use super::client::Failure;
use super::config::Upstream;
use super::fetch::{self, Fetched, Validators};
use super::known::{Known, project_of};
use super::pages::How;
use super::{Shared, freshness};

/// A flat list of files, fetched whole and cut into projects.
pub(crate) struct Flat {
    shared: Arc<Shared>,
    list: Mutex<Option<List>>,
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
            })),
        }
    }

    /// The names of all projects that some file belongs to.
    pub(crate) async fn names(&self) -> Result<BTreeSet<ProjectName>, Failure> {
        let list = self.list().await?;
        Ok(list
            .files
            .iter()
            .filter_map(|file| file.filename.candidates().into_iter().next())
            .collect())
    }

    /// One project of the list.
    pub(crate) async fn project(&self, name: &ProjectName) -> Result<(Known, How), Failure> {
        let list = self.list().await?;
        let files: Vec<PageFile> = list
            .files
            .iter()
            .filter(|file| file.filename.candidates().contains(name))
            .cloned()
            .collect();
        let project =
            (!files.is_empty()).then(|| Arc::new(project_of(page(name, files), BTreeSet::new())));
        let known = Known {
            project,
            validators: Validators::default(),
            fetched_at: Timestamp::now(),
            fresh_until: list.fresh_until,
        };
        Ok((known, How::Fetched))
    }

    /// The whole list; those who come while it is fetched wait for that one answer.
    async fn list(&self) -> Result<List, Failure> {
        let mut slot = self.list.lock().await;
        if let Some(list) = slot
            .as_ref()
            .filter(|list| Timestamp::now() < list.fresh_until)
        {
            return Ok(list.clone());
        }
        let list = match &self.shared.config.upstream {
            Upstream::Directory(path) => self.read_directory(path.clone()).await?,
            Upstream::FindLinks(url) | Upstream::Simple(url) => {
                self.fetch(url, slot.as_ref()).await?
            }
        };
        *slot = Some(list.clone());
        Ok(list)
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
        let metadata = entry.metadata()?;
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
