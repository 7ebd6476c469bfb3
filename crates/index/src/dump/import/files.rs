//! The releases and files of an index of a dump.

use std::collections::HashMap;
use std::sync::Arc;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use pyspec::{Filename, Metadata, ProjectName};
use serde_json::{Map, Value, json};
use store::Role;

use super::{Import, Report, indexes};
use crate::catalog::Entry;
use crate::dump::{Dump, Kind, ListedFile, ListedIndex, Mirrored};
use crate::hosted::{By, Former, Hosted, Restored, Uploaded, receive_promised};
use crate::{Error, IndexName, IndexSettings};

/// A project and a version as the dump writes it.
pub(super) type Key = (ProjectName, String);
/// The version by which each release is kept.
type Releases = HashMap<Key, String>;

impl Import<'_> {
    /// Fills an index with what the dump has of it.
    pub(super) async fn fill(
        &self,
        dump: &Dump<'_>,
        name: &str,
        listed: &ListedIndex<'_>,
        report: &mut Report,
        done: &mut impl FnMut(),
    ) -> Result<(), Error> {
        let now = self.indexes.catalog().now();
        let index = name.parse::<IndexName>().ok();
        let entry = index
            .and_then(|index| now.get(&index))
            .filter(|_| !self.is_skipped(listed));
        if let Some(entry) = entry
            && indexes::is_wider(&entry.settings, &entry.name, listed)
        {
            let count = listed.files.len();
            report.problems.push(format!(
                "{count} files of {name} are left out: others may read it here than in the dump"
            ));
            listed.files.iter().for_each(|_| done());
            return Ok(());
        }
        let Some(hosted) = entry.and_then(|entry| entry.hosted.clone()) else {
            let is_mirror =
                |entry: &&Arc<Entry>| matches!(*entry.settings, IndexSettings::Mirror(_));
            if let Some(mirror) = entry.filter(is_mirror)
                && self.mirrored == Mirrored::Included
            {
                return self.fill_mirror(dump, mirror, listed, report, done).await;
            }
            self.leave_out(name, listed, report);
            listed.files.iter().for_each(|_| done());
            return Ok(());
        };
        // Of test results no dump has any.
        let is_unsure =
            |file: &&ListedFile| file.kind != Kind::ToxResult && file.hashes().is_empty();
        let unsure = listed.files.iter().filter(is_unsure).count();
        if unsure > 0 {
            report.notes.push(format!(
                "{unsure} files of {name} are taken as they are: the dump has no digest of theirs"
            ));
        }
        let releases = self.releases(&hosted, listed, report).await?;
        // A test result can only be kept beside the file that was tested.
        let (results, others): (Vec<_>, Vec<_>) = listed
            .files
            .iter()
            .partition(|file| file.kind == Kind::ToxResult);
        for file in others.into_iter().chain(results) {
            self.file(dump, &hosted, file, &releases, report).await?;
            done();
        }
        Ok(())
    }

    /// Tells why the files of an index stay where they are.
    fn leave_out(&self, name: &str, listed: &ListedIndex<'_>, report: &mut Report) {
        let count = listed.files.len();
        if count == 0 {
            return;
        }
        let kind = listed.settings.get("type").and_then(Value::as_str);
        let left_out = format!("{count} files of {name} are left out");
        if self.is_skipped(listed) {
            report.notes.push(format!("{left_out}, as was asked"));
        } else if matches!(kind, Some("mirror" | "remote")) {
            let note = format!(
                "{left_out}: a mirror fetches them again; `--include-mirrored-files` takes them in"
            );
            report.notes.push(note);
        } else {
            let problem = format!("{left_out}: there is no such index here that takes uploads");
            report.problems.push(problem);
        }
    }

    async fn releases(
        &self,
        hosted: &Hosted,
        listed: &ListedIndex<'_>,
        report: &mut Report,
    ) -> Result<Releases, Error> {
        let index = hosted.name();
        let first_uploads = self.first_uploads(listed);
        let mut releases = Releases::new();
        for (project, versions) in &listed.projects {
            let (mut keys, mut former) = (Vec::new(), Vec::new());
            for (version, text) in versions {
                let verdata = serde_json::from_str(text.get()).unwrap_or_default();
                let Some(metadata) = metadata(project, version, verdata) else {
                    report.problems.push(format!(
                        "{project} {version} of {index} is left out: that is no name or no version of today's rules"
                    ));
                    continue;
                };
                let key = (metadata.project().clone(), version.clone());
                let created_at = first_uploads.get(&key).copied().unwrap_or(self.now);
                keys.push(key);
                former.push((metadata, created_at));
            }
            let Some((name, _)) = keys.first().cloned() else {
                report.problems.push(format!(
                    "`{project}` of {index} is left out, since it has no release: a base may have it instead"
                ));
                continue;
            };
            let by = self.by();
            let restored = hosted.restore_releases(&name, &former, &by).await?;
            for (key, restored) in keys.into_iter().zip(restored) {
                let kept = told(index, &key, restored, &releases, report);
                releases.insert(key, kept);
                report.releases += 1;
            }
        }
        Ok(releases)
    }

    /// When the first file of each release came, as far as the dump knows.
    fn first_uploads(&self, listed: &ListedIndex<'_>) -> HashMap<Key, Timestamp> {
        let mut first = HashMap::new();
        for file in &listed.files {
            let (Ok(project), Some(version)) = (file.project.parse(), file.version.clone()) else {
                continue;
            };
            let at = self.uploaded_at(file);
            let first = first.entry((project, version)).or_insert(at);
            *first = at.min(*first);
        }
        first
    }

    async fn file(
        &self,
        dump: &Dump<'_>,
        hosted: &Hosted,
        file: &ListedFile,
        releases: &Releases,
        report: &mut Report,
    ) -> Result<(), Error> {
        let former = match self.former(file, releases) {
            Ok(former) => former,
            Err(why) => {
                report
                    .problems
                    .push(format!("`{}` is left out: {why}", file.path));
                return Ok(());
            }
        };
        let opened = match dump.locate(&file.path) {
            Ok(path) => tokio::fs::File::open(path).await,
            Err(error) => Err(error),
        };
        let content = match opened {
            Ok(opened) => receive_promised(self.storage, opened, &file.hashes()).await?,
            Err(error) => Err(format!("cannot be read: {error}")),
        };
        let content = match content {
            Ok(content) => content,
            Err(why) => {
                report.problems.push(format!("`{}` {why}", file.path));
                return Ok(());
            }
        };
        match hosted.restore_file(former, &content, &self.by()).await {
            Ok(Uploaded::Stored) => {
                report.files += 1;
                report.bytes += content.len();
            }
            Ok(Uploaded::Same) => report.known += 1,
            Err(Error::Exists { .. }) => report.problems.push(format!(
                "`{}` is left out: {} has other bytes of that name",
                file.path,
                hosted.name()
            )),
            Err(Error::BadUpload { why }) => {
                report
                    .problems
                    .push(format!("`{}` is left out: {why}", file.path));
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    fn former(&self, file: &ListedFile, releases: &Releases) -> Result<Former, String> {
        let project: ProjectName = file.project.parse().map_err(|error| format!("{error}"))?;
        let filename: Filename = file
            .filename()
            .parse()
            .map_err(|error| format!("{error}"))?;
        let version = match &file.version {
            Some(version) => version.clone(),
            None => version_of(&filename, &project)
                .ok_or("the dump does not say of which release it is")?,
        };
        let key = (project, version);
        let kept = releases.get(&key).ok_or("its release is not in the dump")?;
        let tested = file.tested.as_deref();
        let tested = tested.map(|path| path.rsplit('/').next().unwrap_or(path));
        Ok(Former {
            version: kept.clone(),
            project: key.0,
            filename,
            role: match file.kind {
                Kind::ReleaseFile => Role::ReleaseFile,
                Kind::DocZip => Role::DocZip,
                Kind::ToxResult => Role::ToxResult,
            },
            tested: tested
                .filter(|_| file.kind == Kind::ToxResult)
                .map(str::to_owned),
            uploaded_at: self.uploaded_at(file),
            yanked: file.yanked.clone(),
            log: file.log.clone().unwrap_or_else(|| json!([])),
        })
    }

    /// When it was uploaded, by its history; else when it was last changed.
    fn uploaded_at(&self, file: &ListedFile) -> Timestamp {
        let log = file.log.as_ref().and_then(Value::as_array);
        let told = log.into_iter().flatten().find_map(when);
        told.or_else(|| file.changed_at()).unwrap_or(self.now)
    }

    fn by(&self) -> By {
        By::nobody(self.now)
    }
}

/// By which version a release is kept; tells if it is another than that of the dump.
fn told(
    index: &IndexName,
    (project, version): &Key,
    restored: Restored,
    before: &Releases,
    report: &mut Report,
) -> String {
    let kept = match restored {
        Restored::AsThere(kept) => return kept,
        Restored::Otherwise(kept) => kept,
    };
    let is_of_dump = |((name, _), other): (&Key, &String)| name == project && *other == kept;
    if before.iter().any(is_of_dump) {
        report.notes.push(format!(
            "{project} {version} of {index} is one release with {kept} here"
        ));
    } else {
        report.problems.push(format!(
            "{project} {version} of {index} is here already and says other things of itself, which it keeps"
        ));
    }
    kept
}

/// The time of an entry of devpi's logs: six numbers, UTC. Nothing was uploaded before 1970, and
/// HTTP has no words for such times.
fn when(entry: &Value) -> Option<Timestamp> {
    let numbers = entry.get("when")?.as_array()?.iter();
    let numbers: Vec<i16> = numbers
        .map(|number| i16::try_from(number.as_i64()?).ok())
        .collect::<Option<_>>()?;
    let small = |at: usize| i8::try_from(*numbers.get(at)?).ok();
    let at = DateTime::new(
        *numbers.first()?,
        small(1)?,
        small(2)?,
        small(3)?,
        small(4)?,
        small(5)?,
        0,
    );
    let at = at.ok()?.to_zoned(TimeZone::UTC).ok()?.timestamp();
    (at >= Timestamp::UNIX_EPOCH).then_some(at)
}

/// What a release says of itself; if that cannot be read, its name and version at least.
fn metadata(project: &str, version: &str, mut verdata: Map<String, Value>) -> Option<Metadata> {
    let plain = Metadata::from_form([("name", project), ("version", version)]).ok()?;
    let text = |key: &str| verdata.get(key).and_then(Value::as_str).unwrap_or_default();
    // What is listed for one release says nothing of another.
    if text("name").parse().ok().as_ref() != Some(plain.project()) {
        verdata.insert("name".to_owned(), project.into());
    }
    let text = |key: &str| verdata.get(key).and_then(Value::as_str).unwrap_or_default();
    if text("version").parse().ok().as_ref() != Some(plain.version()) {
        verdata.insert("version".to_owned(), version.into());
    }
    Some(Metadata::from_verdata(&verdata).unwrap_or(plain))
}

/// Documentation has its version in its name as well.
fn version_of(filename: &Filename, project: &ProjectName) -> Option<String> {
    let documented = filename.as_str().strip_suffix(".doc.zip");
    let documented = documented.and_then(|stem| stem.rsplit_once('-'));
    match documented {
        Some((_, version)) => Some(version.to_owned()),
        None => filename
            .version_of(project)
            .map(|version| version.to_string()),
    }
}
