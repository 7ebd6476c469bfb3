//! Moving in from devpi's own server, and out to it, with everything.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::http::{self, Request};
use testkit::{Devpi, DevpiServer, Dist, Ended, Installer, Scratch, Server, Tree, Upstream};

use super::upstream;
use crate::server;

/// What somebody has on their server: users, indexes over indexes, files, documentation, results.
pub(super) fn furnish(url: &str) {
    let alice = Devpi::new();
    let run = |line: &str| {
        alice.run(&words(line)).succeeds();
    };
    run(&format!("use {url}"));
    run("user -c alice password=secret email=alice@corp.example");
    run("user -c bob password=hidden");
    run("login alice --password=secret");
    run("index -c base volatile=False");
    run("index -c dev bases=alice/base,root/pypi acl_upload=alice,bob title=Development");
    run("use alice/dev");
    let tree = Tree::new(alice.scratch(), "foo", "1.0");
    tree.dist(&Dist::wheel("1.0").requires_python(">=3.7").requires("bar"));
    tree.dist(&Dist::sdist("1.0"));
    let home = alice.scratch().path().display().to_string();
    run(&format!(
        "upload {home}/foo/dist/foo-1.0-py3-none-any.whl {home}/foo/dist/foo-1.0.tar.gz"
    ));
    run("push foo==1.0 alice/base");
    let docs = tree.docs(&[("index.html", "<h1>foo, explained</h1>")]);
    run(&format!("upload {}", docs.display()));
    let wheel = href(url);
    let result = json!({"testenvs": {}, "reportversion": "1", "toxversion": "4"});
    let added = Request::new("POST", &wheel)
        .basic("alice", "secret")
        .header("Content-Type", "application/json")
        .body(result.to_string())
        .send();
    assert_eq!(added.status, 200, "{}", added.text());
}

fn words(line: &str) -> Vec<&str> {
    line.split(' ').collect()
}

/// The address of the wheel.
pub(super) fn href(url: &str) -> String {
    let release = json_of(&format!("{url}/alice/dev/foo/1.0"));
    let links = release["result"]["+links"].as_array().unwrap().clone();
    let is_wheel = |link: &&Value| link["href"].as_str().unwrap().contains("-py3-none-");
    let wheel = links.iter().find(is_wheel).unwrap();
    wheel["href"].as_str().unwrap().to_owned()
}

pub(super) fn json_of(url: &str) -> Value {
    let answer = Request::get(url)
        .header("Accept", "application/json")
        .send();
    assert_eq!(answer.status, 200, "{url}: {}", answer.text());
    answer.json()
}

/// All that the server says of what is on it, as devpi's client reads it.
pub(super) fn contents(url: &str) -> Vec<String> {
    let pages = [
        "alice",
        "bob",
        "alice/base",
        "alice/dev",
        "alice/base/foo",
        "alice/dev/foo",
        "alice/dev/foo/1.0",
    ];
    let told = pages.map(|page| {
        let mut answer = json_of(&format!("{url}/{page}"));
        sort(&mut answer);
        let text = serde_json::to_string_pretty(&answer).unwrap();
        format!("{page}: {}", text.replace(url, ""))
    });
    told.to_vec()
}

/// Links in order of their addresses: a dump does not tell the order across kinds.
fn sort(value: &mut Value) {
    match value {
        Value::Object(members) => {
            if let Some(Value::Array(links)) = members.get_mut("+links") {
                links.sort_by_key(|link| link["href"].to_string());
            }
            members.values_mut().for_each(sort);
        }
        Value::Array(items) => items.iter_mut().for_each(sort),
        _ => {}
    }
}

/// A dump of a furnished server of devpi's, and what that said of its contents.
fn dumped() -> (TempDir, PathBuf, Vec<String>) {
    let upstream = upstream();
    let mut devpi = DevpiServer::new().mirroring(&upstream).start();
    furnish(&devpi.url());
    let told = contents(&devpi.url());
    devpi.stop();
    let home = tempfile::tempdir().unwrap();
    let dump = home.path().join("dump");
    devpi.export(&dump).succeeds();
    (home, dump, told)
}

pub(super) fn import(server: &Server, dump: &Path) -> (Ended, Value) {
    let dump = dump.display().to_string();
    let ended = server.run(["import", &dump, "--json"]);
    let report = serde_json::from_str::<Value>(&ended.stdout).unwrap_or_default();
    (ended, report["report"].clone())
}

