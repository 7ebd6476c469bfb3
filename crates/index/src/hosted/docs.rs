//! Documentation: a zip file that people upload, and its pages, read straight from it.

use std::io::Read;
use std::sync::Arc;

use bytes::Bytes;
use pyspec::{Digest, Filename, InvalidName, Metadata, ProjectName};
use quick_cache::sync::Cache as QuickCache;
use store::{Blob, HostedRow, Role};

use super::content::Reader;
use super::form::{Form, bad, invalid_metadata};
use super::inspect::{blocking, unopened};
use super::snapshot::{Release, Snapshot};
use super::upload::Parts;
use super::{By, Hosted, Rules, Uploaded, lost, quoted};
use crate::Error;

/// How many lists of pages are kept in memory.
const KEPT: usize = 8;
/// Bytes of a page that are unpacked at a time.
const STEP: usize = 256 * 1024;

/// The list of pages stays in memory, so it is bounded more than that of a wheel.
fn limits(of_archives: archive::Limits) -> archive::Limits {
    archive::Limits {
        entries: of_archives.entries.min(50_000),
        directory: of_archives.directory.min(8 << 20),
        ..of_archives
    }
}

/// Lists of pages that were read before.
pub(super) struct Kept(QuickCache<Digest, Arc<archive::Docs>>);

impl Default for Kept {
    fn default() -> Self {
        Self(QuickCache::new(KEPT))
    }
}

/// The documentation of a release.
#[derive(Clone)]
pub struct Documentation {
    version: String,
    digest: Digest,
    blob: Blob,
    docs: Arc<archive::Docs>,
}

/// One page of it, or a picture, or whatever else is in the zip.
pub struct DocPage {
    len: u64,
    contents: Option<Box<archive::Contents<Reader>>>,
}

impl Hosted {
    pub(super) async fn upload_docs(
        &self,
        mut form: Form,
        rules: Rules,
        by: &By,
    ) -> Result<Uploaded, Error> {
        let (sent, mut content) = form.take_content()?;
        content.check(&sent, &form.fields).await?;
        let metadata = self.documented_release(&form).await?;
        let (project, version) = (metadata.project(), metadata.version());
        let filename: Filename = format!("{project}-{version}.doc.zip")
            .parse()
            .map_err(|_| bad("project and version are too long for the name of a file"))?;
        let snapshot = self.snapshot(project).await?;
        if let Some(early) = self.early(&snapshot, Role::DocZip, &filename, &content, rules)? {
            return Ok(early);
        }
        let (blob, limits) = (content.reader(), limits(self.limits));
        let docs = blocking(move || archive::Docs::open(&blob, &limits)).await;
        let docs = docs.map_err(|error| unopened(&sent, error))?;
        if docs.is_empty() {
            return Err(bad(format!("{sent} is refused: there is no page in it")));
        }
        let parts = Parts {
            metadata,
            filename,
            role: Role::DocZip,
            requires_python: None,
            sidecar: None,
            provenance: None,
        };
        self.keep(content, parts, rules, by).await
    }

    /// The release that a form documents: the latest one, if it does not say.
    async fn documented_release(&self, form: &Form) -> Result<Metadata, Error> {
        let named = |name: &str| {
            form.field(name)
                .map(str::trim)
                .filter(|text| !text.is_empty())
        };
        if named("version").is_some() {
            return form.metadata();
        }
        let name = named("name").unwrap_or_default();
        let project: ProjectName = name
            .parse()
            .map_err(|why: InvalidName| invalid_metadata(&why.into()))?;
        let snapshot = self.snapshot(&project).await?;
        let latest = snapshot.releases.first().ok_or_else(|| {
            bad(format!(
                "doczip has no version and {} has no releases to derive one from",
                quoted(project.as_str())
            ))
        })?;
        let fields = [("name", name), ("version", &latest.row.version)];
        Metadata::from_form(fields).map_err(|why| invalid_metadata(&why))
    }

    /// The documentation of a release; `latest` and `stable` are versions, too: the last
    /// one that has any, and the last one that is no pre-release.
    pub async fn documentation(
        &self,
        project: &ProjectName,
        version: &str,
    ) -> Result<Option<Documentation>, Error> {
        let snapshot = self.snapshot(project).await?;
        let Some(row) = documented(&snapshot, version) else {
            return Ok(None);
        };
        let blob = self.storage.blob(&row.digest, row.size)?;
        let blob = blob.ok_or_else(|| lost(&row.digest))?;
        let docs = match self.documentations.0.get(&row.digest) {
            Some(known) => known,
            None => self.read_docs(row, &blob).await?,
        };
        Ok(Some(Documentation {
            version: row.version.clone(),
            digest: row.digest,
            blob,
            docs,
        }))
    }

    async fn read_docs(&self, row: &HostedRow, blob: &Blob) -> Result<Arc<archive::Docs>, Error> {
        let (reader, limits) = (Reader::Stored(blob.clone()), limits(self.limits));
        let docs = blocking(move || archive::Docs::open(&reader, &limits)).await;
        let docs = Arc::new(docs.map_err(|error| unopened(row.filename.as_str(), error))?);
        self.documentations.0.insert(row.digest, docs.clone());
        Ok(docs)
    }
}

/// The doc zip that a version, or a word for one, means.
fn documented<'a>(snapshot: &'a Snapshot, version: &str) -> Option<&'a HostedRow> {
    let of = |release: &Release| {
        let files = snapshot.files_of(&release.row.version);
        files.filter(|file| file.role == Role::DocZip).last()
    };
    let is_stable = |release: &&Release| {
        let version = release.version.as_ref();
        version.is_some_and(|version| !version.is_prerelease())
    };
    match version {
        "latest" => snapshot.releases.iter().find_map(of),
        "stable" => snapshot.releases.iter().filter(is_stable).find_map(of),
        version => of(snapshot.release(version)?),
    }
}

impl Documentation {
    /// Of which version it is.
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Changes with any of its pages; strong and quoted.
    pub fn etag(&self) -> String {
        format!("\"{}\"", self.digest)
    }

    /// The page at this path, as it is written in the zip: `index.html`, `api/foo.html`.
    pub fn page(&self, path: &str) -> Option<DocPage> {
        let page = self.docs.page(path)?;
        Some(DocPage {
            len: page.len(),
            contents: Some(Box::new(page.contents(Reader::Stored(self.blob.clone())))),
        })
    }

    /// The path of every page, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.docs.paths()
    }
}

impl DocPage {
    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.len
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The next part of it; `None` at its end. After an error there is nothing more to come.
    pub async fn next(&mut self) -> Result<Option<Bytes>, Error> {
        let Some(mut contents) = self.contents.take() else {
            return Ok(None);
        };
        let read = blocking(move || {
            let mut part = Vec::new();
            let read = contents.by_ref().take(STEP as u64).read_to_end(&mut part);
            read.map(|_| (part, contents))
        });
        let (part, contents) = read
            .await
            .map_err(|error| unopened("the documentation", archive::Error::Io(error)))?;
        if part.is_empty() {
            return Ok(None);
        }
        self.contents = Some(contents);
        Ok(Some(part.into()))
    }
}
