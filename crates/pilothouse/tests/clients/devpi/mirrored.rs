//! What a mirror has fetched moves in and out with the rest, where that is asked for.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use tempfile::TempDir;
use testkit::http::{self, Request};
use testkit::{DevpiServer, Dist, Ended, Installer, Project, Scratch, Server, Upstream};

use super::moving::walk;
use crate::server;

const FLAG: &str = "--include-mirrored-files";

/// A public project of which one file is yanked and one needs a Python of today.
fn upstream() -> Upstream {
    Upstream::start([Project::new("bar")
        .with(Dist::wheel("1.0").yanked("broken"))
        .with(Dist::wheel("1.1").requires_python(">=3.8"))
        .sdist("1.2")])
}

/// Runs one of our commands over a dump, with the flag or without.
fn run(server: &Server, command: &str, dump: &Path, flags: &[&str]) -> (Ended, Value) {
    let dump = dump.display().to_string();
    let config = server.data().with_file_name("pilothouse.toml");
    let config = config.display().to_string();
    let mut arguments = vec![command, &dump, "--json", "--config", &config];
    arguments.extend(flags);
    let ended = server.run(arguments);
    let report = serde_json::from_str::<Value>(&ended.stdout).unwrap_or_default();
    (ended, report["report"].clone())
}

/// Has both wheels fetched by whoever mirrors the upstream at `index`.
fn fetch(index: &str) {
    for version in ["bar==1.0", "bar==1.1"] {
        let arguments = [version, "--no-deps"];
        let installed = Installer::PipNewest.install(&Scratch::new(), index, &arguments);
        assert_eq!(installed.projects(), [version]);
    }
}

/// What a server of devpi's has fetched, with what is in its caches.
fn dumped(upstream: &Upstream) -> (TempDir, PathBuf) {
    let mut devpi = DevpiServer::new().mirroring(upstream).start();
    fetch(&format!("{}/root/pypi/+simple/", devpi.url()));
    devpi.stop();
    let home = tempfile::tempdir().unwrap();
    let dump = home.path().join("dump");
    devpi.export_with(&dump, &[FLAG]).succeeds();
    (home, dump)
}

/// What a server of ours has fetched.
fn fetched(upstream: &Upstream) -> Server {
    let mut server = server().mirroring_with(upstream, "").start();
    fetch(&server.index("root/pypi"));
    server.stop();
    server
}

