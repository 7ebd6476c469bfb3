//! What stands at the door for every client: conditions, ranges, codings, HEAD.

use testkit::http::{self, Request};
use testkit::{Dist, Project, Server, Upstream};

use crate::mirror;

const WHEEL: &str = "foo-1.0+local.1-py3-none-any.whl";

fn upstream() -> Upstream {
    Upstream::start([Project::new("foo").with(Dist::wheel("1.0+local.1").padding(200_000))])
}

fn file(server: &Server) -> String {
    let page = format!("{}foo/", server.simple());
    let json = Request::get(&page).json().send().json();
    format!("{page}{}", json["files"][0]["url"].as_str().unwrap())
}

#[test]
fn a_page_is_confirmed_by_its_etag_in_each_form() {
    let upstream = upstream();
    let server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    let mut etags = Vec::new();
    for accept in ["application/vnd.pypi.simple.v1+json", "text/html"] {
        for encoding in ["identity", "gzip", "zstd"] {
            let ask = || {
                Request::get(&page)
                    .header("Accept", accept)
                    .header("Accept-Encoding", encoding)
            };
            let answer = ask().send();
            assert_eq!(answer.status, 200);
            let coding = answer.header("Content-Encoding");
            assert_eq!(
                coding,
                Some(encoding).filter(|coding| *coding != "identity")
            );
            assert!(answer.header("Cache-Control").unwrap().contains("max-age="));
            let etag = answer.header("ETag").unwrap().to_owned();
            let known = ask().header("If-None-Match", &etag).send();
            assert_eq!((known.status, known.body.len()), (304, 0));
            assert_eq!(known.header("ETag"), Some(etag.as_str()));
            let head = Request::new("HEAD", &page)
                .header("Accept", accept)
                .header("Accept-Encoding", encoding)
                .send();
            assert_eq!(
                head.header("Content-Length"),
                answer.header("Content-Length")
            );
            etags.push(etag);
        }
    }
    etags.sort();
    etags.dedup();
    assert_eq!(etags.len(), 6, "one etag for each representation");
    assert_eq!(upstream.count("/simple/foo/").requests, 1);
}

#[test]
fn a_page_stays_the_same_over_a_restart() {
    let upstream = upstream();
    let mut server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    let etag = http::get(&page).header("ETag").unwrap().to_owned();
    server.stop();
    server.start_again();
    let known = Request::get(&page).header("If-None-Match", &etag).send();
    assert_eq!(known.status, 304);
    assert_eq!(upstream.count("/simple/foo/").requests, 1);
}

#[test]
fn files_are_sent_as_they_are_and_for_ever() {
    let upstream = upstream();
    let server = mirror(&upstream);
    let whole = upstream.content_of(WHEEL);
    let url = file(&server);
    for _ in 0..2 {
        let answer = Request::get(&url)
            .header("Accept-Encoding", "gzip, zstd")
            .send();
        assert_eq!(answer.header("Content-Encoding"), None);
        assert_eq!(answer.body, whole);
        assert_eq!(answer.header("Accept-Ranges"), Some("bytes"));
        assert_eq!(
            answer.header("Cache-Control"),
            Some("public, max-age=31536000, immutable")
        );
        assert_eq!(answer.header("Set-Cookie"), None);
        let etag = answer.header("ETag").unwrap();
        assert!(
            etag.starts_with('"'),
            "strong, so that pip can resume: {etag}"
        );
        let known = Request::get(&url).header("If-None-Match", etag).send();
        assert_eq!(known.status, 304);
    }
    assert_eq!(upstream.count("*.whl").requests, 1);
}

#[test]
fn a_plus_may_be_written_either_way() {
    let upstream = upstream();
    let server = mirror(&upstream);
    let url = file(&server);
    let tail = url.split("/+f/").nth(1).unwrap();
    for tail in [
        tail.replace("%2B", "+"),
        tail.replace('+', "%2B"),
        tail.replace('+', "%2b"),
    ] {
        let answer = http::get(&format!("{}/+f/{tail}", server.url()));
        assert_eq!(
            (answer.status, answer.body.len()),
            (200, upstream.content_of(WHEEL).len()),
            "{tail}"
        );
        let answer = http::get(&format!("{}/root/pypi/+f/{tail}.metadata", server.url()));
        assert_eq!(answer.status, 200, "{tail}");
    }
    assert_eq!(upstream.count("*.whl").requests, 1);
}

