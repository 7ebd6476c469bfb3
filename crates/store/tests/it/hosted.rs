//! What people uploaded: read, yanked, removed, and never lost on the way.

use std::fs;
use std::time::Duration;

use pyspec::Digest;
use store::{Beside, Blobs, Db, HostedRow, Mended, Overwrite, Reference, Role, SidecarKind, Usage};

use crate::{
    Home, STAGE, at, event, file, hosted, index, noise, project, put, release, settle, user,
};

/// Two releases; the first has two files, one with everything beside it, and a test result.
async fn uploaded(blobs: &Blobs, db: &Db) -> [HostedRow; 4] {
    settle(db).await;
    let beside = |digest, size| Some(Beside { digest, size });
    let wheel = HostedRow {
        requires_python: Some(">=3.9".to_owned()),
        metadata: beside(put(blobs, b"Name: flask").await, 11),
        provenance: beside(put(blobs, b"attested").await, 8),
        log: r#"[{"what":"upload"}]"#.to_owned(),
        ..hosted(
            "1.0",
            "flask-1.0-py3-none-any.whl",
            put(blobs, b"wheel").await,
            5,
        )
    };
    let sdist = hosted("1.0", "flask-1.0.tar.gz", put(blobs, b"sdist").await, 5);
    let result = HostedRow {
        role: Role::ToxResult,
        for_path: Some(wheel.path.clone()),
        ..hosted("1.0", "result-0", put(blobs, b"ok").await, 2)
    };
    let next = HostedRow {
        uploaded_at: at(9),
        ..hosted("2.0", "flask-2.0.tar.gz", put(blobs, b"next").await, 4)
    };
    let save = |version, files: Vec<HostedRow>| {
        let db = db.clone();
        async move {
            let (release, told) = (release(version), event("upload"));
            db.save_hosted(Some(&release), &files, Overwrite::Refuse, None, &told)
                .await
                .unwrap();
        }
    };
    save("1.0", vec![wheel.clone(), sdist.clone()]).await;
    save("1.0", vec![result.clone()]).await;
    save("2.0", vec![next.clone()]).await;
    [wheel, sdist, result, next]
}

fn on_disk(blobs: &Blobs) -> usize {
    blobs.list().count()
}

#[tokio::test]
async fn what_was_uploaded_is_read_as_it_was() {
    let (_home, blobs, db) = Home::with_db().await;
    let [wheel, sdist, result, next] = uploaded(&blobs, &db).await;
    let flask = project("flask");
    let projects = db.stage_projects(STAGE).await.unwrap();
    assert_eq!(projects, std::slice::from_ref(&flask));
    assert!(db.stage_projects("alice/prod").await.unwrap().is_empty());
    let (releases, files) = db.stage_project(STAGE, &flask).await.unwrap();
    assert_eq!(releases, [release("1.0"), release("2.0")]);
    let mut first = [wheel.clone(), sdist, result];
    first.sort_by(|a, b| a.path.cmp(&b.path));
    assert_eq!(files[..3], first);
    assert_eq!(files[3..], [next]);
    let of_release = db.files_of_release(STAGE, &flask, "1.0").await.unwrap();
    assert_eq!(of_release, first);
    let none = db.files_of_release(STAGE, &flask, "1").await.unwrap();
    assert_eq!(none, []);
    let one = db.hosted_file(STAGE, &wheel.path).await.unwrap();
    assert_eq!(one, Some(wheel));
    let none = db.stage_project(STAGE, &project("other")).await.unwrap();
    assert_eq!(none, (vec![], vec![]));
    assert_eq!(db.hosted_file(STAGE, "nothing").await.unwrap(), None);
}

