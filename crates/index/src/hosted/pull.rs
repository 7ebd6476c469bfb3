//! Taking over a release from any source: a mirror, or an index above one.
//!
//! The files are fetched first if they must be, and copied: what an index of ours
//! holds must not go when a mirror's cache is emptied.

use pyspec::{CoreMetadata, Filename, Metadata, PageFile, ProjectName, Version};
use store::{Beside, HostedRow, ReleaseRow, Role};

use super::form::invalid_metadata;
use super::push::Pushed;
use super::snapshot::path;
use super::{By, Hosted, LogEntry, Received, Rules, log};
use crate::project::path_of;
use crate::{Body, Error, IndexName, Open, Part, Source};

/// Bytes of a file that are copied at a time.
const STEP: u64 = 1 << 20;

impl Hosted {
    /// Takes over all files of a release from `source`, which is the index `from`: all, or nothing.
    pub async fn pull(
        &self,
        source: &dyn Source,
        from: &IndexName,
        (project, version): (&ProjectName, &Version),
        rules: Rules,
        by: &By,
    ) -> Result<Vec<Pushed>, Error> {
        let nothing = || Error::BadRequest {
            why: format!("there are no files for {project} {version} on stage {from}"),
        };
        let answer = source.project(project).await?.ok_or_else(nothing)?;
        let files = answer.project.page.files.iter();
        let is_meant =
            |file: &&PageFile| file.filename.version_of(project).as_ref() == Some(version);
        let mut files: Vec<_> = files.filter(is_meant).collect();
        files.sort_by_key(|file| &file.filename);
        let Some(first) = files.first() else {
            return Err(nothing());
        };
        let release = self.foreign_release((project, version), first, by)?;
        let mut rows = Vec::with_capacity(files.len());
        for file in files {
            rows.push(self.copied(source, from, file, &release, by).await?);
        }
        let event = self.push_event(&release, &rows, from, by);
        let saved = self.save(Some(&release), &rows, rules, &event).await;
        self.changed(project);
        saved?;
        Ok(self.told_of(&release, &rows))
    }

    fn foreign_release(
        &self,
        (project, version): (&ProjectName, &Version),
        file: &PageFile,
        by: &By,
    ) -> Result<ReleaseRow, Error> {
        let requires_python = file.requires_python.as_deref().unwrap_or_default();
        let version = version.to_string();
        let fields = [
            ("name", project.as_str()),
            ("version", version.as_str()),
            ("requires_python", requires_python),
        ];
        let metadata = Metadata::from_form(fields).map_err(|why| invalid_metadata(&why))?;
        Ok(ReleaseRow {
            stage: self.name.to_string(),
            project: project.clone(),
            version,
            spelled: project.to_string(),
            metadata: serde_json::Value::from(metadata.to_verdata()).to_string(),
            created_at: by.at,
        })
    }

    async fn copied(
        &self,
        source: &dyn Source,
        from: &IndexName,
        file: &PageFile,
        release: &ReleaseRow,
        by: &By,
    ) -> Result<HostedRow, Error> {
        let key = path_of(&file.url);
        let content = self.copy(source, &key, Part::File).await?;
        let content = content.ok_or_else(|| self.no_such_file(&key))?;
        let metadata = match file.core_metadata {
            CoreMetadata::Absent => None,
            CoreMetadata::Present(_) => self.copy(source, &key, Part::Metadata).await?,
        };
        let provenance = match file.provenance {
            None => None,
            Some(_) => self.copy(source, &key, Part::Provenance).await?,
        };
        Ok(HostedRow {
            stage: self.name.to_string(),
            path: path(&content.digest, &file.filename),
            project: release.project.clone(),
            version: release.version.clone(),
            filename: file.filename.clone(),
            role: Role::ReleaseFile,
            for_path: None,
            digest: content.digest,
            size: content.size,
            requires_python: file.requires_python.clone(),
            metadata,
            provenance,
            yanked: match &file.yanked {
                pyspec::Yanked::No => None,
                pyspec::Yanked::Yes(reason) => Some(reason.clone().unwrap_or_default()),
            },
            uploaded_at: by.at,
            log: log::write(&[LogEntry::push(by, from.as_str(), self.stage())]),
        })
    }

    /// Copies what a source has into a blob of its own.
    async fn copy(
        &self,
        source: &dyn Source,
        path: &str,
        part: Part,
    ) -> Result<Option<Beside>, Error> {
        let Some(open) = source.open(path, part).await? else {
            return Ok(None);
        };
        let received = self.receive_from(&open).await?;
        received.commit().await?;
        Ok(Some(Beside {
            digest: received.sha256,
            size: received.size,
        }))
    }

    async fn receive_from(&self, open: &Open) -> Result<Received, Error> {
        let mut incoming = self.storage.receive(&[])?;
        let mut at = 0;
        loop {
            let bytes = match &open.body {
                Body::Stored(blob) => blob.slice(at, (blob.len() - at).min(STEP) as usize)?,
                Body::Growing(growing) => {
                    let end = growing.wait(at).await.map_err(|error| (*error).clone())?;
                    growing.slice(at, (end - at).min(STEP) as usize)?
                }
                Body::Elsewhere(_) => return Err(not_kept(&open.filename)),
                Body::Unopened => unreachable!("it was asked for with its bytes"),
            };
            if bytes.is_empty() {
                return incoming.finish().await;
            }
            at += bytes.len() as u64;
            incoming.write(bytes).await?;
        }
    }
}

fn not_kept(filename: &Filename) -> Error {
    Error::BadRequest {
        why: format!(
            "`{filename}` is not kept here: its mirror has `mirror_use_external_urls`, and leaves files upstream"
        ),
    }
}
