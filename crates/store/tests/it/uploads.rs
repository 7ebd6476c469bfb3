//! Keeping an upload: what is stored, what is turned down, and many at once.

use std::sync::Arc;

use pyspec::Digest;
use store::{Beside, Blobs, Db, Error, EventFilter, HostedRow, Overwrite, ReleaseRow, Role, Saved};

use crate::{Home, STAGE, at, digest_of, event, hosted, noise, project, put, release, settle};

async fn save(db: &Db, files: &[HostedRow], rule: Overwrite) -> Saved {
    let release = release("1.0");
    db.save_hosted(Some(&release), files, rule, None, &event("upload"))
        .await
        .unwrap()
}

async fn sdist(blobs: &Blobs, bytes: &[u8]) -> HostedRow {
    hosted(
        "1.0",
        "flask-1.0.tar.gz",
        put(blobs, bytes).await,
        bytes.len(),
    )
}

#[tokio::test]
async fn the_same_bytes_again_change_nothing() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let row = sdist(&blobs, b"one").await;
    let one = std::slice::from_ref(&row);
    assert_eq!(save(&db, one, Overwrite::Refuse).await, Saved::Stored);
    let later = HostedRow {
        uploaded_at: at(9),
        log: "later".to_owned(),
        ..row.clone()
    };
    for rule in [Overwrite::Refuse, Overwrite::Replace] {
        let saved = save(&db, std::slice::from_ref(&later), rule).await;
        assert_eq!(saved, Saved::Same);
    }
    let kept = db.hosted_file(STAGE, &row.path).await.unwrap();
    assert_eq!(kept, Some(row));
    let everything = EventFilter {
        after: Some(0),
        who: None,
        stage: None,
        project: None,
        limit: 9,
    };
    assert_eq!(db.events(&everything).await.unwrap().len(), 3);
}

#[tokio::test]
async fn other_bytes_are_refused_or_take_the_place() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let old = sdist(&blobs, b"old").await;
    let result = HostedRow {
        role: Role::ToxResult,
        for_path: Some(old.path.clone()),
        ..hosted("1.0", "result-0", put(&blobs, b"ok").await, 2)
    };
    save(&db, &[old.clone(), result.clone()], Overwrite::Refuse).await;
    let new = sdist(&blobs, b"newer").await;
    let wheel = hosted(
        "1.0",
        "flask-1.0-py3-none-any.whl",
        put(&blobs, b"w").await,
        1,
    );
    let both = [wheel.clone(), new.clone()];
    let saved = save(&db, &both, Overwrite::Refuse).await;
    let exists = Saved::Exists {
        filename: new.filename.clone(),
        digest: old.digest,
    };
    assert_eq!(saved, exists);
    let wheels = db.hosted_file(STAGE, &wheel.path).await.unwrap();
    assert_eq!(wheels, None, "all of an upload is kept, or none");

    let saved = save(&db, &both, Overwrite::Replace).await;
    assert_eq!(saved, Saved::Stored);
    let (_, files) = db.stage_project(STAGE, &project("flask")).await.unwrap();
    let mut expected = vec![wheel, new];
    expected.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(files, expected);
    assert!(!blobs.contains(&old.digest) && !blobs.contains(&result.digest));
    assert_eq!(db.stage_bytes(STAGE).await.unwrap(), 6);
}

#[tokio::test]
async fn a_name_may_be_taken_by_a_file_of_another_role() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let docs = HostedRow {
        role: Role::DocZip,
        ..hosted("1.0", "flask-1.0.zip", put(&blobs, b"docs").await, 4)
    };
    let sdist = hosted("1.0", "flask-1.0.zip", put(&blobs, b"sdist").await, 5);
    let saved = save(&db, &[docs.clone(), sdist], Overwrite::Refuse).await;
    assert_eq!(saved, Saved::Stored);
    // These would share one path, too.
    let twin = HostedRow {
        role: Role::ReleaseFile,
        ..docs.clone()
    };
    let saved = save(&db, &[twin], Overwrite::Refuse).await;
    assert!(matches!(saved, Saved::Exists { .. }), "{saved:?}");
}

