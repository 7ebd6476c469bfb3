//! The bytes of small blobs, kept until the disk has their files.

use std::collections::HashSet;
use std::sync::atomic::Ordering;

use pyspec::Digest;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::{Db, parsed};
use crate::orphans::blocking;
use crate::{Blobs, Error, Unsynced};

/// How many are read into memory at once: 8 MiB at most.
const AT_ONCE: i64 = 256;

struct Kept {
    id: i64,
    blob: Unsynced,
}

impl FromRow<'_, AnyRow> for Kept {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: row.try_get("id")?,
            blob: Unsynced {
                digest: parsed(row, "digest")?,
                bytes: row.try_get::<Vec<u8>, _>("bytes")?.into(),
            },
        })
    }
}

impl Db {
    /// Brings to the disk the blobs whose bytes wait in the records, and lets those go; how
    /// many there were. Costs nothing if there are none; to be called every now and then.
    pub async fn sync_blobs(&self) -> Result<usize, Error> {
        if !self.unsynced.swap(false, Ordering::AcqRel) {
            return Ok(0);
        }
        let synced = self.sync_waiting().await;
        if synced.is_err() {
            self.unsynced.store(true, Ordering::Release);
        }
        synced
    }

    async fn sync_waiting(&self) -> Result<usize, Error> {
        let failed = |e| Error::db("listing the blobs to sync", e);
        let rows = sqlx::query("select id, digest from unsynced order by id")
            .fetch_all(&self.reader)
            .await
            .map_err(failed)?;
        let Some(last) = rows.last() else {
            return Ok(0);
        };
        let last: i64 = last.try_get("id").map_err(failed)?;
        let digests = rows.iter().map(|row| parsed::<Digest>(row, "digest"));
        let digests = digests.collect::<Result<Vec<_>, _>>().map_err(failed)?;
        let blobs = self.blobs.clone();
        let count = digests.len();
        if let Err(error) = blocking(move || blobs.sync(&digests)).await {
            // The system tells of lost bytes once: from now on the files may be empty.
            self.write_again(Blobs::put_anew).await?;
            return Err(error);
        }
        self.let_go(last).await?;
        Ok(count)
    }

    /// The blobs whose bytes wait in the records: whatever their files are, a server that starts mends them.
    pub(crate) async fn waiting_blobs(&self) -> Result<HashSet<Digest>, Error> {
        let failed = |e| Error::db("listing the blobs to sync", e);
        let rows = sqlx::query("select digest from unsynced")
            .fetch_all(&self.reader)
            .await
            .map_err(failed)?;
        let digests = rows.iter().map(|row| parsed(row, "digest"));
        digests.collect::<Result<_, _>>().map_err(failed)
    }

    /// For a server that starts: what a power cut has taken is written again.
    pub(super) async fn write_unsynced_again(&self) -> Result<(), Error> {
        if self.write_again(Blobs::mend).await? {
            self.sync_waiting().await?;
        }
        Ok(())
    }

    /// Writes every blob again whose bytes wait; whether there are any.
    async fn write_again(
        &self,
        write: fn(&Blobs, &Unsynced) -> Result<(), Error>,
    ) -> Result<bool, Error> {
        let mut last = 0;
        loop {
            let some: Vec<Kept> =
                sqlx::query_as("select * from unsynced where id > $1 order by id limit $2")
                    .bind(last)
                    .bind(AT_ONCE)
                    .fetch_all(&self.reader)
                    .await
                    .map_err(|e| Error::db("reading the blobs to sync", e))?;
            let Some(end) = some.last() else {
                return Ok(last > 0);
            };
            last = end.id;
            let blobs = self.blobs.clone();
            blocking(move || some.iter().try_for_each(|kept| write(&blobs, &kept.blob))).await?;
        }
    }

    async fn let_go(&self, last: i64) -> Result<(), Error> {
        sqlx::query("delete from unsynced where id <= $1")
            .bind(last)
            .execute(&self.writer)
            .await
            .map_err(|e| Error::db("letting synced bytes go", e))?;
        Ok(())
    }
}
