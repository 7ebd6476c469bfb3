//! A disk without room: everything says `Full`, nothing half-written stays.

use std::path::Path;
use std::process::Command;

use store::{DataDir, Error, Mode, Overwrite, PageRow, ReleaseRow};
use tempfile::TempDir;

use crate::{STAGE, at, event, hosted, noise, project, put, release, settle};

/// A file system of 1 MiB; unmounted when dropped.
struct Tiny(TempDir);

impl Tiny {
    /// `None` where we may not mount: needs root.
    fn mount() -> Option<Self> {
        let dir = tempfile::tempdir().unwrap();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=1m", "tmpfs"])
            .arg(dir.path())
            .output();
        match mount {
            Ok(output) if output.status.success() => Some(Self(dir)),
            other => {
                eprintln!(
                    "SKIPPED: a full disk cannot be tried here, since mounting a tmpfs failed: {other:?}"
                );
                None
            }
        }
    }

    fn path(&self) -> &Path {
        self.0.path()
    }
}

impl Drop for Tiny {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.path()).status();
        assert!(
            unmounted.is_ok_and(|status| status.success()),
            "the tmpfs stays mounted"
        );
    }
}

#[tokio::test]
async fn a_blob_too_big_leaves_nothing() {
    let Some(disk) = Tiny::mount() else { return };
    let data = DataDir::open(disk.path(), Mode::Serve).unwrap();
    let blobs = data.blobs();
    let free = blobs.free_space().unwrap();
    assert!(free.total == 1 << 20 && free.free < 1 << 20, "{free:?}");

    let staged = blobs.begin().unwrap();
    let error = staged.reserve(2 << 20).unwrap_err();
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    let error = staged.write_at(0, &noise(2 << 20, 1)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no room left on the data directory's disk while writing a staged file: \
         free some space or allow the cache less"
    );
    assert!(matches!(blobs.begin(), Err(Error::Full { .. }) | Ok(_)));
    drop(staged);
    assert_eq!(blobs.staged_count(), 0);
    let digest = put(&blobs, &noise(500_000, 2)).await;
    assert_eq!(blobs.verify(&digest).unwrap(), 500_000);
}

#[tokio::test]
async fn a_record_that_does_not_fit_says_so_and_the_old_one_stays() {
    let Some(disk) = Tiny::mount() else { return };
    let data = DataDir::open(disk.path(), Mode::Serve).unwrap();
    let db = data.db().await.unwrap();
    let flask = project("flask");
    let page = |body| PageRow {
        etag: None,
        last_modified: None,
        fetched_at: at(0),
        fresh_until: at(600),
        body: Some(body),
    };
    db.save_page("root/pypi", &flask, &page(b"small".to_vec()))
        .await
        .unwrap();
    let error = db
        .save_page("root/pypi", &flask, &page(noise(2 << 20, 1)))
        .await
        .unwrap_err();
    assert!(
        matches!(
            error,
            Error::Full {
                doing: "saving a page"
            }
        ),
        "{error:?}"
    );
    assert_eq!(
        db.page("root/pypi", &flask).await.unwrap().unwrap(),
        page(b"small".to_vec())
    );
    db.save_page("root/pypi", &flask, &page(b"other".to_vec()))
        .await
        .unwrap();
    db.close().await;
}

#[tokio::test]
async fn a_change_that_did_not_fit_keeps_no_later_one_from_being_made() {
    let Some(disk) = Tiny::mount() else { return };
    let data = DataDir::open(disk.path(), Mode::Serve).unwrap();
    let (db, blobs) = (data.db().await.unwrap(), data.blobs());
    settle(&db).await;
    let save = async |version: &str, bytes: Vec<u8>| {
        let digest = put(&blobs, &bytes).await;
        let name = format!("flask-{version}.tar.gz");
        let row = hosted(version, &name, digest, bytes.len());
        let release = ReleaseRow {
            metadata: "x".repeat(bytes.len()),
            ..release(version)
        };
        let told = event("upload");
        db.save_hosted(Some(&release), &[row], Overwrite::Refuse, None, &told)
            .await
    };
    let filler = disk.path().join("staged/filler");
    let room = blobs.free_space().unwrap().free as usize;
    std::fs::write(&filler, vec![0; room - 80_000]).unwrap();
    let error = save("1.0", vec![7; 60_000]).await.unwrap_err();
    assert!(matches!(error, Error::Full { .. }), "{error:?}");
    std::fs::remove_file(&filler).unwrap();
    save("2.0", vec![7; 1000]).await.unwrap();
    assert!(
        db.remove_release(STAGE, &project("flask"), "2.0", &event("remove"))
            .await
            .unwrap()
    );
    db.close().await;
}
