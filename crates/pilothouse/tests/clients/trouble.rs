//! Upstream in trouble while we have an answer: the answer is served.

use std::time::{Duration, Instant};

use testkit::http::{self, Reply, Request};
use testkit::{Fault, Project, Scratch, Upstream};

use crate::{mirror_with, with_every_installer};

fn upstream() -> Upstream {
    Upstream::start([Project::new("foo").wheel("1.0")])
}

/// Every page is stale at once.
const STALE: &str = "fresh-for = \"10 ms\"";

/// Where an answer came from.
const CACHE: &str = "X-Pilothouse-Cache";

/// Asks until the answer comes from there, for a page is fresh for a moment.
fn wait_for(page: &str, cache: &str) -> Reply {
    let mut answer = http::get(page);
    testkit::wait_until(&format!("an answer that is {cache}"), || {
        answer = http::get(page);
        answer.header(CACHE) == Some(cache)
    });
    answer
}

with_every_installer! {
    fn a_stale_page_is_served_while_upstream_fails(installer) {
        let upstream = upstream();
        let server = mirror_with(&upstream, STALE);
        installer.install(&Scratch::new(), &server.simple(), &["foo"]).projects();
        for status in [500, 502, 503, 429, 404] {
            upstream.heal();
            upstream.fault("*.whl", Fault::status(status));
            if status != 404 {
                upstream.fault("/simple/*", Fault::status(status));
            }
            let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
            assert_eq!(installed.projects(), ["foo==1.0"]);
        }
    }
}

#[test]
fn a_stale_page_says_so_and_why() {
    let mut upstream = upstream();
    let server = mirror_with(&upstream, STALE);
    let page = format!("{}foo/", server.simple());
    assert_eq!(http::get(&page).header(CACHE), Some("miss"));
    upstream.stop();
    let warning = || {
        let stale = wait_for(&page, "stale");
        assert_eq!(stale.status, 200);
        stale.header("Warning").unwrap().to_owned()
    };
    assert!(
        warning().starts_with("110 - \"Response is Stale: "),
        "{}",
        warning()
    );
    testkit::wait_until("the reason to be known", || {
        warning().contains("no connection")
    });
}

#[test]
fn a_stale_page_is_confirmed_without_its_body() {
    let upstream = upstream();
    let server = mirror_with(&upstream, STALE);
    let page = format!("{}foo/", server.simple());
    let first = Request::get(&page).json().send();
    wait_for(&page, "revalidated");
    let count = upstream.count("/simple/foo/");
    assert_eq!(count.whole, 1, "{count:?}");
    assert!(count.not_modified >= 1, "{count:?}");
    assert_eq!(Request::get(&page).json().send().body, first.body);
}

#[test]
fn a_new_release_shows_once_the_page_is_stale() {
    let upstream = upstream();
    let server = mirror_with(&upstream, STALE);
    let page = format!("{}foo/", server.simple());
    assert!(!http::get(&page).text().contains("foo-2.0"));
    upstream.put(Project::new("foo").wheel("1.0").wheel("2.0"));
    testkit::wait_until("the new release", || {
        http::get(&page).text().contains("foo-2.0")
    });
}

#[test]
fn a_page_that_hangs_upstream_is_served_stale_in_time() {
    let upstream = upstream();
    let server = mirror_with(&upstream, STALE);
    let page = format!("{}foo/", server.simple());
    assert_eq!(http::get(&page).status, 200);
    upstream.fault("*", Fault::hang());
    let begin = Instant::now();
    wait_for(&page, "stale");
    // pip gives up after 15 s of silence.
    assert!(
        begin.elapsed() < Duration::from_secs(6),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn a_project_that_left_upstream_is_gone_here_too() {
    let upstream = upstream();
    let server = mirror_with(&upstream, STALE);
    let page = format!("{}foo/", server.simple());
    assert_eq!(http::get(&page).status, 200);
    upstream.remove("foo");
    testkit::wait_until("the project to be gone", || http::get(&page).status == 404);
}

#[test]
fn a_passing_fault_of_upstream_is_not_seen_at_all() {
    let upstream = upstream();
    let server = mirror_with(&upstream, "");
    upstream.fault("/simple/foo/", Fault::status(502).times(2));
    assert_eq!(http::get(&format!("{}foo/", server.simple())).status, 200);
    assert_eq!(upstream.count("/simple/foo/").requests, 3);
}
