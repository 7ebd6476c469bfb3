//! The records: rows about what mirrors keep and about what people make here.
//!
//! SQLite through sqlx's `Any`, so that the same text can later be sent to another
//! engine. One connection writes and a few read (WAL lets them), because SQLite has
//! one writer anyway and a queue of ours is fairer than its busy loop. Between
//! processes (a visit beside a server) that busy loop is what there is.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use jiff::Timestamp;
use sqlx::any::{AnyConnectOptions, AnyPoolOptions, AnyRow};
use sqlx::migrate::{MigrateError, Migrator};
use sqlx::{Any, AnyConnection, AnyPool, ConnectOptions, Connection, Executor, Row, Transaction};

use crate::{Blobs, Error, Mode};

pub(crate) mod deliveries;
pub(crate) mod events;
pub(crate) mod files;
pub(crate) mod hosted;
pub(crate) mod indexes;
mod made;
pub(crate) mod pages;
pub(crate) mod references;
pub(crate) mod refused;
mod replaced;
pub(crate) mod root;
pub(crate) mod sidecars;
pub(crate) mod tokens;
mod unsynced;
pub(crate) mod uploads;
mod upstreams;
pub(crate) mod usage;
pub(crate) mod users;

static MIGRATIONS: Migrator = sqlx::migrate!("migrations/sqlite");

/// Set on every connection. `busy_timeout` is for other processes' writes;
/// `synchronous=FULL` makes a commit survive a power cut. The log is folded into the database
/// every 16 MiB and not every 4: most pages are written again and again.
const SETTINGS: &str = "pragma busy_timeout = 10000; pragma journal_mode = wal;
    pragma synchronous = full; pragma wal_autocheckpoint = 4000;";

const READERS: u32 = 4;

const IMMEDIATE: &str = "begin immediate";

/// The records of a data directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Db {
    reader: AnyPool,
    writer: AnyPool,
    /// Asked before a record may name a blob; also keeps the lock while we live.
    blobs: Blobs,
    /// What waits to be committed together.
    uploads: Arc<uploads::Queue>,
    /// Whether bytes of unsynced blobs may be in the records.
    unsynced: Arc<AtomicBool>,
}

impl Db {
    pub(crate) async fn open(path: &Path, mode: Mode, blobs: Blobs) -> Result<Self, Error> {
        if mode == Mode::Visit && !path.is_file() {
            return Err(Error::NotFound {
                what: "the database of the data directory".to_owned(),
            });
        }
        sqlx::any::install_default_drivers();
        let failed = |e| Error::db("opening the database", e);
        let options = AnyConnectOptions::from_str(&url(path)?)
            .map_err(failed)?
            .disable_statement_logging();
        // Not through a pool, which would try again for a minute what waiting cannot mend.
        let mut first = options.connect().await.map_err(failed)?;
        first.execute(SETTINGS).await.map_err(failed)?;
        match mode {
            Mode::Serve => migrate(&mut first).await?,
            Mode::Visit => check_format(&mut first).await?,
        }
        let writer = pool(1).connect_lazy_with(options.clone());
        let reader = pool(READERS).connect_lazy_with(options);
        first.close().await.map_err(failed)?;
        let db = Self {
            reader,
            writer,
            blobs,
            uploads: Arc::default(),
            unsynced: Arc::default(),
        };
        if mode == Mode::Serve {
            db.write_unsynced_again().await?;
        }
        Ok(db)
    }

    /// Waits for what is under way and folds the write-ahead log into the database.
    pub async fn close(&self) {
        self.reader.close().await;
        self.writer.close().await;
    }

