//! Kept files whose place upstream has given to other bytes.
//!
//! Such bytes must not be served under the name that now means others, and must not
//! be lost before those others are here: upstream may take its word back. So they
//! stay where they are, with a note, which goes when the file does or gets other bytes.

use std::collections::HashSet;

use pyspec::ProjectName;
use sqlx::Row;

use super::{Db, parsed};
use crate::{Error, FileRow};

impl Db {
    /// One file, unless it is noted as replaced.
    pub async fn current_file(&self, mirror: &str, path: &str) -> Result<Option<FileRow>, Error> {
        sqlx::query_as(
            "select * from files where mirror = $1 and path = $2 and not exists
                 (select 1 from replaced where replaced.mirror = $1 and replaced.path = $2)",
        )
        .bind(mirror)
        .bind(path)
        .fetch_optional(&self.reader)
        .await
        .map_err(|e| Error::db("reading a file's record", e))
    }

    /// The paths of a project's files that are noted as replaced.
    pub async fn replaced_of(
        &self,
        mirror: &str,
        project: &ProjectName,
    ) -> Result<HashSet<String>, Error> {
        let failed = |e| Error::db("listing a project's replaced files", e);
        let rows = sqlx::query(
            "select replaced.path from replaced join files
                 on files.mirror = replaced.mirror and files.path = replaced.path
             where replaced.mirror = $1 and files.project = $2",
        )
        .bind(mirror)
        .bind(project.as_str())
        .fetch_all(&self.reader)
        .await
        .map_err(failed)?;
        let paths = rows.iter().map(|row| row.try_get("path"));
        paths.collect::<Result<_, _>>().map_err(failed)
    }

    /// Notes that upstream has other bytes in this file's place, if these are still the ones kept.
    pub async fn note_replaced(&self, file: &FileRow) -> Result<(), Error> {
        sqlx::query(
            "insert into replaced (mirror, path)
             select mirror, path from files where mirror = $1 and path = $2 and digest = $3
             on conflict (mirror, path) do nothing",
        )
        .bind(&file.mirror)
        .bind(&file.path)
        .bind(file.digest.to_string())
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("noting a replaced file", e))?;
        Ok(())
    }

    /// Notes that upstream has a kept file's bytes in its place again.
    pub async fn note_current(&self, mirror: &str, path: &str) -> Result<(), Error> {
        sqlx::query("delete from replaced where mirror = $1 and path = $2")
            .bind(mirror)
            .bind(path)
            .execute(&self.writer)
            .await
            .map_err(|e| Error::db("noting that a file is no longer replaced", e))?;
        Ok(())
    }

    /// Forgets what stands beside some files of a project and what was found in them, and each blob that
    /// nothing else names.
    pub async fn forget_beside(
        &self,
        mirror: &str,
        project: &ProjectName,
        paths: &[String],
    ) -> Result<(), Error> {
        if paths.is_empty() {
            return Ok(());
        }
        let doing = "forgetting what stands beside files";
        let failed = |e| Error::db(doing, e);
        let mut tx = self.begin(doing).await?;
        let mut digests = Vec::new();
        for path in paths {
            let gone = sqlx::query(
                "delete from sidecars where mirror = $1 and path = $2 returning digest",
            )
            .bind(mirror)
            .bind(path)
            .fetch_all(&mut *tx)
            .await
            .map_err(failed)?;
            for row in &gone {
                digests.push(parsed(row, "digest").map_err(failed)?);
            }
            sqlx::query(
                "delete from made_metadata where mirror = $1 and project = $2 and path = $3",
            )
            .bind(mirror)
            .bind(project.as_str())
            .bind(path)
            .execute(&mut *tx)
            .await
            .map_err(failed)?;
        }
        tx.commit().await.map_err(failed)?;
        for digest in &digests {
            self.release(&self.blobs, digest).await?;
        }
        Ok(())
    }
}