#[tokio::test]
async fn what_an_upload_rests_on_must_be_there() {
    let (_home, blobs, db) = Home::with_db().await;
    let row = sdist(&blobs, b"bytes").await;
    let gone = digest_of(b"never came");
    let told = event("upload");
    let missing = |release: Option<ReleaseRow>, row: HostedRow| {
        let (db, told) = (db.clone(), told.clone());
        async move {
            let files = std::slice::from_ref(&row);
            let saved = db
                .save_hosted(release.as_ref(), files, Overwrite::Replace, None, &told)
                .await;
            match saved {
                Err(Error::NotFound { what }) => what,
                other => panic!("{other:?}"),
            }
        }
    };
    let known = Some(release("1.0"));
    assert_eq!(
        missing(known.clone(), row.clone()).await,
        "index `alice/dev`"
    );
    settle(&db).await;
    let without = HostedRow {
        provenance: Some(Beside {
            digest: gone,
            size: 1,
        }),
        ..row.clone()
    };
    let blob = format!("blob `{gone}`");
    assert_eq!(missing(known.clone(), without).await, blob);
    let unknown = "release `1.0` of `flask`";
    assert_eq!(missing(None, row.clone()).await, unknown);
    assert_eq!(missing(Some(release("2.0")), row.clone()).await, unknown);
    let result = HostedRow {
        role: Role::ToxResult,
        for_path: Some("abc/def/flask-1.0.tar.gz".to_owned()),
        ..row.clone()
    };
    let tested = "file `abc/def/flask-1.0.tar.gz`";
    assert_eq!(missing(known, result).await, tested);
    assert_eq!(save(&db, &[row], Overwrite::Refuse).await, Saved::Stored);
}

#[tokio::test]
async fn a_release_can_be_described_before_and_after_its_files() {
    let (_home, blobs, db) = Home::with_db().await;
    let told = event("register");
    let error = db.save_release(&release("1.0"), &told).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    settle(&db).await;
    db.save_release(&release("1.0"), &told).await.unwrap();
    let row = sdist(&blobs, b"bytes").await;
    db.save_hosted(
        None,
        std::slice::from_ref(&row),
        Overwrite::Refuse,
        None,
        &told,
    )
    .await
    .unwrap();
    let anew = ReleaseRow {
        spelled: "flask".to_owned(),
        metadata: r#"{"summary":"web"}"#.to_owned(),
        created_at: at(9),
        ..release("1.0")
    };
    db.save_release(&anew, &told).await.unwrap();
    let kept = ReleaseRow {
        created_at: at(0),
        ..anew
    };
    let (releases, files) = db.stage_project(STAGE, &project("flask")).await.unwrap();
    assert_eq!((releases, files), (vec![kept], vec![row]));
}

