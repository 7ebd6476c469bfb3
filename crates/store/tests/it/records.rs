//! Every kind of record goes in and comes out again, from a reopened database.

use std::collections::HashMap;

use store::{
    Blobs, DataDir, Db, Error, FileRow, Filter, LooseSidecar, Mode, PageRow, RefusedRow, RootRow,
    SidecarKind, SidecarRow,
};

use crate::{Home, at, digest_of, file, noise, project, put};

const PYPI: &str = "root/pypi";

impl Home {
    /// Closes and opens everything, as a new process would.
    async fn reopen(self, blobs: Blobs, db: Db) -> (Self, Blobs, Db) {
        db.close().await;
        let Self { dir, data } = self;
        drop((data, blobs, db));
        let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
        let (blobs, db) = (data.blobs(), data.db().await.unwrap());
        (Self { dir, data }, blobs, db)
    }
}

fn page(body: Option<&[u8]>) -> PageRow {
    PageRow {
        etag: Some("\"1\"".to_owned()),
        last_modified: None,
        fetched_at: at(0),
        fresh_until: at(600),
        body: body.map(<[u8]>::to_vec),
    }
}

#[tokio::test]
async fn pages_are_kept() {
    let (home, blobs, db) = Home::with_db().await;
    let (flask, ghost) = (project("Flask"), project("ghost"));
    assert_eq!(db.page(PYPI, &flask).await.unwrap(), None);
    let known = page(Some(&noise(200_000, 1)));
    db.save_page(PYPI, &flask, &page(Some(b"old")))
        .await
        .unwrap();
    db.save_page(PYPI, &flask, &known).await.unwrap();
    db.save_page(PYPI, &ghost, &page(None)).await.unwrap();
    db.save_page("root/other", &ghost, &page(Some(b"")))
        .await
        .unwrap();

    let (_home, _, db) = home.reopen(blobs, db).await;
    assert_eq!(db.page(PYPI, &flask).await.unwrap().unwrap(), known);
    assert_eq!(db.page(PYPI, &ghost).await.unwrap().unwrap(), page(None));
    assert_eq!(db.page("root/other", &flask).await.unwrap(), None);
    assert_eq!(db.projects(PYPI).await.unwrap(), [project("flask")]);
    assert_eq!(db.projects("root/other").await.unwrap(), [project("ghost")]);

    db.touch_page(PYPI, &flask, at(50), at(650)).await.unwrap();
    db.touch_page(PYPI, &project("unknown"), at(50), at(650))
        .await
        .unwrap();
    let touched = PageRow {
        fetched_at: at(50),
        fresh_until: at(650),
        ..known
    };
    assert_eq!(db.page(PYPI, &flask).await.unwrap().unwrap(), touched);
    assert_eq!(db.page(PYPI, &project("unknown")).await.unwrap(), None);
    assert!(db.forget_page(PYPI, &flask).await.unwrap());
    assert!(!db.forget_page(PYPI, &flask).await.unwrap());
}

#[tokio::test]
async fn missing_projects_are_forgotten_once_they_are_stale() {
    let (_home, _blobs, db) = Home::with_db().await;
    let until = |body, seconds| PageRow {
        fresh_until: at(seconds),
        ..page(body)
    };
    for (name, row) in [
        ("stale", until(None, 9)),
        ("fresh", until(None, 10)),
        ("known", until(Some(b"page"), 9)),
    ] {
        db.save_page(PYPI, &project(name), &row).await.unwrap();
    }
    assert_eq!(db.forget_missing_pages(at(10)).await.unwrap(), 1);
    assert_eq!(db.forget_missing_pages(at(10)).await.unwrap(), 0);
    for (name, kept) in [("stale", false), ("fresh", true), ("known", true)] {
        let row = db.page(PYPI, &project(name)).await.unwrap();
        assert_eq!(row.is_some(), kept, "{name}");
    }
}

