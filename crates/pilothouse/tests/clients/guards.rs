//! What a hostile client tries at the doors that change something.

use std::fmt::Write as _;

use serde_json::{Value, json};
use testkit::http::{Reply, Request};
use testkit::{Project, Server, Upstream};

use crate::{mirror, mirror_with};

/// A server with user alice, her index `alice/dev`, and her password.
struct House {
    server: Server,
    _upstream: Upstream,
}

const ALICE: &str = "alice:secret";

impl House {
    fn new() -> Self {
        let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
        let server = mirror(&upstream);
        let house = Self {
            server,
            _upstream: upstream,
        };
        let made = house.send("PUT", "/alice", "", &json!({"password": "secret"}));
        assert_eq!(made.status, 201, "{}", made.text());
        let made = house.send("PUT", "/alice/dev", ALICE, &json!({}));
        assert_eq!(made.status, 200, "{}", made.text());
        house
    }

    fn request(&self, method: &str, path: &str, who: &str) -> Request {
        let request = Request::new(method, &format!("{}{path}", self.server.url()));
        match who.split_once(':') {
            Some((user, password)) => request.basic(user, password),
            None => request,
        }
    }

    fn send(&self, method: &str, path: &str, who: &str, body: &Value) -> Reply {
        self.request(method, path, who)
            .body(body.to_string())
            .send()
    }

    /// A token of alice's, as it is written into `Authorization`.
    fn token(&self, fields: &Value) -> String {
        let made = self.send("POST", "/+tokens", ALICE, fields);
        assert_eq!(made.status, 201, "{}", made.text());
        let token = made.json()["result"]["token"].as_str().unwrap().to_owned();
        format!("__token__:{token}")
    }

    fn post(&self, who: &str, body: impl Into<Vec<u8>>, content_type: &str) -> Reply {
        self.request("POST", "/alice/dev/", who)
            .header("Content-Type", content_type)
            .body(body.into())
            .send()
    }

    /// Describes a release with these fields, in both sorts of forms.
    fn submit(&self, who: &str, fields: &[(&str, &str)]) -> [Reply; 2] {
        let all = [&[(":action", "submit"), ("version", "1.0")], fields].concat();
        let pairs: Vec<String> = all
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let mut parts = String::new();
        for (name, value) in &all {
            let head = format!("Content-Disposition: form-data; name=\"{name}\"");
            write!(parts, "--b\r\n{head}\r\n\r\n{value}\r\n").unwrap();
        }
        [
            self.post(who, pairs.join("&"), "application/x-www-form-urlencoded"),
            self.post(
                who,
                format!("{parts}--b--\r\n"),
                "multipart/form-data; boundary=b",
            ),
        ]
    }
}

#[test]
fn a_token_for_one_project_uploads_to_no_other_however_the_form_is_written() {
    let house = House::new();
    let token = house.token(&json!({"name": "ci", "upload": true, "project": "mine"}));
    for fields in [
        &[("name", "other")][..],
        &[("name", ""), ("name", "other")],
        &[("name", "mine"), ("name", "other")],
        &[("name", "other"), ("name", "mine")],
        &[("Name", "mine"), ("name", "other")],
        &[],
    ] {
        for reply in house.submit(&token, fields) {
            assert!(
                matches!(reply.status, 400 | 403),
                "{fields:?}: {}",
                reply.status
            );
        }
    }
    let other = house.request("GET", "/alice/dev/other", ALICE).send();
    assert_eq!(other.status, 404);
    for reply in house.submit(&token, &[("name", "mine")]) {
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
}

/// What a company pays for upstream is not for everybody on its network.
#[test]
fn a_mirror_of_the_config_file_is_read_by_those_who_are_named() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    let server = mirror_with(&upstream, "acl-pkg-read = [\"alice\"]");
    let house = House {
        server,
        _upstream: upstream,
    };
    house.send("PUT", "/alice", "", &json!({"password": "secret"}));
    let simple = "/root/pypi/+simple/";
    let page = |who: &str| {
        house
            .request("GET", &format!("{simple}foo/"), who)
            .json()
            .send()
    };
    let json = page(ALICE).json();
    let file = format!("{simple}foo/{}", json["files"][0]["url"].as_str().unwrap());
    let metadata = format!("{file}.metadata");
    for path in [simple, "/simple/", "/simple/foo/", &file, &metadata] {
        assert_eq!(
            house.request("GET", path, ALICE).send().status,
            200,
            "{path}"
        );
        assert_eq!(house.request("GET", path, "").send().status, 404, "{path}");
    }
    assert_eq!(page("").status, 404);
}

#[test]
fn what_may_upload_may_not_remove() {
    let house = House::new();
    house.submit(ALICE, &[("name", "mine")]);
    let uploader = house.token(&json!({"name": "ci", "upload": true}));
    let refused = house.send("DELETE", "/alice/dev/mine?force", &uploader, &json!({}));
    assert_eq!(refused.status, 403, "{}", refused.text());
    let remover = house.token(&json!({"name": "gc", "remove": true}));
    let removed = house.send("DELETE", "/alice/dev/mine?force", &remover, &json!({}));
    assert_eq!(removed.status, 200, "{}", removed.text());
}

#[test]
fn pages_of_other_sites_change_nothing() {
    let house = House::new();
    let from = |headers: &[(&str, &str)]| {
        let mut request = house.request("POST", "/+login", "");
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let login = json!({"user": "alice", "password": "secret"});
        request.body(login.to_string()).send()
    };
    let own = house.server.url();
    assert_eq!(from(&[]).status, 200);
    assert_eq!(from(&[("Origin", own)]).status, 200);
    assert_eq!(from(&[("Sec-Fetch-Site", "same-origin")]).status, 200);
    for foreign in [
        [("Origin", "https://evil.example")],
        [("Origin", "null")],
        [("Sec-Fetch-Site", "cross-site")],
    ] {
        let refused = from(&foreign);
        assert_eq!(refused.status, 403, "{foreign:?}");
        assert_eq!(
            refused.reason,
            "this request was sent by a page of another site, which may change nothing here"
        );
    }
    // A name that somebody has pointed at this machine: DNS rebinding.
    let rebound = from(&[("Host", "evil.example:3141")]);
    assert_eq!(rebound.status, 421);
    assert_eq!(
        rebound.reason,
        "`evil.example` is no name of this server: set `outside-url` to the address at which people find it"
    );
}

#[test]
fn a_part_whose_head_has_no_end_is_refused_while_it_comes() {
    let house = House::new();
    let mut endless = b"--b\r\nX: ".to_vec();
    endless.extend(vec![b'a'; 2_000_000]);
    let refused = house.post(ALICE, endless, "multipart/form-data; boundary=b");
    assert_eq!(refused.status, 413, "{}", refused.text());
}

#[test]
fn a_file_larger_than_the_quota_is_refused_while_it_comes() {
    let house = House::new();
    house.send("PATCH", "/alice/dev", ALICE, &json!(["quota=1000"]));
    let mut form = b"--b\r\nContent-Disposition: form-data; name=\"content\"; filename=\"foo-1.0.tar.gz\"\r\n\r\n".to_vec();
    form.extend(vec![0; 100_000]);
    let refused = house.post(ALICE, form, "multipart/form-data; boundary=b");
    assert_eq!(refused.status, 413, "{}", refused.text());
    assert_eq!(
        refused.reason,
        "the file alone is larger than alice/dev's quota of 1000 bytes"
    );
}
