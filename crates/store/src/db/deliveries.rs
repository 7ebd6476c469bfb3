//! Events on their way to somebody's URL: rows that stay until they have arrived or are given up.

use jiff::Timestamp;
use sqlx::any::AnyRow;
use sqlx::{FromRow, Row};

use super::{Db, count};
use crate::{Error, EventRow};

/// An event that is to be told to a URL.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeliveryRow {
    /// Names this delivery.
    pub id: u64,
    /// Where to.
    pub url: String,
    /// How often that failed.
    pub attempts: u64,
    /// How it failed last.
    pub last_error: Option<String>,
    /// What is to be told.
    pub event: EventRow,
}

impl FromRow<'_, AnyRow> for DeliveryRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            id: count(row, "id")?,
            url: row.try_get("url")?,
            attempts: count(row, "attempts")?,
            last_error: row.try_get("last_error")?,
            event: EventRow::from_row(row)?,
        })
    }
}

impl Db {
    /// Sees to it that a URL is told of what happened since this was last asked for, where that is
    /// one of these words; how many events these are. Begins with what happens after the
    /// first time. Every event is seen to once, also across a kill.
    pub async fn queue_deliveries(
        &self,
        url: &str,
        words: &[&str],
        now: Timestamp,
    ) -> Result<u64, Error> {
        let doing = "queueing deliveries";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        let newest: i64 =
            sqlx::query_scalar("select cast(coalesce(max(serial), 0) as bigint) from events")
                .fetch_one(&mut *change)
                .await
                .map_err(failed)?;
        let seen: Option<i64> = sqlx::query_scalar("select seen from hooks where url = $1")
            .bind(url)
            .fetch_optional(&mut *change)
            .await
            .map_err(failed)?;
        if seen.is_some_and(|seen| seen >= newest) {
            return Ok(0);
        }
        let queued = sqlx::query(
            "insert into deliveries (event, url, attempts, next_at)
                 select serial, $1, 0, $2 from events
                 where serial > $3 and cast($4 as text) like '% ' || what || ' %' order by serial",
        )
        .bind(url)
        .bind(now.as_millisecond())
        .bind(seen.unwrap_or(newest))
        .bind(format!(" {} ", words.join(" ")))
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        sqlx::query(
            "insert into hooks (url, seen) values ($1, $2)
             on conflict (url) do update set seen = excluded.seen",
        )
        .bind(url)
        .bind(newest)
        .execute(&mut *change)
        .await
        .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        Ok(queued.rows_affected())
    }

    /// What is to be delivered by now, the longest due first.
    pub async fn due_deliveries(
        &self,
        now: Timestamp,
        limit: u32,
    ) -> Result<Vec<DeliveryRow>, Error> {
        sqlx::query_as(
            "select deliveries.id, url, attempts, last_error, events.* from deliveries
                 join events on serial = deliveries.event
             where next_at <= $1 order by next_at, deliveries.id limit $2",
        )
        .bind(now.as_millisecond())
        .bind(i64::from(limit))
        .fetch_all(&self.reader)
        .await
        .map_err(|e| Error::db("looking for deliveries", e))
    }

    /// Forgets a delivery, because it has arrived or is given up.
    pub async fn end_delivery(&self, id: u64) -> Result<(), Error> {
        let done = sqlx::query("delete from deliveries where id = $1")
            .bind(id as i64)
            .execute(&self.writer)
            .await;
        done.map(drop)
            .map_err(|e| Error::db("ending a delivery", e))
    }

    /// Notes that a delivery failed, and when it is to be tried again.
    pub async fn delivery_failed(
        &self,
        id: u64,
        error: &str,
        next_at: Timestamp,
    ) -> Result<(), Error> {
        let done = sqlx::query(
            "update deliveries set attempts = attempts + 1, last_error = $2, next_at = $3 where id = $1",
        )
        .bind(id as i64)
        .bind(error)
        .bind(next_at.as_millisecond())
        .execute(&self.writer)
        .await;
        done.map(drop)
            .map_err(|e| Error::db("noting a failed delivery", e))
    }

    /// Forgets a URL with all that was on its way there; whether it was known.
    pub async fn forget_hook(&self, url: &str) -> Result<bool, Error> {
        let doing = "forgetting whom to tell";
        let failed = |e| Error::db(doing, e);
        let mut change = self.begin(doing).await?;
        sqlx::query("delete from deliveries where url = $1")
            .bind(url)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        let done = sqlx::query("delete from hooks where url = $1")
            .bind(url)
            .execute(&mut *change)
            .await
            .map_err(failed)?;
        change.commit().await.map_err(failed)?;
        Ok(done.rows_affected() > 0)
    }

    /// The URLs that are told of events, in order.
    pub async fn hooks(&self) -> Result<Vec<String>, Error> {
        sqlx::query_scalar("select url from hooks order by url")
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("listing whom to tell", e))
    }
}
