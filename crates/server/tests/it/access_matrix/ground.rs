//! A server with people, tokens and indexes, and requests to each of its routes.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use index::access::Scope;
use index::accounts::NewToken;
use index::acl::{Acl, Principal};
use index::indexes::Plan;
use index::settings::MirrorSettings;
use index::{Caller, Entry, IndexName, Part, Views};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};
use testkit::{Content, Dist, Scratch, Tree};

use crate::client::{Client, Reply};
use crate::site::{Site, config};
use crate::source::{Fake, stored};

/// Where the mirror's only file is.
const MIRRORED: &str = "packages/ab/cd/foo-1.0.tar.gz";

/// An index of Olga's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Index {
    /// Read by all, uploaded to by Ulli.
    Open,
    /// Read by Rita, uploaded to by Ulli.
    Shut,
    /// There is none.
    Gone,
}

impl Index {
    /// All names are of one length, so that answers about them are.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Shut => "shut",
            Self::Gone => "gone",
        }
    }
}

/// Somebody who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Who {
    /// Without credentials.
    Nobody,
    /// Olga's name with another password.
    Wrong,
    /// With a token of Olga's that is over.
    Expired,
    /// Logged in; on no list.
    Stranger,
    /// On `acl_pkg_read`.
    Reader,
    /// On `acl_upload`.
    Uploader,
    /// Olga.
    Owner,
    Root,
    /// With a token of Olga's that may only read.
    MayRead,
    /// With one that may only upload.
    MayUpload,
    /// With one that may only remove.
    MayRemove,
    /// With one for her index `elsewhere`.
    Elsewhere,
    /// With one for her project `other`.
    Other,
}

/// In the order of the columns.
pub(super) const CALLERS: [Who; 13] = [
    Who::Nobody,
    Who::Wrong,
    Who::Expired,
    Who::Stranger,
    Who::Reader,
    Who::Uploader,
    Who::Owner,
    Who::Root,
    Who::MayRead,
    Who::MayUpload,
    Who::MayRemove,
    Who::Elsewhere,
    Who::Other,
];

/// Olga's tokens: which may read, upload and delete.
const SCOPES: [(Who, &str); 6] = [
    (Who::Expired, "rud"),
    (Who::MayRead, "r"),
    (Who::MayUpload, "u"),
    (Who::MayRemove, "d"),
    (Who::Elsewhere, "rud"),
    (Who::Other, "rud"),
];

/// A server with people, tokens and indexes.
pub(super) struct Ground {
    site: Site,
    /// What Olga's tokens say, in the order of the columns.
    tokens: Vec<(Who, String)>,
    /// What may be revoked.
    token_id: String,
    /// Where the uploaded wheel is, after `+f/`.
    pub(super) hosted: String,
    wheel: (String, Content),
    /// How many users and indexes were to be made.
    made: AtomicUsize,
}

impl Ground {
    pub(super) async fn new(index: Index) -> Self {
        let mut ground = Self {
            site: site(index).await,
            tokens: Vec::new(),
            token_id: String::new(),
            hosted: String::new(),
            wheel: Dist::wheel("1.0").file("foo"),
            made: AtomicUsize::new(0),
        };
        ground.people().await;
        ground.indexes().await;
        ground.release(index).await;
        ground
    }

