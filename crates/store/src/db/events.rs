//! What people did: each event is written in the transaction that does what it tells of.

use jiff::Timestamp;
use pyspec::ProjectName;
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, FromRow, QueryBuilder, Row, Transaction};

use super::{Db, count, maybe, time};
use crate::Error;

/// Something that happened. Times are kept to the millisecond.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// When.
    pub at: Timestamp,
    /// Which user did it; `None`: nobody who said who they are.
    pub who: Option<String>,
    /// What, as one word that programs can rely on: `upload`.
    pub what: String,
    /// Of which index, as `owner/name`.
    pub stage: Option<String>,
    /// Of which project.
    pub project: Option<ProjectName>,
    /// Of which version.
    pub version: Option<String>,
    /// Which file, by its name.
    pub file: Option<String>,
    /// Whatever else there is to say, as JSON.
    pub detail: String,
}

/// An event as kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventRow {
    /// Later events have higher ones; none is given twice.
    pub serial: u64,
    /// What happened.
    pub event: Event,
}

/// Which events are meant; what is `None` does not matter.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventFilter {
    /// The first ones after this serial; `None`: the last ones that there are.
    pub after: Option<u64>,
    /// Done by this user.
    pub who: Option<String>,
    /// Of this index.
    pub stage: Option<String>,
    /// Of this project.
    pub project: Option<ProjectName>,
    /// At most so many.
    pub limit: u32,
}

impl Event {
    /// An event of which only this much is known.
    pub fn new(at: Timestamp, what: &str) -> Self {
        Self {
            at,
            who: None,
            what: what.to_owned(),
            stage: None,
            project: None,
            version: None,
            file: None,
            detail: "{}".to_owned(),
        }
    }
}

impl FromRow<'_, AnyRow> for EventRow {
    fn from_row(row: &AnyRow) -> Result<Self, sqlx::Error> {
        Ok(Self {
            serial: count(row, "serial")?,
            event: Event {
                at: time(row, "at")?,
                who: row.try_get("who")?,
                what: row.try_get("what")?,
                stage: row.try_get("stage")?,
                project: maybe(row, "project")?,
                version: row.try_get("version")?,
                file: row.try_get("file")?,
                detail: row.try_get("detail")?,
            },
        })
    }
}

impl Db {
    /// The events meant, the earliest first.
    pub async fn events(&self, filter: &EventFilter) -> Result<Vec<EventRow>, Error> {
        let (after, order) = match filter.after {
            Some(after) => (after, "serial"),
            None => (0, "serial desc"),
        };
        let statement = format!(
            "select * from (select * from events where serial > $1
                 and (cast($2 as text) is null or who = $2)
                 and (cast($3 as text) is null or stage = $3)
                 and (cast($4 as text) is null or project = $4)
                 order by {order} limit $5) as meant order by serial"
        );
        // Put together from the words above only.
        sqlx::query_as(sqlx::AssertSqlSafe(statement))
            .bind(after as i64)
            .bind(filter.who.as_deref())
            .bind(filter.stage.as_deref())
            .bind(filter.project.as_ref().map(ProjectName::as_str))
            .bind(i64::from(filter.limit))
            .fetch_all(&self.reader)
            .await
            .map_err(|e| Error::db("reading the events", e))
    }

    /// The serial of the last event, 0 if there was none: whether anything happened since.
    pub async fn last_serial(&self) -> Result<u64, Error> {
        let last = EventFilter {
            after: None,
            who: None,
            stage: None,
            project: None,
            limit: 1,
        };
        let last = self.events(&last).await?;
        Ok(last.first().map_or(0, |row| row.serial))
    }

    /// Forgets the events before a time, but for those still to be delivered; how many these were.
    pub async fn prune_events(&self, before: Timestamp) -> Result<u64, Error> {
        let done = sqlx::query(
            "delete from events where at < $1
                 and not exists (select 1 from deliveries where event = events.serial)",
        )
        .bind(before.as_millisecond())
        .execute(&self.writer)
        .await
        .map_err(|e| Error::db("forgetting old events", e))?;
        Ok(done.rows_affected())
    }
}

/// Writes down an event as part of the change that it tells of.
pub(super) async fn note(change: &mut AnyConnection, event: &Event) -> Result<(), sqlx::Error> {
    let mut sql = QueryBuilder::new("");
    push(&mut sql, event);
    sql.build().execute(change).await.map(drop)
}

/// Adds to a statement that an event is written down.
pub(super) fn push(sql: &mut QueryBuilder<Any>, event: &Event) {
    sql.push("insert into events (at, who, what, stage, project, version, file, detail) values (");
    let mut values = sql.separated(", ");
    values.push_bind(event.at.as_millisecond());
    values.push_bind(event.who.clone());
    values.push_bind(event.what.clone());
    values.push_bind(event.stage.clone());
    values.push_bind(event.project.as_ref().map(ToString::to_string));
    values.push_bind(event.version.clone());
    values.push_bind(event.file.clone());
    values.push_bind(event.detail.clone());
    sql.push(")");
}

/// Ends a change: kept together with its event if it touched any row, dropped if not;
/// whether it did.
pub(super) async fn conclude(
    mut change: Transaction<'static, Any>,
    touched: u64,
    event: &Event,
) -> Result<bool, sqlx::Error> {
    if touched > 0 {
        note(&mut change, event).await?;
        change.commit().await?;
    }
    Ok(touched > 0)
}
