//! Moving out where something is in the way: what devpi would stumble over, bytes that are lost,
//! a folder that is somebody's, a power cut.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;

use serde_json::Value;
use testkit::http::Request;
use testkit::{Devpi, DevpiServer, Dist, FORM, Scratch, Server, Tree, form};

use super::moving::{contents, export, furnished, import, json_of, walk};
use crate::server;

/// A server with alice and her index `dev`, running.
fn of_alice() -> Server {
    let server = server().start();
    let alice = Devpi::new();
    for line in [
        &format!("use {}", server.url()),
        "user -c alice password=secret",
        "login alice --password=secret",
        "index -c dev bases=",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        alice.run(&words).succeeds();
    }
    server
}

/// Sends a file of `foo` to alice's index, as a form with this version.
fn send(server: &Server, action: &str, version: &str, name: &str, content: &[u8]) {
    let fields = [(":action", action), ("name", "foo"), ("version", version)];
    let answer = Request::new("POST", &format!("{}/alice/dev/", server.url()))
        .basic("alice", "secret")
        .header("Content-Type", FORM)
        .body(form(&fields, name, content))
        .send();
    assert_eq!(answer.status, 200, "{}", answer.text());
}

fn send_dist(server: &Server, version: &str, dist: &Dist) {
    let scratch = Scratch::new();
    let path = Tree::new(&scratch, "foo", version).dist(dist);
    let name = path.file_name().unwrap().to_str().unwrap();
    let content = fs::read(&path).unwrap();
    send(server, "file_upload", version, name, &content);
}

fn send_docs(server: &Server, version: &str, page: &str) {
    let scratch = Scratch::new();
    let path = Tree::new(&scratch, "foo", version).docs(&[("index.html", page)]);
    let content = fs::read(&path).unwrap();
    send(server, "doc_upload", version, "foo.zip", &content);
}

fn problems(report: &Value) -> Vec<String> {
    serde_json::from_value(report["problems"].clone()).unwrap()
}

/// A server of devpi's with what is in a dump, running.
fn moved_in(dump: &Path) -> DevpiServer {
    let mut devpi = DevpiServer::import(dump).unwrap_or_else(|run| panic!("{}", run.output()));
    devpi.start_again();
    devpi
}

/// A file of the dump that is not whole in our store any more.
fn damage(server: &Server, dump: &Path, file: &str) {
    let bytes = fs::read(dump.join(file)).unwrap();
    let blobs = walk(&server.data().join("blobs"));
    let blob = blobs.iter().find(|path| fs::read(path).unwrap() == bytes);
    let mut bytes = bytes.clone();
    bytes[0] ^= 1;
    fs::write(blob.unwrap(), bytes).unwrap();
}

#[test]
fn a_version_goes_under_one_spelling_however_it_was_written() {
    let mut server = of_alice();
    let wheel = Dist::wheel("1.0a1").claims("1.0-alpha1");
    send_dist(&server, "1.0-alpha1", &wheel);
    send_dist(&server, "2.0", &Dist::wheel("2.0"));
    send_dist(&server, "2.0.0", &Dist::sdist("2.0.0"));
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    let (ended, report) = export(&server, &dump);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(report["files"], 3);
    let devpi = moved_in(&dump);
    let project = json_of(&format!("{}/alice/dev/foo", devpi.url()));
    let releases = project["result"].as_object().unwrap().iter();
    let releases: Vec<_> = releases
        .map(|(version, told)| (version.as_str(), told["+links"].as_array().unwrap().len()))
        .collect();
    assert_eq!(releases, [("1.0a1", 1), ("2.0", 2)]);
}

