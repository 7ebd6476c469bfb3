//! Wrong bytes: refused, reported, never stored, never whole at a client.

use std::time::Duration;

use testkit::http;
use testkit::{Dist, Fault, Installer, Project, Scratch, Upstream};

use crate::{WHEEL, assert_verified, file, server, upstream};

/// How many blobs there are, looked up where only blobs are.
fn blobs(server: &testkit::Server) -> serde_json::Value {
    let listed = server.run(["cache", "ls", "--json"]);
    assert_eq!(listed.code, Some(0), "{listed:#?}");
    let json: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
    json["files"].clone()
}

#[test]
fn a_file_with_another_digest_than_promised_is_refused() {
    let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").wrong_digest())]);
    let server = server().mirroring(&upstream).expect_5xx().start();
    let url = file(&server);
    for _ in 0..2 {
        let answer = http::get(&url);
        let looks_whole = answer.whole && answer.status == 200;
        assert!(!looks_whole, "{answer:#?}");
    }
    assert_eq!(blobs(&server), serde_json::json!([]));
    assert!(server.staged().is_empty());
    assert!(server.log().contains("refused `foo-1.0-py3-none-any.whl`"));
    assert_verified(&server);
}

#[test]
fn a_file_corrupted_on_the_way_once_comes_right_the_next_time() {
    let upstream = upstream(2_000_000);
    let server = server().mirroring(&upstream).expect_5xx().start();
    let url = file(&server);
    upstream.fault("*.whl", Fault::corrupt(1_500_000).times(1));
    let corrupt = http::get(&url);
    assert!(!(corrupt.whole && corrupt.status == 200));
    assert!(corrupt.body.len() < upstream.content_of(WHEEL).len());
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    assert_verified(&server);
}

#[test]
fn a_corrupt_part_after_a_resume_is_refused_too() {
    let upstream = upstream(2_000_000);
    let server = server().mirroring(&upstream).expect_5xx().start();
    let url = file(&server);
    upstream.fault("*.whl", Fault::corrupt(1_500_000));
    upstream.fault("*.whl", Fault::truncate(1_000_000).times(1));
    let corrupt = http::get(&url);
    assert!(!(corrupt.whole && corrupt.status == 200));
    assert_eq!(blobs(&server), serde_json::json!([]));
}

/// The client must not hang on retries, nor blame the network.
fn fails_on_wrong_bytes(installer: Installer, says: &str) {
    let dist = Dist::wheel("1.0").wrong_digest().padding(100_000);
    let upstream = Upstream::start([Project::new("foo").with(dist)]);
    let server = server().mirroring(&upstream).expect_5xx().start();
    let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
    installed.run.fails().says(says);
    assert!(
        installed.run.took < Duration::from_secs(15),
        "{:?}",
        installed.run.took
    );
    assert_eq!(blobs(&server), serde_json::json!([]));
}

const REASON: &str = "`foo-1.0-py3-none-any.whl` is refused: its digest should be sha256=";

#[test]
fn the_oldest_pip_fails_on_wrong_bytes() {
    fails_on_wrong_bytes(Installer::PipOldest, "DO NOT MATCH THE HASHES");
}

#[test]
fn the_newest_pip_fails_on_wrong_bytes() {
    fails_on_wrong_bytes(Installer::PipNewest, REASON);
}

#[test]
fn the_oldest_uv_fails_on_wrong_bytes() {
    // Either its first try breaks off or its second is forbidden.
    fails_on_wrong_bytes(Installer::UvOldest, "Failed to download `foo==1.0`");
}

#[test]
fn the_newest_uv_fails_on_wrong_bytes() {
    fails_on_wrong_bytes(Installer::UvNewest, REASON);
}

#[test]
fn a_blob_damaged_on_disk_is_found_repaired_and_fetched_again() {
    let upstream = upstream(100_000);
    let mut server = server().mirroring(&upstream).start();
    let url = file(&server);
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    server.stop();
    let listed = blobs(&server);
    let digest = listed[0]["sha256"].as_str().unwrap();
    let blob = server
        .data()
        .join("blobs/sha256")
        .join(&digest[..2])
        .join(&digest[2..4])
        .join(digest);
    let mut bytes = std::fs::read(&blob).unwrap();
    bytes[5000] ^= 1;
    let mut permissions = std::fs::metadata(&blob).unwrap().permissions();
    #[expect(
        clippy::permissions_set_readonly_false,
        reason = "the test plays a broken disk"
    )]
    permissions.set_readonly(false);
    std::fs::set_permissions(&blob, permissions).unwrap();
    std::fs::write(&blob, bytes).unwrap();
    let found = server.run(["cache", "verify"]);
    assert_eq!(found.code, Some(1), "{found:#?}");
    assert!(found.stdout.contains("damaged"), "{found:#?}");
    let repaired = server.run(["cache", "verify", "--repair"]);
    assert_eq!(repaired.code, Some(0), "{repaired:#?}");
    assert_verified(&server);
    server.start_again();
    assert_eq!(http::get(&url).body, upstream.content_of(WHEEL));
    assert_eq!(upstream.count("*.whl").whole, 2);
}
