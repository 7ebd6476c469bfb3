//! The root listing.

use crate::site::Site;

const JSON: &str = "application/vnd.pypi.simple.v1+json";

#[tokio::test(flavor = "multi_thread")]
async fn a_million_names_come_in_small_chunks() {
    let site = Site::start().await;
    *site.source.names.lock().unwrap() = (0..1_000_000)
        .map(|n| format!("project-{n}").into())
        .collect();
    let mut client = site.client().await;
    let reply = client.get("/simple/", &[("Accept", JSON)]).await;
    assert_eq!((reply.status, reply.complete), (200, true));
    assert_eq!(
        (reply.header("content-type"), reply.header("content-length")),
        (Some(JSON), None)
    );
    assert!(reply.largest_chunk <= 64 * 1024, "{}", reply.largest_chunk);
    assert_eq!(reply.text().matches("\"name\":").count(), 1_000_000);
    assert!(reply.text().contains("\"project-999999\""));
    site.source.names.lock().unwrap().truncate(10_000);
    let html = client
        .get("/root/pypi/+simple/", &[("Accept", "text/html")])
        .await;
    assert!(html.complete && html.largest_chunk <= 64 * 1024);
    assert_eq!(html.text().matches("<a href=").count(), 10_000);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_listing_has_a_tag_for_each_format() {
    let site = Site::start().await;
    *site.source.names.lock().unwrap() = vec!["bar".into(), "foo".into()];
    let mut client = site.client().await;
    let json = client.get("/simple/", &[("Accept", JSON)]).await;
    assert_eq!(
        (json.header("etag"), json.header("vary")),
        (Some("\"names-2-j\""), Some("Accept"))
    );
    let listing: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    let names = serde_json::json!([{"name": "bar"}, {"name": "foo"}]);
    assert_eq!(listing["projects"], names);
    let held = [("Accept", JSON), ("If-None-Match", "\"names-2-j\"")];
    assert_eq!(client.get("/simple/", &held).await.status, 304);
    let html = client
        .get("/simple/", &[("If-None-Match", "\"names-2-j\"")])
        .await;
    assert_eq!(
        (html.status, html.header("etag")),
        (200, Some("\"names-2-t\""))
    );
    let head = client.head("/simple/", &[]).await;
    assert_eq!((head.status, head.header("content-length")), (200, None));
    assert_eq!(client.get("/simple/", &[]).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_listing_is_a_whole_document() {
    let site = Site::start().await;
    let mut client = site.client().await;
    let json = client.get("/simple/", &[("Accept", JSON)]).await;
    let listing: serde_json::Value = serde_json::from_slice(&json.body).unwrap();
    assert_eq!(listing["projects"], serde_json::json!([]));
}