#[test]
fn ranges_hold_cold_and_warm() {
    let upstream = upstream();
    let whole = upstream.content_of(WHEEL);
    let size = whole.len();
    let server = mirror(&upstream);
    let url = file(&server);
    for round in ["cold", "warm"] {
        for (range, expected) in [
            ("0-0".to_owned(), whole.cut(0, 1)),
            ("5-99".to_owned(), whole.cut(5, 100)),
            (format!("{}-", size - 7), whole.cut(size - 7, size)),
            ("-1000".to_owned(), whole.cut(size - 1000, size)),
            (format!("10-{}", size * 2), whole.cut(10, size)),
        ] {
            let answer = Request::get(&url).range(&range).send();
            assert_eq!(answer.status, 206, "{round} {range}");
            assert_eq!(answer.body, expected, "{round} {range}");
            let content_range = answer.header("Content-Range").unwrap();
            assert!(
                content_range.ends_with(&format!("/{size}")),
                "{content_range}"
            );
        }
        let beyond = Request::get(&url).range(&format!("{size}-")).send();
        assert_eq!(beyond.status, 416, "{round}");
        assert_eq!(
            beyond.header("Content-Range"),
            Some(format!("bytes */{size}").as_str())
        );
        let etag = http::head(&url).header("ETag").unwrap().to_owned();
        let same = Request::get(&url)
            .range("1-2")
            .header("If-Range", &etag)
            .send();
        assert_eq!(
            (same.status, &same.body[..]),
            (206, &whole[1..3]),
            "{round}"
        );
        let other = Request::get(&url)
            .range("1-2")
            .header("If-Range", "\"other\"")
            .send();
        assert_eq!((other.status, other.body.len()), (200, size), "{round}");
    }
    assert_eq!(upstream.count("*.whl").bytes, size as u64);
}

#[test]
fn pages_and_what_stands_beside_files_have_parts_too() {
    let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").provenance())]);
    let server = mirror(&upstream);
    let url = file(&server);
    let page = format!("{}foo/", server.simple());
    for url in [page, format!("{url}.metadata"), format!("{url}.provenance")] {
        let whole = http::get(&url);
        let etag = whole.header("ETag").unwrap();
        let head = http::head(&url);
        assert_eq!(head.header("ETag"), Some(etag), "{url}");
        assert_eq!(head.header("Accept-Ranges"), Some("bytes"), "{url}");
        let ask = |held| {
            let asked = Request::get(&url).range("3-9").header("If-Range", held);
            let reply = asked.send();
            (reply.status, reply.body)
        };
        assert_eq!(ask(etag), (206, whole.body.cut(3, 10)), "{url}");
        assert_eq!(ask("\"other\""), (200, whole.body.clone()), "{url}");
    }
}

#[test]
fn asking_for_the_head_of_a_cold_file_answers_its_size() {
    let upstream = upstream();
    let server = mirror(&upstream);
    let head = http::head(&file(&server));
    assert_eq!(head.status, 200);
    let size = upstream.content_of(WHEEL).len().to_string();
    assert_eq!(head.header("Content-Length"), Some(size.as_str()));
    assert_eq!(head.body.len(), 0);
}

#[test]
fn health_readiness_and_metrics_answer() {
    let upstream = upstream();
    let server = mirror(&upstream);
    http::get(&file(&server));
    for path in ["/+health", "/+ready", "/"] {
        assert_eq!(
            http::get(&format!("{}{path}", server.url())).status,
            200,
            "{path}"
        );
    }
    let metrics = http::get(&format!("{}/+metrics", server.url()));
    assert!(
        metrics.text().contains("# TYPE pilothouse_"),
        "{}",
        metrics.text()
    );
    let stats = server.run(["stats", &format!("--url={}", server.url())]);
    assert!(stats.stdout.len() + stats.stderr.len() > 0);
}
