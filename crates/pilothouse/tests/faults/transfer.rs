//! File transfers that break: clients get the right bytes all the same, or a
//! body that is visibly cut, and never wrong bytes that look whole.

use std::time::{Duration, Instant};

use testkit::http;
use testkit::{Fault, Installer, Scratch, Upstream};

use crate::{WHEEL, assert_verified, file, server, upstream};

const SIZE: usize = 3_000_000;

fn serves_the_right_bytes(fault: Fault) -> Upstream {
    let upstream = upstream(SIZE);
    let server = server()
        .mirroring_with(&upstream, "read-timeout = \"1 s\"")
        .start();
    let url = file(&server);
    upstream.fault("*.whl", fault);
    let answer = http::get(&url);
    assert!(answer.whole);
    assert_eq!(answer.body, upstream.content_of(WHEEL));
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    assert_verified(&server);
    drop(server);
    upstream
}

/// Every byte came once: the rest was asked for with a range.
fn was_resumed(upstream: &Upstream) {
    let count = upstream.count("*.whl");
    assert_eq!(
        count.bytes,
        upstream.content_of(WHEEL).len() as u64,
        "{count:?}"
    );
    assert!(count.ranged >= 1, "{count:?}");
}

#[test]
fn a_truncated_transfer_is_resumed() {
    was_resumed(&serves_the_right_bytes(Fault::truncate(1_000_000).times(1)));
}

#[test]
fn a_transfer_that_is_truncated_twice_is_resumed_twice() {
    was_resumed(&serves_the_right_bytes(Fault::truncate(1_000_000).times(2)));
}

#[test]
fn a_transfer_that_stalls_is_resumed() {
    was_resumed(&serves_the_right_bytes(Fault::stall(1_000_000).times(1)));
}

#[test]
fn a_reset_transfer_is_resumed() {
    let upstream = serves_the_right_bytes(Fault::reset(1_000_000).times(1));
    // A reset may throw away what was on its way, so a part may come twice.
    let count = upstream.count("*.whl");
    assert!(count.bytes < 4_100_000, "{count:?}");
    assert!(count.ranged >= 1, "{count:?}");
}

#[test]
fn a_transfer_cut_at_once_is_begun_again() {
    serves_the_right_bytes(Fault::truncate(0).times(2));
}

#[test]
fn a_transfer_that_fails_with_a_status_is_begun_again() {
    serves_the_right_bytes(Fault::status(503).times(2));
}

#[test]
fn a_trickle_is_followed() {
    let upstream = upstream(40_000);
    let server = server()
        .mirroring_with(&upstream, "read-timeout = \"1 s\"")
        .start();
    let url = file(&server);
    upstream.fault("*.whl", Fault::trickle(2_000, Duration::from_millis(50)));
    let begin = Instant::now();
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    // Longer than the read time-out: what counts is the silence between two bytes.
    assert!(
        begin.elapsed() > Duration::from_secs(1),
        "{:?}",
        begin.elapsed()
    );
}

#[test]
fn an_upstream_without_ranges_is_asked_for_the_whole_again() {
    let upstream = upstream(SIZE);
    upstream.change(|settings| settings.ranges = false);
    let server = server().mirroring(&upstream).start();
    let url = file(&server);
    upstream.fault("*.whl", Fault::truncate(1_000_000).times(1));
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    assert_eq!(upstream.count("*.whl").whole, 2);
}

#[test]
fn a_file_that_changed_upstream_meanwhile_is_never_mixed() {
    let upstream = upstream(SIZE);
    let server = server().mirroring(&upstream).expect_5xx().start();
    let url = file(&server);
    upstream.fault("*.whl", Fault::changing_etag());
    upstream.fault(
        "*.whl",
        Fault::truncate(1_000_000)
            .header("ETag", "\"old\"")
            .times(1),
    );
    let answer = http::get(&url);
    let right = answer.body == upstream.content_of(WHEEL);
    assert!(right || !answer.whole, "{answer:#?}");
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    assert_verified(&server);
}

#[test]
fn a_transfer_that_cannot_be_finished_is_visibly_cut_and_begun_again_later() {
    let upstream = upstream(SIZE);
    let server = server()
        .mirroring_with(&upstream, "read-timeout = \"500 ms\"")
        .expect_5xx()
        .start();
    let url = file(&server);
    upstream.fault("*.whl", Fault::truncate(0));
    upstream.fault("*.whl", Fault::truncate(1_000_000).times(1));
    let cut = http::get(&url);
    assert!(
        !cut.whole,
        "{} bytes with status {}",
        cut.body.len(),
        cut.status
    );
    assert!(cut.body.len() < upstream.content_of(WHEEL).len());
    // The client hears of the cut a moment before the last handle is dropped.
    testkit::wait_until("the staged file to go", || server.staged().is_empty());
    upstream.heal();
    testkit::wait_until("upstream to be tried again", || http::get(&url).whole);
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
}

fn hides_a_broken_upstream_from(installer: Installer) {
    let upstream = upstream(SIZE);
    let mut server = server().mirroring(&upstream).start();
    upstream.fault("*.whl", Fault::truncate(500_000).times(1));
    upstream.fault("*.metadata", Fault::status(502).times(1));
    upstream.fault("/simple/*", Fault::reset(10).times(1));
    let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
    assert_eq!(installed.projects(), ["foo==1.0"]);
    let mut asked: Vec<_> = server
        .requests()
        .into_iter()
        .map(|request| request.path)
        .collect();
    let requests = asked.len();
    asked.sort();
    asked.dedup();
    assert_eq!(asked.len(), requests, "the client had to ask again");
}

#[test]
fn the_oldest_pip_does_not_notice_a_broken_upstream() {
    hides_a_broken_upstream_from(Installer::PipOldest);
}

#[test]
fn the_newest_pip_does_not_notice_a_broken_upstream() {
    hides_a_broken_upstream_from(Installer::PipNewest);
}

#[test]
fn the_oldest_uv_does_not_notice_a_broken_upstream() {
    hides_a_broken_upstream_from(Installer::UvOldest);
}

#[test]
fn the_newest_uv_does_not_notice_a_broken_upstream() {
    hides_a_broken_upstream_from(Installer::UvNewest);
}
