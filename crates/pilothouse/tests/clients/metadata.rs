//! Metadata files: whatever is advertised answers, and holds against the wheel.

use std::collections::BTreeMap;

use testkit::http::{self, Reply, Request};
use testkit::{Dist, Fault, Installer, Metadata, Project, Scratch, Server, Upstream};

use crate::{mirror, server};

const WHEEL: &str = "foo-1.0-py3-none-any.whl";
const BIG: usize = 8 << 20;

fn upstream(wheel: Dist) -> Upstream {
    Upstream::start([
        Project::new("foo").with(wheel),
        Project::new("bar").wheel("2.0"),
    ])
}

/// The URL of the only file of `foo`, and what the page says about its metadata.
fn listed(server: &Server) -> (String, serde_json::Value) {
    let page = format!("{}foo/", server.simple());
    let json = Request::get(&page).json().send().json();
    let file = &json["files"][0];
    let url = format!("{page}{}", file["url"].as_str().unwrap());
    (url, file["core-metadata"].clone())
}

fn metadata(server: &Server) -> Reply {
    let (url, advertised) = listed(server);
    assert_ne!(advertised, serde_json::Value::Bool(false));
    http::get(&format!("{url}.metadata"))
}

fn text(requires: &str) -> String {
    format!(
        "Metadata-Version: 2.1\nName: foo\nVersion: 1.0\nSummary: made up for a test\nRequires-Dist: {requires}\n"
    )
}

#[test]
fn upstreams_metadata_is_served_and_kept() {
    let mut upstream = upstream(Dist::wheel("1.0").requires("bar"));
    let server = mirror(&upstream);
    let answer = metadata(&server);
    assert_eq!((answer.status, answer.text()), (200, text("bar").as_str()));
    let cache_control = answer.header("Cache-Control").unwrap();
    assert_eq!(cache_control, "public, max-age=31536000, immutable");
    let etag = answer.header("ETag").unwrap().to_owned();
    upstream.stop();
    let (url, advertised) = listed(&server);
    assert!(advertised["sha256"].is_string(), "{advertised}");
    let url = format!("{url}.metadata");
    assert_eq!(http::get(&url).body, answer.body);
    let known = Request::get(&url).header("If-None-Match", &etag).send();
    assert_eq!((known.status, known.body.len()), (304, 0));
    let head = http::head(&url);
    assert_eq!(
        (head.status, head.header("Content-Length")),
        (200, answer.header("Content-Length"))
    );
    let part = Request::get(&url).range("0-15").send();
    assert_eq!((part.status, part.text()), (206, "Metadata-Version"));
}

#[test]
fn metadata_is_made_from_the_tail_of_a_wheel_whose_upstream_has_none() {
    let upstream = upstream(Dist::wheel("1.0").requires("bar").padding(BIG));
    upstream.change(|settings| settings.metadata = false);
    let mut server = mirror(&upstream);
    assert_eq!(metadata(&server).text(), text("bar"));
    let count = upstream.count("*.whl");
    assert!(count.bytes < 200_000, "{count:?}");
    assert_eq!(count.whole, 0, "{count:?}");
    // It is kept: neither again nor after a restart is upstream asked.
    let asked = upstream.requests().len();
    assert_eq!(metadata(&server).text(), text("bar"));
    server.stop();
    server.start_again();
    assert_eq!(metadata(&server).text(), text("bar"));
    assert_eq!(upstream.requests().len(), asked);
}

#[test]
fn metadata_is_made_where_upstream_knows_no_ranges() {
    let upstream = upstream(Dist::wheel("1.0").requires("bar").padding(300_000));
    upstream.change(|settings| {
        settings.metadata = false;
        settings.ranges = false;
    });
    let server = mirror(&upstream);
    assert_eq!(metadata(&server).text(), text("bar"));
    // The wheel came whole, so it is kept for whoever wants it next.
    assert_eq!(
        http::get(&listed(&server).0).body,
        upstream.content_of(WHEEL)
    );
    // One request to find out that ranges are not understood, one for the file.
    assert_eq!(upstream.count("*.whl").requests, 2);
}

