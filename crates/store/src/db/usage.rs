//! How much is kept.

use jiff::Timestamp;
use pyspec::ProjectName;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::{Db, count, parsed, time};
use crate::Error;

/// How much is kept.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Usage {
    /// Records of mirrored files.
    pub files: u64,
    /// Bytes of all blobs of mirrored files and their sidecars, each blob once: what can be evicted.
    pub bytes: u64,
    /// Of these, bytes of blobs of pinned files.
    pub pinned_bytes: u64,
    /// Records of sidecars.
    pub sidecars: u64,
    /// Bytes of sidecars' blobs, each once; part of `bytes`.
    pub sidecar_bytes: u64,
    /// Records of uploaded files.
    pub hosted_files: u64,
    /// Bytes of these and of what stands beside them, for each record; not part of `bytes`.
    pub hosted_bytes: u64,
}

/// How much is kept of one project.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProjectUsage {
    /// Whose project.
    pub mirror: String,
    /// Which project.
    pub project: ProjectName,
    /// Its files.
    pub files: u64,
    /// Bytes of its files.
    pub bytes: u64,
    /// Of the files, those pinned.
    pub pinned: u64,
    /// When one of them was last asked for.
    pub last_used: Timestamp,
}

impl FromRow<'_, AnyRow> for ProjectUsage {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            mirror: row.try_get("mirror")?,
            project: parsed(row, "project")?,
            files: count(row, "files")?,
            bytes: count(row, "bytes")?,
            pinned: count(row, "pinned")?,
            last_used: time(row, "last_used")?,
        })
    }
}

impl FromRow<'_, AnyRow> for Usage {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let sidecar_bytes = count(row, "sidecar_bytes")?;
        Ok(Self {
            files: count(row, "files")?,
            bytes: count(row, "file_bytes")? + sidecar_bytes,
            pinned_bytes: count(row, "pinned_bytes")?,
            sidecars: count(row, "sidecars")?,
            sidecar_bytes,
            hosted_files: count(row, "hosted_files")?,
            hosted_bytes: count(row, "hosted_bytes")?,
        })
    }
}

const RECOUNT: &str = "update totals set
    (files, file_bytes, pinned_bytes) = (
        select coalesce(sum(files), 0), coalesce(sum(size), 0), coalesce(sum(size * pinned), 0)
        from (select count(*) as files, max(size) as size, max(pinned) as pinned from files group by digest)),
    (sidecars, sidecar_bytes) = (
        select coalesce(sum(sidecars), 0), coalesce(sum(size), 0)
        from (select count(*) as sidecars, max(size) as size from sidecars group by digest))";

impl Db {
    /// How much is kept. Cheap: the sums are kept with every change.
    pub async fn usage(&self) -> Result<Usage, Error> {
        sqlx::query_as(
            "select totals.*, hosted.* from totals, (
                 select cast(coalesce(sum(files), 0) as bigint) as hosted_files,
                     cast(coalesce(sum(bytes), 0) as bigint) as hosted_bytes from hosted_totals) as hosted",
        )
        .fetch_one(&self.reader)
        .await
        .map_err(|e| Error::db("adding up what is kept", e))
    }

    /// Adds up anew: records that gave one blob two lengths make the kept sums drift.
    pub(crate) async fn recount(&self) -> Result<(), Error> {
        let done = sqlx::query(RECOUNT).execute(&self.writer).await;
        done.map(drop)
            .map_err(|e| Error::db("adding up what is kept", e))
    }

    /// How much is kept of each project, the biggest first.
    pub async fn usage_by_project(&self) -> Result<Vec<ProjectUsage>, Error> {
        sqlx::query_as(
            "select mirror, project, count(*) as files, cast(sum(size) as bigint) as bytes,
                 cast(sum(pinned) as bigint) as pinned, max(last_used) as last_used
             from files group by mirror, project order by bytes desc, mirror, project",
        )
        .fetch_all(&self.reader)
        .await
        .map_err(|e| Error::db("adding up what is kept", e))
    }
}
