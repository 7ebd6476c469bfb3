//! Removing and yanking.

use index::hosted::{Force, Which};
use index::{Error, Part};
use pyspec::{ProjectName, Yanked};

use crate::make::{sdist, wheel};
use crate::rig::{FIRM, Rig, VOLATILE, by, path_of};

fn foo() -> ProjectName {
    "foo".parse().unwrap()
}

async fn filled() -> Rig {
    let rig = Rig::new().await;
    for dist in [
        wheel("foo", "1.0", b""),
        sdist("foo", "1.0"),
        wheel("foo", "1.1", b""),
    ] {
        rig.upload(dist, FIRM).await.unwrap();
    }
    rig
}

#[tokio::test]
async fn a_firm_index_keeps_what_it_has_unless_it_is_forced() {
    let rig = filled().await;
    let (hosted, by) = (&rig.hosted, by());
    let project = rig.project("foo").await.unwrap();
    let path = path_of(&project, &project.page.files[0]);
    for (outcome, said) in [
        (
            hosted.remove_project(&foo(), Force::No, FIRM, &by).await,
            "project 'foo' is on non-volatile index alice/dev",
        ),
        (
            hosted
                .remove_release(&foo(), "1.0", Force::No, FIRM, &by)
                .await,
            "cannot delete version on non-volatile index alice/dev",
        ),
        (
            hosted.remove_file(&path, Force::No, FIRM, &by).await,
            "cannot delete version on non-volatile index alice/dev",
        ),
    ] {
        let Err(Error::Forbidden { why }) = outcome else {
            panic!("{outcome:?}");
        };
        assert_eq!(why, said);
    }
    hosted
        .remove_release(&foo(), "1.0.0", Force::Yes, FIRM, &by)
        .await
        .unwrap();
    assert_eq!(rig.project("foo").await.unwrap().page.versions, ["1.1"]);
}

#[tokio::test]
async fn what_is_removed_is_gone_with_its_bytes() {
    let rig = filled().await;
    let (hosted, by) = (&rig.hosted, by());
    let project = rig.project("foo").await.unwrap();
    let latest = rig.file("foo", "foo-1.1-py3-none-any.whl").await;
    let latest = path_of(&project, &latest);
    hosted
        .remove_file(&latest, Force::No, VOLATILE, &by)
        .await
        .unwrap();
    assert_eq!(rig.read(&latest, Part::File).await, None);
    assert_eq!(
        rig.project("foo").await.unwrap().page.versions,
        ["1.0"],
        "no file, no release"
    );
    hosted
        .remove_release(&foo(), "1.0", Force::No, VOLATILE, &by)
        .await
        .unwrap();
    assert!(rig.project("foo").await.is_none(), "no release, no project");
    assert!(rig.db.stage_projects("alice/dev").await.unwrap().is_empty());
    assert_eq!(rig.data.blobs().list().count(), 0);
    rig.upload(wheel("foo", "2.0", b""), FIRM).await.unwrap();
    hosted
        .remove_project(&foo(), Force::No, VOLATILE, &by)
        .await
        .unwrap();
    assert!(rig.project("foo").await.is_none());
}

#[tokio::test]
async fn what_is_not_there_cannot_be_removed() {
    let rig = filled().await;
    let (hosted, by) = (&rig.hosted, by());
    let bar = "bar".parse().unwrap();
    for (outcome, said) in [
        (
            hosted.remove_project(&bar, Force::No, VOLATILE, &by).await,
            "`alice/dev` has no project `bar`",
        ),
        (
            hosted
                .remove_release(&bar, "1.0", Force::No, VOLATILE, &by)
                .await,
            "`alice/dev` has no project `bar`",
        ),
        (
            hosted
                .remove_release(&foo(), "3", Force::No, VOLATILE, &by)
                .await,
            "the version 3 of project foo does not exist on `alice/dev`",
        ),
        (
            hosted
                .remove_file("abc/def/x", Force::No, VOLATILE, &by)
                .await,
            "`alice/dev` has no file `abc/def/x`",
        ),
    ] {
        assert_eq!(outcome.unwrap_err().to_string(), said);
    }
}

#[tokio::test]
async fn files_are_yanked_and_taken_back() {
    let rig = filled().await;
    let (hosted, by) = (&rig.hosted, by());
    let wheel = "foo-1.0-py3-none-any.whl";
    let one = Which::Files(vec![wheel.parse().unwrap()]);
    assert_eq!(
        hosted
            .yank(&foo(), "1.0", &Which::All, "", &by)
            .await
            .unwrap(),
        2
    );
    assert_eq!(rig.file("foo", wheel).await.yanked, Yanked::Yes(None));
    assert_eq!(
        hosted
            .yank(&foo(), "1.0", &one, "broken", &by)
            .await
            .unwrap(),
        1
    );
    assert_eq!(
        rig.file("foo", wheel).await.yanked,
        Yanked::Yes(Some("broken".to_owned()))
    );
    assert_eq!(
        rig.file("foo", "foo-1.0.tar.gz").await.yanked,
        Yanked::Yes(None)
    );
    assert_eq!(
        hosted
            .unyank(&foo(), "1.0", &Which::All, &by)
            .await
            .unwrap(),
        2
    );
    assert_eq!(
        hosted
            .unyank(&foo(), "1.0", &Which::All, &by)
            .await
            .unwrap(),
        0
    );
    assert_eq!(rig.file("foo", wheel).await.yanked, Yanked::No);
    for (version, which) in [("9", Which::All), ("1.1", one)] {
        assert!(hosted.yank(&foo(), version, &which, "", &by).await.is_err());
    }
}
