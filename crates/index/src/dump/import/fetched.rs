//! What a mirror of the dump has fetched, taken in as if it had come from upstream.
//!
//! The dump is believed until upstream is asked: a file in whose place upstream has other bytes
//! is then not served any more, as with any that upstream replaces. A project of which no page
//! is here gets one of these files, which is old from the start: it counts while upstream is silent.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use jiff::Timestamp;
use pyspec::{
    CoreMetadata, Filename, Hashes, PageFile, ProjectName, ProjectPage, UploadTime,
    UploadTimeSource, Yanked,
};
use serde_json::{Map, Value};
use store::FileRow;
use url::Url;

use super::files::Key;
use super::{Import, Report};
use crate::catalog::Entry;
use crate::dump::{Dump, Kind, ListedFile, ListedIndex};
use crate::hosted::{Received, receive_promised};
use crate::mirror::known::{self, Known};
use crate::project::path_of;
use crate::{Error, IndexSettings, Project};

/// When a page was fetched that only a dump tells of: upstream is asked as soon as somebody wants it.
const FROM_A_DUMP: Timestamp = Timestamp::UNIX_EPOCH;

/// What the dump says of each release.
type Releases = HashMap<Key, Map<String, Value>>;

/// A file of the dump, and where it belongs.
struct Fetched {
    project: ProjectName,
    filename: Filename,
    /// Of it, upstream.
    url: Url,
    last_modified: Option<Timestamp>,
}

impl Import<'_> {
    /// Takes in what a mirror has fetched.
    pub(super) async fn fill_mirror(
        &self,
        dump: &Dump<'_>,
        entry: &Entry,
        listed: &ListedIndex<'_>,
        report: &mut Report,
        done: &mut impl FnMut(),
    ) -> Result<(), Error> {
        if !is_of_same_upstream(entry, listed) {
            let (name, count) = (&entry.name, listed.files.len());
            report.notes.push(format!(
                "{count} files of {name} are left out: it mirrors another upstream here"
            ));
            listed.files.iter().for_each(|_| done());
            return Ok(());
        }
        let releases = releases(listed);
        let mut pages: BTreeMap<ProjectName, Vec<PageFile>> = BTreeMap::new();
        for file in &listed.files {
            match self.fetched(dump, entry, file, report).await? {
                Ok((fetched, content)) => {
                    let files = pages.entry(fetched.project.clone()).or_default();
                    let listed = fetched.on_page(file, &content, &releases);
                    // A dump may tell of a file twice, a page does not.
                    if files.iter().all(|other| other.url != listed.url) {
                        files.push(listed);
                    }
                }
                Err(why) => report
                    .problems
                    .push(format!("`{}` is left out: {why}", file.path)),
            }
            done();
        }
        for (project, files) in pages {
            self.show(entry, project, files).await?;
        }
        Ok(())
    }

    /// Takes in one file; `Err` inside says why it is left out.
    async fn fetched(
        &self,
        dump: &Dump<'_>,
        entry: &Entry,
        file: &ListedFile,
        report: &mut Report,
    ) -> Result<Result<(Fetched, Received), String>, Error> {
        let fetched = match fetched(file) {
            Ok(fetched) => fetched,
            Err(why) => return Ok(Err(why)),
        };
        let opened = match dump.locate(&file.path) {
            Ok(path) => tokio::fs::File::open(path).await,
            Err(error) => Err(error),
        };
        let opened = match opened {
            Ok(opened) => opened,
            Err(error) => return Ok(Err(format!("it cannot be read: {error}"))),
        };
        let content = match receive_promised(self.storage, opened, &file.hashes()).await? {
            Ok(content) => content,
            Err(why) => return Ok(Err(format!("it {why}"))),
        };
        let row = fetched.row(entry, &content, self.now);
        match self.storage.db().file(&row.mirror, &row.path).await? {
            Some(known) if known.digest == row.digest => report.known += 1,
            Some(_) => {
                let why = format!("{} has other bytes of that name", entry.name);
                return Ok(Err(why));
            }
            None => {
                content.commit().await?;
                self.storage.db().save_file(&row).await?;
                self.storage.grew(row.size);
                report.files += 1;
                report.bytes += row.size;
            }
        }
        Ok(Ok((fetched, content)))
    }

    /// Keeps a page of these files, unless upstream's own is kept; adds to one that another
    /// dump has left.
    async fn show(
        &self,
        entry: &Entry,
        name: ProjectName,
        files: Vec<PageFile>,
    ) -> Result<(), Error> {
        let db = self.storage.db();
        let kept = db.page(entry.name.as_str(), &name).await?;
        let kept = kept.and_then(|page| Some((page.fetched_at, page.body?)));
        let before = match kept {
            Some((fetched_at, _)) if fetched_at != FROM_A_DUMP => return Ok(()),
            Some((_, body)) => known::unpack(&body, &name),
            None => None,
        };
        let before = before.map(|page| page.files).unwrap_or_default();
        let files = added(before, files);
        let mut versions: Vec<String> = Vec::new();
        for version in files
            .iter()
            .filter_map(|file| file.filename.version_of(&name))
        {
            let version = version.to_string();
            if !versions.contains(&version) {
                versions.push(version);
            }
        }
        let page = ProjectPage {
            name: name.clone(),
            status: None,
            versions,
            files,
            tracks: Vec::new(),
            alternate_locations: Vec::new(),
            last_serial: None,
        };
        let known = Known {
            project: Some(Arc::new(Project::of(page))),
            validators: crate::mirror::Validators::default(),
            fetched_at: FROM_A_DUMP,
            fresh_until: FROM_A_DUMP,
        };
        let row = known.to_row()?;
        Ok(db.save_page(entry.name.as_str(), &name, &row).await?)
    }
}

