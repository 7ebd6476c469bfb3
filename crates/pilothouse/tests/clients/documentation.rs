//! Pages of documentation, which are somebody's HTML under our address.

use serde_json::json;
use testkit::http::{self, Reply, Request};
use testkit::{Scratch, Server, Tree};

use crate::{alice, server};

/// A server with the documentation of foo 1.0, and the address of that.
fn house() -> (Server, String) {
    let server = server().start();
    alice(&server, &json!({}));
    let tree = Tree::new(&Scratch::new(), "foo", "1.0");
    let zip = tree.docs(&[
        ("index.html", "<script>fetch('/+login')</script>"),
        ("style.css", "h1 { color: red }"),
        ("picture.svg", "<svg xmlns=\"http://www.w3.org/2000/svg\"/>"),
        ("odd.strange", "<script>alert(1)</script>"),
        ("README", "<script>alert(1)</script>"),
        ("sub/page.htm", "<h1>sub</h1>"),
    ]);
    let fields = [
        (":action", "doc_upload"),
        ("name", "foo"),
        ("version", "1.0"),
    ];
    let form = testkit::form(&fields, "foo.zip", &std::fs::read(zip).unwrap());
    let sent = Request::new("POST", &format!("{}/alice/dev/", server.url()))
        .basic("alice", "secret")
        .header("Content-Type", testkit::FORM)
        .body(form)
        .send();
    assert_eq!(sent.status, 200, "{}", sent.text());
    let pages = format!("{}/alice/dev/foo/1.0/+doc/", server.url());
    (server, pages)
}

/// Whatever a page is, its scripts are nobody's and its type is what we say.
#[track_caller]
fn is_shut_in(page: &Reply) {
    let policy = page.header("content-security-policy").unwrap_or_default();
    let (sandbox, rest) = policy.split_once("; ").unwrap();
    assert_eq!(sandbox, "sandbox allow-scripts allow-forms allow-popups");
    assert!(!policy.contains("allow-same-origin"), "{policy}");
    for directive in ["default-src 'self'", "object-src 'none'", "base-uri 'none'"] {
        assert!(rest.contains(directive), "{policy}");
    }
    assert_eq!(page.header("x-content-type-options"), Some("nosniff"));
    assert_eq!(page.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(page.header("access-control-allow-origin"), None);
}

#[test]
fn every_page_of_documentation_is_in_a_sandbox() {
    let (_server, pages) = house();
    for (path, media_type) in [
        ("", "text/html; charset=utf-8"),
        ("index.html", "text/html; charset=utf-8"),
        ("sub/page.htm", "text/html; charset=utf-8"),
        ("style.css", "text/css"),
        ("picture.svg", "image/svg+xml"),
        ("odd.strange", "application/octet-stream"),
        ("README", "application/octet-stream"),
    ] {
        let url = format!("{pages}{path}");
        let page = http::get(&url);
        assert_eq!(page.status, 200, "{path}");
        assert_eq!(page.header("content-type"), Some(media_type), "{path}");
        is_shut_in(&page);
        is_shut_in(&http::head(&url));
        let etag = page.header("etag").unwrap();
        let unchanged = Request::get(&url).header("If-None-Match", etag).send();
        assert_eq!(unchanged.status, 304, "{path}");
        is_shut_in(&unchanged);
    }
}

#[test]
fn documentation_of_a_release_is_found_as_latest_and_stable() {
    let (_server, pages) = house();
    for version in ["latest", "stable"] {
        let page = http::get(&pages.replace("/1.0/", &format!("/{version}/")));
        assert_eq!(page.status, 200, "{version}");
        is_shut_in(&page);
    }
    let missing = http::get(&format!("{pages}none.html"));
    assert_eq!(missing.status, 404);
    // What we say ourselves names a path that somebody else wrote.
    assert_ne!(missing.header("content-type"), Some("text/html"));
}