    async fn people(&mut self) {
        let accounts = &self.site.house.accounts;
        let long_ago = Timestamp::now() - SignedDuration::from_hours(2);
        let nobody = Caller::anonymous();
        for name in ["olga", "rita", "stan", "ulli"] {
            let fields = json!({ "password": name });
            let fields = fields.as_object().unwrap();
            let made = accounts.create_user(&nobody, name, fields, long_ago);
            made.await.unwrap();
        }
        let set = accounts.set_password("root", "root", long_ago);
        set.await.unwrap();
        let olga = Caller::new("olga".parse().unwrap(), []);
        let scopes = SCOPES.map(|(who, allowed)| {
            let scope = Scope {
                read: allowed.contains('r'),
                upload: allowed.contains('u'),
                remove: allowed.contains('d'),
                index: (who == Who::Elsewhere).then(|| "olga/elsewhere".parse().unwrap()),
                project: (who == Who::Other).then(|| "other".parse().unwrap()),
            };
            (who, (who != Who::Expired).then_some(scope))
        });
        for (who, scope) in scopes {
            let expires = long_ago + SignedDuration::from_hours(1);
            let new = NewToken {
                name: format!("{who:?}"),
                scope,
                expires: (who == Who::Expired).then_some(expires),
            };
            let made = accounts.create_token(&olga, "olga", new, long_ago);
            let (token, secret) = made.await.unwrap();
            token.id().clone_into(&mut self.token_id);
            self.tokens.push((who, secret.reveal().to_owned()));
        }
    }

    async fn indexes(&self) {
        for (name, readers, bases) in [
            ("open", ":ANONYMOUS:", ""),
            ("shut", "rita", ""),
            ("elsewhere", ":ANONYMOUS:", "olga/shut"),
            ("prod", ":ANONYMOUS:", ""),
        ] {
            let uploaders = ["olga", "ulli"];
            let settings =
                json!({ "acl_upload": uploaders, "acl_pkg_read": [readers], "bases": bases });
            let path = format!("/olga/{name}");
            let reply = self
                .ask(Who::Owner, "PUT", &path, &Sent::json(&settings))
                .await;
            assert_eq!(reply.status, 200, "{}", reply.text());
        }
    }

    async fn release(&mut self, index: Index) {
        let (filename, wheel) = &self.wheel;
        let tree = Tree::new(&Scratch::new(), "foo", "1.0");
        let docs = std::fs::read(tree.docs(&[("index.html", "<h1>foo</h1>")])).unwrap();
        let path = format!("/olga/{}/", index.name());
        for sent in [
            Sent::upload("file_upload", filename, wheel),
            Sent::upload("doc_upload", "foo.zip", &docs),
        ] {
            let reply = self.ask(Who::Owner, "POST", &path, &sent).await;
            assert_eq!(reply.status, 200, "{}", reply.reason);
        }
        let path = format!("/olga/{}/foo/1.0", index.name());
        let reply = self.ask(Who::Owner, "GET", &path, &Sent::Nothing).await;
        let release: Value = serde_json::from_slice(&reply.body).unwrap();
        let links = release["result"]["+links"].as_array().unwrap();
        let hrefs = links.iter().map(|link| link["href"].as_str().unwrap());
        let href = hrefs
            .into_iter()
            .find(|href| href.ends_with("-any.whl"))
            .unwrap();
        let (_, hosted) = href.split_once("/+f/").unwrap();
        hosted.clone_into(&mut self.hosted);
    }

    pub(super) async fn ask(&self, who: Who, method: &str, path: &str, sent: &Sent) -> Reply {
        let credentials = self.credentials(who);
        let mut headers = Vec::new();
        if let Some(credentials) = &credentials {
            headers.push(("Authorization", credentials.as_str()));
        }
        let (media_type, body): (&str, &[u8]) = match sent {
            Sent::Nothing => ("", &[]),
            Sent::Json(body) => ("application/json", body),
            Sent::Form(body) => (testkit::FORM, body),
        };
        if !media_type.is_empty() {
            headers.push(("Content-Type", media_type));
        }
        let mut client = Client::connect(self.site.address).await;
        client.send_body(method, path, &headers, body).await;
        client.reply(method == "HEAD").await
    }

