//! `pilothouse cache` and `stats`, beside a running server.

use serde_json::{Value, json};
use testkit::{Dist, Project, Server, Upstream, http, wait_until};

use crate::binary::{Home, PROGRAM};

/// A server that holds two projects' files.
fn filled() -> (Upstream, Server) {
    let upstream = Upstream::start([
        Project::new("foo").wheel("1.0").wheel("2.0"),
        Project::new("bar").sdist("1.0"),
    ]);
    let server = Server::new(PROGRAM).mirroring(&upstream).start();
    for project in ["foo", "bar"] {
        let page = http::Request::get(&format!("{}{project}/", server.simple()))
            .json()
            .send()
            .json();
        for file in page["files"].as_array().expect("a page lists files") {
            let href = file["url"]
                .as_str()
                .expect("a file has a URL")
                .trim_start_matches("../");
            assert_eq!(http::get(&format!("{}/{href}", server.url())).status, 200);
        }
    }
    // A client has its last byte a moment before the record is written.
    wait_until("the files to be stored", || {
        names(&answer(&server, &["cache", "ls"])["files"]).len() == 3
    });
    (upstream, server)
}

/// Runs a command that should succeed, and reads its JSON.
fn answer(server: &Server, arguments: &[&str]) -> Value {
    let ended = server.run([arguments, &["--json"]].concat());
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended:#?}"
    );
    let answer: Value = serde_json::from_str(&ended.stdout).expect("it is JSON");
    assert_eq!(answer["version"], 1);
    answer
}

fn names(files: &Value) -> Vec<&str> {
    let files = files.as_array().expect("it is a list");
    files
        .iter()
        .map(|file| file["filename"].as_str().expect("a file has a name"))
        .collect()
}

