//! A process killed at named lines: what it leaves can always be used and mended.
//!
//! The test starts itself once more as the process that dies.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use store::{DataDir, Mode, PageRow};

use crate::{at, digest_of, file, project, put};

const DIRECTORY: &str = "STORE_TEST_DIRECTORY";
const PYPI: &str = "root/pypi";

/// Not a test by itself: all that a server does to its store, in one go.
#[tokio::test]
async fn everything_once() {
    let Some(directory) = env::var_os(DIRECTORY) else {
        return;
    };
    let data = DataDir::open(Path::new(&directory), Mode::Serve).unwrap();
    let db = data.db().await.unwrap();
    let page = PageRow {
        etag: None,
        last_modified: None,
        fetched_at: at(0),
        fresh_until: at(600),
        body: Some(b"page".to_vec()),
    };
    db.save_page(PYPI, &project("flask"), &page).await.unwrap();
    let row = file("flask-1.0.zip", put(&data.blobs(), b"bytes").await, 5);
    db.save_file(&row).await.unwrap();
    store::evict(&db, &data.blobs(), &row).await.unwrap();
    db.close().await;
}

/// What is there after the process was killed at `point` and a server started anew:
/// page, file record, blob.
async fn after_dying_at(point: &str) -> (bool, bool, bool) {
    let dir = tempfile::tempdir().unwrap();
    let died = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::everything_once", "--nocapture"])
        .env(DIRECTORY, dir.path())
        .env("PILOTHOUSE_FAIL_POINT", point)
        .output()
        .unwrap();
    assert_eq!(died.status.code(), None, "{point} is not reached: {died:?}");

    let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
    let (blobs, db) = (data.blobs(), data.db().await.unwrap());
    assert_eq!(blobs.staged_count(), 0, "{point}");
    let left = (
        db.page(PYPI, &project("flask")).await.unwrap().is_some(),
        db.file(PYPI, "flask-1.0.zip").await.unwrap().is_some(),
        blobs.contains(&digest_of(b"bytes")),
    );
    let report = store::verify_with(&db, &blobs, Duration::ZERO, |_| {})
        .await
        .unwrap();
    assert!(
        report.missing.is_empty() && report.corrupt.is_empty(),
        "{point}: {report:?}"
    );
    assert_eq!(
        report.orphans.len(),
        usize::from(left.2 && !left.1),
        "{point}: {report:?}"
    );
    store::repair(&db, &blobs, &report).await.unwrap();
    assert!(
        store::verify_with(&db, &blobs, Duration::ZERO, |_| {})
            .await
            .unwrap()
            .is_clean(),
        "{point}"
    );
    left
}

#[tokio::test]
async fn a_kill_leaves_at_worst_an_orphan() {
    assert_eq!(
        after_dying_at("page.before-record").await,
        (false, false, false)
    );
    assert_eq!(after_dying_at("blob.written").await, (true, false, false));
    assert_eq!(
        after_dying_at("blob.before-rename").await,
        (true, false, false)
    );
    assert_eq!(
        after_dying_at("blob.after-rename").await,
        (true, false, true)
    );
    assert_eq!(
        after_dying_at("file.before-record").await,
        (true, false, true)
    );
    assert_eq!(
        after_dying_at("file.after-record").await,
        (true, true, true)
    );
    assert_eq!(
        after_dying_at("evict.after-record").await,
        (true, false, true)
    );
}
