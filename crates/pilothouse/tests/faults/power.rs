//! Power cuts at the named lines: what is on disk afterwards is whole.

#![cfg(feature = "fail-points")]

use testkit::http::{self, Request};
use testkit::{Dist, Project, Upstream};

use crate::{WHEEL, assert_verified, file, server, upstream};

/// Dies at the point while the first file comes in, then starts again.
fn survives(point: &str) {
    let upstream = upstream(500_000);
    let mut server = server()
        .mirroring(&upstream)
        .env("PILOTHOUSE_FAIL_POINT", point)
        .start();
    let page = format!("{}foo/", server.simple());
    let file_of_upstream = upstream.path_of(WHEEL);
    let url = format!("{}/+f{file_of_upstream}", server.url());
    // The connection may break at any byte: the process dies.
    drop(Request::get(&page).json().try_open());
    drop(Request::get(&format!("{url}.metadata")).try_open());
    if let Ok(open) = Request::get(&url).try_open() {
        let answer = open.finish();
        assert!(!answer.whole || answer.status != 200 || answer.body == upstream.content_of(WHEEL));
    }
    let ended = server.wait();
    assert_eq!(ended.code, None, "it died at the point: {ended:#?}");
    let after = server.run(["cache", "verify", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&after.stdout).unwrap();
    // At worst a blob that no record names.
    assert_eq!(report["missing"], serde_json::json!([]), "{point}");
    assert_eq!(report["corrupt"], serde_json::json!([]), "{point}");
    server.forget_env("PILOTHOUSE_FAIL_POINT");
    server.start_again();
    assert!(server.staged().is_empty(), "cleared at the start");
    assert_eq!(http::get(&file(&server)).body, upstream.content_of(WHEEL));
    assert_verified(&server);
}

#[test]
fn when_a_blob_is_written() {
    survives("blob.written");
}

#[test]
fn before_a_blob_is_renamed() {
    survives("blob.before-rename");
}

#[test]
fn after_a_blob_is_renamed() {
    survives("blob.after-rename");
}

#[test]
fn before_a_file_is_recorded() {
    survives("file.before-record");
}

#[test]
fn after_a_file_is_recorded() {
    survives("file.after-record");
}

#[test]
fn before_a_page_is_recorded() {
    survives("page.before-record");
}

/// The page on disk is the old one, and means the old bytes: they are served though a newer
/// page, which did not get there, meant others.
#[test]
fn between_the_note_that_a_file_was_replaced_and_its_page() {
    let nightly = |bytes| Project::new("foo").with(Dist::wheel("1.0").padding(bytes).in_place());
    let mut upstream = Upstream::start([nightly(1000)]);
    let mut server = server()
        .mirroring(&upstream)
        .arguments(["--fresh-for", "0s"])
        .start();
    let (url, old) = (file(&server), upstream.content_of(WHEEL));
    assert_eq!(http::get(&url).body, old);
    server.stop();
    upstream.put(nightly(2000));
    server.set_env("PILOTHOUSE_FAIL_POINT", "page.before-record");
    server.start_again();
    let page = format!("{}foo/", server.simple());
    drop(Request::get(&page).json().try_open());
    assert_eq!(server.wait().code, None, "it died at the point");
    server.forget_env("PILOTHOUSE_FAIL_POINT");
    upstream.stop();
    server.start_again();
    assert_eq!(file(&server), url);
    assert_eq!(http::get(&url).body, old);
    upstream.start_again();
    // Upstream was in trouble a moment ago, so its page is asked for in the background.
    testkit::wait_until("the new page", || {
        http::get(&file(&server)).body == upstream.content_of(WHEEL)
    });
    assert_verified(&server);
}

#[test]
fn while_a_file_is_evicted() {
    let upstream = upstream(500_000);
    let mut server = server().mirroring(&upstream).start();
    let url = file(&server);
    http::get(&url);
    server.stop();
    server.set_env("PILOTHOUSE_FAIL_POINT", "evict.after-record");
    let pruned = server.run(["cache", "prune", "--project", "foo"]);
    assert_eq!(pruned.code, None, "{pruned:#?}");
    server.forget_env("PILOTHOUSE_FAIL_POINT");
    let after = server.run(["cache", "verify", "--json"]);
    let report: serde_json::Value = serde_json::from_str(&after.stdout).unwrap();
    assert_eq!(report["missing"], serde_json::json!([]));
    server.start_again();
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    assert_verified(&server);
}

#[test]
fn a_kill_in_the_middle_of_a_transfer_leaves_nothing_behind() {
    let upstream = upstream(2_000_000);
    upstream.change(|settings| settings.rate = Some(1_000_000));
    let mut server = server().mirroring(&upstream).start();
    let url = file(&server);
    let mut answer = Request::get(&url).open();
    answer.take(100_000).unwrap();
    server.kill9();
    assert!(!answer.finish().whole);
    upstream.change(|settings| settings.rate = None);
    server.start_again();
    assert!(server.staged().is_empty());
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    assert_verified(&server);
}
