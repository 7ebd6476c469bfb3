//! Uploads: a release described, a file added to it.

use archive::Opened;
use pyspec::{Field, FileKind, Filename, Metadata};
use serde_json::json;
use store::{Beside, Event, HostedRow, Overwrite, ReleaseRow, Role, Saved, Terms, Unsynced};

use super::form::{self, Action, Form, bad};
use super::snapshot::{Snapshot, path};
use super::{By, Hosted, LogEntry, Received, Rules, attestation, inspect, log};
use crate::Error;

/// What became of an upload.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploaded {
    /// It is kept, and survives a power cut.
    Stored,
    /// It was there already, byte for byte.
    Same,
}

/// What is kept of an upload besides its file.
pub(super) struct Parts {
    pub(super) metadata: Metadata,
    pub(super) filename: Filename,
    pub(super) role: Role,
    pub(super) requires_python: Option<String>,
    /// The bytes of METADATA, to be served by themselves.
    pub(super) sidecar: Option<Vec<u8>>,
    pub(super) provenance: Option<Vec<u8>>,
}

impl Hosted {
    /// Does what a form asks for: describes a release, or adds a file or documentation to it.
    ///
    /// The same file again is no mistake. Another one of the same name is one, unless the
    /// index is volatile.
    pub async fn upload(&self, form: Form, rules: Rules, by: &By) -> Result<Uploaded, Error> {
        match form.action()? {
            Action::Submit => self.submit(&form.metadata()?, by).await,
            Action::Upload => self.upload_file(form, rules, by).await,
            Action::Docs => self.upload_docs(form, rules, by).await,
        }
    }

    async fn submit(&self, metadata: &Metadata, by: &By) -> Result<Uploaded, Error> {
        let project = metadata.project();
        let snapshot = self.snapshot(project).await?;
        let release = self.release(&snapshot, metadata, by);
        let event = Event {
            version: Some(release.version.clone()),
            ..self.event("register", project, by, json!({}))
        };
        self.storage.db().save_release(&release, &event).await?;
        self.changed(project);
        Ok(Uploaded::Stored)
    }

    async fn upload_file(&self, mut form: Form, rules: Rules, by: &By) -> Result<Uploaded, Error> {
        let (name, mut content) = form.take_content()?;
        let metadata = form.metadata()?;
        let filename = form::filename(&name, &metadata)?;
        content.check(&name, &form.fields).await?;
        let snapshot = self.snapshot(metadata.project()).await?;
        let role = Role::ReleaseFile;
        if let Some(early) = self.early(&snapshot, role, &filename, &content, rules)? {
            return Ok(early);
        }
        let provenance = form.field("attestations").map(|attestations| {
            let who = by.who.as_deref();
            attestation::provenance(attestations, &filename, &content.sha256, who)
        });
        let opened = inspect::inspect(content.reader(), &filename, self.limits).await?;
        let parts = parts(metadata, filename, opened, provenance.transpose()?)?;
        self.keep(content, parts, rules, by).await
    }

    /// Makes everything durable and visible: the blobs, then one transaction.
    pub(super) async fn keep(
        &self,
        content: Received,
        parts: Parts,
        rules: Rules,
        by: &By,
    ) -> Result<Uploaded, Error> {
        let project = parts.metadata.project().clone();
        let published = self
            .publish(&content, parts.sidecar, parts.provenance)
            .await?;
        // What was there is looked up as late as possible: its log goes on.
        let snapshot = self.snapshot(&project).await?;
        let release = match parts.role {
            Role::DocZip => self.documented(&snapshot, &parts.metadata, by),
            _ => Some(self.release(&snapshot, &parts.metadata, by)),
        };
        let before = snapshot.named(parts.role, parts.filename.as_str());
        let entries = vec![LogEntry::upload(by, self.stage())];
        let row = HostedRow {
            stage: self.name.to_string(),
            path: path(&content.sha256, &parts.filename),
            version: self.version_in(&snapshot, &parts.metadata),
            project: project.clone(),
            filename: parts.filename,
            role: parts.role,
            for_path: None,
            digest: content.sha256,
            size: content.size,
            requires_python: parts.requires_python,
            metadata: published.metadata,
            provenance: published.provenance,
            yanked: None,
            uploaded_at: by.at,
            log: log::write(&log::after(
                before.map(|row| row.log.as_str()),
                entries,
                by.at,
            )),
        };
        let event = self.told(&row, by);
        let (release, unsynced) = (release.as_ref(), &published.unsynced);
        let saved = self
            .save_with(release, &[row], unsynced, rules, &event)
            .await;
        self.changed(&project);
        saved
    }

    /// The answer that can be given without looking into the file.
    pub(super) fn early(
        &self,
        snapshot: &Snapshot,
        role: Role,
        filename: &Filename,
        content: &Received,
        rules: Rules,
    ) -> Result<Option<Uploaded>, Error> {
        match snapshot.named(role, filename.as_str()) {
            Some(row) if row.digest == content.sha256 => Ok(Some(Uploaded::Same)),
            Some(_) if !rules.volatile => Err(self.exists(filename.as_str())),
            _ => Ok(None),
        }
    }

