//! What stands on a server before it is measured, and what is uploaded to it.

use std::thread;

use serde_json::{Value, json};
use testkit::{Dist, FORM};

use crate::client::{Client, Credentials};

/// Which server.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Whose {
    Ours,
    Devpis,
}

/// Files of the project whose page is asked for.
pub(crate) const FILES: usize = 20;

/// That page, which finds its files two bases below.
pub(crate) const PAGE: &str = "/admin/dev/+simple/many/";

/// The same of an index that only its owner reads, where there is such a thing.
pub(crate) const CLOSED_PAGE: &str = "/admin/closed/+simple/many/";

/// A user, and indexes over indexes with a project of many files.
pub(crate) fn furnish(url: &str, whose: Whose) -> Credentials {
    let root = Credentials::Devpi("root".to_owned(), String::new());
    let mut client = Client::new(url);
    let user = json!({"password": "secret"});
    let made = client.json("PUT", "/admin", Some(&root), &user);
    assert_eq!(made.status, 201, "{}", made.text());
    let admin = login(url);
    let mut indexes = vec![
        ("base", json!({"bases": "root/pypi"})),
        ("middle", json!({"bases": "admin/base,root/pypi"})),
        ("dev", json!({"bases": "admin/middle,root/pypi"})),
    ];
    if whose == Whose::Ours {
        let settings = json!({"bases": "admin/middle,root/pypi", "acl_pkg_read": "admin"});
        indexes.push(("closed", settings));
    }
    for (index, settings) in indexes {
        let made = client.json("PUT", &format!("/admin/{index}"), Some(&admin), &settings);
        assert_eq!(made.status, 200, "{}", made.text());
    }
    for version in 0..FILES {
        let form = wheel("many", &format!("1.{version}"), 0);
        upload(&mut client, "/admin/base/", &admin, &form);
    }
    admin
}

/// What `/+login` gives, as devpi's client sends it afterwards.
pub(crate) fn login(url: &str) -> Credentials {
    let body = json!({"user": "admin", "password": "secret"});
    let answer = Client::new(url).json("POST", "/+login", None, &body);
    let answer: Value = serde_json::from_str(&answer.text()).unwrap();
    let token = answer["result"]["password"].as_str().unwrap().to_owned();
    Credentials::Devpi("admin".to_owned(), token)
}

/// A token of ours that may read, as installers send it.
pub(crate) fn api_token(url: &str, admin: &Credentials) -> Credentials {
    let body = json!({"name": "bench", "read": true});
    let answer = Client::new(url).json("POST", "/+tokens", Some(admin), &body);
    let answer: Value = serde_json::from_str(&answer.text()).unwrap();
    let token = answer["result"]["token"].as_str().unwrap().to_owned();
    Credentials::Basic("__token__".to_owned(), token)
}

/// The form with a wheel of this release.
pub(crate) fn wheel(project: &str, version: &str, padding: usize) -> Vec<u8> {
    Dist::wheel(version).padding(padding).form(project)
}

/// Uploads it, and waits for the word that it is kept.
pub(crate) fn upload(client: &mut Client, index: &str, admin: &Credentials, wheel: &[u8]) {
    let headers = [("Content-Type", FORM)];
    let answer = client.send("POST", index, Some(admin), &headers, wheel);
    assert_eq!(answer.status, 200, "{}", answer.text());
}

/// Bytes of a large wheel.
const LARGE: usize = 64 << 20;

/// Forms with large wheels, each of another release: as many for a row with
/// one client as for a row with eight.
pub(crate) struct Large {
    pub(crate) by_one: Vec<Vec<u8>>,
    pub(crate) by_eight: Vec<Vec<u8>>,
}

impl Large {
    /// Builds this many for each row.
    pub(crate) fn build(count: usize) -> Self {
        thread::scope(|scope| {
            let [by_one, by_eight] = ["large-by-one", "large-by-eight"].map(|project| {
                scope.spawn(move || {
                    let versions = (0..count).map(|version| format!("1.{version}"));
                    versions
                        .map(|version| wheel(project, &version, LARGE))
                        .collect()
                })
            });
            Self {
                by_one: by_one.join().unwrap(),
                by_eight: by_eight.join().unwrap(),
            }
        })
    }
}
