//! The files a mirror keeps: which blob each is, and when it was last wanted.

use jiff::Timestamp;
use pyspec::{Digest, Filename, Hashes, ProjectName};
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::{Db, count, flag, maybe_time, parsed, time};
use crate::{Error, fail_point};

/// A kept file. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FileRow {
    /// Whose file.
    pub mirror: String,
    /// The tail of upstream's path: our key within the mirror.
    pub path: String,
    /// The project it belongs to.
    pub project: ProjectName,
    /// Its name.
    pub filename: Filename,
    /// Its blob.
    pub digest: Digest,
    /// What its page stated of it when it was fetched.
    pub promised: Hashes,
    /// Bytes.
    pub size: u64,
    /// What we answer, quoted.
    pub etag: String,
    /// Upstream's.
    pub last_modified: Option<Timestamp>,
    /// When we had it whole.
    pub stored_at: Timestamp,
    /// When it was last asked for.
    pub last_used: Timestamp,
    /// Never evicted for room.
    pub pinned: bool,
}

impl FromRow<'_, AnyRow> for FileRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            mirror: row.try_get("mirror")?,
            path: row.try_get("path")?,
            project: parsed(row, "project")?,
            filename: parsed(row, "filename")?,
            digest: parsed(row, "digest")?,
            promised: parsed(row, "promised")?,
            size: count(row, "size")?,
            etag: row.try_get("etag")?,
            last_modified: maybe_time(row, "last_modified")?,
            stored_at: time(row, "stored_at")?,
            last_used: time(row, "last_used")?,
            pinned: flag(row, "pinned")?,
        })
    }
}

/// Which files are meant; what is `None` does not matter.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Of this project.
    pub project: Option<ProjectName>,
    /// Last used before this.
    pub older_than: Option<Timestamp>,
    /// Of this mirror.
    pub mirror: Option<String>,
    /// Pinned, or not.
    pub pinned: Option<bool>,
}

impl Db {
    /// One file.
    pub async fn file(&self, mirror: &str, path: &str) -> Result<Option<FileRow>, Error> {
        sqlx::query_as("select * from files where mirror = $1 and path = $2")
            .bind(mirror)
            .bind(path)
            .fetch_optional(&self.reader)
            .await
            .map_err(|e| Error::db("reading a file's record", e))
    }

    /// Keeps a file's record, whose blob must be committed: `NotFound` if it is not there.
    ///
    /// A blob that the file had before is removed if nothing else names it.
    pub async fn save_file(&self, row: &FileRow) -> Result<(), Error> {
        let doing = "saving a file's record";
        let mut tx = self.begin(doing).await?;
        let before = sqlx::query("select digest from files where mirror = $1 and path = $2")
            .bind(&row.mirror)
            .bind(&row.path)
            .fetch_optional(&mut *tx)
            .await
            .map_err(|e| Error::db(doing, e))?;
        insert(row)
            .execute(&mut *tx)
            .await
            .map_err(|e| Error::db(doing, e))?;
        // Asked while we hold the right to write: `release` removes blobs under the same right.
        if !self.blobs.contains(&row.digest) {
            return Err(Error::no_blob(&row.digest));
        }
        fail_point("file.before-record");
        tx.commit().await.map_err(|e| Error::db(doing, e))?;
        fail_point("file.after-record");
        self.release_replaced(before.as_ref(), &row.digest).await
    }

