//! Clients that fall silent in the middle of an upload, and those that only speak slowly.

use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use server::Config;
use testkit::{Dist, FORM};

use crate::client::Client;
use crate::site::{Site, config};

const SILENT: &str =
    "408 urn:pilothouse:timeout the request stopped in its middle and was given up";

/// A server with the stage `alice/dev`, which bears this much silence.
async fn stage(body_timeout: Duration) -> Site {
    let config = Config {
        body_timeout,
        ..config()
    };
    let site = Site::with(config, Ok(())).await;
    let mut client = site.client().await;
    for (path, body) in [
        ("/alice", "{\"password\": \"secret\"}"),
        ("/alice/dev", "{}"),
    ] {
        let made = client.send_body("PUT", path, &AS_ALICE, body.as_bytes());
        made.await;
        let reply = client.reply(false).await;
        assert!(reply.status < 300, "{path}: {}", reply.text());
    }
    site
}

/// alice:secret
const AS_ALICE: [(&str, &str); 1] = [("Authorization", "Basic YWxpY2U6c2VjcmV0")];

fn upload() -> Vec<u8> {
    Dist::wheel("1.0").form("foo")
}

/// Begins an upload of this many bytes.
async fn begin(client: &mut Client, len: usize, more: &[(&str, &str)]) {
    let length = len.to_string();
    let headers = [("Content-Type", FORM), ("Content-Length", &length)];
    let headers = [&AS_ALICE[..], &headers, more].concat();
    client.send("POST", "/alice/dev/", &headers).await;
}

// In all it takes twice as long as silence may; a gap is a small part of that.
#[tokio::test(flavor = "multi_thread")]
async fn an_uploader_that_speaks_slowly_is_heard_to_the_end() {
    let limit = Duration::from_secs(2);
    let site = stage(limit).await;
    let mut client = site.client().await;
    let form = upload();
    begin(&mut client, form.len(), &[]).await;
    let began = Instant::now();
    let pieces = form.chunks(form.len() / 80 + 1);
    let gap = limit * 2 / pieces.len() as u32;
    for piece in pieces {
        client.write_raw(piece).await;
        tokio::time::sleep(gap).await;
    }
    let reply = client.reply(false).await;
    assert_eq!(reply.status, 200, "{}", reply.text());
    assert!(began.elapsed() > limit);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_uploader_that_stops_is_told_and_leaves_nothing() {
    let site = stage(Duration::from_millis(50)).await;
    let form = upload();
    // In the fields, in the head of the file's part, in the file.
    for at in [30, form.len() / 2, form.len() - 20] {
        let mut client = site.client().await;
        begin(&mut client, form.len(), &[]).await;
        client.write_raw(&form[..at]).await;
        let reply = client.reply(false).await;
        assert_eq!(reply.problem(), SILENT, "after {at} bytes");
        assert!(!client.fill(1).await, "the rest is not waited for");
    }
    let mut client = site.client().await;
    let page = client.get("/alice/dev/+simple/foo/", &[]).await;
    assert_eq!(page.status, 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn over_http_2_one_silent_upload_is_told_and_the_connection_goes_on() {
    let site = stage(Duration::from_millis(50)).await;
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let url = format!("http://{}/alice/dev/", site.address);
    let begun = Bytes::from(upload()[..200].to_vec());
    let never_ends = stream::iter([Ok::<_, std::io::Error>(begun)]).chain(stream::pending());
    let reply = client
        .post(&url)
        .basic_auth("alice", Some("secret"))
        .header("Content-Type", FORM)
        .body(reqwest::Body::wrap_stream(never_ends))
        .send()
        .await
        .unwrap();
    assert_eq!(
        (reply.version(), reply.status().as_u16()),
        (reqwest::Version::HTTP_2, 408)
    );
    let health = client.get(format!("http://{}/+health", site.address));
    assert_eq!(health.send().await.unwrap().status().as_u16(), 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_upload_that_a_drain_cuts_is_told() {
    let site = stage(Duration::from_hours(1)).await;
    let mut client = site.client().await;
    let form = upload();
    // The server says so when somebody begins to read.
    begin(&mut client, form.len(), &[("Expect", "100-continue")]).await;
    assert_eq!(client.reply_head().await.status, 100);
    client.write_raw(&form[..200]).await;
    let stopped = site.stop();
    let reply = client.reply(false).await;
    assert_eq!(reply.problem(), SILENT);
    assert_eq!(reply.header("connection"), Some("close"));
    assert!(!client.fill(1).await);
    stopped.await;
}
