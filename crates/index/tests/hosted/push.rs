//! Releases that go from one index to another.

use index::hosted::{Hosted, LogEntry, PushWhat, Pushed, Rules, Target, Uploaded};
use index::mirror::{Config, Mirror, Upstream as At};
use index::{Error, Part, Source};
use pyspec::{ProjectName, Version};
use testkit::{Project, Upstream};
use tokio::runtime::Handle;

use crate::make::{docs, sdist, wheel};
use crate::rig::{FIRM, Rig, VOLATILE, by, path_of, project_of, read, upload_to};

fn foo() -> ProjectName {
    "foo".parse().unwrap()
}

fn to(index: &Hosted, rules: Rules) -> Target<'_> {
    Target { index, rules }
}

fn told(pushed: &[Pushed]) -> Vec<String> {
    pushed.iter().map(|row| row.to_json().to_string()).collect()
}

#[tokio::test]
async fn a_release_goes_with_results_and_docs() {
    let rig = Rig::new().await;
    let prod = rig.index("prod").await;
    for dist in [
        wheel("foo", "1.0", b""),
        sdist("foo", "1.0"),
        docs("foo", "1.0", &[("i", b"")]),
    ] {
        rig.upload(dist, FIRM).await.unwrap();
    }
    let project = rig.project("foo").await.unwrap();
    let mut paths = Vec::new();
    for filename in ["foo-1.0-py3-none-any.whl", "foo-1.0.tar.gz"] {
        paths.push(path_of(&project, &rig.file("foo", filename).await));
    }
    let result = rig
        .hosted
        .add_result(&paths[0], "{}".into(), None, &by())
        .await
        .unwrap();
    let pushed = rig
        .hosted
        .push(&foo(), "1.0", PushWhat::All, to(&prod, FIRM), &by())
        .await
        .unwrap();
    assert_eq!(
        told(&pushed),
        [
            r#"[200,"register","foo","1.0","->","alice/prod"]"#.to_owned(),
            format!(r#"[200,"store_releasefile","alice/prod/+f/{}"]"#, paths[0]),
            format!(r#"[200,"store_toxresult","alice/prod/+f/{}"]"#, result.path),
            format!(r#"[200,"store_releasefile","alice/prod/+f/{}"]"#, paths[1]),
            r#"[200,"store_doczip","foo","1.0","->","alice/prod"]"#.to_owned(),
        ]
    );
    let there = project_of(&prod, "foo").await.unwrap();
    assert_eq!(there.page, project.page);
    assert!(read(&prod, &paths[0], Part::Metadata).await.is_some());
    let release = prod.one_release(&foo(), "1.0").await.unwrap().unwrap();
    assert_eq!(release.metadata["summary"], "from the file");
    for link in &release.links {
        assert!(
            matches!(&link.log[..], [LogEntry::Upload { .. }, LogEntry::Push { src, dst, .. }]
                if src == "alice/dev" && dst == "alice/prod"),
            "{:?}",
            link.log
        );
    }
    assert!(
        prod.documentation(&foo(), "latest")
            .await
            .unwrap()
            .is_some()
    );
}

#[tokio::test]
async fn docs_go_alone_or_stay() {
    let rig = Rig::new().await;
    let prod = rig.index("prod").await;
    rig.upload(sdist("foo", "1.0"), FIRM).await.unwrap();
    let only = rig
        .hosted
        .push(&foo(), "1.0", PushWhat::OnlyDocs, to(&prod, FIRM), &by())
        .await;
    assert!(matches!(only, Err(Error::NoSuchRelease { .. })));
    rig.upload(docs("foo", "1.0", &[("i", b"")]), FIRM)
        .await
        .unwrap();
    for (what, files, docs) in [(PushWhat::OnlyDocs, 0, 1), (PushWhat::WithoutDocs, 1, 0)] {
        let pushed = rig
            .hosted
            .push(&foo(), "1.0", what, to(&prod, FIRM), &by())
            .await
            .unwrap();
        let count =
            |wanted: &dyn Fn(&Pushed) -> bool| pushed.iter().filter(|row| wanted(row)).count();
        assert_eq!(
            count(&|row| matches!(row, Pushed::ReleaseFile { .. })),
            files
        );
        assert_eq!(count(&|row| matches!(row, Pushed::DocZip { .. })), docs);
    }
}

#[tokio::test]
async fn other_bytes_there_stop_the_whole_push() {
    let rig = Rig::new().await;
    let prod = rig.index("prod").await;
    rig.upload(sdist("foo", "1.0"), FIRM).await.unwrap();
    rig.upload(wheel("foo", "1.0", b"new"), FIRM).await.unwrap();
    upload_to(&prod, &rig.storage, wheel("foo", "1.0", b"old"), FIRM)
        .await
        .unwrap();
    let refused = rig
        .hosted
        .push(&foo(), "1.0", PushWhat::All, to(&prod, FIRM), &by())
        .await;
    assert_eq!(
        refused.unwrap_err().to_string(),
        "foo-1.0-py3-none-any.whl already exists in non-volatile index alice/prod"
    );
    assert_eq!(project_of(&prod, "foo").await.unwrap().page.files.len(), 1);
    rig.hosted
        .push(&foo(), "1.0", PushWhat::All, to(&prod, VOLATILE), &by())
        .await
        .unwrap();
    let release = prod.one_release(&foo(), "1.0").await.unwrap().unwrap();
    let wheel = release
        .links
        .iter()
        .find(|link| link.path.contains("none-any"))
        .unwrap();
    assert!(
        matches!(
            &wheel.log[..],
            [
                LogEntry::Overwrite { count: 1, .. },
                LogEntry::Upload { .. },
                LogEntry::Push { .. }
            ]
        ),
        "{:?}",
        wheel.log
    );
}

#[tokio::test]
async fn what_is_not_there_cannot_be_pushed() {
    let rig = Rig::new().await;
    let prod = rig.index("prod").await;
    let nothing = rig
        .hosted
        .push(&foo(), "1.0", PushWhat::All, to(&prod, FIRM), &by())
        .await;
    assert_eq!(
        nothing.unwrap_err().to_string(),
        "there are no files for foo 1.0 on stage alice/dev"
    );
}

#[tokio::test]
async fn a_release_is_taken_over_from_a_mirror() {
    let rig = Rig::new().await;
    let project = Project::new("foo").sdist("1.0").wheel("1.0").wheel("2.0");
    let upstream = Upstream::start([project]);
    let name: index::IndexName = "root/pypi".parse().unwrap();
    let config = Config::new(name.clone(), At::Simple(upstream.simple().parse().unwrap()));
    let mirror = Mirror::open(config, rig.storage.clone(), Handle::current())
        .await
        .unwrap();
    let version: Version = "1.0".parse().unwrap();
    let pulled = rig
        .hosted
        .pull(&mirror, &name, (&foo(), &version), FIRM, &by())
        .await
        .unwrap();
    assert_eq!(pulled.len(), 3);
    let here = rig.project("foo").await.unwrap();
    let there = mirror.project(&foo()).await.unwrap().unwrap().project;
    assert_eq!(here.page.versions, ["1.0"]);
    for file in &here.page.files {
        let mut files = there.page.files.iter();
        let original = files.find(|other| other.filename == file.filename).unwrap();
        assert_eq!(file.hashes, original.hashes);
        assert_eq!(file.core_metadata, original.core_metadata);
        let path = path_of(&here, file);
        assert!(rig.read(&path, Part::File).await.is_some());
    }
    let again = rig
        .hosted
        .pull(&mirror, &name, (&foo(), &version), FIRM, &by())
        .await;
    assert_eq!(again.unwrap().len(), 3, "the same once more is no mistake");
    let upload = rig.upload(wheel("foo", "3.0", b""), FIRM).await.unwrap();
    assert_eq!(upload, Uploaded::Stored);
}
