//! How much is kept, after every way in which that changes.

use std::collections::HashMap;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use pyspec::Digest;
use store::{Db, FileRow, Filter, ProjectUsage, SidecarKind, SidecarRow, Usage};

use crate::{Home, at, file, noise, project, put};

const PYPI: &str = "root/pypi";

#[tokio::test]
async fn usage_counts_each_blob_once() {
    let (_home, blobs, db) = Home::with_db().await;
    assert_eq!(db.usage().await.unwrap(), Usage::default());
    let (small, big) = (
        put(&blobs, &noise(10, 1)).await,
        put(&blobs, &noise(1000, 2)).await,
    );
    let metadata = put(&blobs, &noise(7, 3)).await;
    let twin = FileRow {
        pinned: true,
        last_used: at(9),
        ..file("twin/flask-1.0.zip", big, 1000)
    };
    let other = FileRow {
        project: project("other"),
        ..file("other-1.0.zip", small, 10)
    };
    for row in [&file("flask-1.0.zip", big, 1000), &twin, &other] {
        db.save_file(row).await.unwrap();
    }
    let sidecar = SidecarRow {
        digest: metadata,
        size: 7,
        made: true,
    };
    for path in ["flask-1.0.zip", "twin/flask-1.0.zip"] {
        db.save_sidecar(PYPI, path, SidecarKind::Metadata, &sidecar, at(0))
            .await
            .unwrap();
    }
    let usage = Usage {
        files: 3,
        bytes: 1017,
        pinned_bytes: 1000,
        sidecars: 2,
        sidecar_bytes: 7,
        ..Usage::default()
    };
    assert_eq!(db.usage().await.unwrap(), usage);
    let of = |name: &str, files, bytes, pinned, last_used| ProjectUsage {
        mirror: PYPI.to_owned(),
        project: project(name),
        files,
        bytes,
        pinned,
        last_used,
    };
    let by_project = [of("flask", 2, 2000, 1, at(9)), of("other", 1, 10, 0, at(0))];
    assert_eq!(db.usage_by_project().await.unwrap(), by_project);
}

#[tokio::test]
async fn what_two_mirrors_keep_is_counted_once() {
    let (_home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, &noise(1000, 1)).await;
    let metadata = put(&blobs, &noise(7, 2)).await;
    let sidecar = SidecarRow {
        digest: metadata,
        size: 7,
        made: false,
    };
    let of = |mirror: &str| FileRow {
        mirror: mirror.to_owned(),
        pinned: true,
        ..file("flask-1.0.zip", digest, 1000)
    };
    // The last two save what is there already.
    for (mirror, count) in [(PYPI, 1), ("root/other", 2), (PYPI, 2), ("root/other", 2)] {
        db.save_file(&of(mirror)).await.unwrap();
        db.save_sidecar(
            mirror,
            "flask-1.0.zip",
            SidecarKind::Metadata,
            &sidecar,
            at(0),
        )
        .await
        .unwrap();
        let usage = Usage {
            files: count,
            bytes: 1007,
            pinned_bytes: 1000,
            sidecars: count,
            sidecar_bytes: 7,
            ..Usage::default()
        };
        assert_eq!(db.usage().await.unwrap(), usage, "after {mirror}");
    }
    assert_eq!(store::evict(&db, &blobs, &of(PYPI)).await.unwrap(), 0);
    assert_eq!(db.usage().await.unwrap().bytes, 1007);
    let freed = store::evict(&db, &blobs, &of("root/other")).await.unwrap();
    assert_eq!((freed, db.usage().await.unwrap()), (1007, Usage::default()));
}

/// Three paths and three blobs, so that every way of sharing a blob comes up.
#[derive(Debug, Clone)]
enum Change {
    Save(usize, usize, bool),
    Forget(usize),
    Pin(usize, bool),
    SaveSidecar(usize, usize),
    ForgetSidecars(usize),
}

fn changes() -> impl Strategy<Value = Vec<Change>> {
    let change = prop_oneof![
        3 => (0_usize..3, 0_usize..3, any::<bool>()).prop_map(|(path, blob, pin)| Change::Save(path, blob, pin)),
        1 => (0_usize..3).prop_map(Change::Forget),
        1 => (0_usize..3, any::<bool>()).prop_map(|(path, pin)| Change::Pin(path, pin)),
        2 => (0_usize..3, 0_usize..3).prop_map(|(path, blob)| Change::SaveSidecar(path, blob)),
        1 => (0_usize..3).prop_map(Change::ForgetSidecars),
    ];
    prop::collection::vec(change, 1..25)
}

#[tokio::test]
async fn usage_follows_every_change() {
    let (_home, blobs, db) = Home::with_db().await;
    let path = |n: usize| format!("flask-{n}.0.zip");
    let bytes = |n: usize| noise(10_usize.pow(n as u32), n as u64);
    let (sampler, mut runner) = (changes(), TestRunner::deterministic());
    for _ in 0..12 {
        for change in sampler.new_tree(&mut runner).unwrap().current() {
            let done = format!("{change:?}");
            match change {
                Change::Save(n, blob, pinned) => {
                    let digest = put(&blobs, &bytes(blob)).await;
                    let row = FileRow {
                        pinned,
                        ..file(&path(n), digest, bytes(blob).len())
                    };
                    db.save_file(&row).await.unwrap();
                }
                Change::Forget(n) => assert!(db.forget_file(PYPI, &path(n)).await.is_ok()),
                Change::Pin(n, pinned) => {
                    assert!(db.set_file_pinned(PYPI, &path(n), pinned).await.is_ok());
                }
                Change::SaveSidecar(n, blob) => {
                    let digest = put(&blobs, &noise(7 + blob, 70)).await;
                    let row = SidecarRow {
                        digest,
                        size: 7 + blob as u64,
                        made: false,
                    };
                    db.save_sidecar(PYPI, &path(n), SidecarKind::Metadata, &row, at(0))
                        .await
                        .unwrap();
                }
                Change::ForgetSidecars(n) => {
                    assert!(db.forget_sidecars(PYPI, &path(n)).await.is_ok());
                }
            }
            assert_eq!(
                db.usage().await.unwrap(),
                added_up(&db, &path).await,
                "after {done}"
            );
        }
    }
    // Nothing is left behind either: the blobs on disk are those in the sums.
    let on_disk: u64 = blobs.list().map(|blob| blob.unwrap().1).sum();
    assert_eq!(db.usage().await.unwrap().bytes, on_disk);
}

async fn added_up(db: &Db, path: &impl Fn(usize) -> String) -> Usage {
    let rows = db.files(&Filter::default()).await.unwrap();
    let mut sidecars = Vec::new();
    for n in 0..3 {
        sidecars.extend(
            db.sidecar(PYPI, &path(n), SidecarKind::Metadata)
                .await
                .unwrap(),
        );
    }
    let once = |blobs: HashMap<Digest, u64>| blobs.into_values().sum::<u64>();
    let sidecar_bytes = once(sidecars.iter().map(|row| (row.digest, row.size)).collect());
    Usage {
        files: rows.len() as u64,
        bytes: once(rows.iter().map(|row| (row.digest, row.size)).collect()) + sidecar_bytes,
        pinned_bytes: once(
            rows.iter()
                .filter(|row| row.pinned)
                .map(|row| (row.digest, row.size))
                .collect(),
        ),
        sidecars: sidecars.len() as u64,
        sidecar_bytes,
        ..Usage::default()
    }
}
