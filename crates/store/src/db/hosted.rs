//! What people uploaded: releases and their files.
//!
//! Unlike what a mirror keeps, none of this can be fetched again: only people remove it.

use std::collections::HashSet;

use jiff::Timestamp;
use pyspec::{Digest, Filename, ProjectName};
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::events::conclude;
use super::{Db, count, maybe, parsed, time, undecodable};
use crate::{Error, Event};

/// A release: one version of a project. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseRow {
    /// On which index, as `owner/name`.
    pub stage: String,
    /// Of which project.
    pub project: ProjectName,
    /// Its version, in normal form.
    pub version: String,
    /// The project's name as the uploader writes it.
    pub spelled: String,
    /// What the uploader says of it, as JSON.
    pub metadata: String,
    /// When it came; a release that is saved again keeps this.
    pub created_at: Timestamp,
}

/// A file that somebody uploaded. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HostedRow {
    /// On which index, as `owner/name`.
    pub stage: String,
    /// What follows `+f/`: our key within the index. Two files of one path have the same bytes.
    pub path: String,
    /// Of which project.
    pub project: ProjectName,
    /// Of which release.
    pub version: String,
    /// Its name.
    pub filename: Filename,
    /// What it is.
    pub role: Role,
    /// Of a test result: the path of the file that was tested.
    pub for_path: Option<String>,
    /// Its blob.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Which Pythons it is for.
    pub requires_python: Option<String>,
    /// Its METADATA.
    pub metadata: Option<Beside>,
    /// Its provenance.
    pub provenance: Option<Beside>,
    /// Yanked, and why; the reason may be empty.
    pub yanked: Option<String>,
    /// When it came.
    pub uploaded_at: Timestamp,
    /// How it came, as JSON.
    pub log: String,
}

/// The blob of what stands beside a hosted file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Beside {
    /// Its blob.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
}

/// What a hosted file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// What installers install.
    ReleaseFile,
    /// A zip of its documentation.
    DocZip,
    /// What came of testing a release file.
    ToxResult,
}

impl Role {
    /// As it is kept, which is devpi's word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::ReleaseFile => "releasefile",
            Self::DocZip => "doczip",
            Self::ToxResult => "toxresult",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::ReleaseFile, Self::DocZip, Self::ToxResult]
            .into_iter()
            .find(|role| role.as_str() == text)
    }
}

impl HostedRow {
    /// The blobs it names.
    pub(super) fn blobs(&self) -> impl Iterator<Item = Digest> {
        let beside = [self.metadata, self.provenance].into_iter().flatten();
        [self.digest]
            .into_iter()
            .chain(beside.map(|beside| beside.digest))
    }

    /// Its bytes and those of what stands beside it.
    pub(super) fn bytes(&self) -> u64 {
        let beside = [self.metadata, self.provenance].into_iter().flatten();
        self.size + beside.map(|beside| beside.size).sum::<u64>()
    }
}

impl FromRow<'_, AnyRow> for ReleaseRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            stage: row.try_get("stage")?,
            project: parsed(row, "project")?,
            version: row.try_get("version")?,
            spelled: row.try_get("spelled")?,
            metadata: row.try_get("metadata")?,
            created_at: time(row, "created_at")?,
        })
    }
}

impl FromRow<'_, AnyRow> for HostedRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let role = Role::parse(row.try_get("role")?);
        Ok(Self {
            stage: row.try_get("stage")?,
            path: row.try_get("path")?,
            project: parsed(row, "project")?,
            version: row.try_get("version")?,
            filename: parsed(row, "filename")?,
            role: role.ok_or_else(|| undecodable("role", "no role of a file".into()))?,
            for_path: row.try_get("for_path")?,
            digest: parsed(row, "digest")?,
            size: count(row, "size")?,
            requires_python: row.try_get("requires_python")?,
            metadata: beside(row, "metadata_digest", "metadata_size")?,
            provenance: beside(row, "provenance_digest", "provenance_size")?,
            yanked: row.try_get("yanked")?,
            uploaded_at: time(row, "uploaded_at")?,
            log: row.try_get("log")?,
        })
    }
}

fn beside(row: &AnyRow, digest: &str, size: &str) -> Result<Option<Beside>, sqlx::Error> {
    let Some(digest) = maybe(row, digest)? else {
        return Ok(None);
    };
    let size = count(row, size)?;
    Ok(Some(Beside { digest, size }))
}

/// The blobs that forgotten rows named.
pub(super) fn named_by(rows: &[AnyRow]) -> Result<Vec<Digest>, sqlx::Error> {
    let mut named = Vec::new();
    for row in rows {
        for column in ["digest", "metadata_digest", "provenance_digest"] {
            named.extend(maybe::<Digest>(row, column)?);
        }
    }
    Ok(named)
}

impl Db {
    /// The projects that have a release on an index, by name.
    pub async fn stage_projects(&self, stage: &str) -> Result<Vec<ProjectName>, Error> {
        let failed = |e| Error::db("listing an index's projects", e);
        let rows =
            sqlx::query("select distinct project from releases where stage = $1 order by project")
                .bind(stage)
                .fetch_all(&self.reader)
                .await
                .map_err(failed)?;
        let names = rows.iter().map(|row| parsed(row, "project"));
        names.collect::<Result<_, _>>().map_err(failed)
    }

