//! A process killed at named lines: what it leaves can always be used and mended.
//!
//! The test starts itself once more as the process that dies.

use std::env;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use store::{Beside, Blobs, DataDir, EventFilter, HostedRow, Mode, Overwrite, PageRow, ReleaseRow};
use tempfile::TempDir;

use crate::{STAGE, at, digest_of, event, file, hosted, project, put, release, settle};

const DIRECTORY: &str = "STORE_TEST_DIRECTORY";
const ENDLESS: &str = "STORE_TEST_ENDLESS";
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
    settle(&db).await;
    let (release, files) = whole_release(&data.blobs()).await;
    db.save_hosted(
        Some(&release),
        &files,
        Overwrite::Refuse,
        None,
        &event("upload"),
    )
    .await
    .unwrap();
    db.close().await;
}

/// A wheel with everything beside it, and an sdist.
async fn whole_release(blobs: &Blobs) -> (ReleaseRow, [HostedRow; 2]) {
    let metadata = Beside {
        digest: put(blobs, b"Name: flask").await,
        size: 11,
    };
    let wheel = HostedRow {
        metadata: Some(metadata),
        ..hosted(
            "1.0",
            "flask-1.0-py3-none-any.whl",
            put(blobs, b"wheel").await,
            5,
        )
    };
    let sdist = hosted("1.0", "flask-1.0.tar.gz", put(blobs, b"sdist").await, 5);
    (release("1.0"), [wheel, sdist])
}

/// Starts a server that dies at `point`.
fn die_at(point: &str) -> TempDir {
    let dir = tempfile::tempdir().unwrap();
    let died = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::everything_once", "--nocapture"])
        .env(DIRECTORY, dir.path())
        .env("PILOTHOUSE_FAIL_POINT", point)
        .output()
        .unwrap();
    assert_eq!(died.status.code(), None, "{point} is not reached: {died:?}");
    dir
}

/// What is there after the process was killed at `point` and a server started anew:
/// page, file record, blob.
async fn after_dying_at(point: &str) -> (bool, bool, bool) {
    let dir = die_at(point);
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

#[tokio::test]
async fn a_kill_leaves_a_whole_release_or_nothing() {
    for (point, kept) in [
        ("hosted.before-record", false),
        ("hosted.after-record", true),
    ] {
        let dir = die_at(point);
        let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
        let (blobs, db) = (data.blobs(), data.db().await.unwrap());
        let (releases, files) = db.stage_project(STAGE, &project("flask")).await.unwrap();
        let expected = if kept { (1, 2) } else { (0, 0) };
        assert_eq!((releases.len(), files.len()), expected, "{point}");
        let events = EventFilter {
            after: None,
            who: None,
            stage: None,
            project: None,
            limit: 1,
        };
        let [last] = &db.events(&events).await.unwrap()[..] else {
            panic!("{point}: no event")
        };
        assert_eq!(last.event.what == "upload", kept, "{point}");
        let report = store::verify_with(&db, &blobs, Duration::ZERO, |_| {})
            .await
            .unwrap();
        let orphans = if kept { 0 } else { 3 };
        assert_eq!(
            (report.missing.len(), report.orphans.len()),
            (0, orphans),
            "{point}: {report:?}"
        );
    }
}

/// Not a test by itself: uploads from many sides until it is killed, and says what is kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn uploads_without_end() {
    let Some(directory) = env::var_os(ENDLESS) else {
        return;
    };
    let data = DataDir::open(Path::new(&directory), Mode::Serve).unwrap();
    let (blobs, db) = (data.blobs(), data.db().await.unwrap());
    settle(&db).await;
    let uploaders: Vec<_> = (0..10_u64)
        .map(|who| {
            let (blobs, db) = (blobs.clone(), db.clone());
            tokio::spawn(async move {
                for n in 0.. {
                    let version = format!("{who}.{n}");
                    let digest = put(&blobs, version.as_bytes()).await;
                    let name = format!("flask-{version}.zip");
                    let row = hosted(&version, &name, digest, version.len());
                    let (release, told) = (release(&version), event("upload"));
                    let files = std::slice::from_ref(&row);
                    db.save_hosted(Some(&release), files, Overwrite::Refuse, None, &told)
                        .await
                        .unwrap();
                    println!("\nkept {}", row.path);
                }
            })
        })
        .collect();
    for uploader in uploaders {
        uploader.await.unwrap();
    }
}

#[tokio::test]
async fn every_upload_that_was_answered_survives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    let mut server = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::uploads_without_end", "--nocapture"])
        .env(ENDLESS, dir.path())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stdout.take().unwrap()).lines();
    let mut kept = || {
        let line = lines.by_ref().find_map(|line| {
            let line = line.unwrap();
            line.strip_prefix("kept ").map(str::to_owned)
        });
        // The last line may be cut.
        line.filter(|path| path.contains(".zip"))
    };
    let mut answered: Vec<String> = (0..100).map(|_| kept().unwrap()).collect();
    server.kill().unwrap();
    answered.extend(std::iter::from_fn(kept));
    server.wait().unwrap();

    let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
    let (blobs, db) = (data.blobs(), data.db().await.unwrap());
    for path in &answered {
        let row = db.hosted_file(STAGE, path).await.unwrap();
        assert!(row.is_some(), "{path} is lost");
    }
    let report = store::verify(&db, &blobs, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    let (releases, files) = db.stage_project(STAGE, &project("flask")).await.unwrap();
    assert_eq!(releases.len(), files.len());
}