#[test]
fn what_a_mirror_of_devpis_has_fetched_moves_in_and_is_there_without_upstream() {
    let upstream = upstream();
    let (_home, dump) = dumped(&upstream);
    let server = server().mirroring_with(&upstream, "");
    let (ended, report) = run(&server, "import", &dump, &[]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(report["files"], 0);
    let note = "2 files of root/pypi are left out: a mirror fetches them again; \
        `--include-mirrored-files` takes them in";
    assert!(
        report["notes"].as_array().unwrap().contains(&json!(note)),
        "{report}"
    );
    // Twice: an import that was interrupted goes on.
    for files in [2, 0] {
        let (ended, report) = run(&server, "import", &dump, &[FLAG]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        assert_eq!(report["files"], files, "{report}");
    }
    let verified = server.run(["cache", "verify"]);
    assert_eq!(verified.code, Some(0), "{verified:#?}");
    upstream.forget_requests();
    let mut server = server.arguments(["--offline"]);
    server.start_again();
    fetch(&server.index("root/pypi"));
    let page = Request::get(&format!("{}bar/", server.index("root/pypi")))
        .header("Accept", "application/vnd.pypi.simple.v1+json")
        .send()
        .json();
    let files = page["files"].as_array().unwrap();
    // devpi has no order of versions.
    let told = |name: &str, key: &str| {
        let is_meant = |file: &&Value| file["filename"].as_str().unwrap().starts_with(name);
        files.iter().find(is_meant).unwrap()[key].clone()
    };
    assert_eq!(told("bar-1.0", "yanked"), "broken");
    assert_eq!(told("bar-1.1", "requires-python"), ">=3.8");
    assert_eq!(files.len(), 2, "{page:#}");
    assert_eq!(upstream.requests().len(), 0);
}

#[test]
fn an_import_of_files_that_is_killed_goes_on_when_it_is_run_again() {
    let upstream = upstream();
    let (_home, dump) = dumped(&upstream);
    for kill in [
        "file.before-record",
        "file.after-record",
        "page.before-record",
    ] {
        let mut server = server()
            .mirroring_with(&upstream, "")
            .env("PILOTHOUSE_FAIL_POINT", kill);
        let (ended, _) = run(&server, "import", &dump, &[FLAG]);
        assert_eq!(ended.code, None, "{kill}: {ended:#?}");
        server.forget_env("PILOTHOUSE_FAIL_POINT");
        let (ended, _) = run(&server, "import", &dump, &[FLAG]);
        assert_eq!(ended.code, Some(0), "{ended:#?}");
        let verified = server.run(["cache", "verify"]);
        assert_eq!(verified.code, Some(0), "{verified:#?}");
        let mut server = server.arguments(["--offline"]);
        server.start_again();
        fetch(&server.index("root/pypi"));
    }
}

#[test]
fn a_file_that_upstream_has_replaced_meanwhile_is_fetched_again() {
    let wheel = |bytes| Dist::wheel("1.1").padding(bytes).in_place();
    let upstream = Upstream::start([Project::new("bar").wheel("1.0").with(wheel(1))]);
    let (_home, dump) = dumped(&upstream);
    let mut server = server().mirroring_with(&upstream, "");
    assert_eq!(run(&server, "import", &dump, &[FLAG]).0.code, Some(0));
    upstream.put(Project::new("bar").with(wheel(2)));
    server.start_again();
    let index = server.index("root/pypi");
    let installed = Installer::PipNewest.install(&Scratch::new(), &index, &["bar==1.1"]);
    assert_eq!(installed.projects(), ["bar==1.1"]);
    let page = http::get(&format!("{index}bar/"));
    assert!(!page.text().contains("bar-1.0"), "{}", page.text());
}

#[test]
fn what_a_mirror_of_another_upstream_has_fetched_stays_where_it_is() {
    let (_home, dump) = dumped(&upstream());
    let other = upstream();
    let server = server().mirroring_with(&other, "");
    let (ended, report) = run(&server, "import", &dump, &[FLAG]);
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    assert_eq!(report["files"], 0);
    let note = "2 files of root/pypi are left out: it mirrors another upstream here";
    assert!(
        report["notes"].as_array().unwrap().contains(&json!(note)),
        "{report}"
    );
}

#[test]
fn what_is_not_what_the_dump_says_is_no_file_of_the_mirror() {
    let upstream = upstream();
    let (_home, dump) = dumped(&upstream);
    let files = walk(&dump);
    let wheel = files
        .iter()
        .find(|path| path.ends_with("bar-1.1-py3-none-any.whl"));
    fs::write(wheel.unwrap(), "other").unwrap();
    let server = server().mirroring_with(&upstream, "");
    let (ended, report) = run(&server, "import", &dump, &[FLAG]);
    assert_eq!(ended.code, Some(1), "{ended:#?}");
    assert_eq!(report["files"], 1, "{report}");
    let problem = report["problems"][0].as_str().unwrap();
    let begin = "`root/pypi/bar/1.1/bar-1.1-py3-none-any.whl` is left out: it is not what the dump says: sha256=";
    assert!(problem.starts_with(begin), "{problem}");
}

#[test]
fn what_a_mirror_of_ours_has_fetched_moves_out_to_a_server_of_devpis() {
    let upstream = upstream();
    let server = fetched(&upstream);
    let home = tempfile::tempdir().unwrap();
    let [plain, dump] = ["plain", "dump"].map(|name| home.path().join(name));
    let (ended, report) = run(&server, "export", &plain, &[]);
    assert_eq!(
        (ended.code, &report["files"]),
        (Some(0), &json!(0)),
        "{ended:#?}"
    );
    let (ended, report) = run(&server, "export", &dump, &[FLAG]);
    assert_eq!(
        (ended.code, &report["files"]),
        (Some(0), &json!(2)),
        "{ended:#?}"
    );
    let devpi = DevpiServer::import(&dump).unwrap_or_else(|run| panic!("{}", run.output()));
    upstream.forget_requests();
    let mut devpi = devpi.arguments(["--offline-mode"]);
    devpi.start_again();
    fetch(&format!("{}/root/pypi/+simple/", devpi.url()));
    assert_eq!(upstream.requests().len(), 0);
}

#[test]
fn what_a_mirror_of_ours_has_fetched_moves_out_and_in_again() {
    let upstream = upstream();
    let server = fetched(&upstream);
    let home = tempfile::tempdir().unwrap();
    let [first, second] = ["first", "second"].map(|name| home.path().join(name));
    assert_eq!(run(&server, "export", &first, &[FLAG]).0.code, Some(0));
    let other = crate::server().mirroring_with(&upstream, "");
    let (ended, report) = run(&other, "import", &first, &[FLAG]);
    assert_eq!(
        (ended.code, &report["files"]),
        (Some(0), &json!(2)),
        "{ended:#?}"
    );
    assert_eq!(run(&other, "export", &second, &[FLAG]).0.code, Some(0));
    let [first, second] = [first, second].map(|dump| {
        let text = fs::read_to_string(dump.join("dataindex.json")).unwrap();
        serde_json::from_str::<Value>(&text).unwrap()["indexes"].clone()
    });
    assert_eq!(first, second);
}
