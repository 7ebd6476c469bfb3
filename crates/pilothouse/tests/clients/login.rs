//! Indexes that not everybody may read, with whatever way each client has to log in.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt as _;

use serde_json::json;
use testkit::http::Request;
use testkit::{Dist, Installer, Logged, Project, Scratch, Server, Upstream};

use crate::{server, with_every_installer};

/// A server with foo on `alice/dev`, which only alice may read, above a mirror with bar.
struct House {
    server: Server,
    _upstream: Upstream,
}

impl House {
    fn new() -> Self {
        let upstream = Upstream::start([Project::new("bar").wheel("1.0")]);
        let server = server().mirroring(&upstream).start();
        let house = Self {
            server,
            _upstream: upstream,
        };
        house.send(
            "PUT",
            "/alice",
            json!({"password": "s:e/c@ret"}).to_string(),
        );
        let settings = json!({"acl_pkg_read": "alice", "bases": "root/pypi"});
        house.send("PUT", "/alice/dev", settings.to_string());
        let wheel = Dist::wheel("1.0").requires("bar");
        house.send("POST", "/alice/dev/", wheel.form("foo"));
        house
    }

    fn send(&self, method: &str, path: &str, body: impl Into<Vec<u8>>) {
        let request = Request::new(method, &format!("{}{path}", self.server.url()));
        let request = match path {
            "/alice" => request,
            _ => request.basic("alice", "s:e/c@ret"),
        };
        let sort = if method == "POST" {
            testkit::FORM
        } else {
            "application/json"
        };
        let answer = request
            .header("Content-Type", sort)
            .body(body.into())
            .send();
        assert!(answer.status < 300, "{} {}", answer.status, answer.text());
    }

    fn index(&self, user_info: &str) -> String {
        let index = self.server.index("alice/dev");
        index.replace("http://", &format!("http://{user_info}"))
    }
}

const ALICE: &str = "alice:s%3Ae%2Fc%40ret@";
const ALL: [&str; 2] = ["bar==1.0", "foo==1.0"];

with_every_installer! {
    fn a_name_and_password_in_the_url_open_pages_and_files(installer) {
        let house = House::new();
        let installed = installer.install(&Scratch::new(), &house.index(ALICE), &["foo"]);
        assert_eq!(installed.projects(), ALL);
        assert!(!house.server.log().contains("ret@"));
    }

    fn a_netrc_opens_them_too(installer) {
        let house = House::new();
        let scratch = Scratch::new();
        let netrc = scratch.file(".netrc", "machine 127.0.0.1 login alice password s:e/c@ret\n");
        let scratch = scratch.env("NETRC", netrc.to_str().unwrap());
        let installed = installer.install(&scratch, &house.index(""), &["foo"]);
        assert_eq!(installed.projects(), ALL);
    }

    // An index that is not theirs is as one that does not exist; a wrong password is said.
    fn who_shows_nothing_or_something_wrong_gets_nothing(installer) {
        let mut house = House::new();
        for user_info in ["", "alice:wrong@"] {
            let installed = installer.install(&Scratch::new(), &house.index(user_info), &["foo"]);
            installed.run.fails();
        }
        let requests = house.server.requests();
        let asked = requests.iter().filter(|request| request.method == "GET");
        let mut statuses: Vec<u64> = asked.map(|request| request.status).collect();
        statuses.sort_unstable();
        statuses.dedup();
        assert_eq!(statuses, [401, 404], "{requests:#?}");
    }
}

/// A keyring that knows alice's password, and says it the way it is asked to.
const KEYRING: &str = r#"#!/bin/sh
case "$*" in
    --mode=creds*" alice") echo '{"username": "alice", "password": "s:e/c@ret"}' ;;
    get*" alice") echo 's:e/c@ret' ;;
    *) exit 1 ;;
esac
"#;

// The name is in the URL, the password in the keyring: both look there by themselves.
#[test]
fn a_keyring_opens_them_where_the_name_is_known() {
    let house = House::new();
    let scratch = Scratch::new();
    let keyring = scratch.file("bin/keyring", KEYRING);
    fs::set_permissions(&keyring, Permissions::from_mode(0o755)).unwrap();
    let path = format!("{}:/usr/bin:/bin", keyring.parent().unwrap().display());
    let scratch = scratch
        .env("PATH", &path)
        .env("PIP_KEYRING_PROVIDER", "subprocess")
        .env("UV_KEYRING_PROVIDER", "subprocess");
    for installer in [
        Installer::PipNewest,
        Installer::UvOldest,
        Installer::UvNewest,
    ] {
        let installed = installer.install(&scratch, &house.index("alice@"), &["foo"]);
        assert_eq!(installed.projects(), ALL, "{installer:?}");
    }
}

/// Installs twice with one cache, logged in, and gives the requests of the second run.
fn second_run(installer: Installer) -> Vec<Logged> {
    let mut house = House::new();
    let scratch = Scratch::caching();
    let install = |house: &House| {
        let index = house.index(ALICE);
        let mut all = vec!["foo"];
        if installer.is_pip() {
            all.extend(["--trusted-host", "127.0.0.1"]);
        }
        assert_eq!(installer.install(&scratch, &index, &all).projects(), ALL);
    };
    install(&house);
    let first = house.server.requests().len();
    house.server.start_again();
    install(&house);
    house.server.requests().split_off(first)
}

// `private, no-cache` on pages, so that a right that was taken away counts at once;
// `private, immutable` on files.
#[test]
fn what_is_private_is_kept_by_its_reader_and_pages_are_confirmed() {
    for installer in [
        Installer::PipNewest,
        Installer::UvOldest,
        Installer::UvNewest,
    ] {
        let requests = second_run(installer);
        let asked: Vec<_> = requests
            .iter()
            .filter(|request| request.status != 401)
            .collect();
        assert_eq!(asked.len(), 2, "{installer:?} {requests:#?}");
        for request in asked {
            assert_eq!(request.status, 304, "{installer:?} {request:?}");
            assert!(request.path.contains("/+simple/"), "{request:?}");
        }
    }
}

#[test]
fn uv_takes_the_name_and_password_of_an_index_from_its_variables() {
    let house = House::new();
    let scratch = Scratch::new()
        .env("UV_INDEX_CORP_USERNAME", "alice")
        .env("UV_INDEX_CORP_PASSWORD", "s:e/c@ret");
    for installer in [Installer::UvOldest, Installer::UvNewest] {
        let target = scratch.path().join(format!("{installer:?}"));
        let index = format!("corp={}", house.index(""));
        let arguments = [
            "pip",
            "install",
            "--default-index",
            &index,
            "--target",
            target.to_str().unwrap(),
            "foo",
        ];
        installer.run(&scratch, &arguments).succeeds();
    }
}
