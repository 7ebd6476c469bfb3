//! Over a real store, with sources in memory.

use std::sync::{Arc, Mutex};

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::{DataDir, Db, Event, EventFilter, Mode, UserRow};
use tempfile::TempDir;

use super::{Editor, Factory, Indexes, Noop, Opened, Plan, named};
use crate::catalog::{Entry, Views};
use crate::fake::Fake;
use crate::mirror::{Config, Upstream};
use crate::settings::MirrorSettings;
use crate::{By, Changes, Error, IndexName};

/// Gives out empty sources and notes which.
#[derive(Default)]
struct Opener(Mutex<Vec<String>>);

impl Opener {
    fn opened(&self) -> String {
        std::mem::take(&mut *self.0.lock().unwrap()).join(", ")
    }

    fn open(&self, what: String) -> Opened {
        self.0.lock().unwrap().push(what);
        Opened::source(Fake::new("none.example", &[]))
    }
}

#[async_trait]
impl Factory for Opener {
    async fn stage(&self, name: &IndexName) -> Result<Opened, String> {
        Ok(self.open(name.to_string()))
    }

    async fn mirror(&self, name: &IndexName, settings: &MirrorSettings) -> Result<Opened, String> {
        let url = settings.url.as_ref().unwrap().to_string();
        if url.contains("nowhere") {
            return Err("there is no way there".to_owned());
        }
        Ok(self.open(format!("{name} of {url}")))
    }
}

struct Rig {
    indexes: Indexes,
    opener: Arc<Opener>,
    db: Db,
    data: DataDir,
    dir: TempDir,
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

fn name(text: &str) -> IndexName {
    text.parse().unwrap()
}

fn fields(fields: Value) -> Map<String, Value> {
    match fields {
        Value::Object(members) => members,
        other => panic!("{other} is no object"),
    }
}

fn plan() -> Plan {
    let upstream = Upstream::Simple("https://pypi.example/simple/".parse().unwrap());
    let config = Config::new(name("root/pypi"), upstream);
    let settings = MirrorSettings::of_config(&config);
    let source = Fake::new("pypi.example", &[]);
    Plan {
        default: name("root/pypi"),
        fixed: vec![Entry::fixed(name("root/pypi"), settings, source)],
        views: Views::new(),
    }
}

impl Rig {
    async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
        let db = data.db().await.unwrap();
        for user in ["root", "alice"] {
            let row = UserRow {
                name: user.to_owned(),
                password: None,
                details: "{}".to_owned(),
                created_at: NOW,
                modified_at: None,
            };
            let event = Event::new(NOW, "user-create");
            assert!(db.create_user(&row, &event).await.unwrap());
        }
        Self::at(dir, data, db).await.unwrap()
    }

    async fn at(dir: TempDir, data: DataDir, db: Db) -> Result<Self, String> {
        let opener = Arc::new(Opener::default());
        let indexes = Indexes::open(plan(), db.clone(), opener.clone(), Changes::default()).await?;
        Ok(Self {
            indexes,
            opener,
            db,
            data,
            dir,
        })
    }

    /// The same store after a restart.
    async fn again(self) -> Result<Self, String> {
        Self::at(self.dir, self.data, self.db).await
    }

    /// As somebody from whom one index is hidden.
    async fn create_blind(&self, hidden: &str, index: &str, sent: Value) -> Result<Value, Error> {
        let (editor, index, sent) = (blind(hidden), name(index), fields(sent));
        let made = self.indexes.create(&editor, &index, &sent).await?;
        Ok(made.to_json().into())
    }

    async fn create(&self, index: &str, sent: Value) -> Result<Value, Error> {
        let made = self
            .indexes
            .create(&alice(), &name(index), &fields(sent))
            .await?;
        Ok(made.to_json().into())
    }

    async fn patch(&self, index: &str, sent: Value) -> Result<Value, Error> {
        let (editor, index) = (nobody(), name(index));
        let patch = self.indexes.patch(&editor, &index, &sent, Noop::Fine);
        Ok(patch.await?.to_json().into())
    }

    async fn remove(&self, index: &str) -> Result<(), Error> {
        self.indexes.remove(&by(Some("alice")), &name(index)).await
    }

    fn names(&self) -> String {
        let now = self.indexes.catalog().now();
        let names: Vec<_> = now.names().map(IndexName::as_str).collect();
        names.join(" ")
    }
}

fn told<T: std::fmt::Debug>(outcome: Result<T, Error>) -> String {
    let error = outcome.unwrap_err();
    let kind = match &error {
        Error::Exists { .. } => "exists",
        Error::BadRequest { .. } => "bad",
        Error::NoSuchUser { .. } => "no user",
        Error::NoSuchIndex { .. } => "no index",
        Error::Forbidden { .. } => "forbidden",
        _ => "other",
    };
    format!("{kind}: {error}")
}

fn by(who: Option<&str>) -> By {
    By {
        who: who.map(str::to_owned),
        ..By::nobody(NOW)
    }
}

fn alice() -> Editor {
    Editor::who_sees_all(by(Some("alice")))
}

