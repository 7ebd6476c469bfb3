//! Uploads that are refused, with the words that devpi, pip and twine users read.

use index::Error;
use index::hosted::Form;

use crate::make::{Dist, docs, sdist, wheel};
use crate::rig::{FIRM, Rig, by};

async fn why(rig: &Rig, dist: Dist) -> String {
    match rig.upload(dist, FIRM).await.unwrap_err() {
        Error::BadUpload { why } => why,
        other => panic!("{other}"),
    }
}

fn named(dist: Dist, filename: &str) -> Dist {
    Dist {
        filename: filename.to_owned(),
        ..dist
    }
}

fn without(mut dist: Dist, field: &str) -> Dist {
    dist.fields.retain(|(name, _)| name != field);
    dist
}

#[tokio::test]
async fn a_form_that_makes_no_sense_is_refused() {
    let rig = Rig::new().await;
    let good = || wheel("foo", "1.0", b"");
    for (dist, said) in [
        (without(good(), ":action"), ":action field not found"),
        (
            good().but(":action", "it's"),
            "action \"it's\" not supported",
        ),
        (
            good().but(":action", "remove"),
            "action 'remove' not supported",
        ),
        (
            without(good(), "name"),
            "invalid metadata: it has no `Name`",
        ),
        (
            without(good(), "version"),
            "invalid metadata: it has no `Version`",
        ),
        (
            good().but("version", "one"),
            "invalid metadata: `one` is not a version",
        ),
        (
            named(good(), "../foo-1.0.tar.gz"),
            "'../foo-1.0.tar.gz' is not a valid archive name",
        ),
        (
            named(good(), "foo-1.0.txt"),
            "'foo-1.0.txt' is not a valid archive name",
        ),
        (
            good().but("version", "1.1"),
            "filename 'foo-1.0-py3-none-any.whl' does not contain version '1.1'",
        ),
        (
            good().but("name", "Bar"),
            "filename 'foo-1.0-py3-none-any.whl' does not match project name 'Bar'",
        ),
        (
            named(sdist("foo", "1.0"), "bar-1.0.tar.gz"),
            "filename 'bar-1.0.tar.gz' does not match project name 'foo'",
        ),
    ] {
        assert_eq!(why(&rig, dist).await, said);
    }
    let form = Form {
        fields: good().fields,
        content: None,
    };
    let refused = rig.hosted.upload(form, FIRM, &by()).await.unwrap_err();
    assert_eq!(refused.to_string(), "content file field not found");
    assert!(rig.project("foo").await.is_none());
    assert_eq!(rig.data.blobs().staged_count(), 0);
    assert_eq!(rig.data.blobs().list().count(), 0);
}

#[tokio::test]
async fn a_file_that_is_not_what_it_is_called_is_refused() {
    let rig = Rig::new().await;
    let renamed =
        |dist, filename: &str, version: &str| named(dist, filename).but("version", version);
    let mut torn = wheel("foo", "1.0", b"");
    torn.bytes.truncate(100);
    for (dist, said) in [
        (
            renamed(wheel("foo", "1.0", b""), "foo-1.1-py3-none-any.whl", "1.1"),
            "foo-1.1-py3-none-any.whl is refused: its name is that of version 1.1, but its metadata says 1.0",
        ),
        (
            renamed(sdist("foo", "1.0"), "foo-1.1.tar.gz", "1.1"),
            "foo-1.1.tar.gz is refused: its name is that of version 1.1, but its metadata says 1.0",
        ),
        (
            torn,
            "foo-1.0-py3-none-any.whl is refused: it is not a zip file",
        ),
        (
            docs("foo", "1.0", &[("../index.html", b"")]),
            "foo.doc.zip is refused: its entry `../index.html` leads out of its folder",
        ),
        (
            docs("foo", "1.0", &[]),
            "foo.doc.zip is refused: there is no page in it",
        ),
        (
            docs("foo", "", &[("index.html", b"")]),
            "doczip has no version and 'foo' has no releases to derive one from",
        ),
    ] {
        assert_eq!(why(&rig, dist).await, said);
    }
    assert_eq!(rig.data.blobs().list().count(), 0, "nothing of it is kept");
}