#[test]
fn a_server_of_devpis_moves_in_with_everything() {
    let (_home, dump, before) = dumped();
    let upstream = upstream();
    let mut server = server().mirroring(&upstream);
    let (ended, report) = import(&server, &dump);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let numbers = ["users", "indexes", "releases", "files", "known"];
    let numbers = numbers.map(|key| report[key].as_u64().unwrap());
    // Root counts as new because its password came along.
    assert_eq!(numbers, [3, 2, 2, 6, 0], "{report}");
    server.start_again();
    for (before, after) in before.iter().zip(contents(server.url())) {
        assert_eq!(*before, after);
    }
    let index = format!("{}/alice/dev/+simple/", server.url());
    let installed = Installer::PipNewest.install(&Scratch::new(), &index, &["foo"]);
    assert_eq!(installed.projects(), ["bar==1.1", "foo==1.0"]);
    let page = format!("{}/alice/dev/foo/latest/+doc/", server.url());
    assert_eq!(http::get(&page).text(), "<h1>foo, explained</h1>");
    // The old passwords open it, and the wrong ones do not.
    let devpi = Devpi::new();
    devpi
        .run(&["use", &format!("{}/alice/dev", server.url())])
        .succeeds();
    devpi
        .run(&["login", "alice", "--password=secret"])
        .succeeds();
    devpi
        .run(&["list", "foo"])
        .succeeds()
        .says("foo-1.0.tar.gz");
    devpi.run(&["login", "bob", "--password=hidden"]).succeeds();
    devpi.run(&["login", "bob", "--password=wrong"]).fails();
}

