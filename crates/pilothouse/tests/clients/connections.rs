//! How few connections upstream sees, and in which protocol.
//!
//! A mirror keeps pages and files on connections of their own, so that no page waits
//! behind a large file: so there are two to a host that has both.

use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

use testkit::http::{self, Request};
use testkit::{Dist, Fault, Project, Scratch, Server, Upstream, authority};

use crate::{mirror, mirror_with, server, with_every_installer};

const PROJECTS: usize = 12;

fn projects() -> impl Iterator<Item = Project> {
    (0..PROJECTS).map(|n| Project::new(&format!("foo-{n}")).wheel("1.0"))
}

/// A mirror of an upstream behind TLS, which it has to be told to trust.
fn trusting(upstream: &Upstream, keys: &str) -> (Server, Scratch) {
    let scratch = Scratch::new();
    let path = scratch.file("ca.pem", authority());
    let keys = format!("ca-file = \"{}\"\n{keys}", path.display());
    (server().mirroring_with(upstream, &keys).start(), scratch)
}

/// Reads page and wheel of a project.
fn read(server: &Server, n: usize) {
    let page = format!("{}foo-{n}/", server.simple());
    let json = Request::get(&page).json().send();
    assert_eq!(json.status, 200, "{}", json.reason);
    let json = json.json();
    let url = json["files"][0]["url"].as_str().unwrap();
    assert_eq!(http::get(&format!("{page}{url}")).status, 200);
}

/// How many requests for pages and for others came on each connection.
fn shares(upstream: &Upstream) -> BTreeMap<usize, (usize, usize)> {
    let mut shares = BTreeMap::new();
    for request in upstream.requests() {
        let share: &mut (usize, usize) = shares.entry(request.connection).or_default();
        if request.path.starts_with("/simple/") {
            share.0 += 1;
        } else {
            share.1 += 1;
        }
    }
    shares
}

fn of(shares: &BTreeMap<usize, (usize, usize)>) -> Vec<(usize, usize)> {
    let mut all: Vec<_> = shares.values().copied().collect();
    all.sort_unstable();
    all
}

const ONE_EACH: [(usize, usize); 2] = [(0, PROJECTS), (PROJECTS, 0)];

#[test]
fn over_tls_all_goes_through_one_http_2_connection_for_pages_and_one_for_files() {
    let upstream = Upstream::start_tls(projects());
    let (server, _scratch) = trusting(&upstream, "");
    // Who connects at the very same time may not know yet that one is enough.
    read(&server, 0);
    thread::scope(|scope| {
        for n in 1..PROJECTS {
            let server = &server;
            scope.spawn(move || read(server, n));
        }
    });
    assert_eq!(of(&shares(&upstream)), ONE_EACH);
    for request in upstream.requests() {
        assert_eq!(request.version, "HTTP/2", "{request:?}");
    }
}

#[test]
fn without_tls_one_request_after_another_goes_through_the_same_connection() {
    let upstream = Upstream::start(projects());
    let server = mirror(&upstream);
    for n in 0..PROJECTS {
        read(&server, n);
    }
    assert_eq!(of(&shares(&upstream)), ONE_EACH);
    for request in upstream.requests() {
        assert_eq!(request.version, "HTTP/1.1", "{request:?}");
    }
}

// An answer whose body nobody wants must not cost the connection.
#[test]
fn names_that_are_not_there_and_pages_that_have_not_changed_keep_the_connection() {
    let upstream = Upstream::start(projects());
    // Its body comes after its head, as it does over a network.
    let late = Fault::trickle(10, Duration::from_millis(2));
    upstream.fault("/simple/nothing-*", late);
    let server = mirror_with(&upstream, "fresh-for = \"10 ms\"");
    for n in 0..PROJECTS {
        let nothing = http::get(&format!("{}nothing-{n}/", server.simple()));
        assert_eq!(nothing.status, 404);
    }
    testkit::wait_until("a page to be confirmed", || {
        http::get(&format!("{}foo-0/", server.simple()));
        upstream.count("/simple/foo-0/").not_modified > 0
    });
    assert_eq!(shares(&upstream).len(), 1, "{:?}", shares(&upstream));
}

#[test]
fn hosts_have_connections_of_their_own() {
    let pages = Upstream::start_tls(projects());
    let files = Upstream::start_tls(projects());
    // The same certificate holds for both names and both ports: nothing but the origin tells them apart.
    let elsewhere = format!("https://localhost:{}", files.port());
    pages.change(|settings| settings.files_at = Some(elsewhere));
    let (server, _scratch) = trusting(&pages, "file-hosts = [\"localhost\"]");
    for n in 0..PROJECTS {
        read(&server, n);
    }
    assert_eq!(of(&shares(&pages)), [(PROJECTS, 0)]);
    assert_eq!(of(&shares(&files)), [(0, PROJECTS)]);
    let asked = files.requests();
    let hosts = asked.iter().map(|request| request.header("host"));
    assert!(hosts.flatten().all(|host| host.starts_with("localhost:")));
}

#[test]
fn who_vouches_for_upstream_may_also_stand_in_the_environment() {
    let upstream = Upstream::start_tls(projects());
    let scratch = Scratch::new();
    let path = scratch.file("ca.pem", authority());
    let server = server()
        .mirroring(&upstream)
        .env("SSL_CERT_FILE", path.to_str().unwrap())
        .start();
    read(&server, 0);
    assert_eq!(upstream.requests().len(), 2);
}

#[test]
fn a_host_that_nobody_vouches_for_is_said_to_be_one() {
    let upstream = Upstream::start_tls(projects());
    let server = server().mirroring(&upstream).expect_5xx().start();
    let answer = http::get(&format!("{}foo-0/", server.simple()));
    assert_eq!(answer.status, 504);
    assert!(answer.reason.contains("certificate"), "{}", answer.reason);
    assert!(answer.reason.contains("ca-file"), "{}", answer.reason);
    assert_eq!(upstream.requests().len(), 0);
}

with_every_installer! {
    fn an_upstream_behind_tls_is_installed_from(installer) {
        let upstream = Upstream::start_tls([
            Project::new("foo").with(Dist::wheel("1.0").requires("bar").padding(3_000_000)),
            Project::new("bar").sdist("1.0"),
        ]);
        let (server, _scratch) = trusting(&upstream, "");
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ["bar==1.0", "foo==1.0"]);
    }
}