fn nobody() -> Editor {
    Editor::who_sees_all(by(None))
}

fn blind(hidden: &str) -> Editor {
    let hidden = name(hidden);
    Editor::new(by(None), move |entry| entry.name != hidden)
}

/// Its shield would tell, name by name, what is on it.
#[tokio::test]
async fn a_hidden_index_is_no_base_for_whom_it_is_hidden_from() {
    let rig = Rig::new().await;
    rig.create("alice/secret", json!({})).await.unwrap();
    let bases = json!({"bases": "alice/secret,root/pypi"});
    let refused = rig.create_blind("alice/secret", "alice/new", bases.clone());
    let why = refused.await.unwrap_err().to_string();
    let missing = rig.create("alice/new", json!({"bases": "alice/none"}));
    let missing = missing.await.unwrap_err().to_string();
    assert_eq!(why.replace("secret", "none"), missing);
    rig.create("alice/new", bases).await.unwrap();
    // What somebody else has set stays, and can be written again.
    let (index, sent) = (name("alice/new"), json!(["title=T", "bases=alice/secret"]));
    let editor = blind("alice/secret");
    let changed = rig.indexes.patch(&editor, &index, &sent, Noop::Fine);
    assert_eq!(changed.await.unwrap().bases(), [name("alice/secret")]);
}

#[tokio::test]
async fn an_index_is_made_changed_and_removed_and_survives_a_restart() {
    let rig = Rig::new().await;
    let made = rig
        .create("alice/dev", json!({"bases": "", "volatile": "True"}))
        .await
        .unwrap();
    assert_eq!(made["acl_upload"], json!(["alice"]));
    let changed = rig
        .patch("alice/dev", json!(["bases=root/pypi", "title=Mine"]))
        .await
        .unwrap();
    assert_eq!(changed["bases"], json!(["root/pypi"]));
    let url = "https://u:geheim@pypi.example/";
    rig.create("alice/up", json!({"type": "mirror", "mirror_url": url}))
        .await
        .unwrap();
    assert_eq!(
        rig.opener.opened(),
        "alice/dev, alice/up of https://pypi.example/"
    );
    let rig = rig.again().await.unwrap();
    assert_eq!(rig.names(), "alice/dev alice/up root/pypi");
    assert_eq!(
        rig.opener.opened(),
        "alice/dev, alice/up of https://pypi.example/"
    );
    let now = rig.indexes.catalog().now();
    let dev = now.get(&name("alice/dev")).unwrap();
    assert_eq!(Value::from(dev.settings.to_json()), changed);
    let up = now.get(&name("alice/up")).unwrap();
    assert_eq!(up.settings.to_kept()["mirror_url"], url);
    rig.remove("alice/dev").await.unwrap();
    let rig = rig.again().await.unwrap();
    assert_eq!(rig.names(), "alice/up root/pypi");
}

#[tokio::test]
async fn what_is_refused_is_said_in_devpis_words() {
    let rig = Rig::new().await;
    rig.create("alice/dev", json!({})).await.unwrap();
    rig.create("alice/prod", json!({"volatile": "no"}))
        .await
        .unwrap();
    let rows = [
        (
            rig.create("alice/dev", json!({})).await,
            "exists: index 'alice/dev' exists",
        ),
        (
            rig.create("root/pypi", json!({})).await,
            "exists: index 'root/pypi' exists",
        ),
        (
            rig.create("bob/dev", json!({})).await,
            "no user: no user 'bob'",
        ),
        (
            rig.create("alice/new", json!({"bases": "a/b,alice/new,root/pypi"}))
                .await,
            "bad: base index 'a/b' does not exist, base index 'alice/new' does not exist",
        ),
        (
            rig.create("alice/new", json!({"x": "y"})).await,
            "bad: indexconfig got unexpected keyword arguments: x=y",
        ),
        (
            rig.create(
                "alice/new",
                json!({"type": "mirror", "mirror_url": "http://nowhere.example/"}),
            )
            .await,
            "bad: there is no way there",
        ),
        (
            rig.patch("alice/dev", json!({"type": "mirror"})).await,
            "bad: the 'type' of an index can't be changed",
        ),
        (
            rig.patch("alice/dev", json!({"bases": ["a/b"]})).await,
            "bad: base index 'a/b' does not exist",
        ),
        (
            rig.patch("alice/gone", json!({})).await,
            "no index: there is no index `alice/gone` here",
        ),
        (
            rig.patch("root/pypi", json!({"title": "mine"})).await,
            "forbidden: root/pypi is set in this server's config file: change it there",
        ),
    ];
    for (outcome, expected) in rows {
        assert_eq!(told(outcome), expected);
    }
    for (index, expected) in [
        (
            "alice/prod",
            "forbidden: index alice/prod non-volatile, cannot delete",
        ),
        (
            "root/pypi",
            "forbidden: root/pypi is set in this server's config file: change it there",
        ),
        (
            "alice/gone",
            "no index: there is no index `alice/gone` here",
        ),
    ] {
        assert_eq!(told(rig.remove(index).await), expected);
    }
    assert_eq!(
        told(named("alice", "b 9")),
        "bad: indexname 'b 9' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked."
    );
    assert_eq!(rig.names(), "alice/dev alice/prod root/pypi");
    assert_eq!(rig.opener.opened(), "alice/dev, alice/prod, bob/dev");
}

