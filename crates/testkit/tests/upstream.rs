//! The fake upstream does what tests will blame the server for.

use std::time::{Duration, Instant};

use testkit::http::{self, Request};
use testkit::{Auth, Dist, Fault, Pages, Project, Upstream};

fn foo() -> Upstream {
    Upstream::start([Project::new("Foo").wheel("1.0").sdist("1.1")])
}

const WHEEL: &str = "foo-1.0-py3-none-any.whl";

#[test]
fn pages_come_in_the_form_asked_for() {
    let upstream = foo();
    let page = format!("{}foo/", upstream.simple());
    let json = Request::get(&page).json().send();
    assert_eq!(json.json()["files"][1]["filename"], "foo-1.1.tar.gz");
    assert_eq!(json.json()["meta"]["api-version"], "1.4");
    assert!(
        http::get(&page)
            .text()
            .contains("data-core-metadata=\"sha256=")
    );
    upstream.change(|settings| settings.pages = Pages::Html);
    let html = Request::get(&page).json().send();
    assert_eq!(
        html.header("Content-Type"),
        Some("text/html; charset=UTF-8")
    );
    assert_eq!(http::get(&format!("{}bar/", upstream.simple())).status, 404);
    assert_eq!(http::get(&format!("{}FOO/", upstream.simple())).status, 301);
}

#[test]
fn conditions_and_ranges_are_understood_and_counted() {
    let upstream = foo();
    let url = upstream.origin() + &upstream.path_of(WHEEL);
    let whole = http::get(&url);
    assert_eq!(whole.body, upstream.content_of(WHEEL));
    let etag = whole.header("ETag").unwrap().to_owned();
    let known = Request::get(&url).header("If-None-Match", &etag).send();
    assert_eq!(known.status, 304);
    let tail = Request::get(&url).range("-10").send();
    assert_eq!((tail.status, tail.body.len()), (206, 10));
    let rest = Request::get(&url)
        .range("5-")
        .header("If-Range", &etag)
        .send();
    assert_eq!(rest.body, whole.body.cut(5, whole.body.len()));
    let changed = Request::get(&url)
        .range("5-")
        .header("If-Range", "\"x\"")
        .send();
    assert_eq!(changed.status, 200);
    assert_eq!(
        http::head(&url).header("Content-Length"),
        whole.header("Content-Length")
    );
    assert_eq!(Request::get(&url).range("9999999-").send().status, 416);
    let count = upstream.count("*.whl");
    assert_eq!((count.requests, count.ranged, count.head), (7, 4, 1));
    assert_eq!(
        (count.conditional, count.not_modified, count.whole),
        (1, 1, 2)
    );
    assert!(
        http::get(&(url + ".metadata"))
            .text()
            .contains("Name: Foo\n")
    );
}

#[test]
fn bodies_break_where_the_fault_says() {
    let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").padding(500_000))]);
    let url = upstream.origin() + &upstream.path_of(WHEEL);
    let content = upstream.content_of(WHEEL);
    for fault in [Fault::truncate(1000), Fault::reset(1000)] {
        upstream.fault("*.whl", fault.times(1));
        let cut = http::get(&url);
        assert!(!cut.whole);
        assert_eq!(cut.body.len(), 1000);
    }
    upstream.fault("*.whl", Fault::corrupt(70_000).times(1));
    let corrupt = http::get(&url);
    let wrong: Vec<_> = (0..content.len())
        .filter(|at| corrupt.body[*at] != content[*at])
        .collect();
    assert_eq!(wrong, [70_000]);
    upstream.fault(
        "*.whl",
        Fault::status(503).header("Retry-After", "1").times(1),
    );
    assert_eq!(http::get(&url).header("Retry-After"), Some("1"));
    assert_eq!(http::get(&url).body, content);
}

#[test]
fn slow_bodies_are_slow() {
    let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").padding(100_000))]);
    upstream.change(|settings| settings.rate = Some(200_000));
    let begin = Instant::now();
    let whole = http::get(&(upstream.origin() + &upstream.path_of(WHEEL)));
    assert!(whole.whole);
    assert!(begin.elapsed() > Duration::from_millis(400));
}

#[test]
fn credentials_are_asked_for() {
    let upstream = foo();
    upstream.change(|settings| settings.auth = Auth::Basic("me".into(), "secret".into()));
    let page = format!("{}foo/", upstream.simple());
    assert_eq!(http::get(&page).status, 401);
    let shown = Request::get(&page).header("Authorization", "Basic bWU6c2VjcmV0");
    assert_eq!(shown.send().status, 200);
}

#[test]
fn it_can_be_stopped_and_started_on_the_same_port() {
    let mut upstream = foo();
    let page = format!("{}foo/", upstream.simple());
    assert_eq!(http::get(&page).status, 200);
    upstream.stop();
    assert!(Request::get(&page).try_open().is_err());
    upstream.start_again();
    assert_eq!(http::get(&page).status, 200);
}

#[test]
fn stopping_ends_those_who_hang() {
    let mut upstream = foo();
    upstream.fault("*", Fault::hang());
    let page = format!("{}foo/", upstream.simple());
    let hanging = std::thread::spawn(move || Request::get(&page).try_open().is_err());
    upstream.wait_for("the request", |requests| !requests.is_empty());
    upstream.stop();
    assert!(hanging.join().unwrap());
}