#[tokio::test]
async fn an_index_takes_no_more_room_than_it_may() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let save = |file: HostedRow, quota: u64| {
        let db = db.clone();
        async move {
            let release = release("1.0");
            db.save_hosted(
                Some(&release),
                &[file],
                Overwrite::Replace,
                Some(quota),
                &event("upload"),
            )
            .await
            .unwrap()
        }
    };
    let first = HostedRow {
        metadata: Some(Beside {
            digest: put(&blobs, b"Name").await,
            size: 4,
        }),
        ..sdist(&blobs, &noise(10, 1)).await
    };
    assert_eq!(save(first.clone(), 13).await, Saved::OverQuota { used: 0 });
    assert_eq!(save(first, 14).await, Saved::Stored);
    let wheel = hosted(
        "1.0",
        "flask-1.0-py3-none-any.whl",
        put(&blobs, b"w").await,
        1,
    );
    assert_eq!(save(wheel.clone(), 14).await, Saved::OverQuota { used: 14 });
    assert_eq!(save(wheel, 15).await, Saved::Stored);
    // Counted without what it replaces; and less is let in even where too much is there.
    assert_eq!(
        save(sdist(&blobs, &noise(14, 2)).await, 15).await,
        Saved::Stored
    );
    assert_eq!(
        save(sdist(&blobs, &noise(15, 3)).await, 15).await,
        Saved::OverQuota { used: 15 }
    );
    assert_eq!(
        save(sdist(&blobs, &noise(9, 4)).await, 5).await,
        Saved::Stored
    );
    assert_eq!(db.stage_bytes(STAGE).await.unwrap(), 10);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn fifty_uploaders_at_once_lose_nothing() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let (db, blobs) = (db.clone(), blobs.clone());
            tokio::spawn(async move {
                let mut kept = Vec::new();
                for m in 0..4 {
                    let bytes = noise(100, n * 4 + m);
                    let (version, digest) = (format!("{n}.{m}"), put(&blobs, &bytes).await);
                    let name = format!("flask-{version}.tar.gz");
                    let row = hosted(&version, &name, digest, 100);
                    let release = release(&version);
                    let files = std::slice::from_ref(&row);
                    let saved = db
                        .save_hosted(
                            Some(&release),
                            files,
                            Overwrite::Refuse,
                            None,
                            &event("upload"),
                        )
                        .await;
                    assert_eq!(saved.unwrap(), Saved::Stored);
                    // Readers see it at once.
                    let seen = db.hosted_file(STAGE, &row.path).await.unwrap();
                    assert_eq!(seen.as_ref(), Some(&row));
                    kept.push(row);
                }
                kept
            })
        })
        .collect();
    let mut kept = Vec::new();
    for task in tasks {
        kept.extend(task.await.unwrap());
    }
    kept.sort_by(|a, b| a.path.cmp(&b.path));
    let (releases, files) = db.stage_project(STAGE, &project("flask")).await.unwrap();
    assert_eq!((releases.len(), files), (200, kept));
    assert_eq!(db.stage_bytes(STAGE).await.unwrap(), 20_000);
    let report = store::verify(&db, &blobs, |_| {}).await.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!(report.checked, 200);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_of_many_who_want_the_same_name_gets_it() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let tasks: Vec<_> = (0..50)
        .map(|n| {
            let (db, blobs) = (db.clone(), blobs.clone());
            tokio::spawn(async move {
                let row = sdist(&blobs, &noise(50, n)).await;
                (
                    save(&db, std::slice::from_ref(&row), Overwrite::Refuse).await,
                    row,
                )
            })
        })
        .collect();
    let mut stored = Vec::new();
    let mut told: Vec<Digest> = Vec::new();
    for task in tasks {
        match task.await.unwrap() {
            (Saved::Stored, row) => stored.push(row),
            (Saved::Exists { digest, .. }, _) => told.push(digest),
            other => panic!("{other:?}"),
        }
    }
    let [winner] = &stored[..] else {
        panic!("{stored:?}")
    };
    assert_eq!(told, vec![winner.digest; 49]);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_is_turned_down_does_not_harm_those_beside_it() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let db = Arc::new(db);
    let tasks: Vec<_> = (0..40_u64)
        .map(|n| {
            let (db, blobs) = (db.clone(), blobs.clone());
            tokio::spawn(async move {
                let version = n.to_string();
                let digest = match n % 2 {
                    0 => put(&blobs, &noise(10, n)).await,
                    _ => digest_of(&noise(10, n)),
                };
                let name = format!("flask-{n}.tar.gz");
                let row = hosted(&version, &name, digest, 10);
                let saved = db
                    .save_hosted(
                        Some(&release(&version)),
                        &[row],
                        Overwrite::Refuse,
                        None,
                        &event("upload"),
                    )
                    .await;
                match (n % 2, saved) {
                    (0, Ok(Saved::Stored)) | (1, Err(Error::NotFound { .. })) => {}
                    (_, other) => panic!("{n}: {other:?}"),
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let (releases, files) = db.stage_project(STAGE, &project("flask")).await.unwrap();
    assert_eq!((releases.len(), files.len()), (20, 20));
}

/// The database itself turns down a file that comes twice in one upload; those who were to be
/// committed with it are kept.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_that_fails_does_not_fail_those_beside_it() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let digest = put(&blobs, b"x").await;
    let tasks: Vec<_> = (0..20)
        .map(|n| {
            let db = db.clone();
            tokio::spawn(async move {
                let version = n.to_string();
                let row = hosted(&version, &format!("flask-{n}.zip"), digest, 1);
                let files = vec![row; if n % 2 == 0 { 1 } else { 2 }];
                let (release, told) = (release(&version), event("upload"));
                let saved = db
                    .save_hosted(Some(&release), &files, Overwrite::Refuse, None, &told)
                    .await;
                match (n % 2, saved) {
                    (0, Ok(Saved::Stored)) | (1, Err(Error::Db { .. })) => {}
                    (_, other) => panic!("{n}: {other:?}"),
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let (releases, files) = db.stage_project(STAGE, &project("flask")).await.unwrap();
    assert_eq!((releases.len(), files.len()), (10, 10));
}

#[tokio::test]
async fn an_upload_that_nobody_waits_for_is_kept_all_the_same() {
    let (_home, blobs, db) = Home::with_db().await;
    settle(&db).await;
    let row = sdist(&blobs, b"bytes").await;
    let (release, told) = (release("1.0"), event("upload"));
    tokio::select! {
        biased;
        done = db.save_hosted(Some(&release), std::slice::from_ref(&row), Overwrite::Refuse, None, &told) => {
            panic!("too fast for this test: {done:?}")
        }
        () = tokio::task::yield_now() => {}
    }
    // Whoever writes next comes after it.
    db.save_release(&release, &told).await.unwrap();
    let kept = db.hosted_file(STAGE, &row.path).await.unwrap();
    assert_eq!(kept, Some(row));
}