#[tokio::test]
async fn a_circle_of_bases_is_allowed() {
    let rig = Rig::new().await;
    rig.create("alice/a", json!({})).await.unwrap();
    rig.create("alice/b", json!({"bases": "alice/a"}))
        .await
        .unwrap();
    rig.patch("alice/a", json!({"bases": ["alice/b", "alice/a"]}))
        .await
        .unwrap();
    let now = rig.indexes.catalog().now();
    let source = now.seen(&name("alice/a"), |_| true).unwrap();
    assert!(
        source
            .project(&"foo".parse().unwrap())
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_patch_that_changes_nothing_is_told_when_that_matters() {
    let rig = Rig::new().await;
    rig.create("alice/dev", json!({})).await.unwrap();
    let dev = name("alice/dev");
    let before = rig.indexes.catalog().changes().count();
    let sent = json!({"volatile": "yes"});
    let editor = nobody();
    let fine = rig.indexes.patch(&editor, &dev, &sent, Noop::Fine).await;
    assert!(fine.is_ok());
    let wrong = rig.indexes.patch(&editor, &dev, &sent, Noop::Wrong).await;
    assert_eq!(
        told(wrong),
        "bad: The requested modifications resulted in no changes"
    );
    assert_eq!(rig.indexes.catalog().changes().count(), before);
}

#[tokio::test]
async fn a_mirror_is_opened_again_only_when_it_matters() {
    let rig = Rig::new().await;
    let url = json!({"type": "mirror", "mirror_url": "https://a.example/"});
    rig.create("alice/up", url).await.unwrap();
    rig.opener.opened();
    rig.patch("alice/up", json!({"title": "T", "volatile": "no"}))
        .await
        .unwrap();
    assert_eq!(rig.opener.opened(), "");
    rig.patch("alice/up", json!({"mirror_url": "https://b.example/"}))
        .await
        .unwrap();
    assert_eq!(rig.opener.opened(), "alice/up of https://b.example/");
    rig.patch("alice/up", json!(["mirror_cache_expiry=60"]))
        .await
        .unwrap();
    assert_eq!(rig.opener.opened(), "alice/up of https://b.example/");
}

#[tokio::test]
async fn every_change_is_an_event_without_passwords() {
    let rig = Rig::new().await;
    let url = json!({"type": "mirror", "mirror_url": "https://u:geheim@a.example/"});
    rig.create("alice/up", url).await.unwrap();
    rig.patch("alice/up", json!({"title": "T"})).await.unwrap();
    rig.remove("alice/up").await.unwrap();
    let filter = EventFilter {
        after: Some(0),
        who: None,
        stage: Some("alice/up".to_owned()),
        project: None,
        limit: 10,
    };
    let events = rig.db.events(&filter).await.unwrap();
    let told: Vec<_> = events
        .iter()
        .map(|row| (row.event.what.as_str(), row.event.who.as_deref()))
        .collect();
    assert_eq!(
        told,
        [
            ("index-create", Some("alice")),
            ("index-modify", None),
            ("index-delete", Some("alice")),
        ]
    );
    assert!(
        events
            .iter()
            .all(|row| !row.event.detail.contains("geheim"))
    );
}

#[tokio::test]
async fn the_indexes_of_a_removed_user_go_out_of_sight() {
    let rig = Rig::new().await;
    rig.create("alice/dev", json!({})).await.unwrap();
    let event = Event::new(NOW, "user-delete");
    rig.db.remove_user("alice", &event).await.unwrap();
    rig.indexes.forget_user("alice").await;
    rig.indexes.forget_user("root").await;
    assert_eq!(rig.names(), "root/pypi");
}

#[tokio::test]
async fn an_index_that_cannot_be_read_stops_the_start() {
    let rig = Rig::new().await;
    let row = store::IndexRow {
        owner: "alice".to_owned(),
        name: "odd".to_owned(),
        settings: "{\"type\": \"constrained\"}".to_owned(),
        created_at: NOW,
    };
    let event = Event::new(NOW, "index-create");
    assert!(rig.db.create_index(&row, &event).await.unwrap());
    assert_eq!(
        rig.again().await.err().unwrap(),
        "the index `alice/odd` cannot be opened: unknown index type 'constrained'"
    );
}

#[tokio::test]
async fn a_mirror_of_the_config_file_comes_before_one_that_somebody_made() {
    let rig = Rig::new().await;
    let row = store::IndexRow {
        owner: "root".to_owned(),
        name: "pypi".to_owned(),
        settings: "{}".to_owned(),
        created_at: NOW,
    };
    let event = Event::new(NOW, "index-create");
    assert!(rig.db.create_index(&row, &event).await.unwrap());
    let rig = rig.again().await.unwrap();
    let now = rig.indexes.catalog().now();
    let pypi = now.get(&name("root/pypi")).unwrap();
    assert_eq!(pypi.settings.kind(), "mirror");
}
