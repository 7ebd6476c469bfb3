//! Making room, finding what differs and mending it.

use std::fs::{self, File};
use std::time::{Duration, SystemTime};

use pyspec::Digest;
use store::{DataDir, FileRow, Mended, Mode, Progress, Reference, SidecarKind, SidecarRow};

use crate::{Home, digest_of, file, noise, put};

const PYPI: &str = "root/pypi";

async fn add_metadata(home: &Home, db: &store::Db, path: &str, bytes: &[u8]) -> SidecarRow {
    let row = SidecarRow {
        digest: put(&home.data.blobs(), bytes).await,
        size: bytes.len() as u64,
        made: false,
    };
    db.save_sidecar(PYPI, path, SidecarKind::Metadata, &row, crate::at(0))
        .await
        .unwrap();
    row
}

/// Makes a blob two hours older.
fn age(home: &Home, digest: &Digest) -> File {
    let path = home.blob_path(digest);
    let file = File::options().write(true).open(path).unwrap();
    let written = file.metadata().unwrap().modified().unwrap();
    file.set_modified(written - Duration::from_hours(2))
        .unwrap();
    file
}

#[tokio::test]
async fn evicting_removes_the_file_and_what_stands_beside_it() {
    let (home, blobs, db) = Home::with_db().await;
    let row = file(
        "flask-1.0-py3-none-any.whl",
        put(&blobs, &noise(1000, 1)).await,
        1000,
    );
    db.save_file(&row).await.unwrap();
    let metadata = add_metadata(&home, &db, &row.path, b"Name: flask").await;
    let reader = blobs.open(&row.digest, None).unwrap().unwrap();

    assert_eq!(store::evict(&db, &blobs, &row).await.unwrap(), 1011);
    assert_eq!(store::evict(&db, &blobs, &row).await.unwrap(), 0);
    assert_eq!(db.file(PYPI, &row.path).await.unwrap(), None);
    assert!(!blobs.contains(&row.digest) && !blobs.contains(&metadata.digest));
    assert_eq!(blobs.staged_count(), 0);
    assert_eq!(
        reader.slice(0, 1000).unwrap(),
        noise(1000, 1),
        "a download under way is not cut"
    );
}

#[tokio::test]
async fn evicting_leaves_a_blob_that_something_else_names() {
    let (_home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, b"shared").await;
    let here = file("flask-1.0.zip", digest, 6);
    let there = FileRow {
        mirror: "root/other".to_owned(),
        ..here.clone()
    };
    db.save_file(&here).await.unwrap();
    db.save_file(&there).await.unwrap();
    assert_eq!(store::evict(&db, &blobs, &here).await.unwrap(), 0);
    assert!(blobs.contains(&digest));
    assert_eq!(store::evict(&db, &blobs, &there).await.unwrap(), 6);
    assert!(!blobs.contains(&digest));
}

