//! Files whose place upstream has given to other bytes.

use std::collections::HashSet;

use store::FileRow;

use crate::{Home, file, project, put};

const PYPI: &str = "root/pypi";
const PATH: &str = "whl/flask-1.0.tar.gz";

#[tokio::test]
async fn a_replaced_file_is_kept_and_not_current() {
    let (_home, blobs, db) = Home::with_db().await;
    let digest = put(&blobs, b"old").await;
    let old = FileRow {
        pinned: true,
        ..file(PATH, digest, 3)
    };
    db.save_file(&old).await.unwrap();
    db.note_replaced(&old).await.unwrap();
    db.note_replaced(&old).await.unwrap();
    assert_eq!(db.current_file(PYPI, PATH).await.unwrap(), None);
    assert_eq!(db.file(PYPI, PATH).await.unwrap().as_ref(), Some(&old));
    assert!(blobs.contains(&digest));
    let flask = project("flask");
    let replaced = db.replaced_of(PYPI, &flask).await.unwrap();
    assert_eq!(replaced, HashSet::from([PATH.to_owned()]));
    assert!(
        db.replaced_of("root/other", &flask)
            .await
            .unwrap()
            .is_empty()
    );
    db.note_current(PYPI, PATH).await.unwrap();
    assert_eq!(db.current_file(PYPI, PATH).await.unwrap(), Some(old));
}

#[tokio::test]
async fn the_note_ends_when_other_bytes_are_kept_or_none() {
    let (_home, blobs, db) = Home::with_db().await;
    let old = file(PATH, put(&blobs, b"old").await, 3);
    let new = file(PATH, put(&blobs, b"new!").await, 4);
    db.save_file(&old).await.unwrap();
    db.note_replaced(&old).await.unwrap();
    db.save_file(&new).await.unwrap();
    assert_eq!(
        db.current_file(PYPI, PATH).await.unwrap(),
        Some(new.clone())
    );
    assert!(!blobs.contains(&old.digest));

    // Too late: the bytes that were replaced are gone already.
    db.note_replaced(&old).await.unwrap();
    assert_eq!(
        db.current_file(PYPI, PATH).await.unwrap(),
        Some(new.clone())
    );

    db.note_replaced(&new).await.unwrap();
    assert!(db.forget_file(PYPI, PATH).await.unwrap());
    let new = FileRow {
        digest: put(&blobs, b"new!").await,
        ..new
    };
    db.save_file(&new).await.unwrap();
    assert_eq!(db.current_file(PYPI, PATH).await.unwrap(), Some(new));
}