impl Fetched {
    fn row(&self, entry: &Entry, content: &Received, now: Timestamp) -> FileRow {
        FileRow {
            mirror: entry.name.to_string(),
            path: path_of(self.url.as_str()).into_owned(),
            project: self.project.clone(),
            filename: self.filename.clone(),
            digest: *content.digest(),
            promised: (*content.digest()).into(),
            size: content.len(),
            etag: format!("\"{}\"", content.digest()),
            last_modified: self.last_modified,
            stored_at: now,
            last_used: now,
            pinned: false,
        }
    }

    fn on_page(&self, file: &ListedFile, content: &Received, releases: &Releases) -> PageFile {
        let version = file.version.clone().unwrap_or_default();
        let release = releases.get(&(self.project.clone(), version));
        let told = |key: &str| release.and_then(|release| release.get(key));
        let mut hashes = Hashes::default();
        // A digest of our own is always well-formed.
        let _ = hashes.insert("sha256", &content.digest().to_string());
        PageFile {
            filename: self.filename.clone(),
            url: self.url.to_string(),
            hashes,
            size: Some(content.len()),
            upload_time: self.last_modified.map(|at| UploadTime {
                at,
                source: UploadTimeSource::LastModified,
            }),
            requires_python: told("requires_python")
                .and_then(Value::as_str)
                .map(str::to_owned),
            yanked: match told("yanked") {
                Some(Value::Bool(true)) => Yanked::Yes(None),
                Some(Value::String(reason)) => {
                    Yanked::Yes(Some(reason.clone()).filter(|reason| !reason.is_empty()))
                }
                _ => Yanked::No,
            },
            core_metadata: CoreMetadata::Absent,
            provenance: None,
            gpg_sig: None,
        }
    }
}

/// These files, and those of the others that are at no path of theirs.
fn added(mut files: Vec<PageFile>, others: Vec<PageFile>) -> Vec<PageFile> {
    for other in others {
        if files
            .iter()
            .all(|file| path_of(&file.url) != path_of(&other.url))
        {
            files.push(other);
        }
    }
    files
}

/// Whether a mirror here has what that of the dump had.
fn is_of_same_upstream(entry: &Entry, listed: &ListedIndex<'_>) -> bool {
    let settings = &listed.settings;
    let told = settings
        .get("mirror_url")
        .or_else(|| settings.get("remote_url"))
        .and_then(Value::as_str);
    match &*entry.settings {
        IndexSettings::Mirror(here) => here
            .url
            .as_ref()
            .zip(told)
            .is_some_and(|(here, told)| here.is_of(told)),
        IndexSettings::Stage(_) => false,
    }
}

fn releases(listed: &ListedIndex<'_>) -> Releases {
    let mut releases = Releases::new();
    for (project, versions) in &listed.projects {
        let Ok(project) = project.parse::<ProjectName>() else {
            continue;
        };
        for (version, text) in versions {
            let told = serde_json::from_str(text.get()).unwrap_or_default();
            releases.insert((project.clone(), version.clone()), told);
        }
    }
    releases
}

fn fetched(file: &ListedFile) -> Result<Fetched, String> {
    if file.kind != Kind::ReleaseFile {
        return Err("a mirror keeps only what installers take".to_owned());
    }
    let filename: Filename = file
        .filename()
        .parse()
        .map_err(|error| format!("{error}"))?;
    let url = file.url().and_then(|url| url.parse::<Url>().ok());
    let url = url.filter(|url| matches!(url.scheme(), "http" | "https"));
    let mut url = url.ok_or("the dump does not say where upstream has it")?;
    url.set_fragment(None);
    // Both fail only for URLs that cannot have user info in the first place.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    if path_of(url.as_str()).rsplit('/').next() != Some(filename.as_str()) {
        return Err("upstream has it under another name".to_owned());
    }
    let project: ProjectName = file.project.parse().map_err(|error| format!("{error}"))?;
    if filename.version_of(&project).is_none() {
        return Err(format!("it is not a file of `{project}`"));
    }
    Ok(Fetched {
        project,
        filename,
        url,
        last_modified: file.changed_at(),
    })
}
