//! Small blobs whose bytes wait in the records: what a power cut may take of their files.

use std::fs;
use std::path::PathBuf;

use bytes::Bytes;
use pyspec::Digest;
use store::{Blobs, Db, HostedRow, Overwrite, Saved, Terms, Unsynced};

use crate::{Home, event, hosted, release, settle};

fn path_of(home: &Home, digest: &Digest) -> PathBuf {
    let hex = digest.to_string();
    let root = home.dir.path().join("blobs/sha256");
    root.join(&hex[..2]).join(&hex[2..4]).join(hex)
}

async fn save(db: &Db, unsynced: &[Unsynced]) -> Vec<HostedRow> {
    settle(db).await;
    let rows: Vec<HostedRow> = unsynced
        .iter()
        .enumerate()
        .map(|(number, blob)| {
            let name = format!("flask-1.0.{number}.tar.gz");
            hosted("1.0", &name, blob.digest(), blob.len() as usize)
        })
        .collect();
    let (release, told) = (release("1.0"), event("upload"));
    let terms = Terms {
        overwrite: Overwrite::Refuse,
        quota: None,
    };
    let saved = db.save_uploaded(Some(&release), &rows, unsynced, terms, &told);
    assert_eq!(saved.await.unwrap(), Saved::Stored);
    rows
}

fn put(blobs: &Blobs, bytes: &'static [u8]) -> Unsynced {
    blobs.put_unsynced(Bytes::from_static(bytes)).unwrap()
}

fn read(blobs: &Blobs, row: &HostedRow) -> Vec<u8> {
    let blob = blobs.open(&row.digest, Some(row.size)).unwrap().unwrap();
    let mut bytes = vec![0; row.size as usize];
    blob.read_at(0, &mut bytes).unwrap();
    bytes
}

#[tokio::test]
async fn what_a_power_cut_took_is_written_again() {
    let (home, blobs, db) = Home::with_db().await;
    let put = [put(&blobs, b"gone"), put(&blobs, b"cut"), put(&blobs, b"")];
    let rows = save(&db, &put).await;
    assert_eq!(read(&blobs, &rows[0]), b"gone");
    db.close().await;
    fs::remove_file(path_of(&home, &rows[0].digest)).unwrap();
    fs::write(path_of(&home, &rows[1].digest), "").unwrap();
    let db = home.data.db().await.unwrap();
    for (row, bytes) in rows.iter().zip([b"gone".as_slice(), b"cut", b""]) {
        assert_eq!(read(&blobs, row), bytes);
    }
    assert_eq!(db.sync_blobs().await.unwrap(), 0, "nothing waits any more");
}

#[tokio::test]
async fn bytes_that_the_disk_has_are_let_go() {
    let (home, blobs, db) = Home::with_db().await;
    let rows = save(&db, &[put(&blobs, b"one"), put(&blobs, b"two")]).await;
    assert_eq!(db.sync_blobs().await.unwrap(), 2);
    assert_eq!(db.sync_blobs().await.unwrap(), 0);
    db.close().await;
    fs::remove_file(path_of(&home, &rows[0].digest)).unwrap();
    let _db = home.data.db().await.unwrap();
    assert!(!blobs.contains(&rows[0].digest), "nothing is kept of it");
}

#[tokio::test]
async fn a_blob_that_is_there_keeps_its_file() {
    let (home, blobs, _db) = Home::with_db().await;
    let digest = crate::put(&blobs, b"bytes").await;
    let inode = |path: PathBuf| std::os::unix::fs::MetadataExt::ino(&fs::metadata(path).unwrap());
    let before = inode(path_of(&home, &digest));
    assert_eq!(put(&blobs, b"bytes").digest(), digest);
    assert_eq!(inode(path_of(&home, &digest)), before);
    fs::write(path_of(&home, &digest), "other").unwrap();
    put(&blobs, b"bytes");
    assert_ne!(inode(path_of(&home, &digest)), before, "damage is mended");
}

#[tokio::test]
async fn what_waits_is_not_reported_as_damaged() {
    let (home, blobs, db) = Home::with_db().await;
    let rows = save(&db, &[put(&blobs, b"one"), put(&blobs, b"two")]).await;
    fs::remove_file(path_of(&home, &rows[0].digest)).unwrap();
    fs::write(path_of(&home, &rows[1].digest), "").unwrap();
    let report = store::verify(&db, &blobs, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
}

#[tokio::test]
async fn what_nobody_saved_is_an_orphan() {
    let (_home, blobs, db) = Home::with_db().await;
    let loose = put(&blobs, b"loose");
    assert!(blobs.contains(&loose.digest()));
    let removed = store::collect_orphans(&db, &blobs, std::time::Duration::ZERO).await;
    assert_eq!(removed.unwrap(), (1, 5));
}