#[tokio::test]
async fn the_root_listing_is_kept() {
    let (home, blobs, db) = Home::with_db().await;
    let row = RootRow {
        etag: None,
        last_modified: Some("Sun, 22 Nov 2026 04:00:00 GMT".to_owned()),
        fetched_at: at(0),
        fresh_until: at(600),
        body: noise(3_000_000, 2),
    };
    assert_eq!(db.root(PYPI).await.unwrap(), None);
    db.save_root(
        PYPI,
        &RootRow {
            body: vec![],
            ..row.clone()
        },
    )
    .await
    .unwrap();
    db.save_root(PYPI, &row).await.unwrap();
    let (_home, _, db) = home.reopen(blobs, db).await;
    assert_eq!(db.root(PYPI).await.unwrap().unwrap(), row);
    db.touch_root(PYPI, at(1), at(2)).await.unwrap();
    let touched = RootRow {
        fetched_at: at(1),
        fresh_until: at(2),
        ..row
    };
    assert_eq!(db.root(PYPI).await.unwrap().unwrap(), touched);
}

#[tokio::test]
async fn files_are_kept() {
    let (home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, b"wheel").await;
    let wheel = file("packages/ab/flask-3.0-py3-none-any.whl", digest, 5);
    let sdist = FileRow {
        last_modified: None,
        pinned: true,
        ..file("packages/cd/flask-3.0.tar.gz", digest, 5)
    };
    db.save_file(&sdist).await.unwrap();
    db.save_file(&wheel).await.unwrap();
    assert_eq!(db.blob_references(&digest).await.unwrap(), 2);

    let (_home, blobs, db) = home.reopen(blobs, db).await;
    assert_eq!(db.file(PYPI, &wheel.path).await.unwrap().unwrap(), wheel);
    assert_eq!(db.file(PYPI, "packages/none").await.unwrap(), None);
    assert_eq!(db.file("root/other", &wheel.path).await.unwrap(), None);
    assert_eq!(
        db.files_of(PYPI, &project("flask")).await.unwrap(),
        [wheel.clone(), sdist.clone()]
    );
    assert_eq!(db.files_of(PYPI, &project("django")).await.unwrap(), []);

    assert!(db.forget_file(PYPI, &wheel.path).await.unwrap());
    assert!(!db.forget_file(PYPI, &wheel.path).await.unwrap());
    assert!(blobs.contains(&digest), "the sdist still names it");
    assert!(db.forget_file(PYPI, &sdist.path).await.unwrap());
    assert!(!blobs.contains(&digest));
}

#[tokio::test]
async fn projects_with_files_are_listed_once_and_by_name() {
    let (_home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, b"bytes").await;
    for (mirror, name, path) in [
        (PYPI, "numpy", "numpy-1.0.zip"),
        (PYPI, "flask", "flask-2.0.zip"),
        (PYPI, "flask", "flask-1.0.zip"),
        ("root/other", "django", "django-1.0.zip"),
    ] {
        let row = FileRow {
            mirror: mirror.to_owned(),
            project: project(name),
            ..file(path, digest, 5)
        };
        db.save_file(&row).await.unwrap();
    }
    let names = db.projects_with_files(PYPI).await.unwrap();
    assert_eq!(names, [project("flask"), project("numpy")]);
    assert_eq!(db.projects_with_files("root/none").await.unwrap(), []);
}

#[tokio::test]
async fn a_record_cannot_name_a_blob_that_is_not_there() {
    let (_home, _, db) = Home::with_db().await;
    let row = file("flask-1.0.tar.gz", digest_of(b"nowhere"), 7);
    let error = db.save_file(&row).await.unwrap_err();
    assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    assert_eq!(db.file(PYPI, &row.path).await.unwrap(), None);
    let sidecar = SidecarRow {
        digest: row.digest,
        size: 7,
        made: false,
    };
    let saved = db
        .save_sidecar(PYPI, &row.path, SidecarKind::Metadata, &sidecar, at(0))
        .await;
    assert!(matches!(saved, Err(Error::NotFound { .. })), "{saved:?}");
}