#[test]
fn what_is_stored_is_listed_and_added_up() {
    let (upstream, server) = filled();
    let all = answer(&server, &["cache", "ls"]);
    assert_eq!(
        names(&all["files"]),
        [
            "bar-1.0.tar.gz",
            "foo-1.0-py3-none-any.whl",
            "foo-2.0-py3-none-any.whl"
        ]
    );
    let foo = answer(&server, &["cache", "ls", "Foo"]);
    assert_eq!(
        names(&foo["files"]),
        ["foo-1.0-py3-none-any.whl", "foo-2.0-py3-none-any.whl"]
    );
    let file = &foo["files"][0];
    assert_eq!(
        file["size"],
        upstream.content_of("foo-1.0-py3-none-any.whl").len()
    );
    assert_eq!(
        (&file["index"], &file["pinned"]),
        (&json!("root/pypi"), &json!(false))
    );
    let biggest = answer(&server, &["cache", "ls", "--sort", "size"]);
    let sizes: Vec<u64> = biggest["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["size"].as_u64().unwrap())
        .collect();
    assert!(sizes.is_sorted_by(|a, b| a >= b), "{sizes:?}");
    let used = answer(&server, &["cache", "du"]);
    assert_eq!(
        (&used["files"], used["projects"].as_array().map(Vec::len)),
        (&json!(3), Some(2))
    );
    assert_eq!(
        answer(&server, &["cache", "ls", "none"])["files"],
        json!([])
    );
}

#[test]
fn pinned_files_survive_pruning() {
    let (_upstream, server) = filled();
    assert_eq!(
        answer(&server, &["cache", "pin", "foo==2.0", "bar-1.0.tar.gz"])["changed"],
        2
    );
    assert_eq!(answer(&server, &["cache", "pin", "foo==2.0"])["changed"], 0);
    let dry = answer(
        &server,
        &["cache", "prune", "--older-than", "0s", "--dry-run"],
    );
    assert_eq!(names(&dry["files"]), ["foo-1.0-py3-none-any.whl"]);
    let wet = answer(&server, &["cache", "prune", "--older-than", "0s"]);
    assert_eq!(names(&wet["files"]), ["foo-1.0-py3-none-any.whl"]);
    let left = answer(&server, &["cache", "ls", "--pinned"]);
    assert_eq!(
        names(&left["files"]),
        ["bar-1.0.tar.gz", "foo-2.0-py3-none-any.whl"]
    );
    assert_eq!(answer(&server, &["cache", "unpin", "foo"])["changed"], 1);
    let wet = answer(
        &server,
        &["cache", "prune", "--project", "foo", "--max-size", "1 B"],
    );
    assert_eq!(names(&wet["files"]), ["foo-2.0-py3-none-any.whl"]);
}

#[test]
fn pruning_nothing_says_why() {
    let (_upstream, server) = filled();
    let why = |arguments: &[&str]| {
        let pruned = answer(&server, &[&["cache", "prune"], arguments].concat());
        assert_eq!(names(&pruned["files"]), [""; 0]);
        pruned["why_nothing"].as_str().unwrap().to_owned()
    };
    assert_eq!(why(&["--project", "none"]), "no file of `none` is stored");
    let today = answer(&server, &["cache", "ls"])["files"][0]["last_used"].clone();
    let day = &today.as_str().unwrap()[..10];
    assert_eq!(
        why(&["--older-than", "30d"]),
        format!("the least recently used was used on {day}")
    );
    let within = why(&["--max-size", "1 GiB"]);
    assert!(within.ends_with(", which is not more"), "{within}");
    answer(&server, &["cache", "pin", "bar"]);
    assert_eq!(why(&["--project", "bar"]), "every file of `bar` is pinned");
}

/// The secrets of a config file are the server's; who looks at the cache may not have them.
#[test]
fn the_cache_is_seen_without_the_servers_secrets() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    let keys = "username = \"me\"\npassword-env = \"ONLY_THE_SERVER_HAS_IT\"";
    let mut server = Server::new(PROGRAM)
        .mirroring_with(&upstream, keys)
        .env("ONLY_THE_SERVER_HAS_IT", "s3cret")
        .start();
    server.forget_env("ONLY_THE_SERVER_HAS_IT");
    let listed = server.run(["cache", "ls"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (Some(0), ""));
}

/// What was pruned beside the server is fetched anew, and what it freed is not served from memory.
#[test]
fn a_pruned_file_is_fetched_again() {
    let (upstream, server) = filled();
    answer(&server, &["cache", "prune", "--project", "bar"]);
    let path = upstream.path_of("bar-1.0.tar.gz");
    upstream.forget_requests();
    let reply = http::get(&format!("{}/+f{path}", server.url()));
    assert_eq!(
        (reply.status, reply.body),
        (200, upstream.content_of("bar-1.0.tar.gz"))
    );
    assert_eq!(upstream.count(path.as_str()).requests, 1);
}

#[test]
fn damage_is_found_and_mended() {
    let (_upstream, mut server) = filled();
    server.stop();
    let clean = server.run(["cache", "verify"]);
    assert_eq!(
        (clean.code, clean.stderr.as_str()),
        (Some(0), ""),
        "{clean:#?}"
    );
    let listed = answer(&server, &["cache", "ls", "foo"]);
    let digests: Vec<&str> = [0, 1]
        .map(|n| listed["files"][n]["sha256"].as_str().unwrap())
        .to_vec();
    let blob = |digest: &str| {
        server
            .data()
            .join("blobs/sha256")
            .join(&digest[..2])
            .join(&digest[2..4])
            .join(digest)
    };
    std::fs::write(blob(digests[0]), "rot").unwrap();
    std::fs::remove_file(blob(digests[1])).unwrap();
    let found = server.run(["cache", "verify", "--json"]);
    assert_eq!(found.code, Some(1), "{found:#?}");
    let report: Value = serde_json::from_str(&found.stdout).unwrap();
    assert_eq!(report["corrupt"][0]["sha256"], digests[0]);
    assert_eq!(report["missing"][0]["sha256"], digests[1]);
    let mended = answer(&server, &["cache", "verify", "--repair"]);
    assert_eq!(mended["repaired"]["blobs_removed"], 1);
    assert_eq!(server.run(["cache", "verify"]).code, Some(0));
    assert_eq!(
        names(&answer(&server, &["cache", "ls"])["files"]),
        ["bar-1.0.tar.gz"]
    );
}

#[test]
fn refused_files_are_told_and_are_no_damage() {
    let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").wrong_digest())]);
    let server = Server::new(PROGRAM)
        .mirroring(&upstream)
        .expect_5xx()
        .start();
    let path = upstream.path_of("foo-1.0-py3-none-any.whl");
    http::get(&format!("{}/+f{path}", server.url()));
    wait_until("the refusal to be recorded", || {
        answer(&server, &["cache", "verify"])["refused"] != json!([])
    });
    let refused = &answer(&server, &["cache", "verify"])["refused"][0];
    assert_eq!(refused["index"], "root/pypi");
    assert_eq!(refused["path"], path.trim_start_matches('/'));
    let text = |member: &str| refused[member].as_str().expect("it is a text").to_owned();
    assert!(text("url").ends_with(&path), "{refused}");
    assert!(text("refused_at").parse::<jiff::Timestamp>().is_ok());
    let (expected, found) = (text("expected"), text("found"));
    assert_ne!(expected, found);
    let told = server.run(["cache", "verify"]);
    assert_eq!(told.code, Some(0), "{told:#?}");
    let line = told.stdout.lines().next().unwrap_or_default();
    assert!(line.starts_with("refused: `"), "{line}");
    assert!(
        line.ends_with(&format!("expected {expected}, found {found}")),
        "{line}"
    );
    assert!(told.stdout.ends_with("all in order\n"), "{}", told.stdout);
}

#[test]
fn what_a_server_has_done_is_told() {
    let (_upstream, server) = filled();
    let home = Home::new();
    let ended = home.run(&["stats", "--url", server.url(), "--json"]);
    assert_eq!(
        (ended.code, ended.stderr.as_str()),
        (Some(0), ""),
        "{ended}"
    );
    let answer: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(
        (&answer["version"], &answer["metrics"]["files_misses"]),
        (&json!(1), &json!(3))
    );
    let table = home.run(&["stats", "--url", server.url()]);
    assert_eq!(
        table.stdout.lines().next(),
        Some("answers   hits  revalidated  stale  misses  failures")
    );
}

#[test]
fn without_a_cache_or_a_server_the_way_out_is_told() {
    let home = Home::new();
    insta::assert_snapshot!(home.run(&["cache", "du"]), @r"
    exit 2
    --- stdout
    --- stderr
    error: there is no cache in `[home]/.local/share/pilothouse`

    hint: name the server's data directory with `--data-dir DIR`; `pilothouse config show` says which one it takes
    ");
    insta::assert_snapshot!(home.run(&["stats", "--url", "http://127.0.0.1:9"]), @r"
    exit 2
    --- stdout
    --- stderr
    error: no pilothouse answers at `http://127.0.0.1:9`
    cause: error sending request
    cause: client error (Connect)
    cause: tcp connect error
    cause: Connection refused (os error 111)

    hint: start one with `pilothouse serve`, or name it with `--url http://ADDRESS:PORT`
    ");
}

#[test]
fn what_is_not_stored_cannot_be_pinned() {
    let (_upstream, server) = filled();
    let ended = server.run(["cache", "pin", "numpy"]);
    assert_eq!(ended.code, Some(2));
    insta::assert_snapshot!(ended.stderr, @r"
    error: nothing that is stored matches `numpy`

    hint: `pilothouse cache ls` lists what is stored; a file can be pinned once somebody has fetched it
    ");
}