    fn exists(&self, filename: &str) -> Error {
        Error::Exists {
            what: format!(
                "{filename} already exists in non-volatile index {}",
                self.name
            ),
        }
    }

    /// Saves rows whose blobs are on the disk, and says in our words what became of them.
    pub(super) async fn save(
        &self,
        release: Option<&ReleaseRow>,
        rows: &[HostedRow],
        rules: Rules,
        event: &Event,
    ) -> Result<Uploaded, Error> {
        self.save_with(release, rows, &[], rules, event).await
    }

    async fn save_with(
        &self,
        release: Option<&ReleaseRow>,
        rows: &[HostedRow],
        unsynced: &[Unsynced],
        rules: Rules,
        event: &Event,
    ) -> Result<Uploaded, Error> {
        let terms = Terms {
            overwrite: if rules.volatile {
                Overwrite::Replace
            } else {
                Overwrite::Refuse
            },
            quota: rules.quota,
        };
        let db = self.storage.db();
        let saved = db.save_uploaded(release, rows, unsynced, terms, event);
        match saved.await? {
            Saved::Stored => Ok(Uploaded::Stored),
            Saved::Same => Ok(Uploaded::Same),
            Saved::Exists { filename, .. } => Err(self.exists(filename.as_str())),
            Saved::OverQuota { used } => Err(Error::OverQuota {
                index: self.name.to_string(),
                used,
                quota: rules.quota.unwrap_or_default(),
            }),
        }
    }

    /// The row of a release that says what this metadata says, and what it said before besides.
    pub(super) fn release(&self, snapshot: &Snapshot, metadata: &Metadata, by: &By) -> ReleaseRow {
        let version = self.version_in(snapshot, metadata);
        let known = snapshot.release(&version);
        let before = known.and_then(|release| {
            let verdata = serde_json::from_str(&release.row.metadata).ok()?;
            Metadata::from_verdata(&verdata).ok()
        });
        let all = match before {
            Some(before) => before.updated_by(metadata.clone()),
            None => metadata.clone(),
        };
        ReleaseRow {
            stage: self.name.to_string(),
            project: metadata.project().clone(),
            spelled: all.first(Field::Name).unwrap_or_default().to_owned(),
            metadata: serde_json::Value::from(all.to_verdata()).to_string(),
            created_at: known.map_or(by.at, |release| release.row.created_at),
            version,
        }
    }

    /// A release that is only documented is described only if it is new.
    fn documented(&self, snapshot: &Snapshot, metadata: &Metadata, by: &By) -> Option<ReleaseRow> {
        let version = metadata.version().to_string();
        let is_new = snapshot.release(&version).is_none();
        is_new.then(|| self.release(snapshot, metadata, by))
    }

    /// The version by which the release is kept: `1.0` and `1.0.0` are one.
    #[expect(clippy::unused_self, reason = "reads as a question about this index")]
    fn version_in(&self, snapshot: &Snapshot, metadata: &Metadata) -> String {
        let version = metadata.version().to_string();
        let known = snapshot.release(&version);
        known.map_or(version, |release| release.row.version.clone())
    }

    pub(super) async fn beside(&self, bytes: Option<&[u8]>) -> Result<Option<Beside>, Error> {
        let Some(bytes) = bytes else {
            return Ok(None);
        };
        let digest = self.storage.put(bytes).await?;
        let size = bytes.len() as u64;
        Ok(Some(Beside { digest, size }))
    }

    fn told(&self, row: &HostedRow, by: &By) -> Event {
        let detail = json!({
            "kind": row.role.as_str(),
            "path": row.path,
            "sha256": row.digest,
            "size": row.size,
        });
        Event {
            version: Some(row.version.clone()),
            file: Some(row.filename.to_string()),
            ..self.event("upload", &row.project, by, detail)
        }
    }
}

/// What form and file say together: the form has the last word, but not about which release it is.
fn parts(
    form: Metadata,
    filename: Filename,
    opened: Option<Opened>,
    provenance: Option<Vec<u8>>,
) -> Result<Parts, Error> {
    let Some(opened) = opened else {
        return Ok(Parts {
            requires_python: requires_python(&form),
            metadata: form,
            filename,
            role: Role::ReleaseFile,
            sidecar: None,
            provenance,
        });
    };
    let file = opened.metadata;
    if (file.project(), file.version()) != (form.project(), form.version()) {
        return Err(bad(format!(
            "{filename} is of {} {}, but the form says {} {}",
            file.project(),
            file.version(),
            form.project(),
            form.version()
        )));
    }
    Ok(Parts {
        requires_python: requires_python(&file),
        metadata: file.updated_by(form),
        role: Role::ReleaseFile,
        // PEP 658 is about wheels: an sdist's metadata may change when it is built.
        sidecar: (filename.kind() == FileKind::Wheel).then_some(opened.metadata_bytes),
        filename,
        provenance,
    })
}

fn requires_python(metadata: &Metadata) -> Option<String> {
    metadata.first(Field::RequiresPython).map(str::to_owned)
}
