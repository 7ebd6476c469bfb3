//! Who may open a data directory, and what is in it then.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use store::{DataDir, Error, Mode};

use crate::{Home, put};

#[test]
fn the_first_server_makes_a_private_directory() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("var/lib/pilothouse");
    let data = DataDir::open(&path, Mode::Serve).unwrap();
    assert_eq!(data.path(), path.canonicalize().unwrap());
    assert_eq!(fs::read_to_string(path.join("VERSION")).unwrap(), "1\n");
    assert_eq!(
        fs::read_to_string(path.join("LOCK")).unwrap(),
        format!("{}\n", std::process::id())
    );
    for directory in ["", "blobs", "blobs/sha256", "staged"] {
        let mode = fs::metadata(path.join(directory))
            .unwrap()
            .permissions()
            .mode();
        assert_eq!(mode & 0o777, 0o700, "{directory}");
    }
    let mut names: Vec<_> = fs::read_dir(&path)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["LOCK", "VERSION", "blobs", "staged"]);
}

#[tokio::test]
async fn two_servers_do_not_share_but_a_visitor_may_look() {
    let home = Home::new();
    let error = DataDir::open(home.dir.path(), Mode::Serve).unwrap_err();
    let pid = std::process::id();
    assert_eq!(
        error.to_string(),
        format!(
            "the data directory is in use by another pilothouse (process {pid}): \
             stop it first, or name another data directory"
        )
    );
    let visitor = DataDir::open(home.dir.path(), Mode::Visit).unwrap();
    let digest = put(&home.data.blobs(), b"seen").await;
    assert!(visitor.blobs().contains(&digest));
}

#[tokio::test]
async fn the_lock_lasts_as_long_as_anybody_can_write() {
    let (home, blobs, db) = Home::with_db().await;
    let Home { dir, data } = home;
    let locked = || {
        matches!(
            DataDir::open(dir.path(), Mode::Serve),
            Err(Error::Locked { .. })
        )
    };
    drop(data);
    assert!(locked());
    drop(blobs);
    assert!(locked());
    db.close().await;
    drop(db);
    assert!(!locked());
}

#[test]
fn a_later_format_is_left_alone() {
    let home = Home::new();
    fs::write(home.dir.path().join("VERSION"), "7\n").unwrap();
    let dir = home.dir;
    drop(home.data);
    for mode in [Mode::Serve, Mode::Visit] {
        let error = DataDir::open(dir.path(), mode).unwrap_err();
        assert_eq!(
            error.to_string(),
            "the data directory has format 7 and this pilothouse knows only up to 1: \
             run the later pilothouse that wrote it, or name another data directory"
        );
    }
}

#[test]
fn a_version_that_is_no_number_is_an_error() {
    let home = Home::new();
    fs::write(home.dir.path().join("VERSION"), "one\n").unwrap();
    let error = DataDir::open(home.dir.path(), Mode::Visit).unwrap_err();
    assert_eq!(error.to_string(), "reading VERSION failed");
}

#[test]
fn a_visitor_makes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    for path in [dir.path().join("absent"), dir.path().to_owned()] {
        let error = DataDir::open(&path, Mode::Visit).unwrap_err();
        assert!(matches!(error, Error::NotFound { .. }), "{error:?}");
    }
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn a_visitor_before_the_first_database_is_told_so() {
    let home = Home::new();
    let visitor = DataDir::open(home.dir.path(), Mode::Visit).unwrap();
    let error = visitor.db().await.unwrap_err();
    assert_eq!(
        error.to_string(),
        "the database of the data directory is not in the store"
    );
    assert!(!home.dir.path().join("pilothouse.db").exists());
}

#[test]
fn a_directory_with_other_files_is_not_taken_over() {
    let dir = tempfile::tempdir().unwrap();
    fs::write(dir.path().join("thesis.odt"), "").unwrap();
    let error = DataDir::open(dir.path(), Mode::Serve).unwrap_err();
    assert_eq!(
        error.to_string(),
        "the data directory holds `thesis.odt`, which is not ours, and no VERSION file: \
         name an empty or a new directory"
    );
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 1);
}

#[test]
fn a_first_start_that_died_can_be_repeated() {
    let dir = tempfile::tempdir().unwrap();
    fs::create_dir(dir.path().join("lost+found")).unwrap();
    fs::write(dir.path().join("LOCK"), "1\n").unwrap();
    fs::write(dir.path().join("VERSION.x7f3"), "").unwrap();
    DataDir::open(dir.path(), Mode::Serve).unwrap();
}

#[tokio::test]
async fn a_server_clears_what_was_left_half_written() {
    let home = Home::new();
    let digest = put(&home.data.blobs(), b"whole").await;
    fs::write(home.dir.path().join("staged/x7f3"), "half").unwrap();
    let Home { dir, data } = home;
    assert_eq!(data.blobs().staged_count(), 1);
    drop(data);
    let visitor = DataDir::open(dir.path(), Mode::Visit).unwrap();
    assert_eq!(
        visitor.blobs().staged_count(),
        1,
        "a visitor does not know who is writing"
    );
    let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
    assert_eq!(data.blobs().staged_count(), 0);
    assert!(data.blobs().contains(&digest));
}

#[tokio::test]
async fn any_path_that_is_text_will_do() {
    let dir = tempfile::tempdir().unwrap();
    for name in [
        "with space",
        "50%",
        "who?",
        "a#b",
        "ünïcode",
        "a&b=c",
        "q'uote",
    ] {
        let path = dir.path().join(name);
        let data = DataDir::open(&path, Mode::Serve).unwrap();
        let db = data.db().await.unwrap();
        assert_eq!(db.usage().await.unwrap(), store::Usage::default());
        db.close().await;
        assert!(path.join("pilothouse.db").is_file(), "{name}");
    }
}
