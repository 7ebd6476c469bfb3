//! A server killed in the middle of an upload: a whole release file is there, or nothing.
//!
//! The test starts itself once more as the process that dies.

use std::env;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use index::Part;

use crate::make::large_wheel;
use crate::rig::{FIRM, Rig, path_of};

const DIRECTORY: &str = "INDEX_TEST_DIRECTORY";
const SIZE: &str = "INDEX_TEST_SIZE";

/// Bytes of an upload whose file is not synced by itself, and of one whose is.
const SMALL: usize = 1000;
const LARGE: usize = 100_000;

/// Not a test by itself: one upload.
#[tokio::test]
async fn one_upload() {
    let Some(directory) = env::var_os(DIRECTORY) else {
        return;
    };
    let rig = Rig::at(Path::new(&directory)).await;
    let size = env::var(SIZE).unwrap().parse().unwrap();
    let wheel = large_wheel("foo", "1.0", size);
    rig.upload(wheel, FIRM).await.unwrap();
}

/// Whether the file is there after the process was killed at `point`.
async fn is_there_after_dying_at(point: &str, size: usize) -> bool {
    let dir = tempfile::tempdir().unwrap();
    let died = Command::new(env::current_exe().unwrap())
        .args(["--exact", "crash::one_upload", "--nocapture"])
        .env(DIRECTORY, dir.path())
        .env(SIZE, size.to_string())
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
        rig.upload(large_wheel("foo", "1.0", size), FIRM)
            .await
            .unwrap();
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
    for (point, size, is_there) in [
        ("blob.written", LARGE, false),
        ("blob.before-rename", SMALL, false),
        ("blob.before-rename", LARGE, false),
        ("blob.after-rename", LARGE, false),
        ("hosted.before-record", SMALL, false),
        ("hosted.before-record", LARGE, false),
        ("hosted.after-record", SMALL, true),
        ("hosted.after-record", LARGE, true),
    ] {
        let found = is_there_after_dying_at(point, size).await;
        assert_eq!(found, is_there, "{point} with {size} bytes");
    }
}
