//! Documentation.

use index::Error;
use index::hosted::{Documentation, Hosted, Uploaded};

use crate::make::{docs, sdist};
use crate::rig::{FIRM, Rig, VOLATILE};

async fn documentation(hosted: &Hosted, version: &str) -> Option<Documentation> {
    hosted
        .documentation(&"foo".parse().unwrap(), version)
        .await
        .unwrap()
}

async fn text(docs: &Documentation, path: &str) -> Option<String> {
    let mut page = docs.page(path)?;
    let mut text = Vec::new();
    while let Some(part) = page.next().await.unwrap() {
        text.extend_from_slice(&part);
    }
    assert_eq!(text.len() as u64, page.len());
    Some(String::from_utf8(text).unwrap())
}

#[tokio::test]
async fn pages_are_read_from_the_zip() {
    let rig = Rig::new().await;
    let long = "page ".repeat(200_000);
    let pages: &[(&str, &[u8])] = &[
        ("index.html", b"<h1>Foo</h1>"),
        ("api/a.html", long.as_bytes()),
    ];
    assert_eq!(
        rig.upload(docs("foo", "1.0", pages), FIRM).await.unwrap(),
        Uploaded::Stored
    );
    let docs = documentation(&rig.hosted, "1.0").await.unwrap();
    assert_eq!(
        docs.paths().collect::<Vec<_>>(),
        ["api/a.html", "index.html"]
    );
    assert_eq!(text(&docs, "index.html").await.unwrap(), "<h1>Foo</h1>");
    assert_eq!(text(&docs, "api/a.html").await.unwrap(), long);
    assert_eq!(text(&docs, "../index.html").await, None);
    // Docs alone make a release, and no file that installers see.
    let project = rig.project("foo").await.unwrap();
    assert_eq!(
        (project.page.files.len(), project.page.versions.len()),
        (0, 0)
    );
    let releases = rig
        .hosted
        .releases(&"foo".parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(releases[0].links[0].rel, "doczip");
    assert!(releases[0].links[0].path.ends_with("/foo-1.0.doc.zip"));
}

#[tokio::test]
async fn docs_without_a_version_are_of_the_latest_release() {
    let rig = Rig::new().await;
    for version in ["1.0", "1.10", "1.9"] {
        rig.upload(sdist("foo", version), FIRM).await.unwrap();
    }
    rig.upload(docs("foo", "", &[("index.html", b"")]), FIRM)
        .await
        .unwrap();
    assert!(documentation(&rig.hosted, "1.9").await.is_none());
    assert_eq!(
        documentation(&rig.hosted, "1.10").await.unwrap().version(),
        "1.10"
    );
    let release = rig
        .hosted
        .one_release(&"foo".parse().unwrap(), "1.10")
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        release.metadata["summary"], "from the file",
        "its description stays"
    );
}

#[tokio::test]
async fn latest_and_stable_are_versions() {
    let rig = Rig::new().await;
    for version in ["1.0", "1.1", "2.0rc1"] {
        rig.upload(
            docs("foo", version, &[("index.html", version.as_bytes())]),
            FIRM,
        )
        .await
        .unwrap();
    }
    rig.upload(sdist("foo", "3.0"), FIRM).await.unwrap();
    for (version, found) in [("latest", "2.0rc1"), ("stable", "1.1"), ("1.0", "1.0")] {
        let docs = documentation(&rig.hosted, version).await.unwrap();
        assert_eq!(docs.version(), found);
        assert_eq!(text(&docs, "index.html").await.unwrap(), found);
    }
    assert!(documentation(&rig.hosted, "3.0").await.is_none());
    assert!(documentation(&rig.hosted, "nonsense").await.is_none());
}

#[tokio::test]
async fn other_docs_replace_the_first_on_a_volatile_index_only() {
    let rig = Rig::new().await;
    let of = |text: &'static [u8]| docs("foo", "1.0", &[("index.html", text)]);
    rig.upload(of(b"one"), FIRM).await.unwrap();
    assert_eq!(rig.upload(of(b"one"), FIRM).await.unwrap(), Uploaded::Same);
    let refused = rig.upload(of(b"two"), FIRM).await;
    assert!(matches!(refused, Err(Error::Exists { .. })));
    rig.upload(of(b"two"), VOLATILE).await.unwrap();
    let docs = documentation(&rig.hosted, "1.0").await.unwrap();
    assert_eq!(text(&docs, "index.html").await.unwrap(), "two");
}