#[tokio::test]
async fn evicting_an_old_version_leaves_the_new_one() {
    let (home, blobs, db) = Home::with_db().await;
    let old = file("flask-1.0.zip", put(&blobs, b"old").await, 3);
    db.save_file(&old).await.unwrap();
    let new = file("flask-1.0.zip", put(&blobs, b"newer").await, 5);
    db.save_file(&new).await.unwrap();
    let metadata = add_metadata(&home, &db, &new.path, b"Name: flask").await;
    assert_eq!(store::evict(&db, &blobs, &old).await.unwrap(), 0);
    assert_eq!(db.file(PYPI, &new.path).await.unwrap(), Some(new.clone()));
    assert!(blobs.contains(&new.digest) && blobs.contains(&metadata.digest));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_record_is_left_without_its_blob_when_one_evicts_and_another_saves() {
    let (_home, blobs, db) = Home::with_db().await;
    let bytes = noise(100, 1);
    let digest = digest_of(&bytes);
    let mirrors = ["root/a", "root/b", "root/c"];
    let tasks: Vec<_> = mirrors
        .map(|mirror| {
            let (db, blobs, bytes) = (db.clone(), blobs.clone(), bytes.clone());
            tokio::spawn(async move {
                let row = FileRow {
                    mirror: mirror.to_owned(),
                    ..file("flask-1.0.zip", digest, 100)
                };
                for _ in 0..30 {
                    put(&blobs, &bytes).await;
                    match db.save_file(&row).await {
                        Ok(()) => assert!(blobs.contains(&digest)),
                        Err(store::Error::NotFound { .. }) => continue,
                        Err(error) => panic!("{error:?}"),
                    }
                    store::evict(&db, &blobs, &row).await.unwrap();
                }
            })
        })
        .into_iter()
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let report = store::verify(&db, &blobs, |_| {}).await.unwrap();
    assert_eq!((report.missing, report.staged), (vec![], 0));
}

#[tokio::test]
async fn a_clean_store_has_a_clean_report() {
    let (home, blobs, db) = Home::with_db().await;
    let mut total = 0;
    for n in 1..=3 {
        let bytes = noise(n * 1000, n as u64);
        let row = file(
            &format!("flask-{n}.0.zip"),
            put(&blobs, &bytes).await,
            bytes.len(),
        );
        db.save_file(&row).await.unwrap();
        total += bytes.len() as u64;
    }
    add_metadata(&home, &db, "flask-1.0.zip", b"Name").await;
    let mut seen = Vec::new();
    let report = store::verify(&db, &blobs, |progress| seen.push(progress))
        .await
        .unwrap();
    assert!(report.is_clean());
    assert_eq!(
        (report.checked, report.bytes, report.staged),
        (4, total + 4, 0)
    );
    let last = Progress {
        done: 4,
        total: 4,
        bytes: total + 4,
    };
    assert_eq!((seen.len(), seen.last()), (4, Some(&last)));
    assert_eq!(
        store::repair(&db, &blobs, &report).await.unwrap(),
        Mended::default()
    );
}

#[tokio::test]
async fn verify_finds_what_differs_and_repair_mends_it() {
    let (home, blobs, db) = Home::with_db().await;
    let save = |name: &'static str, bytes: Vec<u8>| {
        let (blobs, db) = (blobs.clone(), db.clone());
        async move {
            let row = file(name, put(&blobs, &bytes).await, bytes.len());
            db.save_file(&row).await.unwrap();
            row
        }
    };
    let whole = save("whole-1.0.zip", noise(10, 0)).await;
    let missing = save("missing-1.0.zip", noise(20, 1)).await;
    let flipped = save("flipped-1.0.zip", noise(30, 2)).await;
    let short = save("short-1.0.zip", noise(40, 3)).await;
    let metadata = add_metadata(&home, &db, "loose-1.0.whl", b"Name: loose").await;
    let orphan = put(&blobs, &noise(50, 4)).await;
    blobs.remove(&missing.digest).unwrap();
    blobs.remove(&metadata.digest).unwrap();
    fs::write(home.blob_path(&flipped.digest), noise(30, 99)).unwrap();
    fs::write(home.blob_path(&short.digest), noise(39, 3)).unwrap();
    let staged = blobs.begin().unwrap();

    let report = store::verify_with(&db, &blobs, Duration::ZERO, |_| {})
        .await
        .unwrap();
    let reference = |row: &FileRow| Reference {
        index: PYPI.to_owned(),
        path: row.path.clone(),
        sidecar: None,
        digest: row.digest,
        size: row.size,
        hosted: false,
    };
    let beside = Reference {
        index: PYPI.to_owned(),
        path: "loose-1.0.whl".to_owned(),
        sidecar: Some(SidecarKind::Metadata),
        digest: metadata.digest,
        size: 11,
        hosted: false,
    };
    let mut expected = vec![reference(&missing), beside];
    expected.sort_by_key(|reference| reference.digest);
    assert_eq!(report.missing, expected);
    let mut corrupt: Vec<_> = report
        .corrupt
        .iter()
        .flat_map(|damaged| damaged.named_by.clone())
        .collect();
    corrupt.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(corrupt, [reference(&flipped), reference(&short)]);
    assert_eq!(report.orphans, [(orphan, 50)]);
    assert_eq!((report.checked, report.bytes, report.staged), (5, 10, 1));
    assert!(!report.is_clean());

    let mended = store::repair(&db, &blobs, &report).await.unwrap();
    let expected = Mended {
        records: 4,
        blobs: 3,
        bytes: 30 + 39 + 50,
        lost: 0,
    };
    assert_eq!(mended, expected);
    assert_eq!(
        store::repair(&db, &blobs, &report).await.unwrap(),
        Mended::default()
    );
    drop(staged);
    let report = store::verify_with(&db, &blobs, Duration::ZERO, |_| {})
        .await
        .unwrap();
    assert!(report.is_clean());
    assert_eq!(db.file(PYPI, &whole.path).await.unwrap(), Some(whole));
}