    /// A project's releases and all their files; both in the order they came.
    ///
    /// Not in a transaction, which would cost as much again: a release that is removed
    /// between the two questions has no files here, and one that comes is there without.
    pub async fn stage_project(
        &self,
        stage: &str,
        project: &ProjectName,
    ) -> Result<(Vec<ReleaseRow>, Vec<HostedRow>), Error> {
        let failed = |e| Error::db("reading a project", e);
        let mut files: Vec<HostedRow> = sqlx::query_as(
            "select * from hosted_files where stage = $1 and project = $2 order by uploaded_at, path",
        )
        .bind(stage)
        .bind(project.as_str())
        .fetch_all(&self.reader)
        .await
        .map_err(failed)?;
        let releases: Vec<ReleaseRow> = sqlx::query_as(
            "select * from releases where stage = $1 and project = $2 order by created_at, version",
        )
        .bind(stage)
        .bind(project.as_str())
        .fetch_all(&self.reader)
        .await
        .map_err(failed)?;
        let described: HashSet<&str> = releases.iter().map(|row| row.version.as_str()).collect();
        files.retain(|file| described.contains(file.version.as_str()));
        Ok((releases, files))
    }

    /// The files of a release, in the order they came.
    pub async fn files_of_release(
        &self,
        stage: &str,
        project: &ProjectName,
        version: &str,
    ) -> Result<Vec<HostedRow>, Error> {
        sqlx::query_as(
            "select * from hosted_files where stage = $1 and project = $2 and version = $3
                 order by uploaded_at, path",
        )
        .bind(stage)
        .bind(project.as_str())
        .bind(version)
        .fetch_all(&self.reader)
        .await
        .map_err(|e| Error::db("reading a release", e))
    }

    /// One hosted file.
    pub async fn hosted_file(&self, stage: &str, path: &str) -> Result<Option<HostedRow>, Error> {
        sqlx::query_as("select * from hosted_files where stage = $1 and path = $2")
            .bind(stage)
            .bind(path)
            .fetch_optional(&self.reader)
            .await
            .map_err(|e| Error::db("reading a hosted file's record", e))
    }

    /// Bytes of an index's hosted files and of what stands beside them.
    pub async fn stage_bytes(&self, stage: &str) -> Result<u64, Error> {
        let bytes: Option<i64> =
            sqlx::query_scalar("select bytes from hosted_totals where stage = $1")
                .bind(stage)
                .fetch_optional(&self.reader)
                .await
                .map_err(|e| Error::db("adding up an index", e))?;
        Ok(bytes.unwrap_or(0) as u64)
    }

    /// Removes a file with its test results, and its release if that has no other file; whether
    /// there was one.
    pub async fn remove_hosted(
        &self,
        stage: &str,
        path: &str,
        event: &Event,
    ) -> Result<bool, Error> {
        let doing = "removing a hosted file";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let rows = sqlx::query(
            "delete from hosted_files where stage = $1 and (path = $2 or for_path = $2) and project = (
                 select project from hosted_files where stage = $1 and path = $2)
             returning project, version, digest, metadata_digest, provenance_digest",
        )
        .bind(stage)
        .bind(path)
        .fetch_all(&mut *change)
        .await
        .map_err(failed)?;
        for row in &rows {
            sqlx::query(
                "delete from releases where stage = $1 and project = $2 and version = $3 and not exists (
                     select 1 from hosted_files where stage = $1 and project = $2 and version = $3)",
            )
            .bind(stage)
            .bind(row.try_get::<&str, _>("project").map_err(failed)?)
            .bind(row.try_get::<&str, _>("version").map_err(failed)?)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        }
        let loose = named_by(&rows).map_err(failed)?;
        let removed = conclude(change, rows.len() as u64, event)
            .await
            .map_err(failed)?;
        self.release_loose(loose).await;
        Ok(removed)
    }

    /// Removes a release with its files; whether there was one.
    pub async fn remove_release(
        &self,
        stage: &str,
        project: &ProjectName,
        version: &str,
        event: &Event,
    ) -> Result<bool, Error> {
        self.remove_releases(stage, project, Some(version), event)
            .await
    }

    /// Removes a project with its releases and their files; whether there was one.
    pub async fn remove_project(
        &self,
        stage: &str,
        project: &ProjectName,
        event: &Event,
    ) -> Result<bool, Error> {
        self.remove_releases(stage, project, None, event).await
    }

    async fn remove_releases(
        &self,
        stage: &str,
        project: &ProjectName,
        version: Option<&str>,
        event: &Event,
    ) -> Result<bool, Error> {
        let doing = "removing a release";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let done = sqlx::query(
            "delete from releases where stage = $1 and project = $2
                 and (cast($3 as text) is null or version = $3)",
        )
        .bind(stage)
        .bind(project.as_str())
        .bind(version)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        let rows = sqlx::query(
            "delete from hosted_files where stage = $1 and project = $2
                 and (cast($3 as text) is null or version = $3)
             returning digest, metadata_digest, provenance_digest",
        )
        .bind(stage)
        .bind(project.as_str())
        .bind(version)
        .fetch_all(&mut *change)
        .await
        .map_err(failed)?;
        let loose = named_by(&rows).map_err(failed)?;
        let touched = done.rows_affected() + rows.len() as u64;
        let removed = conclude(change, touched, event).await.map_err(failed)?;
        self.release_loose(loose).await;
        Ok(removed)
    }

    /// Yanks files for a reason, or takes that back; how many changed.
    pub async fn set_yanked(
        &self,
        stage: &str,
        paths: &[String],
        reason: Option<&str>,
        event: &Event,
    ) -> Result<u64, Error> {
        let doing = "yanking files";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let mut changed = 0;
        for path in paths {
            let done = sqlx::query(
                "update hosted_files set yanked = $3 where stage = $1 and path = $2
                     and yanked is distinct from cast($3 as text)",
            )
            .bind(stage)
            .bind(path)
            .bind(reason)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
            changed += done.rows_affected();
        }
        conclude(change, changed, event).await.map_err(failed)?;
        Ok(changed)
    }
}