#[tokio::test]
async fn hosted_bytes_are_counted_apart() {
    let (_home, blobs, db) = Home::with_db().await;
    let [wheel, ..] = uploaded(&blobs, &db).await;
    let mirrored = file("flask-1.0-py3-none-any.whl", wheel.digest, 5);
    db.save_file(&mirrored).await.unwrap();
    let bytes = 5 + 11 + 8 + 5 + 2 + 4;
    let usage = Usage {
        files: 1,
        bytes: 5,
        hosted_files: 4,
        hosted_bytes: bytes,
        ..Usage::default()
    };
    assert_eq!(db.usage().await.unwrap(), usage);
    assert_eq!(db.stage_bytes(STAGE).await.unwrap(), bytes);
    assert_eq!(db.stage_bytes("alice/prod").await.unwrap(), 0);

    // Evicted for room, and the upload stays.
    assert_eq!(store::evict(&db, &blobs, &mirrored).await.unwrap(), 0);
    assert!(blobs.contains(&wheel.digest));
}

#[tokio::test]
async fn a_file_goes_with_its_test_results_and_the_last_one_with_its_release() {
    let (_home, blobs, db) = Home::with_db().await;
    let [wheel, sdist, result, next] = uploaded(&blobs, &db).await;
    let remove = |path: &str| {
        let (db, path) = (db.clone(), path.to_owned());
        async move { db.remove_hosted(STAGE, &path, &event("remove")).await }
    };
    assert!(remove(&wheel.path).await.unwrap());
    assert!(!remove(&wheel.path).await.unwrap());
    let flask = project("flask");
    let (releases, files) = db.stage_project(STAGE, &flask).await.unwrap();
    assert_eq!((releases.len(), files), (2, vec![sdist.clone(), next]));
    assert!(!blobs.contains(&wheel.digest) && !blobs.contains(&result.digest));
    assert_eq!(on_disk(&blobs), 2);
    assert!(remove(&sdist.path).await.unwrap());
    let (releases, _) = db.stage_project(STAGE, &flask).await.unwrap();
    assert_eq!(releases, [release("2.0")]);
    assert_eq!(db.stage_bytes(STAGE).await.unwrap(), 4);
}

#[tokio::test]
async fn a_release_and_a_project_go_with_their_files() {
    let (_home, blobs, db) = Home::with_db().await;
    let [.., next] = uploaded(&blobs, &db).await;
    let flask = project("flask");
    let told = event("remove");
    let one = || db.remove_release(STAGE, &flask, "1.0", &told);
    assert!(one().await.unwrap());
    assert!(!one().await.unwrap());
    let left = db.stage_project(STAGE, &flask).await.unwrap();
    assert_eq!(left, (vec![release("2.0")], vec![next]));
    assert_eq!(on_disk(&blobs), 1);
    let all = || db.remove_project(STAGE, &flask, &told);
    assert!(all().await.unwrap());
    assert!(!all().await.unwrap());
    assert!(db.stage_projects(STAGE).await.unwrap().is_empty());
    assert_eq!(on_disk(&blobs), 0);
}

#[tokio::test]
async fn an_index_and_a_user_take_everything_of_theirs_along() {
    let (_home, blobs, db) = Home::with_db().await;
    uploaded(&blobs, &db).await;
    let told = event("remove");
    // An index of Alice's may be a mirror too.
    let mirror = index("alice", "mirror");
    db.create_index(&mirror, &told).await.unwrap();
    let mirrored = store::FileRow {
        mirror: "alice/mirror".to_owned(),
        ..file("other-1.0.zip", put(&blobs, b"mirrored").await, 8)
    };
    db.save_file(&mirrored).await.unwrap();
    db.set_upstream("alice/mirror", "http://upstream.example/")
        .await
        .unwrap();
    let bobs = user("bob");
    db.create_user(&bobs, &told).await.unwrap();
    db.create_index(&index("bob", "dev"), &told).await.unwrap();
    let kept = HostedRow {
        stage: "bob/dev".to_owned(),
        ..hosted("1.0", "flask-1.0.tar.gz", put(&blobs, b"sdist").await, 5)
    };
    let of_bob = store::ReleaseRow {
        stage: "bob/dev".to_owned(),
        ..release("1.0")
    };
    db.save_hosted(
        Some(&of_bob),
        std::slice::from_ref(&kept),
        Overwrite::Refuse,
        None,
        &told,
    )
    .await
    .unwrap();

    let mirror = ("alice", "mirror");
    assert!(db.remove_index(mirror.0, mirror.1, &told).await.unwrap());
    assert!(!blobs.contains(&mirrored.digest));
    assert_eq!(on_disk(&blobs), 6);
    assert!(db.remove_user("alice", &told).await.unwrap());
    assert_eq!(db.indexes().await.unwrap(), [index("bob", "dev")]);
    assert!(db.stage_projects(STAGE).await.unwrap().is_empty());
    let usage = db.usage().await.unwrap();
    assert_eq!((usage.hosted_files, usage.hosted_bytes), (1, 5));
    assert!(blobs.contains(&kept.digest));
    assert_eq!(on_disk(&blobs), 1);
}