#[tokio::test]
async fn a_file_with_new_bytes_lets_go_of_the_old() {
    let (_home, blobs, db) = Home::with_db().await;
    let (old, new) = (put(&blobs, b"old").await, put(&blobs, b"new").await);
    db.save_file(&file("flask-1.0.tar.gz", old, 3))
        .await
        .unwrap();
    db.save_file(&file("flask-1.0.tar.gz", new, 3))
        .await
        .unwrap();
    assert!(!blobs.contains(&old) && blobs.contains(&new));
    let row = |digest| SidecarRow {
        digest,
        size: 3,
        made: false,
    };
    let old = put(&blobs, b"old").await;
    for digest in [old, new] {
        let kind = SidecarKind::Provenance;
        db.save_sidecar(PYPI, "flask-1.0.tar.gz", kind, &row(digest), at(0))
            .await
            .unwrap();
    }
    assert!(!blobs.contains(&old) && blobs.contains(&new));
}

#[tokio::test]
async fn files_are_found_by_use_and_by_what_they_are() {
    let (_home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, b"x").await;
    for (n, name) in ["a-1.0.zip", "b-1.0.zip", "c-1.0.zip", "d-1.0.zip"]
        .into_iter()
        .enumerate()
    {
        let row = FileRow {
            project: project(&name[..1]),
            mirror: if n == 3 {
                "root/other".to_owned()
            } else {
                PYPI.to_owned()
            },
            pinned: n == 1,
            last_used: at(100 - n as i64),
            ..file(name, digest, 1)
        };
        db.save_file(&row).await.unwrap();
    }
    let names = |rows: Vec<FileRow>| -> String { rows.iter().map(|row| &row.path[..1]).collect() };
    assert_eq!(names(db.least_recently_used(10).await.unwrap()), "dca");
    assert_eq!(names(db.least_recently_used(2).await.unwrap()), "dc");
    let used = [
        (PYPI.to_owned(), "c-1.0.zip".to_owned(), at(500)),
        (PYPI.to_owned(), "a-1.0.zip".to_owned(), at(1)),
        (PYPI.to_owned(), "none".to_owned(), at(500)),
    ];
    db.touch_files(&used).await.unwrap();
    assert_eq!(
        names(db.least_recently_used(10).await.unwrap()),
        "dac",
        "a time is never turned back"
    );

    let all = Filter::default();
    let of = async |filter: Filter| names(db.files(&filter).await.unwrap());
    assert_eq!(of(all.clone()).await, "dabc");
    assert_eq!(
        of(Filter {
            project: Some(project("B")),
            ..all.clone()
        })
        .await,
        "b"
    );
    assert_eq!(
        of(Filter {
            mirror: Some(PYPI.to_owned()),
            ..all.clone()
        })
        .await,
        "abc"
    );
    assert_eq!(
        of(Filter {
            pinned: Some(false),
            ..all.clone()
        })
        .await,
        "dac"
    );
    assert_eq!(
        of(Filter {
            older_than: Some(at(99)),
            ..all.clone()
        })
        .await,
        "d"
    );
    let old_here = Filter {
        mirror: Some(PYPI.to_owned()),
        older_than: Some(at(101)),
        pinned: Some(false),
        project: None,
    };
    assert_eq!(of(old_here.clone()).await, "a");

    assert_eq!(db.set_pinned(&old_here, true).await.unwrap(), 1);
    assert_eq!(db.set_pinned(&all, true).await.unwrap(), 2);
    assert_eq!(db.least_recently_used(10).await.unwrap(), []);
    assert!(db.set_file_pinned(PYPI, "a-1.0.zip", false).await.unwrap());
    assert!(!db.set_file_pinned(PYPI, "a-1.0.zip", false).await.unwrap());
    assert_eq!(names(db.least_recently_used(10).await.unwrap()), "a");
}

