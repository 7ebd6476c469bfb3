//! What upstream last said about each project.

use jiff::Timestamp;
use pyspec::ProjectName;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::{Db, time};
use crate::{Error, fail_point};

/// A project's page as kept. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRow {
    /// Upstream's, for asking again.
    pub etag: Option<String>,
    /// Upstream's, for asking again where there is no etag.
    pub last_modified: Option<String>,
    /// When upstream last said or confirmed it.
    pub fetched_at: Timestamp,
    /// Until then it need not be asked.
    pub fresh_until: Timestamp,
    /// The page; `None`: upstream said it has no such project.
    pub body: Option<Vec<u8>>,
}

impl FromRow<'_, AnyRow> for PageRow {
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
    /// What is kept about a project; `None` if upstream was never asked.
    pub async fn page(
        &self,
        mirror: &str,
        project: &ProjectName,
    ) -> Result<Option<PageRow>, Error> {
        sqlx::query_as("select * from pages where mirror = $1 and project = $2")
            .bind(mirror)
            .bind(project.as_str())
            .fetch_optional(&self.reader)
            .await
            .map_err(|e| Error::db("reading a page", e))
    }

    /// Whether any page of this mirror is kept.
    pub async fn has_pages(&self, mirror: &str) -> Result<bool, Error> {
        let row = sqlx::query("select 1 from pages where mirror = $1 and body is not null limit 1")
            .bind(mirror)
            .fetch_optional(&self.reader)
            .await
            .map_err(|e| Error::db("looking for a page", e))?;
        Ok(row.is_some())
    }

    /// Keeps a page in place of what was kept.
    pub async fn save_page(
        &self,
        mirror: &str,
        project: &ProjectName,
        row: &PageRow,
    ) -> Result<(), Error> {
        fail_point("page.before-record");
        sqlx::query(
            "insert into pages (mirror, project, etag, last_modified, fetched_at, fresh_until, body)
             values ($1, $2, $3, $4, $5, $6, $7)
             on conflict (mirror, project) do update set etag = excluded.etag,
                 last_modified = excluded.last_modified, fetched_at = excluded.fetched_at,
                 fresh_until = excluded.fresh_until, body = excluded.body",
        )
        .bind(mirror)
        .bind(project.as_str())
        .bind(row.etag.as_deref())
        .bind(row.last_modified.as_deref())
        .bind(row.fetched_at.as_millisecond())
        .bind(row.fresh_until.as_millisecond())
        .bind(row.body.as_deref())
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("saving a page", e))?;
        Ok(())
    }

    /// Notes that upstream confirmed a page; nothing happens if none is kept.
    pub async fn touch_page(
        &self,
        mirror: &str,
        project: &ProjectName,
        fetched_at: Timestamp,
        fresh_until: Timestamp,
    ) -> Result<(), Error> {
        sqlx::query(
            "update pages set fetched_at = $3, fresh_until = $4 where mirror = $1 and project = $2",
        )
        .bind(mirror)
        .bind(project.as_str())
        .bind(fetched_at.as_millisecond())
        .bind(fresh_until.as_millisecond())
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("confirming a page", e))?;
        Ok(())
    }

    /// Forgets what is kept about a project; whether anything was.
    pub async fn forget_page(&self, mirror: &str, project: &ProjectName) -> Result<bool, Error> {
        let done = sqlx::query("delete from pages where mirror = $1 and project = $2")
            .bind(mirror)
            .bind(project.as_str())
            .execute(&self.writer)
            .await
            .map_err(|e| Error::db("forgetting a page", e))?;
        Ok(done.rows_affected() > 0)
    }

    /// Forgets which projects upstream did not have, where that was to be asked again
    /// before a time; how many these were.
    pub async fn forget_missing_pages(&self, before: Timestamp) -> Result<u64, Error> {
        let done = sqlx::query("delete from pages where body is null and fresh_until < $1")
            .bind(before.as_millisecond())
            .execute(&self.writer)
            .await
            .map_err(|e| Error::db("forgetting which projects are missing", e))?;
        Ok(done.rows_affected())
    }

    /// The projects whose page is kept, by name.
    pub async fn projects(&self, mirror: &str) -> Result<Vec<ProjectName>, Error> {
        let failed = |e| Error::db("listing the projects", e);
        let rows = sqlx::query(
            "select project from pages where mirror = $1 and body is not null order by project",
        )
        .bind(mirror)
        .fetch_all(&self.reader)
        .await
        .map_err(failed)?;
        let names = rows.iter().map(|row| super::parsed(row, "project"));
        names.collect::<Result<_, _>>().map_err(failed)
    }
}
