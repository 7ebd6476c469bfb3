//! The store through its public door: real directories, a real SQLite file.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod blobs;
#[cfg(feature = "fail-points")]
mod crash;
mod data_dir;
mod database;
mod deliveries;
#[cfg(target_os = "linux")]
mod full_disk;
mod hosted;
mod maintenance;
mod people;
mod records;
mod replaced;
mod unsynced;
mod uploads;
mod usage;

use std::path::PathBuf;

use jiff::Timestamp;
use pyspec::{Digest, ProjectName};
use sha2::{Digest as _, Sha256};
use store::{
    Blobs, DataDir, Db, Event, FileRow, HostedRow, IndexRow, Mode, ReleaseRow, Role, UserRow,
};
use tempfile::TempDir;

/// A data directory that is open for serving.
struct Home {
    dir: TempDir,
    data: DataDir,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
        Self { dir, data }
    }

    async fn with_db() -> (Self, Blobs, Db) {
        let home = Self::new();
        let (blobs, db) = (home.data.blobs(), home.data.db().await.unwrap());
        (home, blobs, db)
    }

    /// Where a blob lies, for those tests that damage it.
    fn blob_path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        self.dir
            .path()
            .join("blobs/sha256")
            .join(&hex[..2])
            .join(&hex[2..4])
            .join(hex)
    }
}

fn digest_of(bytes: &[u8]) -> Digest {
    let digest: [u8; 32] = Sha256::digest(bytes).into();
    Digest::from(digest)
}

async fn put(blobs: &Blobs, bytes: &[u8]) -> Digest {
    let digest = digest_of(bytes);
    let staged = blobs.begin().unwrap();
    staged.write_at(0, bytes).unwrap();
    staged.commit(&digest).await.unwrap();
    digest
}

/// Bytes that look random and are not.
fn noise(len: usize, mut seed: u64) -> Vec<u8> {
    let mut next = || {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as u8
    };
    (0..len).map(|_| next()).collect()
}

fn at(seconds: i64) -> Timestamp {
    Timestamp::from_second(1_800_000_000 + seconds).unwrap()
}

fn project(name: &str) -> ProjectName {
    name.parse().unwrap()
}

/// The record of a file that was stored at second 0.
fn file(path: &str, digest: Digest, size: usize) -> FileRow {
    FileRow {
        mirror: "root/pypi".to_owned(),
        path: path.to_owned(),
        project: project("flask"),
        filename: path.rsplit('/').next().unwrap().parse().unwrap(),
        digest,
        promised: digest.into(),
        size: size as u64,
        etag: format!("\"{digest}\""),
        last_modified: Some(at(-1000)),
        stored_at: at(0),
        last_used: at(0),
        pinned: false,
    }
}

const STAGE: &str = "alice/dev";

/// Alice and her index.
async fn settle(db: &Db) {
    assert!(
        db.create_user(&user("alice"), &event("user"))
            .await
            .unwrap()
    );
    let row = index("alice", "dev");
    assert!(db.create_index(&row, &event("index")).await.unwrap());
}

fn user(name: &str) -> UserRow {
    UserRow {
        name: name.to_owned(),
        password: Some(format!("hash of {name}'s").into()),
        details: "{}".to_owned(),
        created_at: at(0),
        modified_at: None,
    }
}

fn index(owner: &str, name: &str) -> IndexRow {
    IndexRow {
        owner: owner.to_owned(),
        name: name.to_owned(),
        settings: r#"{"type":"stage"}"#.to_owned(),
        created_at: at(0),
    }
}

fn event(what: &str) -> Event {
    Event::new(at(0), what)
}

/// A release of `flask` on Alice's index.
fn release(version: &str) -> ReleaseRow {
    ReleaseRow {
        stage: STAGE.to_owned(),
        project: project("flask"),
        version: version.to_owned(),
        spelled: "Flask".to_owned(),
        metadata: "{}".to_owned(),
        created_at: at(0),
    }
}

/// A file of that release.
fn hosted(version: &str, filename: &str, digest: Digest, size: usize) -> HostedRow {
    let hex = digest.to_string();
    HostedRow {
        stage: STAGE.to_owned(),
        path: format!("{}/{}/{filename}", &hex[..3], &hex[3..16]),
        project: project("flask"),
        version: version.to_owned(),
        filename: filename.parse().unwrap(),
        role: Role::ReleaseFile,
        for_path: None,
        digest,
        size: size as u64,
        requires_python: None,
        metadata: None,
        provenance: None,
        yanked: None,
        uploaded_at: at(0),
        log: "[]".to_owned(),
    }
}