    /// The files of a project, by path.
    pub async fn files_of(
        &self,
        mirror: &str,
        project: &ProjectName,
    ) -> Result<Vec<FileRow>, Error> {
        sqlx::query_as("select * from files where project = $1 and mirror = $2 order by path")
            .bind(project.as_str())
            .bind(mirror)
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("listing a project's files", e))
    }

    /// The projects of which at least one file is kept, by name.
    pub async fn projects_with_files(&self, mirror: &str) -> Result<Vec<ProjectName>, Error> {
        let failed = |e| Error::db("listing the projects with files", e);
        let rows =
            sqlx::query("select distinct project from files where mirror = $1 order by project")
                .bind(mirror)
                .fetch_all(&self.reader)
                .await
                .map_err(failed)?;
        let names = rows.iter().map(|row| parsed(row, "project"));
        names.collect::<Result<_, _>>().map_err(failed)
    }

    /// Forgets a file's record, and its blob if nothing else names it; whether there was one.
    pub async fn forget_file(&self, mirror: &str, path: &str) -> Result<bool, Error> {
        let doing = "forgetting a file";
        let rows =
            sqlx::query("delete from files where mirror = $1 and path = $2 returning digest")
                .bind(mirror)
                .bind(path)
                .fetch_all(&self.writer)
                .await
                .map_err(|e| Error::db(doing, e))?;
        for row in &rows {
            let digest = parsed(row, "digest").map_err(|e| Error::db(doing, e))?;
            self.release(&self.blobs, &digest).await?;
        }
        Ok(!rows.is_empty())
    }

    /// Forgets a file's record, if it still names the same blob.
    pub(crate) async fn forget_version(&self, row: &FileRow) -> Result<(), Error> {
        sqlx::query("delete from files where mirror = $1 and path = $2 and digest = $3")
            .bind(&row.mirror)
            .bind(&row.path)
            .bind(row.digest.to_string())
            .execute(&self.writer)
            .await
            .map_err(|e| Error::db("forgetting a file", e))?;
        Ok(())
    }

    /// Notes when files (mirror, path) were used, all or none; never turns a time back.
    pub async fn touch_files(&self, used: &[(String, String, Timestamp)]) -> Result<(), Error> {
        let doing = "noting which files were used";
        let mut tx = self.begin(doing).await?;
        for (mirror, path, at) in used {
            sqlx::query("update files set last_used = $3 where mirror = $1 and path = $2 and last_used < $3")
                .bind(mirror)
                .bind(path)
                .bind(at.as_millisecond())
                .execute(&mut *tx)
                .await
                .map_err(|e| Error::db(doing, e))?;
        }
        tx.commit().await.map_err(|e| Error::db(doing, e))
    }

    /// The files nobody wanted for longest, pinned ones left out.
    pub async fn least_recently_used(&self, limit: u32) -> Result<Vec<FileRow>, Error> {
        sqlx::query_as("select * from files where pinned = 0 order by last_used limit $1")
            .bind(i64::from(limit))
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("looking for files to evict", e))
    }

    /// The files meant, by mirror, project and path.
    pub async fn files(&self, filter: &Filter) -> Result<Vec<FileRow>, Error> {
        sqlx::query_as(
            "select * from files where (cast($1 as text) is null or project = $1)
                 and (cast($2 as bigint) is null or last_used < $2)
                 and (cast($3 as text) is null or mirror = $3)
                 and (cast($4 as bigint) is null or pinned = $4)
             order by mirror, project, path",
        )
        .bind(filter.project.as_ref().map(ProjectName::as_str))
        .bind(filter.older_than.map(Timestamp::as_millisecond))
        .bind(filter.mirror.as_deref())
        .bind(filter.pinned.map(i64::from))
        .fetch_all(&self.reader)
        .await
        .map_err(|e| Error::db("listing the files", e))
    }

    /// Pins or unpins one file; whether that changed anything.
    pub async fn set_file_pinned(
        &self,
        mirror: &str,
        path: &str,
        pinned: bool,
    ) -> Result<bool, Error> {
        let done = sqlx::query(
            "update files set pinned = $3 where mirror = $1 and path = $2 and pinned <> $3",
        )
        .bind(mirror)
        .bind(path)
        .bind(i64::from(pinned))
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("pinning a file", e))?;
        Ok(done.rows_affected() > 0)
    }

    /// Pins or unpins the files meant; how many changed.
    pub async fn set_pinned(&self, filter: &Filter, pinned: bool) -> Result<u64, Error> {
        let done = sqlx::query(
            "update files set pinned = $5 where pinned <> $5 and (cast($1 as text) is null or project = $1)
                 and (cast($2 as bigint) is null or last_used < $2)
                 and (cast($3 as text) is null or mirror = $3)
                 and (cast($4 as bigint) is null or pinned = $4)",
        )
        .bind(filter.project.as_ref().map(ProjectName::as_str))
        .bind(filter.older_than.map(Timestamp::as_millisecond))
        .bind(filter.mirror.as_deref())
        .bind(filter.pinned.map(i64::from))
        .bind(i64::from(pinned))
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("pinning files", e))?;
        Ok(done.rows_affected())
    }
}

/// All columns of a file, in place of what was there.
fn insert(row: &FileRow) -> sqlx::query::Query<'_, sqlx::Any, sqlx::any::AnyArguments> {
    sqlx::query(
        "insert into files (mirror, path, project, filename, digest, size, etag, last_modified,
             stored_at, last_used, pinned, promised)
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)
         on conflict (mirror, path) do update set project = excluded.project, filename = excluded.filename,
             digest = excluded.digest, size = excluded.size, etag = excluded.etag,
             last_modified = excluded.last_modified, stored_at = excluded.stored_at,
             last_used = excluded.last_used, pinned = excluded.pinned, promised = excluded.promised",
    )
    .bind(&row.mirror)
    .bind(&row.path)
    .bind(row.project.as_str())
    .bind(row.filename.as_str())
    .bind(row.digest.to_string())
    .bind(row.size as i64)
    .bind(&row.etag)
    .bind(row.last_modified.map(Timestamp::as_millisecond))
    .bind(row.stored_at.as_millisecond())
    .bind(row.last_used.as_millisecond())
    .bind(i64::from(row.pinned))
    .bind(row.promised.to_string())
}
