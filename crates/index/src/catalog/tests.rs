//! A few indexes in memory, changed while they are looked at.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Catalog, Changes, Entry, Origin, Snapshot, Views};
use crate::fake::Fake;
use crate::{IndexName, IndexSettings, Source};

fn name(text: &str) -> IndexName {
    text.parse().unwrap()
}

fn entry(index: &str, fields: &Value, source: &Arc<Fake>) -> Entry {
    let name = name(index);
    let settings = IndexSettings::create(name.user(), fields.as_object().unwrap());
    Entry {
        settings: Arc::new(settings.unwrap()),
        name,
        source: source.clone(),
        hosted: None,
        origin: Origin::Made,
    }
}

fn mirror(index: &str, source: &Arc<Fake>) -> Entry {
    let fields = json!({"type": "mirror", "mirror_url": "https://pypi.example/"});
    entry(index, &fields, source)
}

/// `corp/dev` over `corp/secret` over `root/pypi`; and a view of the first two.
fn catalog() -> Catalog {
    let dev = Fake::new("dev.example", &["dev: ab/dev-1.0.tar.gz"]);
    let secret = Fake::new("secret.example", &["secret: cd/secret-1.0.tar.gz"]);
    let pypi = Fake::new(
        "pypi.example",
        &["secret: p/secret-9.0.tar.gz", "dev: p/dev-9.0.tar.gz"],
    );
    let indexes = [
        entry("corp/dev", &json!({"bases": "corp/secret"}), &dev),
        entry(
            "corp/secret",
            &json!({"bases": "root/pypi", "acl_pkg_read": "corp"}),
            &secret,
        ),
        mirror("root/pypi", &pypi),
    ];
    let views = Views::from([
        ("both".into(), vec![name("corp/secret"), name("root/pypi")]),
        ("gone".into(), vec![name("corp/gone"), name("root/pypi")]),
    ]);
    Catalog::new(name("root/pypi"), indexes, views, Changes::default())
}

async fn has(source: Option<Arc<dyn Source>>, project: &str) -> String {
    let Some(source) = source else {
        return "no index".to_owned();
    };
    match source.project(&project.parse().unwrap()).await.unwrap() {
        Some(answer) => answer.project.page.files[0].url.clone(),
        None => "none".to_owned(),
    }
}

fn anyone(entry: &Entry) -> bool {
    entry.settings.readers().is_for_anyone()
}

async fn seen(now: &Snapshot, index: &str, project: &str) -> [String; 2] {
    let index = name(index);
    [
        has(now.seen(&index, |_| true), project).await,
        has(now.seen(&index, anyone), project).await,
    ]
}

#[tokio::test]
async fn an_index_is_seen_as_its_readers_may() {
    let catalog = catalog();
    let now = catalog.now();
    let dev = "https://dev.example/ab/dev-1.0.tar.gz";
    assert_eq!(seen(&now, "corp/dev", "dev").await, [dev, dev]);
    let secret = "https://secret.example/cd/secret-1.0.tar.gz";
    assert_eq!(seen(&now, "corp/dev", "secret").await, [secret, "none"]);
    assert_eq!(
        seen(&now, "corp/secret", "secret").await,
        [secret, "no index"]
    );
    assert_eq!(seen(&now, "corp/gone", "x").await, ["no index", "no index"]);
    assert!(now.is_public(&name("root/pypi")));
    assert!(!now.is_public(&name("corp/secret")));
    assert!(!now.is_public(&name("corp/dev")), "its base is not");
    let names: Vec<_> = now
        .of_user("corp")
        .map(|entry| entry.name.index())
        .collect();
    assert_eq!(names, ["dev", "secret"]);
}

#[tokio::test]
async fn a_view_is_seen_as_its_readers_may() {
    let catalog = catalog();
    let now = catalog.now();
    let view = |sees_all: bool| {
        let view = now.view("both", move |entry| sees_all || anyone(entry));
        let view: Arc<dyn Source> = Arc::new(view.unwrap().unwrap());
        Some(view)
    };
    assert_eq!(
        has(view(true), "secret").await,
        "https://secret.example/cd/secret-1.0.tar.gz"
    );
    assert_eq!(has(view(false), "secret").await, "none");
    // Of the first index, which has it from its base.
    assert_eq!(
        has(view(true), "dev").await,
        "https://pypi.example/p/dev-9.0.tar.gz"
    );
    assert!(now.view("other", |_| true).unwrap().is_none());
    let gone = now.view("gone", |_| true).err().unwrap();
    assert_eq!(gone.to_string(), "there is no index `corp/gone` here");
    let names: Vec<_> = now.views().map(|(name, _)| name).collect();
    assert_eq!(names, ["both", "gone"]);
}

#[tokio::test]
async fn a_change_is_seen_by_whoever_looks_next_and_counted() {
    let catalog = catalog();
    let (before, count) = (catalog.now(), catalog.changes().count());
    let source = Fake::new("new.example", &["dev: ef/dev-2.0.tar.gz"]);
    catalog.put(entry("corp/dev", &json!({}), &source));
    assert!(catalog.changes().count() > count);
    let dev = name("corp/dev");
    assert_eq!(
        has(catalog.now().seen(&dev, |_| true), "dev").await,
        "https://new.example/ef/dev-2.0.tar.gz"
    );
    assert!(catalog.now().is_public(&dev));
    assert_eq!(
        has(before.seen(&dev, |_| true), "dev").await,
        "https://dev.example/ab/dev-1.0.tar.gz"
    );
    let count = catalog.changes().count();
    catalog.take(&dev);
    assert!(catalog.changes().count() > count);
    assert!(catalog.now().get(&dev).is_none());
    assert_eq!(catalog.now().names().count(), 2);
}

#[test]
fn bases_that_are_gone_are_told() {
    let catalog = catalog();
    catalog.take(&name("root/pypi"));
    let now = catalog.now();
    let missing: Vec<_> = now.missing_bases().collect();
    assert_eq!(missing, [(&name("corp/secret"), &name("root/pypi"))]);
    assert!(now.seen(&name("corp/dev"), |_| true).is_some());
}