#[test]
fn what_is_yanked_moves_out_and_a_note_says_what_devpi_makes_of_it() {
    let mut server = of_alice();
    send_dist(&server, "2.0", &Dist::wheel("2.0"));
    let yanked = Request::new("POST", &format!("{}/alice/dev/foo/2.0/+yank", server.url()))
        .basic("alice", "secret")
        .header("Content-Type", "application/json")
        .body(r#"{"reason": "broken"}"#)
        .send();
    assert_eq!(yanked.status, 200, "{}", yanked.text());
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    let (ended, report) = export(&server, &dump);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let note = "devpi knows no yanked files: those of alice/dev are files as any other there (1)";
    assert_eq!(report["notes"], serde_json::json!([note]));
    moved_in(&dump);
}

#[test]
fn of_two_documentations_of_a_release_the_newer_goes() {
    let mut server = of_alice();
    send_dist(&server, "2.0", &Dist::wheel("2.0"));
    send_docs(&server, "2.0", "old");
    send_docs(&server, "2.0.0", "new");
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    let (ended, report) = export(&server, &dump);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(
        problems(&report),
        ["`foo-2.0.doc.zip` of alice/dev is left out: its release has newer documentation"]
    );
    let devpi = moved_in(&dump);
    let release = json_of(&format!("{}/alice/dev/foo/2.0", devpi.url()));
    let links = release["result"]["+links"].as_array().unwrap();
    assert_eq!(links.len(), 2, "{links:#?}");
}

#[test]
fn what_was_tested_and_is_lost_stays_with_its_results_and_the_rest_moves_out() {
    let (_upstream, server, _) = furnished();
    let folder = tempfile::tempdir().unwrap();
    let [first, dump] = ["first", "dump"].map(|name| folder.path().join(name));
    assert_eq!(export(&server, &first).0.code, Some(0));
    damage(
        &server,
        &first,
        "alice/dev/foo/1.0/foo-1.0-py3-none-any.whl",
    );
    let (ended, report) = export(&server, &dump);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let problems = problems(&report);
    let wheel = "`foo-1.0-py3-none-any.whl` of alice";
    let result = "`foo-1.0-py3-none-any.whl.toxresult-";
    let begins = [
        (
            &*format!("{wheel}/base is left out: "),
            "its bytes are not what they were",
        ),
        (
            &*format!("{wheel}/dev is left out: "),
            "its bytes are not what they were",
        ),
        (
            result,
            "of alice/dev is left out: so is the file that was tested",
        ),
    ];
    assert_eq!(problems.len(), begins.len(), "{problems:#?}");
    for (problem, (begin, end)) in problems.iter().zip(begins) {
        assert!(
            problem.starts_with(begin) && problem.ends_with(end),
            "{problem}"
        );
    }
    assert_eq!(report["files"], 3, "{report}");
    let devpi = moved_in(&dump);
    let release = json_of(&format!("{}/alice/dev/foo/1.0", devpi.url()));
    let links = release["result"]["+links"].as_array().unwrap();
    let kinds: Vec<_> = links
        .iter()
        .map(|link| link["rel"].as_str().unwrap())
        .collect();
    assert_eq!(kinds, ["releasefile", "doczip"]);
}

#[test]
fn an_export_that_is_killed_goes_on_when_it_is_run_again() {
    let (_upstream, mut server, before) = furnished();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    server.set_env("PILOTHOUSE_FAIL_POINT", "export.before-rename");
    assert_eq!(export(&server, &dump).0.code, None);
    assert!(dump.join(".pilothouse-export-staged").exists());
    server.forget_env("PILOTHOUSE_FAIL_POINT");
    // Whoever writes holds the folder.
    let marker = fs::File::open(dump.join(".pilothouse-export")).unwrap();
    marker.lock().unwrap();
    let (ended, _) = export(&server, &dump);
    assert_eq!(ended.code, Some(2));
    let reason = "wait for it, or name another folder";
    assert!(ended.stderr.contains(reason), "{ended:#?}");
    drop(marker);
    assert_eq!(export(&server, &dump).0.code, Some(0));
    let mut names: Vec<_> = fs::read_dir(&dump)
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["alice", "dataindex.json"]);
    assert_eq!(contents(&moved_in(&dump).url()), before);
}

#[test]
fn a_folder_that_takes_nothing_more_ends_the_export_and_is_finished_later() {
    let (_upstream, server, _) = furnished();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    fs::create_dir(&dump).unwrap();
    fs::write(dump.join(".pilothouse-export"), "").unwrap();
    // No folder can be made where a file is, whoever asks.
    fs::write(dump.join("alice"), "").unwrap();
    let (ended, _) = export(&server, &dump);
    assert_eq!(ended.code, Some(2), "{ended:#?}");
    let reason = "alice/base/foo/1.0/foo-1.0-py3-none-any.whl` cannot be written";
    assert!(ended.stderr.contains(reason), "{ended:#?}");
    assert!(!dump.join("dataindex.json").exists());
    fs::remove_file(dump.join("alice")).unwrap();
    assert_eq!(export(&server, &dump).0.code, Some(0));
}

#[test]
fn a_dump_is_for_its_owner_alone() {
    let (_upstream, server, _) = furnished();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    assert_eq!(export(&server, &dump).0.code, Some(0));
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&dump), 0o700);
    for file in walk(&dump) {
        assert_eq!(mode(&file), 0o600, "{}", file.display());
    }
}