#[tokio::test]
async fn a_wrong_length_in_a_record_is_damage() {
    let (_home, blobs, db) = Home::with_db().await;
    let row = file("flask-1.0.zip", put(&blobs, b"four").await, 5);
    db.save_file(&row).await.unwrap();
    let report = store::verify(&db, &blobs, |_| {}).await.unwrap();
    let [damaged] = &report.corrupt[..] else {
        panic!("{report:?}")
    };
    assert_eq!(
        (damaged.expected.as_str(), damaged.found.as_str()),
        ("5 bytes", "4 bytes")
    );
}

#[tokio::test]
async fn a_young_blob_is_no_orphan() {
    let (home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, b"about to be named").await;
    assert!(store::verify(&db, &blobs, |_| {}).await.unwrap().is_clean());

    let file = age(&home, &digest);
    let report = store::verify(&db, &blobs, |_| {}).await.unwrap();
    assert_eq!(report.orphans, [(digest, 17)]);

    // Between the report and the repair somebody fetches the same bytes again.
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1 << 32))
        .unwrap();
    assert_eq!(
        store::repair(&db, &blobs, &report).await.unwrap(),
        Mended::default()
    );
    assert!(blobs.contains(&digest));
}

#[tokio::test]
async fn old_blobs_that_nothing_names_are_collected() {
    const HOUR: Duration = Duration::from_hours(1);
    let (home, blobs, db) = Home::with_db().await;
    let kept = file("flask-1.0.zip", put(&blobs, b"named").await, 5);
    db.save_file(&kept).await.unwrap();
    let beside = add_metadata(&home, &db, "loose-1.0.whl", b"beside").await;
    let young = put(&blobs, b"young").await;
    let old = [put(&blobs, b"one").await, put(&blobs, b"three").await];
    for digest in old.iter().chain([&kept.digest, &beside.digest]) {
        age(&home, digest);
    }
    let collect = || store::collect_orphans(&db, &blobs, HOUR);
    assert_eq!(collect().await.unwrap(), (2, 8));
    assert_eq!(collect().await.unwrap(), (0, 0));
    let mut left: Vec<_> = blobs.list().map(|blob| blob.unwrap().0).collect();
    let mut expected = vec![kept.digest, beside.digest, young];
    left.sort_unstable();
    expected.sort_unstable();
    assert_eq!((left, blobs.staged_count()), (expected, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn no_record_is_left_without_its_blob_when_one_collects_and_another_saves() {
    let (home, blobs, server) = Home::with_db().await;
    let visit = DataDir::open(home.data.path(), Mode::Visit).unwrap();
    let (there, visitor) = (visit.blobs(), visit.db().await.unwrap());
    let collecting = tokio::spawn(async move {
        for _ in 0..30 {
            store::collect_orphans(&visitor, &there, Duration::ZERO)
                .await
                .unwrap();
        }
    });
    for n in 0..30 {
        let digest = put(&blobs, &noise(100, n)).await;
        let row = file(&format!("flask-{n}.0.zip"), digest, 100);
        match server.save_file(&row).await {
            Ok(()) | Err(store::Error::NotFound { .. }) => {}
            Err(error) => panic!("{error:?}"),
        }
    }
    collecting.await.unwrap();
    let report = store::verify(&server, &blobs, |_| {}).await.unwrap();
    assert_eq!((report.missing, report.staged), (vec![], 0));
}