    fn credentials(&self, who: Who) -> Option<String> {
        let pair = match who {
            Who::Nobody => return None,
            Who::Wrong => "olga:wrong".to_owned(),
            Who::Stranger => "stan:stan".to_owned(),
            Who::Reader => "rita:rita".to_owned(),
            Who::Uploader => "ulli:ulli".to_owned(),
            Who::Owner => "olga:olga".to_owned(),
            Who::Root => "root:root".to_owned(),
            token => {
                let (_, secret) = self.tokens.iter().find(|(who, _)| *who == token).unwrap();
                format!("__token__:{secret}")
            }
        };
        Some(format!("Basic {}", STANDARD.encode(pair)))
    }

    /// A route's address on this index.
    pub(super) fn path(&self, method: &str, route: &str, index: Index) -> String {
        let new = format!("new{}", self.made.fetch_add(1, Ordering::Relaxed));
        let (user, index) = match (method, route.contains("{index}")) {
            ("PUT", false) => (new.as_str(), ""),
            ("PUT", true) => ("olga", new.as_str()),
            _ => ("olga", index.name()),
        };
        let tail = if route.contains("+doc") {
            "index.html"
        } else if route.starts_with("/+f/") {
            MIRRORED
        } else {
            &self.hosted
        };
        let path = route
            .replace("{user}", user)
            .replace("{index}", index)
            .replace("{project}", "foo")
            .replace("{version}", "1.0")
            .replace("{view}", "view")
            .replace("{id}", &self.token_id)
            .replace("{*tail}", tail);
        assert!(!path.contains('{'), "what is meant by {path}?");
        path
    }

    /// What is sent to a route with a method.
    pub(super) fn sent(&self, method: &str, route: &str) -> Sent {
        let is_index = matches!(route, "/{user}/{index}" | "/{user}/{index}/");
        match (method, route) {
            ("POST", _) if is_index => Sent::upload("file_upload", &self.wheel.0, &self.wheel.1),
            ("PUSH", _) => {
                Sent::json(&json!({ "name": "foo", "version": "1.0", "targetindex": "olga/prod" }))
            }
            ("POST", "/+login") => Sent::json(&json!({ "user": "olga", "password": "olga" })),
            ("POST", "/+tokens") => Sent::json(&json!({ "name": "new", "everything": true })),
            ("POST", "/_/oidc/mint-token") => Sent::json(&json!({ "token": "x" })),
            ("PUT", "/{user}" | "/{user}/") => Sent::json(&json!({ "password": "new" })),
            ("PATCH", _) => Sent::json(&json!({ "title": "new" })),
            ("POST" | "PUT", _) => Sent::json(&json!({})),
            _ => Sent::Nothing,
        }
    }
}

/// What a request brings.
pub(super) enum Sent {
    Nothing,
    Json(Vec<u8>),
    Form(Vec<u8>),
}

impl Sent {
    pub(super) fn json(value: &Value) -> Self {
        Self::Json(value.to_string().into_bytes())
    }

    fn upload(action: &str, filename: &str, content: &[u8]) -> Self {
        let fields = [(":action", action), ("name", "foo"), ("version", "1.0")];
        Self::Form(testkit::form(&fields, filename, content))
    }
}

/// A server whose default index, a mirror, is read by whoever reads this index, and whose view shows it.
async fn site(index: Index) -> Site {
    let source = Arc::new(Fake::default());
    source.fresh("foo", 1);
    let default: IndexName = "root/pypi".parse().unwrap();
    let mut settings = MirrorSettings::default();
    if index == Index::Shut {
        settings.common.acl_pkg_read = Acl::new([Principal::new("rita")]);
    }
    let viewed = format!("olga/{}", index.name()).parse().unwrap();
    let plan = Plan {
        fixed: vec![Entry::fixed(default.clone(), settings, source.clone())],
        default,
        views: Views::from([("view".into(), vec![viewed])]),
    };
    let site = Site::planned(config(), plan, source, Ok(())).await;
    let file = stored(&site.blobs, "foo-1.0.tar.gz", b"bytes");
    site.source.file(MIRRORED, Part::File, Ok(file));
    site
}
