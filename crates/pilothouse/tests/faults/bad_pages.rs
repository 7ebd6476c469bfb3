//! Pages that are no pages: an answer in words, and what we had before stays.

use std::time::{Duration, Instant};

use testkit::http::{self, Reply, Request};
use testkit::{Fault, Server};

use crate::{server, upstream};

const JSON: &str = "application/vnd.pypi.simple.v1+json";

fn ask(fault: Fault) -> (Reply, Server) {
    let upstream = upstream(0);
    let server = server()
        .mirroring_with(&upstream, "read-timeout = \"1 s\"")
        .expect_5xx()
        .start();
    upstream.fault("/simple/foo/", fault);
    let begin = Instant::now();
    let answer = http::get(&format!("{}foo/", server.simple()));
    // pip hears nothing after 15 s.
    assert!(
        begin.elapsed() < Duration::from_secs(14),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(answer.json()["detail"], answer.reason);
    assert_eq!(http::get(&format!("{}/+health", server.url())).status, 200);
    (answer, server)
}

#[track_caller]
fn is_wrong(answer: &Reply, words: &str) {
    assert_eq!(answer.status, 504, "{}", answer.reason);
    let begin = "upstream of `root/pypi` sent something wrong for project `foo`: ";
    assert!(answer.reason.starts_with(begin), "{}", answer.reason);
    assert!(
        answer.reason.contains(words),
        "no `{words}` in {}",
        answer.reason
    );
}

#[track_caller]
fn is_down(answer: &Reply, words: &str) {
    assert_eq!(answer.status, 504, "{}", answer.reason);
    assert!(
        answer.reason.contains(words),
        "no `{words}` in {}",
        answer.reason
    );
}

#[test]
fn broken_json_is_wrong() {
    is_wrong(&ask(Fault::body(JSON, "{\"files\": [")).0, "malformed");
}

#[test]
fn json_of_another_sort_is_wrong() {
    is_wrong(&ask(Fault::body(JSON, "[1, 2]")).0, "malformed");
}

#[test]
fn another_content_type_is_wrong() {
    is_wrong(
        &ask(Fault::body("application/json", "{}")).0,
        "`application/json`",
    );
}

#[test]
fn a_truncated_page_is_not_taken_for_a_page() {
    is_down(&ask(Fault::truncate(20)).0, "");
}

#[test]
fn a_page_that_hangs_is_given_up_in_time() {
    is_down(&ask(Fault::hang()).0, "silent for too long");
}

#[test]
fn a_page_that_stalls_is_given_up_in_time() {
    is_down(&ask(Fault::stall(20)).0, "silent for too long");
}

#[test]
fn an_endless_page_is_cut_off() {
    is_wrong(
        &ask(Fault::endless().header("Content-Type", JSON)).0,
        "longer than",
    );
}

#[test]
fn a_status_that_means_nothing_is_wrong_and_how_to_allow_it_is_said() {
    is_wrong(
        &ask(Fault::status(403)).0,
        "add 403 to `missing` of this mirror",
    );
}

#[test]
fn an_upstream_that_fails_and_fails_is_down() {
    is_down(&ask(Fault::status(500)).0, "500");
}

#[test]
fn too_many_requests_is_down_with_the_time_to_wait() {
    let (answer, _server) = ask(Fault::status(429).header("Retry-After", "25"));
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("Retry-After"), Some("25"));
}

#[test]
fn one_bad_link_costs_that_link_alone() {
    let upstream = upstream(0);
    let server = server().mirroring(&upstream).start();
    let good = upstream.path_of(crate::WHEEL);
    let page = format!(
        "<html><body><a href=\"{good}\">{}</a>\
         <a href=\"{good}#sha256=zz\">foo-2.0-py3-none-any.whl</a>\
         <a href=\"http://[::1/x.whl\">foo-3.0-py3-none-any.whl</a>\
         <a href=\"../../evil\">../../../etc/passwd</a>\
         <a href=\"file:///etc/passwd\">foo-4.0-py3-none-any.whl</a>\
         <a>no link</a></body>",
        crate::WHEEL
    );
    upstream.fault("/simple/foo/", Fault::body("text/html", &page));
    let answer = Request::get(&format!("{}foo/", server.simple()))
        .json()
        .send();
    assert_eq!(answer.status, 200, "{}", answer.reason);
    let json = answer.json();
    let names: Vec<_> = json["files"]
        .as_array()
        .unwrap()
        .iter()
        .map(|file| file["filename"].as_str().unwrap())
        .collect();
    assert!(names.contains(&crate::WHEEL), "{names:?}");
    assert!(names.iter().all(|name| !name.contains('/')), "{names:?}");
    for file in json["files"].as_array().unwrap() {
        let url = file["url"].as_str().unwrap();
        assert!(!url.contains("etc/passwd"), "{url}");
    }
}

#[test]
fn a_good_page_is_kept_through_every_bad_one() {
    let upstream = upstream(0);
    let server = server()
        .mirroring_with(
            &upstream,
            "fresh-for = \"10 ms\"\nread-timeout = \"500 ms\"",
        )
        .start();
    let page = format!("{}foo/", server.simple());
    let good = http::get(&page);
    assert_eq!(good.status, 200);
    for fault in [
        Fault::body(JSON, "{"),
        Fault::body("application/json", "{}"),
        Fault::truncate(10),
        Fault::stall(10),
        Fault::hang(),
        Fault::status(500),
        Fault::status(403),
        Fault::redirect("file:///etc/passwd"),
    ] {
        upstream.heal();
        let before = upstream.requests().len();
        upstream.fault("/simple/foo/", fault);
        upstream.wait_for("the page asked for again", |requests| {
            let answer = http::get(&page);
            assert_eq!((answer.status, &answer.body), (200, &good.body));
            requests.len() > before
        });
    }
}

#[test]
fn an_address_that_answers_404_to_every_name_is_doubted_once() {
    let upstream = upstream(0);
    let doubts = |server: &Server| {
        server
            .log()
            .matches("may not be that of a Simple index")
            .count()
    };
    let missing = |server: &Server, name: &str| {
        let answer = http::get(&format!("{}{name}/", server.simple()));
        assert_eq!(answer.status, 404);
    };
    let wrong = format!("{}/no-index-here/", upstream.origin());
    let mut server = server().arguments(["--upstream", &wrong]).start();
    missing(&server, "foo");
    missing(&server, "bar");
    server.stop();
    assert_eq!(doubts(&server), 1, "{}", server.log());
    let mut right = crate::server().mirroring(&upstream).start();
    assert_eq!(http::get(&format!("{}foo/", right.simple())).status, 200);
    missing(&right, "bar");
    right.stop();
    right.start_again();
    missing(&right, "baz");
    right.stop();
    assert_eq!(doubts(&right), 0, "{}", right.log());
}