#[tokio::test]
async fn sidecars_are_kept_with_or_without_their_file() {
    let (home, blobs, db) = Home::with_db().await;
    let row = |digest, size, made| SidecarRow { digest, size, made };
    let metadata = row(put(&blobs, b"Name: flask").await, 11, true);
    let provenance = row(put(&blobs, b"{}").await, 2, false);
    let (with, without) = ("flask-1.0.zip", "flask-2.0.zip");
    db.save_file(&file(with, put(&blobs, b"f").await, 1))
        .await
        .unwrap();
    for path in [with, without] {
        db.save_sidecar(PYPI, path, SidecarKind::Metadata, &metadata, at(0))
            .await
            .unwrap();
        db.save_sidecar(PYPI, path, SidecarKind::Provenance, &provenance, at(1))
            .await
            .unwrap();
    }
    let (_home, blobs, db) = home.reopen(blobs, db).await;
    let read = |path, kind| {
        let db = db.clone();
        async move { db.sidecar(PYPI, path, kind).await.unwrap() }
    };
    assert_eq!(
        read(without, SidecarKind::Metadata).await.as_ref(),
        Some(&metadata)
    );
    assert_eq!(
        read(without, SidecarKind::Provenance).await.as_ref(),
        Some(&provenance)
    );
    assert_eq!(read("flask-3.0.zip", SidecarKind::Metadata).await, None);
    let loose = LooseSidecar {
        mirror: PYPI.to_owned(),
        path: without.to_owned(),
        size: 13,
    };
    assert_eq!(db.loose_sidecars(10).await.unwrap(), [loose]);

    assert_eq!(
        store::evict_sidecars(&db, PYPI, with).await.unwrap(),
        0,
        "its file is kept"
    );
    assert_eq!(
        store::evict_sidecars(&db, PYPI, without).await.unwrap(),
        0,
        "the blobs are shared"
    );
    assert_eq!(read(without, SidecarKind::Metadata).await, None);
    assert_eq!(db.forget_sidecars(PYPI, with).await.unwrap(), 13);
    assert!(!blobs.contains(&metadata.digest) && !blobs.contains(&provenance.digest));
}

#[tokio::test]
async fn what_was_found_in_wheels_is_kept() {
    let (home, blobs, db) = Home::with_db().await;
    let (flask, digest) = (project("flask"), digest_of(b"Name: flask"));
    db.note_made_metadata(PYPI, &flask, "a.whl", None)
        .await
        .unwrap();
    db.note_made_metadata(PYPI, &flask, "a.whl", Some(&digest))
        .await
        .unwrap();
    db.note_made_metadata(PYPI, &flask, "b.whl", None)
        .await
        .unwrap();
    db.note_made_metadata(PYPI, &project("other"), "c.whl", None)
        .await
        .unwrap();
    let (_home, _, db) = home.reopen(blobs, db).await;
    let expected = HashMap::from([
        ("a.whl".to_owned(), Some(digest)),
        ("b.whl".to_owned(), None),
    ]);
    assert_eq!(db.made_metadata(PYPI, &flask).await.unwrap(), expected);
}

#[tokio::test]
async fn refusals_are_kept() {
    let (home, blobs, db) = Home::with_db().await;
    let row = |path: &str, seconds| RefusedRow {
        mirror: PYPI.to_owned(),
        path: path.to_owned(),
        url: format!("https://files.example/{path}"),
        expected: "sha256=aa".to_owned(),
        found: "sha256=bb".to_owned(),
        at: at(seconds),
    };
    db.refuse(&row("a", 0)).await.unwrap();
    db.refuse(&row("b", 1)).await.unwrap();
    db.refuse(&row("a", 2)).await.unwrap();
    let (_home, _, db) = home.reopen(blobs, db).await;
    assert_eq!(db.refused(PYPI, "a").await.unwrap(), Some(row("a", 2)));
    assert_eq!(db.refused(PYPI, "c").await.unwrap(), None);
    assert_eq!(db.all_refused().await.unwrap(), [row("a", 2), row("b", 1)]);
    assert!(db.forget_refused(PYPI, "a").await.unwrap());
    assert!(!db.forget_refused(PYPI, "a").await.unwrap());
    assert_eq!(db.all_refused().await.unwrap(), [row("b", 1)]);
}
