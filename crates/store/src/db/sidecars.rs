//! What stands beside a file: its METADATA and its provenance.
//!
//! A sidecar may be here without its file: resolvers read the metadata of many
//! wheels and then fetch few of them.

use jiff::Timestamp;
use pyspec::Digest;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::{Db, count, flag, parsed};
use crate::Error;

/// A kept sidecar.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SidecarRow {
    /// Its blob.
    pub digest: Digest,
    /// Bytes.
    pub size: u64,
    /// Made here from the wheel, upstream having none.
    pub made: bool,
}

/// Which of a file's sidecars.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SidecarKind {
    /// METADATA (PEP 658).
    Metadata,
    /// Provenance (PEP 740).
    Provenance,
}

/// A sidecar whose file is not kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LooseSidecar {
    /// Whose file.
    pub mirror: String,
    /// The file's key within the mirror.
    pub path: String,
    /// Bytes of all its sidecars.
    pub size: u64,
}

impl SidecarKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Metadata => "metadata",
            Self::Provenance => "provenance",
        }
    }

    pub(super) fn parse(text: &str) -> Option<Self> {
        [Self::Metadata, Self::Provenance]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl FromRow<'_, AnyRow> for SidecarRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            digest: parsed(row, "digest")?,
            size: count(row, "size")?,
            made: flag(row, "made")?,
        })
    }
}

impl FromRow<'_, AnyRow> for LooseSidecar {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            mirror: row.try_get("mirror")?,
            path: row.try_get("path")?,
            size: count(row, "size")?,
        })
    }
}

impl Db {
    /// One sidecar of a file.
    pub async fn sidecar(
        &self,
        mirror: &str,
        path: &str,
        kind: SidecarKind,
    ) -> Result<Option<SidecarRow>, Error> {
        sqlx::query_as("select * from sidecars where mirror = $1 and path = $2 and kind = $3")
            .bind(mirror)
            .bind(path)
            .bind(kind.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(|e| Error::db("reading a sidecar's record", e))
    }

    /// Keeps a sidecar's record, whose blob must be committed: `NotFound` if it is not there.
    ///
    /// A blob that it had before is removed if nothing else names it.
    pub async fn save_sidecar(
        &self,
        mirror: &str,
        path: &str,
        kind: SidecarKind,
        row: &SidecarRow,
        now: Timestamp,
    ) -> Result<(), Error> {
        let doing = "saving a sidecar's record";
        let mut tx = self.begin(doing).await?;
        let before = sqlx::query(
            "select digest from sidecars where mirror = $1 and path = $2 and kind = $3",
        )
        .bind(mirror)
        .bind(path)
        .bind(kind.as_str())
        .fetch_optional(&mut *tx)
        .await
        .map_err(|e| Error::db(doing, e))?;
        sqlx::query(
            "insert into sidecars (mirror, path, kind, digest, size, made, saved_at)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (mirror, path, kind) do update set digest = excluded.digest, size = excluded.size,
                 made = excluded.made, saved_at = excluded.saved_at",
        )
        .bind(mirror)
        .bind(path)
        .bind(kind.as_str())
        .bind(row.digest.to_string())
        .bind(row.size as i64)
        .bind(i64::from(row.made))
        .bind(now.as_millisecond())
        .execute(&mut *tx)
        .await
        .map_err(|e| Error::db(doing, e))?;
        // As in `save_file`.
        if !self.blobs.contains(&row.digest) {
            return Err(Error::no_blob(&row.digest));
        }
        tx.commit().await.map_err(|e| Error::db(doing, e))?;
        self.release_replaced(before.as_ref(), &row.digest).await
    }

    /// Forgets a file's sidecars, and each blob that nothing else names; how many bytes that freed.
    pub async fn forget_sidecars(&self, mirror: &str, path: &str) -> Result<u64, Error> {
        self.forget(
            "delete from sidecars where mirror = $1 and path = $2 returning digest",
            mirror,
            path,
        )
        .await
    }

    /// The same, unless the file itself is kept.
    pub(crate) async fn forget_loose_sidecars(
        &self,
        mirror: &str,
        path: &str,
    ) -> Result<u64, Error> {
        let statement = "delete from sidecars where mirror = $1 and path = $2
                 and not exists (select 1 from files where mirror = $1 and path = $2) returning digest";
        self.forget(statement, mirror, path).await
    }

    async fn forget(
        &self,
        statement: &'static str,
        mirror: &str,
        path: &str,
    ) -> Result<u64, Error> {
        let doing = "forgetting sidecars";
        let rows = sqlx::query(statement)
            .bind(mirror)
            .bind(path)
            .fetch_all(&self.writer)
            .await
            .map_err(|e| Error::db(doing, e))?;
        let mut freed = 0;
        for row in &rows {
            let digest = parsed(row, "digest").map_err(|e| Error::db(doing, e))?;
            freed += self.release(&self.blobs, &digest).await?.unwrap_or(0);
        }
        Ok(freed)
    }

    /// Sidecars whose file is not kept, the longest kept first.
    pub async fn loose_sidecars(&self, limit: u32) -> Result<Vec<LooseSidecar>, Error> {
        sqlx::query_as(
            "select mirror, path, cast(sum(size) as bigint) as size from sidecars
             where not exists (select 1 from files
                 where files.mirror = sidecars.mirror and files.path = sidecars.path)
             group by mirror, path order by max(saved_at) limit $1",
        )
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .map_err(|e| Error::db("looking for sidecars to evict", e))
    }
}