#[test]
fn metadata_is_made_where_upstream_advertises_what_it_does_not_have() {
    let upstream = upstream(Dist::wheel("1.0").requires("bar").padding(BIG));
    let server = mirror(&upstream);
    upstream.fault("*.metadata", Fault::status(404));
    assert_eq!(metadata(&server).text(), text("bar"));
    assert!(upstream.count("*.whl").bytes < 200_000);
}

#[test]
fn metadata_that_is_not_what_the_page_promised_is_refused() {
    let upstream = upstream(Dist::wheel("1.0").wrong_metadata_digest());
    let server = server().mirroring(&upstream).expect_5xx().start();
    let answer = metadata(&server);
    assert_eq!(answer.status, 403);
    assert!(
        answer
            .reason
            .starts_with("`foo-1.0-py3-none-any.whl.metadata` is refused"),
        "{}",
        answer.reason
    );
    assert!(server.staged().is_empty());
}

#[test]
fn a_wheel_without_metadata_is_said_and_no_longer_advertised() {
    let upstream = upstream(Dist::wheel("1.0").metadata(Metadata::Missing));
    let server = server().mirroring(&upstream).expect_5xx().start();
    let answer = metadata(&server);
    assert_eq!(answer.status, 504, "{}", answer.reason);
    assert!(answer.reason.contains("METADATA"), "{}", answer.reason);
    // The file itself is upstream's, and served.
    assert_eq!(
        http::get(&listed(&server).0).body,
        upstream.content_of(WHEEL)
    );
}

fn compiles(installer: Installer) {
    let upstream = upstream(Dist::wheel("1.0").requires("bar").padding(BIG));
    upstream.change(|settings| settings.metadata = false);
    let server = mirror(&upstream);
    let scratch = Scratch::new();
    let input = scratch.file("requirements.in", "foo\n");
    let arguments = [
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--no-annotate",
        "--index-url",
        &server.simple(),
    ];
    let mut arguments = arguments.to_vec();
    arguments.push(input.to_str().unwrap());
    let run = installer.run(&scratch, &arguments);
    run.succeeds();
    assert!(
        run.stdout.contains("bar==2.0\nfoo==1.0\n"),
        "{}",
        run.output()
    );
    let count = upstream.count("*.whl");
    assert!(count.bytes < 400_000, "the wheel was downloaded: {count:?}");
}

#[test]
fn the_oldest_uv_compiles_without_any_wheel_downloaded() {
    compiles(Installer::UvOldest);
}

#[test]
fn the_newest_uv_compiles_without_any_wheel_downloaded() {
    compiles(Installer::UvNewest);
}

#[test]
fn the_newest_clients_check_made_metadata_and_are_content() {
    for installer in [Installer::PipNewest, Installer::UvNewest] {
        let upstream = upstream(Dist::wheel("1.0").requires("bar").padding(300_000));
        upstream.change(|settings| settings.metadata = false);
        let mut server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ["bar==2.0", "foo==1.0"]);
        let metadata = server
            .requests()
            .into_iter()
            .filter(|request| request.path.ends_with(".metadata"));
        assert_eq!(metadata.filter(|request| request.status == 200).count(), 2);
    }
}

#[test]
fn made_metadata_is_the_same_on_every_page() {
    let upstream = upstream(Dist::wheel("1.0").requires("bar"));
    upstream.change(|settings| settings.metadata = false);
    let server = mirror(&upstream);
    let mut seen = BTreeMap::new();
    for _ in 0..3 {
        let (_, advertised) = listed(&server);
        let body = metadata(&server).body;
        seen.insert(body, advertised);
    }
    assert_eq!(seen.len(), 1);
}
