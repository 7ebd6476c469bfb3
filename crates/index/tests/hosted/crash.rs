//! A server killed in the middle of an upload: a whole release file is there, or nothing.
//!
//! The test starts itself once more as the process that dies.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use index::Part;

use crate::make::wheel;
use crate::rig::{FIRM, Rig, path_of};

const DIRECTORY: &str = "INDEX_TEST_DIRECTORY";

/// Not a test by itself: one upload.
#[tokio::test]
async fn one_upload() {
    let Some(directory) = env::var_os(DIRECTORY) else {
        return;
    };
    let rig = Rig::at(Path::new(&directory)).await;
    rig.upload(wheel("foo", "1.0", b"one"), FIRM).await.unwrap();
}

/// Whether the file is there after the process was killed at `point`.
async fn is_there_after_dying_at(point: &str) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let died = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::one_upload", "--nocapture"])
        .env(DIRECTORY, dir.path())
        .env("PILOTHOUSE_FAIL_POINT", point)
        .output()
        .unwrap();
    assert_eq!(died.status.code(), None, "{point} is not reached: {died:?}");

    let rig = Rig::at(dir.path()).await;
    let (blobs, db) = (rig.data.blobs(), &rig.db);
    assert_eq!(blobs.staged_count(), 0, "{point}");
    let report = store::verify_with(db, &blobs, Duration::ZERO, |_| {})
        .await
        .unwrap();
    assert!(
        report.missing.is_empty() && report.corrupt.is_empty(),
        "{point}: {report:?}"
    );
    store::repair(db, &blobs, &report).await.unwrap();
    let Some(project) = rig.project("foo").await else {
        assert_eq!(blobs.list().count(), 0, "{point}");
        // It can be sent again.
        rig.upload(wheel("foo", "1.0", b"one"), FIRM).await.unwrap();
        return false;
    };
    let path = path_of(&project, &project.page.files[0]);
    for part in [Part::File, Part::Metadata] {
        assert!(rig.read(&path, part).await.is_some(), "{point}");
    }
    true
}

#[tokio::test]
async fn a_kill_leaves_a_whole_file_or_none() {
    for (point, is_there) in [
        ("blob.written", false),
        ("blob.before-rename", false),
        ("blob.after-rename", false),
        ("hosted.before-record", false),
        ("hosted.after-record", true),
    ] {
        assert_eq!(is_there_after_dying_at(point).await, is_there, "{point}");
    }
}
