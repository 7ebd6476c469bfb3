//! Opening the database: formats, damage, and who may write beside whom.

use sqlx::Connection;
use store::{DataDir, Error, FileRow, Filter, Mode, Usage};

use crate::{Home, at, digest_of, file, noise, project, put};

const PYPI: &str = "root/pypi";

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn a_server_and_a_visitor_write_side_by_side() {
    let (home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, b"x").await;
    let visitor = DataDir::open(home.dir.path(), Mode::Visit)
        .unwrap()
        .db()
        .await
        .unwrap();
    let mut writers = Vec::new();
    for (who, db) in [("server", db.clone()), ("visitor", visitor.clone())] {
        for n in 0..4 {
            let db = db.clone();
            writers.push(tokio::spawn(async move {
                for m in 0..10 {
                    db.save_file(&file(&format!("{who}-{n}.{m}.zip"), digest, 1))
                        .await
                        .unwrap();
                    db.set_pinned(&Filter::default(), m % 2 == 0).await.unwrap();
                }
            }));
        }
    }
    for writer in writers {
        writer.await.unwrap();
    }
    for db in [&db, &visitor] {
        let usage = db.usage().await.unwrap();
        assert_eq!((usage.files, usage.bytes), (80, 1));
    }
}

#[tokio::test]
async fn an_empty_file_becomes_a_database() {
    let home = Home::new();
    std::fs::write(home.dir.path().join("pilothouse.db"), "").unwrap();
    let db = home.data.db().await.unwrap();
    assert_eq!(db.usage().await.unwrap(), Usage::default());
    // Once more from the same version changes nothing.
    let again = home.data.db().await.unwrap();
    assert_eq!(again.usage().await.unwrap(), Usage::default());
}

#[tokio::test]
async fn records_of_an_earlier_format_wait_for_a_server() {
    let home = Home::new();
    std::fs::write(home.dir.path().join("pilothouse.db"), "").unwrap();
    let visitor = DataDir::open(home.dir.path(), Mode::Visit).unwrap();
    let error = visitor.db().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the records have format 0 and this pilothouse wants 6: \
         start `pilothouse serve` of this version once to bring them up to date"
    );
    home.data.db().await.unwrap();
    visitor.db().await.unwrap();
}

/// As an earlier version left them.
async fn saved(statements: &str) -> Home {
    let home = Home::new();
    std::fs::write(home.dir.path().join("pilothouse.db"), "").unwrap();
    let mut connection = connect(&home).await;
    sqlx::raw_sql(sqlx::AssertSqlSafe(statements.to_owned()))
        .execute(&mut connection)
        .await
        .unwrap();
    connection.close().await.unwrap();
    home
}

#[tokio::test]
async fn records_of_the_second_format_are_brought_up_to_date() {
    let home = saved(include_str!("formats/2.sql")).await;
    let visitor = DataDir::open(home.dir.path(), Mode::Visit).unwrap();
    let error = visitor.db().await.unwrap_err();
    assert!(
        matches!(
            error,
            Error::Older {
                found: 2,
                wanted: 6
            }
        ),
        "{error:?}"
    );
    let db = home.data.db().await.unwrap();
    let row = FileRow {
        pinned: true,
        promised: pyspec::Hashes::default(),
        ..file("flask-1.0.zip", digest_of(b"bytes"), 5)
    };
    assert_eq!(db.file(PYPI, &row.path).await.unwrap(), Some(row));
    let page = db.page(PYPI, &project("flask")).await.unwrap().unwrap();
    assert_eq!(page.body.as_deref(), Some(b"page".as_slice()));
    let usage = Usage {
        files: 1,
        bytes: 16,
        pinned_bytes: 5,
        sidecars: 1,
        sidecar_bytes: 11,
        ..Usage::default()
    };
    assert_eq!(db.usage().await.unwrap(), usage);
    assert!(db.users().await.unwrap().is_empty());
    visitor.db().await.unwrap();
}

#[tokio::test]
async fn missing_pages_are_forgotten_without_reading_the_others() {
    let (home, _, _db) = Home::with_db().await;
    let mut connection = connect(&home).await;
    // Fails if there is no such index, or if it cannot serve this.
    let by_index =
        "delete from pages indexed by pages_missing where body is null and fresh_until < 9";
    sqlx::query(by_index)
        .execute(&mut connection)
        .await
        .unwrap();
}

async fn connect(home: &Home) -> sqlx::AnyConnection {
    sqlx::any::install_default_drivers();
    let path = home.dir.path().join("pilothouse.db");
    let url = format!("sqlite://{}", path.display());
    sqlx::AnyConnection::connect(&url).await.unwrap()
}

#[tokio::test]
async fn records_of_a_later_format_are_left_alone() {
    let (home, _, db) = Home::with_db().await;
    db.close().await;
    let mut connection = connect(&home).await;
    let later = "insert into _sqlx_migrations values (99, 'later', current_timestamp, 1, x'00', 0)";
    sqlx::query(later).execute(&mut connection).await.unwrap();
    connection.close().await.unwrap();
    let visitor = DataDir::open(home.dir.path(), Mode::Visit).unwrap();
    for data in [&home.data, &visitor] {
        let error = data.db().await.unwrap_err();
        assert!(
            matches!(
                error,
                Error::Newer {
                    found: 99,
                    supported: 6
                }
            ),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_an_error_without_its_path() {
    let home = Home::new();
    std::fs::write(home.dir.path().join("pilothouse.db"), noise(10_000, 9)).unwrap();
    let error = home.data.db().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the database failed while opening the database"
    );
}

#[tokio::test]
async fn dropping_a_change_halfway_leaves_the_writer_free() {
    let (_home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, b"x").await;
    let used: Vec<_> = (0..5000)
        .map(|n| (PYPI.to_owned(), format!("{n}.zip"), at(1)))
        .collect();
    tokio::select! {
        biased;
        done = db.touch_files(&used) => panic!("too fast for this test: {done:?}"),
        () = tokio::task::yield_now() => {}
    }
    db.save_file(&file("a-1.zip", digest, 1)).await.unwrap();
}