#[test]
fn files_are_linked_where_that_is_asked_for() {
    let (_upstream, server, before) = furnished();
    // Beside the data, and so on the same disk.
    let folder = tempfile::tempdir_in(server.data().parent().unwrap()).unwrap();
    let dump = folder.path().join("dump");
    let path = dump.display().to_string();
    // Once more over what is there: that is as good.
    for _ in 0..2 {
        let ended = server.run(["export", &path, "--hard-links"]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let files = walk(&dump.join("alice"));
        assert_eq!(files.len(), 6);
        for file in files {
            let names = fs::metadata(&file).unwrap().nlink();
            assert!(names > 1, "{}", file.display());
        }
        assert_eq!(contents(&moved_in(&dump).url()), before);
        fs::remove_file(dump.join("dataindex.json")).unwrap();
        fs::write(dump.join(".pilothouse-export"), "").unwrap();
    }
    let wheel = "alice/dev/foo/1.0/foo-1.0-py3-none-any.whl";
    damage(&server, &dump, wheel);
    let ended = server.run(["export", &path, "--hard-links"]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert!(
        ended
            .stdout
            .contains("`foo-1.0-py3-none-any.whl` of alice/dev is left out"),
        "{ended:#?}"
    );
}

#[test]
fn rights_and_mirrors_move_out_with_what_is_set_on_them() {
    let upstream = super::upstream();
    let mut server = server()
        .mirroring_with(&upstream, "acl-pkg-read = [\"alice\"]")
        .start();
    let alice = Devpi::new();
    let mirror = upstream.simple().replace("://", "://carol:hidden@");
    for line in [
        &format!("use {}", server.url()),
        "user -c alice password=secret",
        "login alice --password=secret",
        &format!("index -c mirror type=mirror mirror_url={mirror} mirror_cache_expiry=60"),
        "index -c shut bases=alice/mirror volatile=False acl_upload=alice,:team acl_toxresult_upload=alice acl_pkg_read=alice mirror_whitelist=foo",
        "index shut description=Shut",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        alice.run(&words).succeeds();
    }
    let told = |url: &str, page: &str| {
        let answer = Request::get(&format!("{url}/{page}?no_projects="))
            .basic("alice", "secret")
            .header("Accept", "application/json")
            .send();
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()["result"].clone()
    };
    let pages = ["alice/mirror", "alice/shut", "root/pypi"];
    let before = pages.map(|page| told(server.url(), page));
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    let config = server.data().with_file_name("pilothouse.toml");
    let ended = server.run([
        "export".as_ref(),
        dump.as_os_str(),
        "--config".as_ref(),
        config.as_os_str(),
    ]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    for name in ["alice/shut", "root/pypi"] {
        let note = "devpi by itself knows no `acl_pkg_read`: whoever reaches it reads";
        let note = format!("note: {note} {name}\n");
        assert!(ended.stdout.contains(&note), "{ended:#?}");
    }
    let devpi = moved_in(&dump);
    for (before, page) in before.iter().zip(pages) {
        let after = told(&devpi.url(), page);
        for (key, value) in before.as_object().unwrap() {
            // We show no password of an upstream; devpi needs it to go on asking.
            if (page, key.as_str()) == ("alice/mirror", "mirror_url") {
                assert_eq!(after[key], mirror.as_str());
            } else {
                assert_eq!(after[key], *value, "{page}: {key}");
            }
        }
    }
}

#[test]
fn bases_that_go_round_in_a_circle_are_told_and_move_out_as_they_are() {
    let mut server = of_alice();
    let alice = Devpi::new();
    for line in [
        &format!("use {}", server.url()),
        "login alice --password=secret",
        "index -c prod bases=alice/dev",
        "index dev bases=alice/prod",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        alice.run(&words).succeeds();
    }
    let indexes =
        |server: &Server| json_of(&format!("{}/alice", server.url()))["result"]["indexes"].clone();
    let before = indexes(&server);
    server.stop();
    let folder = tempfile::tempdir().unwrap();
    let dump = folder.path().join("dump");
    let (ended, report) = export(&server, &dump);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let problem = "the bases of alice/dev, alice/prod go round in a circle: `devpi-import` takes \
        no such dump, so change them and export again; `pilothouse import` takes it";
    assert_eq!(problems(&report), [problem]);
    let refused = DevpiServer::import(&dump).expect_err("devpi takes no circles");
    refused.says("alice/dev, alice/prod");
    let mut other = crate::server();
    let ended = other.run(["import".as_ref(), dump.as_os_str()]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    other.start_again();
    assert_eq!(indexes(&other), before);
}

/// `devpi-import` gives an empty password to whoever comes without a hash.
#[test]
fn who_has_no_password_here_gets_none_there() {
    let old = tempfile::tempdir().unwrap();
    let contents = r#"{"dumpversion": "2", "indexes": {}, "users": {
        "alice": {"username": "alice", "pwsalt": "abc", "pwhash": "b8ed8ff3b1bd1a3fe2ac6ad1c4cb8e3a"}}}"#;
    fs::write(old.path().join("dataindex.json"), contents).unwrap();
    let server = server();
    let (ended, _) = import(&server, old.path());
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    let home = tempfile::tempdir().unwrap();
    let dump = home.path().join("dump");
    let (ended, _) = export(&server, &dump);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    let mut devpi = DevpiServer::import(&dump).unwrap_or_else(|run| panic!("{}", run.output()));
    devpi.start_again();
    let client = Devpi::new();
    client.run(&["use", &devpi.url()]).succeeds();
    for password in ["--password=", "--password=abc"] {
        client.run(&["login", "alice", password]).fails();
    }
}
