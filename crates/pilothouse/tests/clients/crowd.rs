//! Many at once, and impatient ones: one transfer upstream, first bytes early.

use std::thread;
use std::time::{Duration, Instant};

use testkit::http::{self, Request};
use testkit::{Content, Dist, Installer, Project, Scratch, Server, Upstream};

use crate::mirror;

const WHEEL: &str = "foo-1.0-py3-none-any.whl";

fn upstream(bytes: usize) -> Upstream {
    Upstream::start([Project::new("foo").with(Dist::wheel("1.0").padding(bytes))])
}

fn file(server: &Server) -> String {
    let page = format!("{}foo/", server.simple());
    let json = Request::get(&page).json().send().json();
    format!("{page}{}", json["files"][0]["url"].as_str().unwrap())
}

#[test]
fn twenty_clients_of_one_cold_file_cause_one_transfer() {
    let upstream = upstream(2_000_000);
    upstream.change(|settings| settings.rate = Some(4_000_000));
    let server = mirror(&upstream);
    let url = file(&server);
    let whole = upstream.content_of(WHEEL);
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| {
                let answer = http::get(&url);
                assert!(answer.whole);
                assert_eq!(answer.body, whole);
            });
        }
    });
    let count = upstream.count("*.whl");
    assert_eq!(
        (count.requests, count.bytes),
        (1, whole.len() as u64),
        "{count:?}"
    );
}

#[test]
fn twenty_clients_of_one_cold_page_cause_one_request() {
    let upstream = upstream(0);
    upstream.fault(
        "/simple/foo/",
        testkit::Fault::delay(Duration::from_millis(300)).times(1),
    );
    let server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    thread::scope(|scope| {
        for _ in 0..20 {
            scope.spawn(|| assert_eq!(http::get(&page).status, 200));
        }
    });
    assert_eq!(upstream.count("/simple/foo/").requests, 1);
}

#[test]
fn five_real_clients_at_once_cause_one_transfer() {
    let upstream = upstream(3_000_000);
    upstream.change(|settings| settings.rate = Some(3_000_000));
    let server = mirror(&upstream);
    thread::scope(|scope| {
        for _ in 0..5 {
            scope.spawn(|| {
                let scratch = Scratch::new();
                let installed = Installer::UvNewest.install(&scratch, &server.simple(), &["foo"]);
                assert_eq!(installed.projects(), ["foo==1.0"]);
            });
        }
    });
    let count = upstream.count("*.whl");
    assert_eq!(
        count.bytes,
        upstream.content_of(WHEEL).len() as u64,
        "{count:?}"
    );
}

// uv opens as many connections as it may, where other servers collapse.
#[test]
fn a_hundred_projects_at_once_are_no_crowd() {
    let names: Vec<String> = (0..100).map(|n| format!("dep-{n}")).collect();
    let upstream = Upstream::start(names.iter().map(|name| Project::new(name).wheel("1.0")));
    let app = names
        .iter()
        .fold(Dist::wheel("1.0"), |app, name| app.requires(name));
    upstream.put(Project::new("app").with(app));
    let server = mirror(&upstream);
    let scratch = Scratch::new().env("UV_CONCURRENT_DOWNLOADS", "50");
    let installed = Installer::UvNewest.install(&scratch, &server.simple(), &["app"]);
    assert_eq!(installed.projects().len(), 101);
    assert_eq!(upstream.count("*.whl").requests, 101);
}

// Each gives up after so much silence: a file that was stored first would take too long.
#[test]
fn a_slow_file_keeps_impatient_clients_fed() {
    for installer in [Installer::PipNewest, Installer::UvNewest] {
        let upstream = upstream(2_400_000);
        upstream.change(|settings| {
            settings.rate = Some(400_000);
            settings.ranges = false;
        });
        let server = mirror(&upstream);
        let scratch = Scratch::new()
            .env("PIP_TIMEOUT", "3")
            .env("PIP_RETRIES", "0")
            .env("UV_HTTP_TIMEOUT", "3")
            .env("UV_HTTP_RETRIES", "0");
        let installed = installer.install(&scratch, &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ["foo==1.0"]);
    }
}

#[test]
fn the_first_byte_comes_as_soon_as_upstreams() {
    let upstream = upstream(4_000_000);
    upstream.change(|settings| settings.rate = Some(1_000_000));
    let server = mirror(&upstream);
    let url = file(&server);
    let begin = Instant::now();
    let mut answer = Request::get(&url).open();
    let head = answer.take(1000).unwrap();
    assert!(
        begin.elapsed() < Duration::from_secs(1),
        "{:?}",
        begin.elapsed()
    );
    let whole = upstream.content_of(WHEEL);
    assert_eq!(Content::from(head), whole.cut(0, 1000));
    // Who comes later starts with what is there and follows.
    let begin = Instant::now();
    let range = Request::get(&url).range("10-99").send();
    assert_eq!((range.status, range.body), (206, whole.cut(10, 100)));
    assert!(
        begin.elapsed() < Duration::from_secs(1),
        "{:?}",
        begin.elapsed()
    );
    assert_eq!(answer.finish().body, whole.cut(1000, whole.len()));
    assert_eq!(upstream.count("*.whl").bytes, whole.len() as u64);
}

#[test]
fn a_client_that_leaves_does_not_stop_the_transfer() {
    let upstream = upstream(2_000_000);
    upstream.change(|settings| settings.rate = Some(2_000_000));
    let server = mirror(&upstream);
    let url = file(&server);
    drop(Request::get(&url).open());
    let size = upstream.content_of(WHEEL).len() as u64;
    upstream.wait_for("the whole file sent", |requests| {
        requests.iter().any(|request| request.bytes == size)
    });
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    assert_eq!(upstream.count("*.whl").requests, 1);
}

#[test]
fn a_large_file_comes_over_several_connections_when_each_is_slow() {
    let upstream = upstream(24 << 20);
    upstream.change(|settings| settings.rate = Some(4 << 20));
    let server = mirror(&upstream);
    let url = file(&server);
    let begin = Instant::now();
    let answer = http::get(&url);
    let took = begin.elapsed();
    assert_eq!(answer.body, upstream.content_of(WHEEL));
    // Six seconds on one connection.
    assert!(took < Duration::from_millis(4500), "{took:?}");
    let count = upstream.count("*.whl");
    assert!(count.ranged >= 2, "{count:?}");
    let size = answer.body.len() as u64;
    assert!(count.bytes < size + size / 4, "{count:?}");
}
