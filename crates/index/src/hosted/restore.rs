//! Taking over what another server has kept: releases and files as they were, history included.
//!
//! Nothing is refused here that people already rely on there: a file that we would not let
//! anybody upload today is kept as it is, but nothing is believed that it says.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use bytes::Bytes;
use jiff::Timestamp;
use pyspec::{Field, FileKind, Filename, Hashes, Metadata, ProjectName, Version};
use serde_json::{Value, json};
use store::{Event, HostedRow, ReleaseRow, Role};
use tokio::io::{AsyncRead, AsyncReadExt as _};

use super::snapshot::path;
use super::{By, Hosted, Received, Rules, Uploaded, inspect, log};
use crate::mirror::gate::{Gate, Mismatch};
use crate::{Error, Storage};

/// Bytes that are read at a time.
const STEP: usize = 1 << 20;

/// Neither quota nor volatility is about what was there before.
const AS_IT_WAS: Rules = Rules {
    volatile: false,
    quota: None,
};

/// A file of another server, all but its bytes.
#[derive(Debug, Clone)]
pub struct Former {
    /// Of which project.
    pub project: ProjectName,
    /// Of which release, as [`Hosted::restore_releases`] named it.
    pub version: String,
    /// Its name.
    pub filename: Filename,
    /// What it is.
    pub role: Role,
    /// Of a test result: the name of the file that was tested.
    pub tested: Option<String>,
    /// When it came there.
    pub uploaded_at: Timestamp,
    /// Yanked, and why.
    pub yanked: Option<String>,
    /// What happened to it, as devpi tells it.
    pub log: Value,
}

/// By which version a release of another server is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Restored {
    /// It is described as it was there.
    AsThere(String),
    /// It was here already, describes itself in another way, and that stays.
    Otherwise(String),
}

impl Hosted {
    /// Describes releases of a project as they were described there, each with the time when it
    /// came, if they are new here. Answers as many.
    pub async fn restore_releases(
        &self,
        project: &ProjectName,
        former: &[(Metadata, Timestamp)],
        by: &By,
    ) -> Result<Vec<Restored>, Error> {
        let snapshot = self.snapshot(project).await?;
        let known = snapshot.releases.iter();
        let mut known: BTreeMap<Version, ReleaseRow> = known
            .filter_map(|release| Some((release.version.clone()?, release.row.clone())))
            .collect();
        let mut restored = Vec::with_capacity(former.len());
        for (metadata, created_at) in former {
            let known = known.entry(metadata.version().clone());
            restored.push(match known {
                Entry::Occupied(known) if says(known.get(), metadata) => {
                    Restored::AsThere(known.get().version.clone())
                }
                Entry::Occupied(known) => Restored::Otherwise(known.get().version.clone()),
                Entry::Vacant(place) => {
                    let release = self.former_release(metadata, *created_at);
                    let event = Event {
                        version: Some(release.version.clone()),
                        ..self.event("import-release", project, by, json!({}))
                    };
                    self.storage.db().save_release(&release, &event).await?;
                    self.changed(project);
                    Restored::AsThere(place.insert(release).version.clone())
                }
            });
        }
        Ok(restored)
    }

    fn former_release(&self, metadata: &Metadata, created_at: Timestamp) -> ReleaseRow {
        ReleaseRow {
            stage: self.name.to_string(),
            project: metadata.project().clone(),
            version: metadata.version().to_string(),
            spelled: spelled(metadata),
            metadata: described(metadata),
            created_at,
        }
    }

    /// Keeps a former file; `Same` if it was restored before.
    pub async fn restore_file(
        &self,
        former: Former,
        content: &Received,
        by: &By,
    ) -> Result<Uploaded, Error> {
        // The whole project is not looked at: it is changed with each of its thousands of files.
        let db = self.storage.db();
        let release = db.files_of_release(self.stage(), &former.project, &former.version);
        let release = release.await?;
        let known = named(&release, former.role, former.filename.as_str());
        if known.is_some_and(|row| row.digest == content.sha256) {
            return Ok(Uploaded::Same);
        }
        let (path, for_path) = place(&former, content, &release)?;
        let row = self.former_row(former, content, path, for_path).await?;
        content.commit().await?;
        let detail = json!({ "kind": row.role.as_str(), "path": row.path });
        let event = Event {
            version: Some(row.version.clone()),
            file: Some(row.filename.to_string()),
            ..self.event("import-file", &row.project, by, detail)
        };
        let saved = self.save(None, std::slice::from_ref(&row), AS_IT_WAS, &event);
        let saved = saved.await;
        self.changed(&row.project);
        saved
    }

