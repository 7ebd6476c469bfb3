//! The list of all projects of a mirror, as upstream last gave it.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::{Db, time};
use crate::Error;

/// A root listing as kept. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootRow {
    /// Upstream's, for asking again.
    pub etag: Option<String>,
    /// Upstream's, for asking again where there is no etag.
    pub last_modified: Option<String>,
    /// When upstream last said or confirmed it.
    pub fetched_at: Timestamp,
    /// Until then it need not be asked.
    pub fresh_until: Timestamp,
    /// The listing, in whatever form its owner packed it.
    pub body: Vec<u8>,
}

impl FromRow<'_, AnyRow> for RootRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            etag: row.try_get("etag")?,
            last_modified: row.try_get("last_modified")?,
            fetched_at: time(row, "fetched_at")?,
            fresh_until: time(row, "fresh_until")?,
            body: row.try_get("body")?,
        })
    }
}

impl Db {
    /// The kept listing of a mirror.
    pub async fn root(&self, mirror: &str) -> Result<Option<RootRow>, Error> {
        sqlx::query_as("select * from roots where mirror = $1")
            .bind(mirror)
            .fetch_optional(&self.reader)
            .await
            .map_err(|e| Error::db("reading the list of projects", e))
    }

    /// Keeps a listing in place of what was kept.
    pub async fn save_root(&self, mirror: &str, row: &RootRow) -> Result<(), Error> {
        sqlx::query(
            "insert into roots (mirror, etag, last_modified, fetched_at, fresh_until, body)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (mirror) do update set etag = excluded.etag, last_modified = excluded.last_modified,
                 fetched_at = excluded.fetched_at, fresh_until = excluded.fresh_until, body = excluded.body",
        )
        .bind(mirror)
        .bind(row.etag.as_deref())
        .bind(row.last_modified.as_deref())
        .bind(row.fetched_at.as_millisecond())
        .bind(row.fresh_until.as_millisecond())
        .bind(row.body.as_slice())
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("saving the list of projects", e))?;
        Ok(())
    }

    /// Notes that upstream confirmed the listing; nothing happens if none is kept.
    pub async fn touch_root(
        &self,
        mirror: &str,
        fetched_at: Timestamp,
        fresh_until: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query("update roots set fetched_at = $2, fresh_until = $3 where mirror = $1")
            .bind(mirror)
            .bind(fetched_at.as_millisecond())
            .bind(fresh_until.as_millisecond())
            .execute(&self.writer)
            .await
            .map_err(|e| Error::db("confirming the list of projects", e))?;
        Ok(())
    }
}
