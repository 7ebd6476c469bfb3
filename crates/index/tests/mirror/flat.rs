//! Upstreams that are one flat list: a find-links page, a directory.

use index::mirror::{Config, Upstream as At};
use index::{Part, Source};
use testkit::{Project, Upstream};

use crate::rig::Rig;

const WHEEL: &str = "foo-1.0-py3-none-any.whl";

#[tokio::test(flavor = "multi_thread")]
async fn a_find_links_page_is_cut_into_projects() {
    let upstream = Upstream::start([
        Project::new("foo").wheel("1.0"),
        Project::new("bar-baz").sdist("2.0"),
    ]);
    let at = At::FindLinks(upstream.find_links().parse().unwrap());
    let rig = Rig::with(Config::new("root/links".parse().unwrap(), at), None).await;
    let names = rig.mirror.projects().await.unwrap().names;
    assert_eq!(names.iter().collect::<Vec<&str>>(), ["bar-baz", "foo"]);
    assert_eq!(
        rig.project("foo")
            .await
            .unwrap()
            .unwrap()
            .project
            .page
            .versions,
        ["1.0"]
    );
    assert!(rig.project("nope").await.unwrap().is_none());
    assert_eq!(
        rig.file("foo", WHEEL).await.unwrap(),
        upstream.content_of(WHEEL)
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_directory_of_wheels_is_an_upstream() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join(WHEEL), upstream.content_of(WHEEL)).unwrap();
    std::fs::write(folder.path().join("notes.txt"), "not a distribution").unwrap();
    let at = At::Directory(folder.path().to_owned());
    let rig = Rig::with(Config::new("root/folder".parse().unwrap(), at), None).await;
    assert_eq!(
        rig.project("foo")
            .await
            .unwrap()
            .unwrap()
            .project
            .page
            .files
            .len(),
        1
    );
    assert_eq!(
        rig.file("foo", WHEEL).await.unwrap(),
        upstream.content_of(WHEEL)
    );
    let path = rig.path("foo", WHEEL).await;
    assert!(
        rig.read(&path, Part::Metadata)
            .await
            .unwrap()
            .starts_with(b"Metadata-Version")
    );
}
