//! Pushing: a release goes from one index to another, with its test results and its documentation.

use pyspec::ProjectName;
use serde_json::{Value, json};
use store::{Event, HostedRow, ReleaseRow, Role};

use super::snapshot::Snapshot;
use super::{By, Hosted, LogEntry, Rules, log};
use crate::{Error, IndexName};

/// What of a release is pushed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PushWhat {
    /// All of it.
    All,
    /// All but its documentation.
    WithoutDocs,
    /// Its documentation alone.
    OnlyDocs,
}

/// Where a release is pushed to.
#[derive(Clone, Copy)]
pub struct Target<'a> {
    /// The index.
    pub index: &'a Hosted,
    /// Its rules.
    pub rules: Rules,
}

/// What was done on the way, as devpi's client prints it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pushed {
    /// The release was described.
    Register {
        /// The project, as its uploaders write it.
        name: String,
        /// The version.
        version: String,
        /// On which index.
        target: IndexName,
    },
    /// A release file is there.
    ReleaseFile {
        /// On which index.
        target: IndexName,
        /// What follows `+f/` in its URL.
        path: String,
    },
    /// A test result is there.
    ToxResult {
        /// On which index.
        target: IndexName,
        /// What follows `+f/` in its URL.
        path: String,
    },
    /// Documentation is there.
    DocZip {
        /// The project, as its uploaders write it.
        name: String,
        /// The version.
        version: String,
        /// On which index.
        target: IndexName,
    },
}

impl Hosted {
    /// Pushes a release to another index: all that is meant, or nothing.
    pub async fn push(
        &self,
        project: &ProjectName,
        version: &str,
        what: PushWhat,
        to: Target<'_>,
        by: &By,
    ) -> Result<Vec<Pushed>, Error> {
        let target = to.index;
        let snapshot = self.snapshot(project).await?;
        let release = snapshot.release(version);
        let release = &release.ok_or_else(|| self.no_files(project, version))?.row;
        let files = chosen(&snapshot, &release.version, what);
        if files.is_empty() {
            return Err(self.no_such_version(project, version));
        }
        let there = target.snapshot(project).await?;
        let release = target.taken_over(&there, release, by);
        let rows: Vec<HostedRow> = files
            .into_iter()
            .map(|row| target.pushed(&there, row, &release.version, &self.name, by))
            .collect();
        let event = target.push_event(&release, &rows, &self.name, by);
        let saved = target.save(Some(&release), &rows, to.rules, &event).await;
        target.changed(project);
        saved?;
        Ok(target.told_of(&release, &rows))
    }

    pub(super) fn no_files(&self, project: &ProjectName, version: &str) -> Error {
        let index = &self.name;
        Error::BadRequest {
            why: format!("there are no files for {project} {version} on stage {index}"),
        }
    }

    /// The release as it will be on this index.
    pub(super) fn taken_over(&self, there: &Snapshot, release: &ReleaseRow, by: &By) -> ReleaseRow {
        let known = there.release(&release.version).map(|known| &known.row);
        ReleaseRow {
            stage: self.name.to_string(),
            version: known.map_or_else(|| release.version.clone(), |row| row.version.clone()),
            created_at: known.map_or(by.at, |row| row.created_at),
            ..release.clone()
        }
    }

    /// A file as it will be on this index.
    fn pushed(
        &self,
        there: &Snapshot,
        row: &HostedRow,
        version: &str,
        from: &IndexName,
        by: &By,
    ) -> HostedRow {
        let before = there.named(row.role, row.filename.as_str());
        let mut entries = log::read(&row.log);
        entries.push(LogEntry::push(by, from.as_str(), self.stage()));
        let before = before.map(|row| row.log.as_str());
        HostedRow {
            stage: self.name.to_string(),
            version: version.to_owned(),
            uploaded_at: by.at,
            log: log::write(&log::after(before, entries, by.at)),
            ..row.clone()
        }
    }

    pub(super) fn push_event(
        &self,
        release: &ReleaseRow,
        rows: &[HostedRow],
        from: &IndexName,
        by: &By,
    ) -> Event {
        let names: Vec<_> = rows.iter().map(|row| row.filename.as_str()).collect();
        let detail = json!({ "from": from.as_str(), "files": names });
        Event {
            version: Some(release.version.clone()),
            ..self.event("push", &release.project, by, detail)
        }
    }

    pub(super) fn told_of(&self, release: &ReleaseRow, rows: &[HostedRow]) -> Vec<Pushed> {
        let target = || self.name.clone();
        let (name, version) = (&release.spelled, &release.version);
        let register = Pushed::Register {
            name: name.clone(),
            version: version.clone(),
            target: target(),
        };
        let files = rows.iter().map(|row| match row.role {
            Role::ReleaseFile => Pushed::ReleaseFile {
                target: target(),
                path: row.path.clone(),
            },
            Role::ToxResult => Pushed::ToxResult {
                target: target(),
                path: row.path.clone(),
            },
            Role::DocZip => Pushed::DocZip {
                name: name.clone(),
                version: version.clone(),
                target: target(),
            },
        });
        [register].into_iter().chain(files).collect()
    }
}

impl Pushed {
    /// As devpi's client reads it.
    pub fn to_json(&self) -> Value {
        let file = |target: &IndexName, path: &str| format!("{target}/+f/{path}");
        match self {
            Self::Register {
                name,
                version,
                target,
            } => {
                json!([200, "register", name, version, "->", target.as_str()])
            }
            Self::ReleaseFile { target, path } => {
                json!([200, "store_releasefile", file(target, path)])
            }
            Self::ToxResult { target, path } => {
                json!([200, "store_toxresult", file(target, path)])
            }
            Self::DocZip {
                name,
                version,
                target,
            } => {
                json!([200, "store_doczip", name, version, "->", target.as_str()])
            }
        }
    }
}

/// The files that are meant: release files by name, each followed by its test results, and one doc zip.
pub(super) fn chosen<'a>(
    snapshot: &'a Snapshot,
    version: &'a str,
    what: PushWhat,
) -> Vec<&'a HostedRow> {
    let of = |role| {
        snapshot
            .files_of(version)
            .filter(move |row| row.role == role)
    };
    let mut chosen = Vec::new();
    if what != PushWhat::OnlyDocs {
        let mut files: Vec<_> = of(Role::ReleaseFile).collect();
        files.sort_by_key(|row| &row.filename);
        for file in files {
            chosen.push(file);
            let path = Some(file.path.as_str());
            chosen.extend(of(Role::ToxResult).filter(|row| row.for_path.as_deref() == path));
        }
    }
    if what != PushWhat::WithoutDocs {
        chosen.extend(of(Role::DocZip).last());
    }
    chosen
}
