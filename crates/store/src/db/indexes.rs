//! The indexes that people made, and what goes with one when it goes.

use jiff::Timestamp;
use pyspec::Digest;
use sqlx::any::AnyRow;
use sqlx::{AnyConnection, FromRow, Row};

use super::events::{conclude, note};
use super::{Db, parsed, time};
use crate::{Error, Event};

/// An index that somebody made. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IndexRow {
    /// Whose.
    pub owner: String,
    /// Its name, without the owner.
    pub name: String,
    /// What it is and what it allows, as JSON.
    pub settings: String,
    /// When it was made.
    pub created_at: Timestamp,
}

impl FromRow<'_, AnyRow> for IndexRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            owner: row.try_get("owner")?,
            name: row.try_get("name")?,
            settings: row.try_get("settings")?,
            created_at: time(row, "created_at")?,
        })
    }
}

impl Db {
    /// Every index, by owner and name.
    pub async fn indexes(&self) -> Result<Vec<IndexRow>, Error> {
        sqlx::query_as("select * from indexes order by owner, name")
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("listing the indexes", e))
    }

    /// Adds an index; `false` if there is one of that name, `NotFound` if there is no such owner.
    pub async fn create_index(&self, row: &IndexRow, event: &Event) -> Result<bool, Error> {
        let doing = "adding an index";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        if !is_user(&mut change, &row.owner).await.map_err(failed)? {
            return Err(Error::no_user(&row.owner));
        }
        let done = sqlx::query(
            "insert into indexes (owner, name, settings, created_at) values ($1, $2, $3, $4)
             on conflict (owner, name) do nothing",
        )
        .bind(&row.owner)
        .bind(&row.name)
        .bind(&row.settings)
        .bind(row.created_at.as_millisecond())
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        conclude(change, done.rows_affected(), event)
            .await
            .map_err(failed)
    }

    /// Gives an index other settings; `false` if there is none of that name.
    pub async fn update_index(&self, row: &IndexRow, event: &Event) -> Result<bool, Error> {
        let doing = "changing an index";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let done = sqlx::query("update indexes set settings = $3 where owner = $1 and name = $2")
            .bind(&row.owner)
            .bind(&row.name)
            .bind(&row.settings)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        conclude(change, done.rows_affected(), event)
            .await
            .map_err(failed)
    }

    /// Removes an index with all that is in it; whether there was one.
    pub async fn remove_index(
        &self,
        owner: &str,
        name: &str,
        event: &Event,
    ) -> Result<bool, Error> {
        let doing = "removing an index";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let done = sqlx::query("delete from indexes where owner = $1 and name = $2")
            .bind(owner)
            .bind(name)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let stage = format!("{owner}/{name}");
        let loose = empty(&mut change, &stage).await.map_err(failed)?;
        note(&mut change, event).await.map_err(failed)?;
        change.commit().await.map_err(failed)?;
        self.release_loose(loose).await;
        Ok(true)
    }
}

/// Whether there is such a user, as a change sees it.
pub(super) async fn is_user(change: &mut AnyConnection, name: &str) -> Result<bool, sqlx::Error> {
    let found = sqlx::query("select 1 from users where name = $1").bind(name);
    Ok(found.fetch_optional(change).await?.is_some())
}

/// Whether there is such an index, as a change sees it.
pub(super) async fn is_index(change: &mut AnyConnection, stage: &str) -> Result<bool, sqlx::Error> {
    let Some((owner, name)) = stage.split_once('/') else {
        return Ok(false);
    };
    let found = sqlx::query("select 1 from indexes where owner = $1 and name = $2")
        .bind(owner)
        .bind(name);
    Ok(found.fetch_optional(change).await?.is_some())
}

/// Forgets everything that is in an index, hosted or mirrored; the blobs this named.
pub(super) async fn empty(
    change: &mut AnyConnection,
    stage: &str,
) -> Result<Vec<Digest>, sqlx::Error> {
    for forget in [
        "delete from releases where stage = $1",
        "delete from pages where mirror = $1",
        "delete from roots where mirror = $1",
        "delete from refused where mirror = $1",
        "delete from made_metadata where mirror = $1",
        "delete from upstreams where mirror = $1",
    ] {
        sqlx::query(forget)
            .bind(stage)
            .execute(&mut *change)
            .await?;
    }
    let hosted = "delete from hosted_files where stage = $1
         returning digest, metadata_digest, provenance_digest";
    let rows = sqlx::query(hosted).bind(stage);
    let mut loose = super::hosted::named_by(&rows.fetch_all(&mut *change).await?)?;
    for forget in [
        "delete from files where mirror = $1 returning digest",
        "delete from sidecars where mirror = $1 returning digest",
    ] {
        let rows = sqlx::query(forget).bind(stage).fetch_all(&mut *change);
        for row in &rows.await? {
            loose.push(parsed(row, "digest")?);
        }
    }
    sqlx::query("delete from hosted_totals where stage = $1")
        .bind(stage)
        .execute(change)
        .await?;
    Ok(loose)
}
