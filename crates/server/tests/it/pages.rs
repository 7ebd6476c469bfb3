//! Project pages: forms, validators, redirects, freshness.

use std::io::Read;
use std::time::Duration;

use index::{Cache, Error};

use crate::client::Reply;
use crate::site::Site;
use crate::source::{LONG, answer, project};

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "application/vnd.pypi.simple.v1+html";
const LEGACY: &str = "text/html; charset=utf-8";
const UV: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

fn plain(reply: &Reply) -> Vec<u8> {
    match reply.header("content-encoding") {
        None => reply.body.clone(),
        Some("zstd") => zstd::decode_all(reply.body.as_slice()).unwrap(),
        Some("gzip") => {
            let mut plain = Vec::new();
            flate2::read::GzDecoder::new(reply.body.as_slice())
                .read_to_end(&mut plain)
                .unwrap();
            plain
        }
        Some(other) => panic!("{other}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_form_of_a_page_is_negotiated_and_has_a_tag_of_its_own() {
    let site = Site::start().await;
    site.source.fresh("foo", 20);
    let mut client = site.client().await;
    let formats = [
        (UV, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (HTML, HTML),
        ("text/html", LEGACY),
        ("*/*", LEGACY),
    ];
    let mut tags = std::collections::BTreeMap::new();
    for (accept, content_type) in formats {
        for coding in ["identity", "gzip", "gzip, deflate, zstd"] {
            let headers = [("Accept", accept), ("Accept-Encoding", coding)];
            let cold = client.get("/root/pypi/+simple/foo/", &headers).await;
            let warm = client.get("/simple/foo/", &headers).await;
            assert_eq!((cold.status, warm.status), (200, 200));
            assert_eq!(cold.header("content-type"), Some(content_type));
            assert_eq!(cold.header("vary"), Some("Accept, Accept-Encoding"));
            assert_eq!(cold.header("cache-control"), Some("public, max-age=60"));
            assert_eq!(cold.header("x-pypi-last-serial"), Some("42"));
            assert_eq!(warm.header("x-pilothouse-cache"), Some("hit"));
            assert_eq!(warm.body, cold.body);
            assert_eq!(warm.header("etag"), cold.header("etag"));
            let text = String::from_utf8(plain(&cold)).unwrap();
            assert!(
                text.contains("../../+f/packages/ab/cd/foo-1.7.tar.gz"),
                "{text}"
            );
            let form = (content_type, coding);
            tags.insert(cold.header("etag").unwrap().to_owned(), form);
        }
    }
    assert_eq!(tags.len(), 9, "three formats in three codings: {tags:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_query_beats_the_header_and_what_we_do_not_speak_is_406() {
    let site = Site::start().await;
    site.source.fresh("foo", 1);
    let mut client = site.client().await;
    for query in [
        "format=application/vnd.pypi.simple.v1%2Bjson",
        "format=application/vnd.pypi.simple.v1+json",
    ] {
        let reply = client
            .get(&format!("/simple/foo/?{query}"), &[("Accept", "text/html")])
            .await;
        assert_eq!(reply.header("content-type"), Some(JSON), "{query}");
    }
    let reply = client.get("/simple/foo/", &[("Accept", "image/png")]).await;
    assert_eq!(
        reply.problem(),
        "406 urn:pilothouse:not-acceptable this index speaks application/vnd.pypi.simple.v1+json, \
         application/vnd.pypi.simple.v1+html and text/html"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_page_that_the_client_has_is_304_cold_and_warm() {
    let site = Site::start().await;
    site.source.fresh("foo", 3);
    let mut client = site.client().await;
    let full = client.get("/simple/foo/", &[("Accept", UV)]).await;
    let tag = full.header("etag").unwrap();
    let expired = project("bar", 3);
    site.source.page(
        "bar",
        Ok(Some(answer(&expired, Cache::Revalidated, Duration::ZERO))),
    );
    let cold_tag = client
        .get("/simple/bar/", &[])
        .await
        .header("etag")
        .unwrap()
        .to_owned();
    for held in [
        tag.to_owned(),
        format!("W/{tag}"),
        format!("\"x\", {tag}"),
        "*".to_owned(),
    ] {
        let reply = client
            .get("/simple/foo/", &[("Accept", UV), ("If-None-Match", &held)])
            .await;
        assert_eq!(
            (reply.status, reply.header("etag")),
            (304, Some(tag)),
            "{held}"
        );
        assert_eq!(reply.header("vary"), Some("Accept, Accept-Encoding"));
        assert_eq!(reply.header("cache-control"), Some("public, max-age=60"));
        assert_eq!(
            (reply.header("content-length"), reply.header("content-type")),
            (None, None)
        );
    }
    let cold = client
        .get("/simple/bar/", &[("If-None-Match", &cold_tag)])
        .await;
    assert_eq!((cold.status, cold.header("content-length")), (304, None));
    let other_form = client
        .get("/simple/foo/", &[("Accept", HTML), ("If-None-Match", tag)])
        .await;
    assert_eq!(other_form.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn head_says_what_get_would_say() {
    let site = Site::start().await;
    site.source.fresh("foo", 3);
    let mut client = site.client().await;
    for _ in ["cold", "warm"] {
        let head = client.head("/simple/foo/", &[]).await;
        let get = client.get("/simple/foo/", &[]).await;
        assert_eq!(head.status, 200);
        for name in [
            "content-length",
            "content-type",
            "etag",
            "vary",
            "cache-control",
        ] {
            assert_eq!(head.header(name), get.header(name), "{name}");
        }
        assert_eq!(
            get.header("content-length").unwrap(),
            get.body.len().to_string()
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn unusual_spellings_are_redirected_by_relative_locations() {
    let site = Site::start().await;
    site.source.fresh("foo-bar", 1);
    let mut client = site.client().await;
    for (path, location) in [
        ("/simple/Foo_Bar/", "../foo-bar/"),
        ("/simple/foo.bar/?format=x", "../foo-bar/?format=x"),
        ("/root/pypi/+simple/FOO-BAR/", "../foo-bar/"),
        ("/simple/foo-bar", "foo-bar/"),
        ("/root/pypi/+simple/Foo_Bar?a=b", "foo-bar/?a=b"),
        ("/simple", "simple/"),
        ("/root/pypi/+simple", "+simple/"),
    ] {
        let reply = client.get(path, &[]).await;
        assert_eq!(
            (reply.status, reply.header("location")),
            (301, Some(location)),
            "{path}"
        );
    }
    assert_eq!(client.get("/simple/foo%2Dbar/", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_exist_is_404_in_body_and_reason_phrase() {
    let site = Site::start().await;
    let mut client = site.client().await;
    for (path, want) in [
        (
            "/simple/nope/",
            "404 urn:pilothouse:no-such-project `root/pypi` has no project `nope`",
        ),
        (
            "/simple/-bad-/",
            "404 urn:pilothouse:no-such-project `root/pypi` has no project `-bad-`",
        ),
        (
            "/a/b/+simple/nope/",
            "404 urn:pilothouse:no-such-index there is no index `a/b` here",
        ),
        (
            "/a/b/c/d",
            "404 urn:pilothouse:no-such-index The stage a/b could not be found.",
        ),
        (
            "/+nope/a/b/c/d/e",
            "404 urn:pilothouse:no-such-page there is nothing at this address",
        ),
        (
            "/+f/x/y.whl",
            "404 urn:pilothouse:no-such-file `root/pypi` has no file `y.whl`",
        ),
    ] {
        let reply = client.get(path, &[]).await;
        assert_eq!(reply.problem(), want);
        assert!(
            want.ends_with(&format!(" {}", reply.reason)),
            "{}",
            reply.reason
        );
        assert_eq!(reply.header("cache-control"), Some("no-store"));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn faults_of_upstream_keep_the_connection_and_say_when_to_come_back() {
    let site = Site::start().await;
    let down = |retry_after| Error::UpstreamDown {
        index: "root/pypi".to_owned(),
        what: "project `foo`".to_owned(),
        cause: "connection refused".to_owned(),
        retry_after,
    };
    site.source.page("foo", Err(down(None)));
    site.source
        .page("busy", Err(down(Some(Duration::from_secs(7)))));
    let mut client = site.client().await;
    let gone = client.get("/simple/foo/", &[]).await;
    let line = "upstream of `root/pypi` is not answering and project `foo` is not in the cache: connection refused";
    assert_eq!(
        gone.problem(),
        format!("504 urn:pilothouse:upstream-down {line}")
    );
    assert_eq!(
        (gone.reason.as_str(), gone.header("retry-after")),
        (line, None)
    );
    let busy = client.get("/simple/busy/", &[]).await;
    assert_eq!((busy.status, busy.header("retry-after")), (503, Some("7")));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_panic_in_the_domain_is_500_and_the_connection_lives() {
    let site = Site::start().await;
    site.source.fresh("foo", 1);
    let mut client = site.client().await;
    let reply = client.get("/simple/panics/", &[]).await;
    assert_eq!(reply.status, 500);
    assert_eq!(client.get("/simple/foo/", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_page_says_so_cold_and_warm() {
    let site = Site::start().await;
    let stale = Cache::Stale {
        why: "upstream says \"503\"".to_owned(),
    };
    site.source
        .page("foo", Ok(Some(answer(&project("foo", 1), stale, LONG))));
    let mut client = site.client().await;
    for _ in ["cold", "warm"] {
        let reply = client.get("/simple/foo/", &[]).await;
        assert_eq!(reply.header("x-pilothouse-cache"), Some("stale"));
        assert_eq!(
            reply.header("warning"),
            Some("110 - \"Response is Stale: upstream says '503'\"")
        );
    }
    assert_eq!(site.source.asked(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_source_is_asked_again_only_when_its_answer_is_old() {
    let site = Site::start().await;
    let first = project("foo", 1);
    site.source
        .page("foo", Ok(Some(answer(&first, Cache::Miss, Duration::ZERO))));
    let mut client = site.client().await;
    let miss = client.get("/simple/foo/", &[]).await;
    assert_eq!(miss.header("x-pilothouse-cache"), Some("miss"));
    site.source
        .page("foo", Ok(Some(answer(&first, Cache::Revalidated, LONG))));
    let again = client.get("/simple/foo/", &[]).await;
    assert_eq!(again.header("x-pilothouse-cache"), Some("revalidated"));
    assert_eq!(again.header("etag"), miss.header("etag"));
    assert_eq!(
        client
            .get("/simple/foo/", &[])
            .await
            .header("x-pilothouse-cache"),
        Some("hit")
    );
    assert_eq!(site.source.asked(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_changed_project_is_rendered_anew() {
    let site = Site::start().await;
    site.source.page(
        "foo",
        Ok(Some(answer(
            &project("foo", 1),
            Cache::Miss,
            Duration::ZERO,
        ))),
    );
    let mut client = site.client().await;
    let before = client.get("/simple/foo/", &[]).await;
    site.source.fresh("foo", 2);
    let after = client.get("/simple/foo/", &[]).await;
    assert_ne!(before.header("etag"), after.header("etag"));
    assert!(after.text().contains("foo-1.1.tar.gz"));
    assert_eq!(client.get("/simple/foo/", &[]).await.body, after.body);
}

#[tokio::test(flavor = "multi_thread")]
async fn pipelined_requests_are_answered_in_order() {
    let site = Site::start().await;
    site.source.fresh("foo", 1);
    let mut client = site.client().await;
    client.get("/simple/foo/", &[]).await;
    for path in ["/simple/foo/", "/simple/nope/", "/simple/foo/"] {
        client.send("GET", path, &[]).await;
    }
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(client.reply(false).await.status);
    }
    assert_eq!(statuses, [200, 404, 200]);
}