#[tokio::test]
async fn files_are_yanked_with_and_without_a_reason_and_back() {
    let (_home, blobs, db) = Home::with_db().await;
    let [wheel, sdist, ..] = uploaded(&blobs, &db).await;
    let paths = [wheel.path.clone(), sdist.path, "nothing".to_owned()];
    for (reason, changed) in [
        (None, 0),
        (Some(""), 2),
        (Some(""), 0),
        (Some("broken"), 2),
        (None, 2),
    ] {
        let told = event("yank");
        let done = db.set_yanked(STAGE, &paths, reason, &told).await.unwrap();
        assert_eq!(done, changed, "{reason:?}");
        let row = db.hosted_file(STAGE, &wheel.path).await.unwrap().unwrap();
        assert_eq!(row.yanked.as_deref(), reason);
    }
}

#[tokio::test]
async fn no_orphan_is_made_of_what_was_uploaded() {
    let (_home, blobs, db) = Home::with_db().await;
    uploaded(&blobs, &db).await;
    let collected = store::collect_orphans(&db, &blobs, Duration::ZERO).await;
    assert_eq!(collected.unwrap(), (0, 0));
    let report = store::verify_with(&db, &blobs, Duration::ZERO, |_| {}).await;
    let report = report.unwrap();
    assert!(report.is_clean(), "{report:?}");
    assert_eq!((report.checked, report.bytes), (6, 35));
}

#[tokio::test]
async fn repair_reports_damaged_uploads_and_leaves_them() {
    let (home, blobs, db) = Home::with_db().await;
    let [wheel, sdist, _, next] = uploaded(&blobs, &db).await;
    // A mirror has the same bytes and can fetch them again.
    let mirrored = file("flask-1.0.tar.gz", sdist.digest, 5);
    db.save_file(&mirrored).await.unwrap();
    let attested = wheel.provenance.unwrap().digest;
    blobs.remove(&next.digest).unwrap();
    blobs.remove(&attested).unwrap();
    fs::write(home.blob_path(&sdist.digest), noise(5, 9)).unwrap();

    let report = store::verify_with(&db, &blobs, Duration::ZERO, |_| {}).await;
    let report = report.unwrap();
    let reference = |row: &HostedRow, sidecar, digest: Digest, size| Reference {
        index: STAGE.to_owned(),
        path: row.path.clone(),
        sidecar,
        digest,
        size,
        hosted: true,
    };
    let mut missing = vec![
        reference(&next, None, next.digest, 4),
        reference(&wheel, Some(SidecarKind::Provenance), attested, 8),
    ];
    missing.sort_by_key(|reference| reference.digest);
    assert_eq!(report.missing, missing);
    assert_eq!(report.corrupt.len(), 1);
    let mended = store::repair(&db, &blobs, &report).await.unwrap();
    let expected = Mended {
        records: 1,
        lost: 3,
        ..Mended::default()
    };
    assert_eq!(mended, expected);
    for row in [&wheel, &sdist, &next] {
        let kept = db.hosted_file(STAGE, &row.path).await.unwrap();
        assert_eq!(kept.as_ref(), Some(row));
    }
    assert!(blobs.contains(&sdist.digest), "somebody may read it yet");

    // The mirror fetches its file again, and that mends the upload.
    put(&blobs, b"sdist").await;
    put(&blobs, b"next").await;
    put(&blobs, b"attested").await;
    let mended = store::repair(&db, &blobs, &report).await.unwrap();
    assert_eq!(mended, Mended::default());
    assert!(store::verify(&db, &blobs, |_| {}).await.unwrap().is_clean());
}
