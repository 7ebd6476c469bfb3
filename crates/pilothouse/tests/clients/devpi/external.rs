//! A mirror with `mirror_use_external_urls`: its pages are ours, its files stay upstream.

use serde_json::json;
use testkit::http::{self, Request};
use testkit::{Devpi, DevpiServer, Dist, Installer, Metadata, Project, Scratch, Server, Upstream};

use super::moving::json_of;
use crate::server;

const SETTINGS: &str = "type=mirror mirror_use_external_urls=True mirror_ignore_serial_header=True";

/// Alice, with a mirror of the upstream and an index over it.
fn furnish(url: &str, upstream: &Upstream) -> Devpi {
    let alice = Devpi::new();
    for line in [
        &format!("use {url}"),
        "user -c alice password=secret",
        "login alice --password=secret",
        &format!(
            "index -c mirror {SETTINGS} mirror_url={}",
            upstream.simple()
        ),
        "index -c dev bases=alice/mirror",
    ] {
        let words: Vec<&str> = line.split(' ').collect();
        alice.run(&words).succeeds();
    }
    alice
}

/// What is answered for the only file of `bar` that matters.
fn answered(url: &str, index: &str) -> (u16, Option<String>) {
    let page = format!("{url}/{index}/+simple/bar/");
    let page = Request::get(&page)
        .header("Accept", "application/vnd.pypi.simple.v1+json")
        .send()
        .json();
    let files = page["files"].as_array().unwrap();
    let mut files = files.iter().map(|file| file["url"].as_str().unwrap());
    let file = files.find(|file| file.ends_with("bar-1.1-py3-none-any.whl"));
    let file = file.unwrap().trim_start_matches("../");
    let base = if file.starts_with("+f/") {
        format!("{url}/{index}")
    } else {
        url.to_owned()
    };
    let answer = Request::get(&format!("{base}/{file}")).send();
    (answer.status, answer.header("Location").map(str::to_owned))
}

fn kept(server: &Server) -> Vec<String> {
    let ended = server.run(["cache", "ls", "--json"]);
    let told: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let files = told["files"].as_array().unwrap().iter();
    files
        .map(|file| file["filename"].as_str().unwrap().to_owned())
        .collect()
}

#[test]
fn clients_get_files_from_upstream_and_nothing_is_kept() {
    let upstream = super::upstream();
    let server = server().mirroring(&upstream).start();
    let alice = furnish(server.url(), &upstream);
    let there = upstream.path_of("bar-1.1-py3-none-any.whl");
    let there = format!("{}{there}", upstream.origin());
    for index in ["alice/mirror", "alice/dev"] {
        assert_eq!(answered(server.url(), index), (302, Some(there.clone())));
        let page = server.index(index);
        let installed = Installer::PipNewest.install(&Scratch::new(), &page, &["bar"]);
        assert_eq!(installed.projects(), ["bar==1.1"]);
        let installed = Installer::UvNewest.install(&Scratch::new(), &page, &["bar"]);
        assert_eq!(installed.projects(), ["bar==1.1"]);
    }
    assert_eq!(kept(&server), Vec::<String>::new());
    // What is to be pushed would have to be here.
    alice.run(&["use", "alice/mirror"]).succeeds();
    alice
        .run(&["push", "bar==1.1", "alice/dev"])
        .fails()
        .says("is not kept here");
    // Without the setting the file comes through here, and stays.
    alice
        .run(&["index", "alice/mirror", "mirror_use_external_urls=False"])
        .succeeds();
    assert_eq!(answered(server.url(), "alice/dev").0, 200);
    alice
        .run(&["index", "alice/mirror", "mirror_use_external_urls=True"])
        .succeeds();
    assert_eq!(answered(server.url(), "alice/dev").0, 200);
    assert_eq!(kept(&server), ["bar-1.1-py3-none-any.whl"]);
    let settings = json_of(&format!("{}/alice/mirror?no_projects=", server.url()));
    assert_eq!(
        settings["result"]["mirror_ignore_serial_header"],
        json!(true)
    );
}

// The tail of a wheel is not to be had: all of it is read for its metadata, and dropped.
#[test]
fn metadata_that_is_made_leaves_no_file_here_either() {
    let wheel = Dist::wheel("1.1").metadata(Metadata::InWheel);
    let upstream = Upstream::start([Project::new("bar").with(wheel.padding(3_000_000))]);
    upstream.change(|settings| settings.ranges = false);
    let server = server().mirroring(&upstream).start();
    furnish(server.url(), &upstream);
    let page = server.index("alice/mirror");
    let json = Request::get(&format!("{page}bar/"))
        .header("Accept", "application/vnd.pypi.simple.v1+json")
        .send()
        .json();
    let file = json["files"][0]["url"].as_str().unwrap();
    let metadata = http::get(&format!("{page}bar/{file}.metadata"));
    assert_eq!(metadata.status, 200, "{}", metadata.text());
    assert!(metadata.text().contains("\nVersion: 1.1\n"));
    assert_eq!(kept(&server), Vec::<String>::new());
    assert_eq!(answered(server.url(), "alice/mirror").0, 302);
}

#[test]
fn a_server_of_devpis_answers_the_same() {
    let upstream = super::upstream();
    let devpi = DevpiServer::new().start();
    furnish(&devpi.url(), &upstream);
    let there = upstream.path_of("bar-1.1-py3-none-any.whl");
    let there = format!("{}{there}", upstream.origin());
    let (status, location) = answered(&devpi.url(), "alice/mirror");
    assert_eq!(status, 302);
    assert_eq!(location.unwrap().split('#').next(), Some(&*there));
    assert_eq!(http::get(&there).status, 200);
}