#[test]
fn what_is_wrong_with_a_dump_is_told_by_name_and_the_rest_moves_in() {
    let (_home, dump, _) = dumped();
    let wheel = dump.join("alice/dev/foo/1.0/foo-1.0-py3-none-any.whl");
    let kept = fs::read(&wheel).unwrap();
    fs::write(&wheel, b"other bytes").unwrap();
    let sdist = dump.join("alice/base/foo/1.0/foo-1.0.tar.gz");
    let aside = dump.join("aside");
    fs::rename(&sdist, &aside).unwrap();
    let server = server();
    let (ended, report) = import(&server, &dump);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let problems: Vec<String> = serde_json::from_value(report["problems"].clone()).unwrap();
    let begins = [
        "`alice/base/foo/1.0/foo-1.0.tar.gz` cannot be read: No such file",
        "`alice/dev/foo/1.0/foo-1.0-py3-none-any.whl` is not what the dump says: sha256=",
        "`alice/dev/foo/sha256=",
    ];
    assert_eq!(problems.len(), begins.len(), "{problems:#?}");
    for (problem, begin) in problems.iter().zip(begins) {
        assert!(problem.starts_with(begin), "{problem}");
    }
    // Mended and run again, it goes on where it stopped.
    fs::write(&wheel, kept).unwrap();
    fs::rename(&aside, &sdist).unwrap();
    let (ended, report) = import(&server, &dump);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(report["files"], 3, "{report}");
    let (ended, report) = import(&server, &dump);
    assert_eq!((ended.code, &report["files"]), (Some(0), &json!(0)));
    let verified = server.run(["cache", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:#?}");
}

#[test]
fn an_import_that_is_killed_goes_on_when_it_is_run_again() {
    let (_home, dump, before) = dumped();
    let upstream = upstream();
    for kill in ["hosted.before-record", "hosted.after-record"] {
        let mut server = server()
            .mirroring(&upstream)
            .env("PILOTHOUSE_FAIL_POINT", kill);
        let (ended, _) = import(&server, &dump);
        assert_ne!(ended.code, Some(0), "{kill}: {ended:#?}");
        server.forget_env("PILOTHOUSE_FAIL_POINT");
        let (ended, _) = import(&server, &dump);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        server.start_again();
        assert_eq!(contents(server.url()), before);
    }
}

pub(super) fn export(server: &Server, dump: &Path) -> (Ended, Value) {
    let dump = dump.display().to_string();
    let ended = server.run(["export", &dump, "--json"]);
    let report = serde_json::from_str::<Value>(&ended.stdout).unwrap_or_default();
    (ended, report["report"].clone())
}

/// One of ours, furnished and stopped, with what it said of its contents.
pub(super) fn furnished() -> (Upstream, Server, Vec<String>) {
    let upstream = upstream();
    let mut server = server().mirroring(&upstream).start();
    furnish(server.url());
    let told = contents(server.url());
    server.stop();
    (upstream, server, told)
}

#[test]
fn everything_moves_out_to_a_server_of_devpis() {
    let (_upstream, server, before) = furnished();
    let home = tempfile::tempdir().unwrap();
    let dump = home.path().join("dump");
    let (ended, report) = export(&server, &dump);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let numbers = ["users", "indexes", "releases", "files"];
    let numbers = numbers.map(|key| report[key].as_u64().unwrap());
    assert_eq!(numbers, [3, 3, 2, 6], "{report}");
    let mut devpi = DevpiServer::import(&dump).unwrap_or_else(|run| panic!("{}", run.output()));
    devpi.start_again();
    for (before, after) in before.iter().zip(contents(&devpi.url())) {
        assert_eq!(*before, after);
    }
    let client = Devpi::new();
    let index = format!("{}/alice/dev", devpi.url());
    client.run(&["use", &index]).succeeds();
    client
        .run(&["login", "alice", "--password=secret"])
        .succeeds();
    client
        .run(&["list", "foo"])
        .succeeds()
        .says("foo-1.0.tar.gz");
    client
        .run(&["login", "bob", "--password=hidden"])
        .succeeds();
    let index = format!("{index}/+simple/");
    let arguments = ["foo", "--no-deps"];
    let installed = Installer::PipNewest.install(&Scratch::new(), &index, &arguments);
    assert_eq!(installed.projects(), ["foo==1.0"]);
}

#[test]
fn what_moves_out_and_in_again_is_the_same() {
    let (_home, dump, _) = dumped();
    let folder = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| folder.path().join(name));
    for (from, to) in [(&dump, &first), (&first, &second)] {
        let server = server();
        assert_eq!(import(&server, from).0.code, Some(0));
        assert_eq!(export(&server, to).0.code, Some(0));
    }
    let [first, second] = [first, second].map(|dump| {
        let text = fs::read_to_string(dump.join("dataindex.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()
    });
    assert_eq!(first, second);
}

#[test]
fn an_export_goes_on_where_it_stopped_and_leaves_other_folders_alone() {
    let (_upstream, server, _) = furnished();
    let folder = tempfile::tempdir().unwrap();
    let other = folder.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("mine"), "").unwrap();
    let (ended, _) = export(&server, &other);
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("has something in it that is no unfinished export"),
        "{ended:#?}"
    );
    // As it looks when it was interrupted: the marker, some files, one of them damaged.
    let dump = folder.path().join("dump");
    assert_eq!(export(&server, &dump).0.code, Some(0));
    let wheel = dump.join("alice/dev/foo/1.0/foo-1.0-py3-none-any.whl");
    let sdist = dump.join("alice/dev/foo/1.0/foo-1.0.tar.gz");
    let whole = fs::read(&wheel).unwrap();
    fs::write(&wheel, "half").unwrap();
    let kept = fs::metadata(&sdist).unwrap().modified().unwrap();
    fs::remove_file(dump.join("dataindex.json")).unwrap();
    fs::write(dump.join(".pilothouse-export"), "").unwrap();
    assert_eq!(export(&server, &dump).0.code, Some(0));
    assert_eq!(fs::read(&wheel).unwrap(), whole);
    assert_eq!(fs::metadata(&sdist).unwrap().modified().unwrap(), kept);
    assert!(!dump.join(".pilothouse-export").exists());
}

#[test]
fn bytes_that_are_not_what_they_were_do_not_move_out() {
    let (_upstream, server, _) = furnished();
    let blobs = walk(&server.data().join("blobs"));
    let whole = blobs
        .iter()
        .max_by_key(|path| fs::metadata(path).unwrap().len())
        .unwrap();
    let mut bytes = fs::read(whole).unwrap();
    bytes[0] ^= 1;
    fs::write(whole, bytes).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let (ended, report) = export(&server, &folder.path().join("dump"));
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let problems: Vec<String> = serde_json::from_value(report["problems"].clone()).unwrap();
    assert!(!problems.is_empty());
    for problem in problems {
        assert!(
            problem.ends_with("is left out: its bytes are not what they were"),
            "{problem}"
        );
    }
}

pub(super) fn walk(folder: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            files.extend(walk(&path));
        } else {
            files.push(path);
        }
    }
    files
}

#[test]
fn a_running_server_and_a_folder_that_is_no_dump_are_told_as_such() {
    let folder = tempfile::tempdir().unwrap();
    let server = server().start();
    let (ended, _) = import(&server, folder.path());
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("is no dump of devpi"), "{ended:#?}");
    let empty = r#"{"dumpversion": "2", "users": {}, "indexes": {}}"#;
    fs::write(folder.path().join("dataindex.json"), empty).unwrap();
    let (ended, _) = import(&server, folder.path());
    assert_eq!(ended.code, Some(2));
    let hint = "an import needs it for itself: stop the server first";
    assert!(ended.stderr.contains(hint), "{ended:#?}");
}
