//! The people who may log in.

use std::fmt;

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::events::{conclude, note};
use super::{Db, maybe_time, time};
use crate::{Error, Event};

/// A user. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRow {
    /// Also the first half of their indexes' names.
    pub name: String,
    /// What a password is checked against; `None`: no password will do.
    pub password: Option<PasswordHash>,
    /// What they say of themselves, as JSON.
    pub details: String,
    /// When they came.
    pub created_at: Timestamp,
    /// When anything of this last changed.
    pub modified_at: Option<Timestamp>,
}

/// The hash of a password, as a PHC string; hidden from logs.
#[derive(Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<String> for PasswordHash {
    fn from(phc: String) -> Self {
        Self(phc)
    }
}

impl fmt::Debug for PasswordHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PasswordHash(hidden)")
    }
}

impl FromRow<'_, AnyRow> for UserRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let password: Option<String> = row.try_get("password")?;
        Ok(Self {
            name: row.try_get("name")?,
            password: password.map(PasswordHash),
            details: row.try_get("details")?,
            created_at: time(row, "created_at")?,
            modified_at: maybe_time(row, "modified_at")?,
        })
    }
}

impl Db {
    /// Everybody, by name.
    pub async fn users(&self) -> Result<Vec<UserRow>, Error> {
        sqlx::query_as("select * from users order by name")
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("listing the users", e))
    }

    /// One user.
    pub async fn user(&self, name: &str) -> Result<Option<UserRow>, Error> {
        sqlx::query_as("select * from users where name = $1")
            .bind(name)
            .fetch_optional(&self.reader)
            .await
            .map_err(|e| Error::db("reading a user", e))
    }

    /// Adds a user; `false` if there is one of that name.
    pub async fn create_user(&self, row: &UserRow, event: &Event) -> Result<bool, Error> {
        let doing = "adding a user";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let done = sqlx::query(
            "insert into users (name, password, details, created_at, modified_at)
             values ($1, $2, $3, $4, $5) on conflict (name) do nothing",
        )
        .bind(&row.name)
        .bind(row.password.as_ref().map(PasswordHash::as_str))
        .bind(&row.details)
        .bind(row.created_at.as_millisecond())
        .bind(row.modified_at.map(Timestamp::as_millisecond))
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        conclude(change, done.rows_affected(), event)
            .await
            .map_err(failed)
    }

    /// Puts a user in place of what was known of them; `false` if there is none of that name.
    ///
    /// Another password than before ends their logins, but the one that is spared.
    pub async fn update_user(
        &self,
        row: &UserRow,
        spared: Option<&str>,
        event: &Event,
    ) -> Result<bool, Error> {
        let doing = "changing a user";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let password = row.password.as_ref().map(PasswordHash::as_str);
        sqlx::query(
            "delete from tokens where owner = $1 and kind = 'login' and id <> $3 and exists (
                 select 1 from users where name = $1 and coalesce(password, '') <> coalesce(cast($2 as text), ''))",
        )
        .bind(&row.name)
        .bind(password)
        .bind(spared.unwrap_or_default())
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        let done = sqlx::query(
            "update users set password = $2, details = $3, created_at = $5, modified_at = $4
                 where name = $1",
        )
        .bind(&row.name)
        .bind(password)
        .bind(&row.details)
        .bind(row.modified_at.map(Timestamp::as_millisecond))
        .bind(row.created_at.as_millisecond())
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        conclude(change, done.rows_affected(), event)
            .await
            .map_err(failed)
    }

    /// Removes a user with their indexes, all that is in these, and their tokens; whether there was one.
    pub async fn remove_user(&self, name: &str, event: &Event) -> Result<bool, Error> {
        let doing = "removing a user";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let done = sqlx::query("delete from users where name = $1")
            .bind(name)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        if done.rows_affected() == 0 {
            return Ok(false);
        }
        let indexes: Vec<String> =
            sqlx::query_scalar("delete from indexes where owner = $1 returning name")
                .bind(name)
                .fetch_all(&mut *change)
                .await
                .map_err(failed)?;
        let mut loose = Vec::new();
        for index in indexes {
            let stage = format!("{name}/{index}");
            let emptied = super::indexes::empty(&mut change, &stage).await;
            loose.extend(emptied.map_err(failed)?);
        }
        sqlx::query("delete from tokens where owner = $1")
            .bind(name)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        note(&mut change, event).await.map_err(failed)?;
        change.commit().await.map_err(failed)?;
        self.release_loose(loose).await;
        Ok(true)
    }
}