    async fn former_row(
        &self,
        former: Former,
        content: &Received,
        path: String,
        for_path: Option<String>,
    ) -> Result<HostedRow, Error> {
        let mut row = HostedRow {
            stage: self.name.to_string(),
            path,
            project: former.project,
            version: former.version,
            filename: former.filename,
            role: former.role,
            for_path,
            digest: content.sha256,
            size: content.size,
            requires_python: None,
            metadata: None,
            provenance: None,
            yanked: former.yanked,
            uploaded_at: former.uploaded_at,
            log: log::write(&log::read(&former.log.to_string())),
        };
        if row.role == Role::ReleaseFile {
            self.look_into(&mut row, content).await?;
        }
        Ok(row)
    }

    /// What an upload of today would tell of itself.
    async fn look_into(&self, row: &mut HostedRow, content: &Received) -> Result<(), Error> {
        let opened = inspect::inspect(content.reader(), &row.filename, self.limits).await;
        let opened = match opened {
            Ok(opened) => opened,
            Err(Error::BadUpload { .. }) => None,
            Err(error) => return Err(error),
        };
        let Some(opened) = opened.filter(|opened| *opened.metadata.project() == row.project) else {
            return Ok(());
        };
        let requires_python = opened.metadata.first(Field::RequiresPython);
        row.requires_python = requires_python.map(str::to_owned);
        if row.filename.kind() == FileKind::Wheel {
            row.metadata = self.beside(Some(&opened.metadata_bytes)).await?;
        }
        Ok(())
    }
}

/// Takes in the bytes of a file of a dump; `Err` inside says how they are not those promised.
pub(crate) async fn receive_promised(
    storage: &Storage,
    mut bytes: impl AsyncRead + Unpin,
    promised: &Hashes,
) -> Result<Result<Received, String>, Error> {
    let mut gate = Gate::new(promised);
    let mut incoming = storage.receive(&[])?;
    loop {
        let mut step = Vec::with_capacity(STEP);
        let read = (&mut bytes).take(STEP as u64).read_to_end(&mut step).await;
        match read {
            Ok(0) => break,
            Ok(_) => {}
            Err(error) => return Ok(Err(format!("cannot be read: {error}"))),
        }
        gate.update(&step);
        incoming.write(Bytes::from(step)).await?;
    }
    let received = incoming.finish().await?;
    Ok(match gate.finish() {
        Ok(_) => Ok(received),
        Err(Mismatch { expected, found }) => Err(format!(
            "is not what the dump says: {expected}, but {found}"
        )),
    })
}

/// The project's name as its uploaders write it.
fn spelled(metadata: &Metadata) -> String {
    metadata.first(Field::Name).unwrap_or_default().to_owned()
}

fn described(metadata: &Metadata) -> String {
    Value::from(metadata.to_verdata()).to_string()
}

/// Whether a release is described like this.
fn says(known: &ReleaseRow, metadata: &Metadata) -> bool {
    known.spelled == spelled(metadata) && known.metadata == described(metadata)
}

fn named<'a>(release: &'a [HostedRow], role: Role, name: &str) -> Option<&'a HostedRow> {
    let mut files = release.iter();
    files.find(|row| row.role == role && row.filename.as_str() == name)
}

/// Where a file is to be found, and where what it is about.
fn place(
    former: &Former,
    content: &Received,
    release: &[HostedRow],
) -> Result<(String, Option<String>), Error> {
    let Some(tested) = &former.tested else {
        return Ok((path(&content.sha256, &former.filename), None));
    };
    let tested = named(release, Role::ReleaseFile, tested).ok_or_else(|| {
        super::form::bad(format!("the file `{tested}` that was tested is not there"))
    })?;
    let folder = tested.path.rsplit_once('/');
    let folder = folder.map_or("", |(folder, _)| folder);
    let path = format!("{folder}/{}", former.filename);
    Ok((path, Some(tested.path.clone())))
}
