//! Which records name which blob.

use std::collections::HashSet;

use pyspec::Digest;
use sqlx::any::AnyRow;
use sqlx::{Any, FromRow, Row};

use super::sidecars::SidecarKind;
use super::{Db, count, flag, parsed};
use crate::verify::Reference;
use crate::{Blobs, Error};

const COUNT: &str = "select (select count(*) from files where digest = $1)
    + (select count(*) from sidecars where digest = $1)
    + (select count(*) from hosted_files where digest = $1)
    + (select count(*) from hosted_files where metadata_digest = $1)
    + (select count(*) from hosted_files where provenance_digest = $1)";

const ALL: &str = "select mirror, path, '' as kind, digest, size, 0 as hosted from files
    union all select mirror, path, kind, digest, size, 0 from sidecars
    union all select stage, path, '', digest, size, 1 from hosted_files
    union all select stage, path, 'metadata', metadata_digest, metadata_size, 1
        from hosted_files where metadata_digest is not null
    union all select stage, path, 'provenance', provenance_digest, provenance_size, 1
        from hosted_files where provenance_digest is not null
    order by digest, mirror, path, kind";

const NAMED: &str = "select digest from files union select digest from sidecars
    union select digest from hosted_files
    union select metadata_digest from hosted_files where metadata_digest is not null
    union select provenance_digest from hosted_files where provenance_digest is not null";

/// How many blobs are removed under one right to write, so that other writers get their turn.
const RELEASED_AT_ONCE: usize = 64;

impl FromRow<'_, AnyRow> for Reference {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            index: row.try_get("mirror")?,
            path: row.try_get("path")?,
            sidecar: SidecarKind::parse(row.try_get("kind")?),
            digest: parsed(row, "digest")?,
            size: count(row, "size")?,
            hosted: flag(row, "hosted")?,
        })
    }
}

impl Db {
    /// How many records name a blob.
    pub async fn blob_references(&self, digest: &Digest) -> Result<u64, Error> {
        references(&self.reader, digest).await
    }

    /// Every record that names a blob, by digest.
    pub(crate) async fn all_references(&self) -> Result<Vec<Reference>, Error> {
        sqlx::query_as(ALL)
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("listing what names the blobs", e))
    }

    /// The blobs that records name.
    pub(crate) async fn named_blobs(&self) -> Result<HashSet<Digest>, Error> {
        let failed = |e| Error::db("listing which blobs are named", e);
        let rows = sqlx::query(NAMED)
            .fetch_all(&self.reader)
            .await
            .map_err(failed)?;
        let digests = rows.iter().map(|row| parsed(row, "digest"));
        digests.collect::<Result<_, _>>().map_err(failed)
    }

    /// Removes a blob if it is there and nothing names it; how many bytes that freed.
    ///
    /// Holds the right to write meanwhile, and `save_file` looks for its blob under
    /// the same right: so no record is left naming a blob removed here, whichever
    /// process is first.
    pub(crate) async fn release(
        &self,
        blobs: &Blobs,
        digest: &Digest,
    ) -> Result<Option<u64>, Error> {
        let released = self.release_some(blobs, &[*digest]).await?;
        Ok(released.first().copied())
    }

    /// The same for blobs whose records a person removed: these are gone for good, so what a
    /// crash or a fault leaves of the blobs are orphans, which are collected.
    pub(super) async fn release_loose(&self, loose: Vec<Digest>) {
        for some in loose.chunks(RELEASED_AT_ONCE) {
            let _ = self.release_some(&self.blobs, some).await;
        }
    }

    /// Removes those blobs that nothing names; the length of each.
    async fn release_some(&self, blobs: &Blobs, digests: &[Digest]) -> Result<Vec<u64>, Error> {
        let mut tx = self.begin("removing a blob").await?;
        let mut aside = Vec::new();
        for digest in digests {
            if references(&mut *tx, digest).await? == 0 {
                aside.extend(blobs.set_aside(digest)?);
            }
        }
        // Nothing was changed; should this fail, closing the connection does the same.
        let _ = tx.rollback().await;
        let freed = aside.iter().map(|aside| aside.len).collect();
        if !aside.is_empty() {
            // The bytes of a big file take a while to free; a task that is cancelled drops them too.
            let _ = tokio::task::spawn_blocking(move || drop(aside)).await;
        }
        Ok(freed)
    }

    /// Removes the blob that a record named before it came to name `now`.
    pub(super) async fn release_replaced(
        &self,
        before: Option<&AnyRow>,
        now: &Digest,
    ) -> Result<(), Error> {
        let before = before.map(|row| parsed(row, "digest")).transpose();
        match before.map_err(|e| Error::db("removing a replaced blob", e))? {
            Some(before) if before != *now => self.release(&self.blobs, &before).await.map(drop),
            _ => Ok(()),
        }
    }

    /// Forgets what mirrors know of a blob, if `gone` still holds; how many records
    /// these were. What people uploaded stays recorded: nobody could fetch it again.
    pub(crate) async fn forget_blob(
        &self,
        digest: &Digest,
        gone: impl FnOnce() -> bool,
    ) -> Result<u64, Error> {
        let doing = "forgetting a damaged blob";
        let mut tx = self.begin(doing).await?;
        if !gone() {
            return Ok(0);
        }
        let mut forgotten = 0;
        for statement in [
            "delete from files where digest = $1",
            "delete from sidecars where digest = $1",
        ] {
            let done = sqlx::query(statement)
                .bind(digest.to_string())
                .execute(&mut *tx)
                .await;
            forgotten += done.map_err(|e| Error::db(doing, e))?.rows_affected();
        }
        tx.commit().await.map_err(|e| Error::db(doing, e))?;
        Ok(forgotten)
    }
}

async fn references<'c>(
    from: impl sqlx::Executor<'c, Database = Any>,
    digest: &Digest,
) -> Result<u64, Error> {
    let count: i64 = sqlx::query_scalar(COUNT)
        .bind(digest.to_string())
        .fetch_one(from)
        .await
        .map_err(|e| Error::db("counting what names a blob", e))?;
    Ok(count as u64)
}
