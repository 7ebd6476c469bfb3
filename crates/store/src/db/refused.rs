//! Files whose bytes were not those the page promised.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::{Db, time};
use crate::Error;

/// A refused file, kept so that a person can see what happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefusedRow {
    /// Whose file.
    pub mirror: String,
    /// Its key within the mirror.
    pub path: String,
    /// Where it came from, without credentials.
    pub url: String,
    /// The digest promised, with its kind.
    pub expected: String,
    /// The digest of what came.
    pub found: String,
    /// When.
    pub at: Timestamp,
}

impl FromRow<'_, AnyRow> for RefusedRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            mirror: row.try_get("mirror")?,
            path: row.try_get("path")?,
            url: row.try_get("url")?,
            expected: row.try_get("expected")?,
            found: row.try_get("found")?,
            at: time(row, "refused_at")?,
        })
    }
}

impl Db {
    /// Notes a refusal; the last one of a file is kept.
    pub async fn refuse(&self, row: &RefusedRow) -> Result<(), Error> {
        sqlx::query(
            "insert into refused (mirror, path, url, expected, found, refused_at)
             values ($1, $2, $3, $4, $5, $6)
             on conflict (mirror, path) do update set url = excluded.url, expected = excluded.expected,
                 found = excluded.found, refused_at = excluded.refused_at",
        )
        .bind(&row.mirror)
        .bind(&row.path)
        .bind(&row.url)
        .bind(&row.expected)
        .bind(&row.found)
        .bind(row.at.as_millisecond())
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("noting a refused file", e))?;
        Ok(())
    }

    /// The refusal of a file, if it was refused.
    pub async fn refused(&self, mirror: &str, path: &str) -> Result<Option<RefusedRow>, Error> {
        sqlx::query_as("select * from refused where mirror = $1 and path = $2")
            .bind(mirror)
            .bind(path)
            .fetch_optional(&self.reader)
            .await
            .map_err(|e| Error::db("reading a refused file", e))
    }

    /// Every refusal, the latest first.
    pub async fn all_refused(&self) -> Result<Vec<RefusedRow>, Error> {
        sqlx::query_as("select * from refused order by refused_at desc, mirror, path")
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("listing the refused files", e))
    }

    /// Lets a file be fetched again; whether it was refused.
    pub async fn forget_refused(&self, mirror: &str, path: &str) -> Result<bool, Error> {
        let done = sqlx::query("delete from refused where mirror = $1 and path = $2")
            .bind(mirror)
            .bind(path)
            .execute(&self.writer)
            .await
            .map_err(|e| Error::db("forgetting a refused file", e))?;
        Ok(done.rows_affected() > 0)
    }
}
