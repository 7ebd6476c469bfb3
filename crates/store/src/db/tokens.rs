//! What stands in for a password: logins, and tokens that people and publishers hold.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::events::{conclude, note};
use super::indexes::is_user;
use super::{Db, maybe_time, time, undecodable};
use crate::{Error, Event};

/// A token, by the hash of its text. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRow {
    /// Its public name, by which it is revoked.
    pub id: String,
    /// Who it acts for.
    pub owner: String,
    /// What it is for.
    pub kind: TokenKind,
    /// What its owner calls it; may be empty.
    pub name: String,
    /// The SHA-256 of its whole text, in hex.
    pub secret: String,
    /// What it may do, as JSON.
    pub scope: String,
    /// When it was made.
    pub created_at: Timestamp,
    /// From then on it is worth nothing; `None`: that day never comes.
    pub expires_at: Option<Timestamp>,
    /// When it was last shown to us, as far as that was noted.
    pub last_used: Option<Timestamp>,
}

/// What a token is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TokenKind {
    /// Came of a password; ends with it.
    Login,
    /// Made by a person, for a machine.
    Api,
    /// Came of a publisher's own proof of who it is.
    Publisher,
}

impl TokenKind {
    /// As it is kept.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Login => "login",
            Self::Api => "api",
            Self::Publisher => "publisher",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Login, Self::Api, Self::Publisher]
            .into_iter()
            .find(|kind| kind.as_str() == text)
    }
}

impl FromRow<'_, AnyRow> for TokenRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        let kind = TokenKind::parse(row.try_get("kind")?);
        Ok(Self {
            id: row.try_get("id")?,
            owner: row.try_get("owner")?,
            kind: kind.ok_or_else(|| undecodable("kind", "no kind of token".into()))?,
            name: row.try_get("name")?,
            secret: row.try_get("secret")?,
            scope: row.try_get("scope")?,
            created_at: time(row, "created_at")?,
            expires_at: maybe_time(row, "expires_at")?,
            last_used: maybe_time(row, "last_used")?,
        })
    }
}

impl Db {
    /// Every token, the oldest first.
    pub async fn tokens(&self) -> Result<Vec<TokenRow>, Error> {
        sqlx::query_as("select * from tokens order by created_at, id")
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("listing the tokens", e))
    }

    /// Keeps a new token; `NotFound` if there is no such owner.
    pub async fn save_token(&self, row: &TokenRow, event: &Event) -> Result<(), Error> {
        let doing = "saving a token";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        if !is_user(&mut change, &row.owner).await.map_err(failed)? {
            return Err(Error::no_user(&row.owner));
        }
        sqlx::query(
            "insert into tokens (id, owner, kind, name, secret, scope, created_at, expires_at, last_used)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
        )
        .bind(&row.id)
        .bind(&row.owner)
        .bind(row.kind.as_str())
        .bind(&row.name)
        .bind(&row.secret)
        .bind(&row.scope)
        .bind(row.created_at.as_millisecond())
        .bind(row.expires_at.map(Timestamp::as_millisecond))
        .bind(row.last_used.map(Timestamp::as_millisecond))
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        note(&mut change, event).await.map_err(failed)?;
        change.commit().await.map_err(failed)
    }

    /// Revokes a token; whether there was one.
    pub async fn remove_token(&self, id: &str, event: &Event) -> Result<bool, Error> {
        let doing = "revoking a token";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let done = sqlx::query("delete from tokens where id = $1")
            .bind(id)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        conclude(change, done.rows_affected(), event)
            .await
            .map_err(failed)
    }

    /// Revokes all of a user's tokens of one kind; how many there were.
    pub async fn remove_tokens_of(
        &self,
        owner: &str,
        kind: TokenKind,
        event: &Event,
    ) -> Result<u64, Error> {
        let doing = "revoking a user's tokens";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let done = sqlx::query("delete from tokens where owner = $1 and kind = $2")
            .bind(owner)
            .bind(kind.as_str())
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        conclude(change, done.rows_affected(), event)
            .await
            .map_err(failed)?;
        Ok(done.rows_affected())
    }

    /// Forgets the tokens that are worth nothing any more; how many these were.
    pub async fn remove_expired_tokens(&self, now: Timestamp) -> Result<u64, Error> {
        let done = sqlx::query("delete from tokens where expires_at <= $1")
            .bind(now.as_millisecond())
            .execute(&self.writer)
            .await
            .map_err(|e| Error::db("forgetting expired tokens", e))?;
        Ok(done.rows_affected())
    }

    /// Notes when tokens (by id) were used, all or none; never turns a time back.
    pub async fn note_token_uses(&self, used: &[(String, Timestamp)]) -> Result<(), Error> {
        let doing = "noting which tokens were used";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        for (id, at) in used {
            sqlx::query(
                "update tokens set last_used = $2 where id = $1 and coalesce(last_used, 0) < $2",
            )
            .bind(id)
            .bind(at.as_millisecond())
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        }
        change.commit().await.map_err(failed)
    }
}