    /// Begins a change that sees and makes the newest state: nobody else writes meanwhile.
    async fn begin(&self, doing: &'static str) -> Result<Transaction<'static, Any>, Error> {
        let mut begun = self.writer.begin_with(IMMEDIATE).await;
        if let Err(sqlx::Error::InvalidSavePointStatement) = begun {
            // SQLite ends a change by itself that a full disk does not let it commit, and the
            // driver goes on counting it: that connection begins nothing any more.
            let worn = self.writer.acquire().await;
            worn.map_err(|e| Error::db(doing, e))?.close_on_drop();
            begun = self.writer.begin_with(IMMEDIATE).await;
        }
        begun.map_err(|e| Error::db(doing, e))
    }
}

fn pool(connections: u32) -> AnyPoolOptions {
    AnyPoolOptions::new()
        .max_connections(connections)
        .idle_timeout(None)
        .max_lifetime(None)
        // A connection to a file does not go away.
        .test_before_acquire(false)
        // Behind a slow disk a queue of writers is no fault.
        .acquire_timeout(Duration::from_mins(1))
        .after_connect(|connection, _| {
            Box::pin(async move { connection.execute(SETTINGS).await.map(drop) })
        })
}

fn url(path: &Path) -> Result<String, Error> {
    use std::fmt::Write;

    let Some(path) = path.to_str() else {
        let not_text = std::io::Error::new(
            std::io::ErrorKind::InvalidInput,
            "the path is not valid UTF-8",
        );
        return Err(Error::io("opening the database", path, not_text));
    };
    let mut url = "sqlite://".to_owned();
    for byte in path.bytes() {
        match byte {
            b'/' | b'-' | b'_' | b'.' => url.push(byte.into()),
            _ if byte.is_ascii_alphanumeric() => url.push(byte.into()),
            _ => write!(url, "%{byte:02X}").expect("a String takes everything"),
        }
    }
    url.push_str("?mode=rwc");
    Ok(url)
}

async fn migrate(connection: &mut AnyConnection) -> Result<(), Error> {
    let doing = "bringing the records up to date";
    MIGRATIONS.run(connection).await.map_err(|e| match e {
        MigrateError::VersionMissing(found) => newer(found),
        MigrateError::Execute(e) | MigrateError::ExecuteMigration(e, _) => Error::db(doing, e),
        other => Error::Db {
            doing,
            source: other.into(),
        },
    })
}

/// A visitor changes nothing about the format, since an older server may be running.
async fn check_format(connection: &mut AnyConnection) -> Result<(), Error> {
    match (found_format(connection).await?, newest_known()) {
        (found, wanted) if found > wanted => Err(newer(found)),
        (found, wanted) if found < wanted => Err(Error::Older {
            found: found as u64,
            wanted: wanted as u64,
        }),
        _ => Ok(()),
    }
}

async fn found_format(connection: &mut AnyConnection) -> Result<i64, Error> {
    let newest = "select cast(coalesce(max(version), 0) as bigint) from _sqlx_migrations";
    match sqlx::query_scalar(newest).fetch_one(connection).await {
        Ok(found) => Ok(found),
        // The plain SQLITE_ERROR: there is no such table yet.
        Err(sqlx::Error::Database(e)) if e.code().is_some_and(|code| code == "1") => Ok(0),
        Err(e) => Err(Error::db("reading the records' format", e)),
    }
}

fn newest_known() -> i64 {
    MIGRATIONS
        .iter()
        .map(|migration| migration.version)
        .max()
        .unwrap_or(0)
}

fn newer(found: i64) -> Error {
    Error::Newer {
        found: found as u64,
        supported: newest_known() as u64,
    }
}

/// A column that holds a domain type's normal form.
fn parsed<T: FromStr>(row: &AnyRow, column: &str) -> Result<T, sqlx::Error>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    let text: &str = row.try_get(column)?;
    text.parse()
        .map_err(|e: T::Err| undecodable(column, e.into()))
}

/// The same where there may be none.
fn maybe<T: FromStr>(row: &AnyRow, column: &str) -> Result<Option<T>, sqlx::Error>
where
    T::Err: std::error::Error + Send + Sync + 'static,
{
    match row.try_get::<Option<&str>, _>(column)? {
        Some(_) => parsed(row, column).map(Some),
        None => Ok(None),
    }
}

fn time(row: &AnyRow, column: &str) -> Result<Timestamp, sqlx::Error> {
    Timestamp::from_millisecond(row.try_get(column)?).map_err(|e| undecodable(column, e.into()))
}

fn maybe_time(row: &AnyRow, column: &str) -> Result<Option<Timestamp>, sqlx::Error> {
    match row.try_get::<Option<i64>, _>(column)? {
        Some(_) => time(row, column).map(Some),
        None => Ok(None),
    }
}

/// Sizes and counts; what we wrote is never negative.
fn count(row: &AnyRow, column: &str) -> Result<u64, sqlx::Error> {
    Ok(row.try_get::<i64, _>(column)? as u64)
}

fn flag(row: &AnyRow, column: &str) -> Result<bool, sqlx::Error> {
    Ok(row.try_get::<i64, _>(column)? != 0)
}

fn undecodable(column: &str, source: sqlx::error::BoxDynError) -> sqlx::Error {
    sqlx::Error::ColumnDecode {
        index: column.to_owned(),
        source,
    }
}
