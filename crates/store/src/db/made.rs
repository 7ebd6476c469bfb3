//! What was found in the wheels we looked into for metadata that upstream does not offer.

use std::collections::HashMap;

use pyspec::{Digest, ProjectName};
use sqlx::Row;

use super::{Db, maybe};
use crate::Error;

impl Db {
    /// The wheels of a project that were looked into, by path; `None`: it has no metadata.
    pub async fn made_metadata(
        &self,
        mirror: &str,
        project: &ProjectName,
    ) -> Result<HashMap<String, Option<Digest>>, Error> {
        let failed = |e| Error::db("reading which metadata was made", e);
        let rows = sqlx::query(
            "select path, digest from made_metadata where mirror = $1 and project = $2",
        )
        .bind(mirror)
        .bind(project.as_str())
        .fetch_all(&self.reader)
        .await
        .map_err(failed)?;
        let made = rows
            .iter()
            .map(|row| Ok((row.try_get("path")?, maybe(row, "digest")?)));
        made.collect::<Result<_, _>>().map_err(failed)
    }

    /// Notes what was found in a wheel. Says nothing about whether it is kept: see
    /// [`Self::save_sidecar`].
    pub async fn note_made_metadata(
        &self,
        mirror: &str,
        project: &ProjectName,
        path: &str,
        digest: Option<&Digest>,
    ) -> Result<(), Error> {
        sqlx::query(
            "insert into made_metadata (mirror, project, path, digest) values ($1, $2, $3, $4)
             on conflict (mirror, project, path) do update set digest = excluded.digest",
        )
        .bind(mirror)
        .bind(project.as_str())
        .bind(path)
        .bind(digest.map(Digest::to_string))
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("noting which metadata was made", e))?;
        Ok(())
    }
}
