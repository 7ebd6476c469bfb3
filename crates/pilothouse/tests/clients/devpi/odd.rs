//! Moving in what no server of today writes: dumps of old servers, and dumps that contradict
//! what is here.

use std::fs;

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::{Devpi, DevpiServer};

use super::moving::{export, import, json_of};
use crate::server;

/// A dump of one file on one index, and of another index of a type that only a plugin knows.
fn small_dump(hash: &str, title: &str, base: &str, summary: &str) -> TempDir {
    let dump = tempfile::tempdir().unwrap();
    let file = |index: &str| {
        let path = format!("alice/{index}/foo/1.0/foo-1.0.tar.gz");
        let at = dump.path().join(&path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(&at, summary).unwrap();
        json!({"type": "releasefile", "projectname": "foo", "version": "1.0", "relpath": path})
    };
    let index = |name: &str, kind: &str, bases: &[&str]| {
        json!({
            "indexconfig": {"type": kind, "title": title, "bases": bases},
            "projects": {"foo": {"1.0": {"name": "foo", "version": "1.0", "summary": summary}}},
            "files": [file(name)],
        })
    };
    let contents = json!({
        "dumpversion": "2",
        "users": {"alice": {"username": "alice", "pwhash": hash}},
        "indexes": {
            "alice/dev": index("dev", "stage", &[base]),
            "alice/odd": index("odd", "constrained", &[]),
            "alice/one": {"indexconfig": {"type": "stage"}},
            "alice/two": {"indexconfig": {"type": "stage"}},
        },
    });
    fs::write(dump.path().join("dataindex.json"), contents.to_string()).unwrap();
    dump
}

#[test]
fn what_is_here_already_stays_as_it_is_and_is_told() {
    // What `devpi-server` made of `secret`, and of nothing.
    let [secret, empty] = [
        "$argon2id$v=19$m=1024,t=1,p=8$VqpVilHqPYdQijEG4BwjpA$AHbq4gY3Mm/o6S2BlciRX5OD1Q9iMBGKkO5BAaNUnP8",
        "$argon2id$v=19$m=65536,t=3,p=4$OGfMWWvNOWfsXYvROsc45w$0yG6Fo2GadeDmPwtVqUV74uGPjKIHb0odKSbHgrzlRU",
    ];
    let mut server = server();
    let first = small_dump(secret, "First", "alice/one", "as it was");
    let (_, report) = import(&server, first.path());
    let unknown = json!([
        "index alice/odd cannot be taken over: unknown index type 'constrained'",
        "1 files of alice/odd are left out: there is no such index here that takes uploads",
    ]);
    assert_eq!(report["problems"], unknown);
    let second = small_dump(empty, "Second", "alice/two", "as it is");
    let path = second.path().display().to_string();
    let skipping = ["import", &path, "--json", "--skip-import-type=constrained"];
    let ended = server.run(skipping);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let report = serde_json::from_str::<Value>(&ended.stdout).unwrap()["report"].clone();
    assert_eq!(
        report["problems"],
        json!([
            "user `alice` is here already with another password, and keeps it",
            "alice/dev is here already with other settings, and keeps them",
            "foo 1.0 of alice/dev is here already and says other things of itself, which it keeps",
            "`alice/dev/foo/1.0/foo-1.0.tar.gz` is left out: alice/dev has other bytes of that name",
            "alice/dev is here already with other bases, and keeps them",
        ])
    );
    let notes = [
        "1 files of alice/dev are taken as they are: the dump has no digest of theirs",
        "1 files of alice/odd are left out, as was asked",
    ];
    assert_eq!(report["notes"], json!(notes));
    let (_, report) = import(&server, first.path());
    assert_eq!(report["problems"], unknown, "nothing was changed");
    assert_eq!((&report["files"], &report["known"]), (&json!(0), &json!(5)));
    server.start_again();
    let release = json_of(&format!("{}/alice/dev/foo/1.0", server.url()));
    assert_eq!(release["result"]["summary"], "as it was");
}

/// A dump as an old server may have written it: a release under two spellings of its version,
/// each with documentation, a test that ran before its file came back, and nothing of hashes.
fn odd_dump() -> TempDir {
    let dump = tempfile::tempdir().unwrap();
    let file = |kind: &str, version: &str, path: &str, minute: u8| {
        let path = format!("alice/dev/{path}");
        let at = dump.path().join(&path);
        fs::create_dir_all(at.parent().unwrap()).unwrap();
        fs::write(&at, &path).unwrap();
        json!({
            "type": kind, "projectname": "foo", "version": version, "relpath": path,
            "for_entrypath": "alice/dev/+f/abc/0123456789abc/foo-1.0.tar.gz",
            "log": [{"what": "upload", "who": "alice", "when": [2020, 1, 1, 0, minute, 0], "dst": "alice/dev"}],
        })
    };
    let long = |length: usize| format!("foo/untold/foo-1.0.tar.gz.{}", "x".repeat(length - 15));
    let contents = json!({
        "dumpversion": "2",
        "users": {
            "root": {"username": "root", "pwhash": OLD},
            "alice": {"username": "alice", "pwhash": OLD, "pwsalt": "abc"},
        },
        "indexes": {"alice/dev": {
            "indexconfig": {"type": "stage", "pypi_whitelist": ["bar"], "uploadtrigger_jenkins": null},
            "projects": {"foo": {
                "1.0": {"name": "foo", "version": "1.0"},
                "1.0.0": {"name": "foo", "version": "1.0.0"},
            }},
            "files": [
                file("toxresult", "1.0", &long(186), 1),
                file("toxresult", "1.0", &long(187), 1),
                file("doczip", "1.0", "foo-1.0.doc.zip", 2),
                file("doczip", "1.0.0", "foo-1.0.0.doc.zip", 3),
                file("releasefile", "1.0", "foo/1.0/foo-1.0.tar.gz", 4),
            ],
        }},
    });
    fs::write(dump.path().join("dataindex.json"), contents.to_string()).unwrap();
    dump
}

/// As devpi kept passwords ten years ago.
const OLD: &str = "b8ed8ff3b1bd1a3fe2ac6ad1c4cb8e3a";

#[test]
fn what_is_odd_here_moves_out_to_a_server_of_devpis_as_well() {
    let server = server();
    let (ended, report) = import(&server, odd_dump().path());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let problems = ["alice", "root"].map(|user| {
        format!("the password of user `{user}` cannot be taken over: set one with `pilothouse passwd {user}`")
    });
    assert_eq!(report["problems"], json!(problems));
    let home = tempfile::tempdir().unwrap();
    let dump = home.path().join("dump");
    let (ended, report) = export(&server, &dump);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let problems: Vec<String> = serde_json::from_value(report["problems"].clone()).unwrap();
    let [name, documentation] = problems.as_slice() else {
        panic!("{report}");
    };
    let why = "x` of alice/dev is left out: devpi keeps no name of more than 186 bytes";
    assert!(name.ends_with(why), "{name}");
    assert_eq!(
        documentation,
        "`foo-1.0.doc.zip` of alice/dev is left out: its release has newer documentation"
    );
    assert_eq!(report["files"], 3, "{report}");
    let mut devpi = DevpiServer::import(&dump).unwrap_or_else(|run| panic!("{}", run.output()));
    devpi.start_again();
    let index = json_of(&format!("{}/alice/dev?no_projects=", devpi.url()));
    assert_eq!(index["result"]["mirror_whitelist"], json!(["bar"]));
    // Whoever has no password here cannot log in there, not even with none.
    let client = Devpi::new();
    client.run(&["use", &devpi.url()]).succeeds();
    for password in ["", "abc", OLD] {
        let password = format!("--password={password}");
        client.run(&["login", "alice", &password]).fails();
    }
}
