//! Logs, metrics, health, other methods, HTTP/2, start and stop.

use std::net::SocketAddr;
use std::time::Duration;

use server::{Config, LogFormat};

use crate::site::{Site, config};
use crate::source::{LONG, answer, project};

#[tokio::test(flavor = "multi_thread")]
async fn each_request_is_one_line_without_its_query() {
    let site = Site::start().await;
    site.source.fresh("foo", 1);
    let mut client = site.client().await;
    let agent = ("User-Agent", "pip/26.3 {\"ci\":null}");
    let body = client.get("/simple/foo/", &[agent]).await.body.len();
    client.get("/simple/foo/?token=secret", &[agent]).await;
    client.head("/root/pypi/+simple/foo/", &[agent]).await;
    client.get("/simple/nope/", &[]).await;
    client.get("/simple/Foo", &[]).await;
    drop(client);
    let log = site.stop().await;
    assert!(!log.contains("secret"), "{log}");
    let mut lines: Vec<String> = log.lines().map(without_time).collect();
    let fault = lines.remove(3);
    assert!(fault.starts_with("GET /simple/nope/ 404 "), "{fault}");
    assert_eq!(
        lines,
        [
            format!("GET /simple/foo/ 200 {body} TIME miss root/pypi foo \"pip/26.3\""),
            format!("GET /simple/foo/ 200 {body} TIME hit root/pypi foo \"pip/26.3\""),
            "HEAD /root/pypi/+simple/foo/ 200 0 TIME hit root/pypi foo \"pip/26.3\"".to_owned(),
            "GET /simple/Foo 301 0 TIME - root/pypi - \"-\"".to_owned(),
        ]
    );
}

/// Takes the time stamp off and the duration out, both of which must parse.
fn without_time(line: &str) -> String {
    let (stamp, rest) = line.split_once(' ').unwrap();
    stamp.parse::<jiff::Timestamp>().unwrap();
    let words = rest.split(' ').map(|word| match word.strip_suffix("ms") {
        Some(number) => {
            number.parse::<f64>().unwrap();
            "TIME"
        }
        None => word,
    });
    words.collect::<Vec<_>>().join(" ")
}

#[tokio::test(flavor = "multi_thread")]
async fn json_lines_have_the_same_fields() {
    let config = Config {
        log: LogFormat::Json,
        ..config()
    };
    let site = Site::with(config, Ok(())).await;
    site.source.fresh("foo", 1);
    site.client()
        .await
        .get("/simple/foo/", &[("User-Agent", "uv/0.13.9")])
        .await;
    let log = site.stop().await;
    let line: serde_json::Value = serde_json::from_str(log.trim()).unwrap();
    let fields: Vec<_> = line
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    let mut want = [
        "time",
        "method",
        "path",
        "route",
        "status",
        "bytes",
        "duration_ms",
        "cache",
        "index",
        "project",
        "client",
    ];
    want.sort_unstable();
    assert_eq!(fields, want);
    assert_eq!(
        (&line["route"], &line["client"]),
        (&"page".into(), &"uv/0.13.9".into())
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_leaves_is_noted() {
    let site = Site::start().await;
    let mut client = site.client().await;
    client.send("GET", "/simple/slow/", &[]).await;
    while site.source.asked() == 0 {
        tokio::task::yield_now().await;
    }
    drop(client);
    let log = site.stop().await;
    assert_eq!(
        log.lines().map(without_time).collect::<Vec<_>>(),
        ["GET /simple/slow/ 499 0 TIME - root/pypi slow \"-\""]
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn metrics_tell_what_was_answered() {
    let site = Site::start().await;
    site.source.fresh("foo", 1);
    let mut client = site.client().await;
    for _ in 0..3 {
        client.get("/simple/foo/", &[]).await;
    }
    client.get("/simple/nope/", &[]).await;
    let reply = client.get("/+metrics", &[]).await;
    assert_eq!(
        reply.header("content-type"),
        Some("application/openmetrics-text; version=1.0.0; charset=utf-8")
    );
    let text = reply.text();
    for line in [
        "# TYPE pilothouse_requests counter",
        "pilothouse_requests_total{route=\"page\",status=\"2xx\",cache=\"hit\"} 2",
        "pilothouse_requests_total{route=\"page\",status=\"2xx\",cache=\"miss\"} 1",
        "pilothouse_requests_total{route=\"page\",status=\"4xx\",cache=\"none\"} 1",
        "pilothouse_answers_total{kind=\"pages\",result=\"hits\"} 2",
        "pilothouse_request_duration_seconds_count{route=\"page\"} 4",
        "pilothouse_request_duration_seconds_bucket{le=\"+Inf\",route=\"page\"} 4",
        "pilothouse_connections 1",
        "pilothouse_disk_used_bytes 0",
        "pilothouse_transfers_in_flight 0",
        "pilothouse_rendered_pages 1",
        "# EOF",
    ] {
        assert!(text.lines().any(|l| l == line), "no `{line}` in:\n{text}");
    }
    let json = client.get("/+metrics?format=json", &[]).await;
    let numbers: serde_json::Map<String, serde_json::Value> =
        serde_json::from_slice(&json.body).unwrap();
    assert_eq!(numbers["pages_hits"], 2);
    assert_eq!(numbers["requests_page"], 4);
    assert!(
        numbers
            .values()
            .all(|value| value.is_number() || value.is_string()),
        "flat: {numbers:?}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_readiness_are_two_questions() {
    let site = Site::with(config(), Err("no space".to_owned())).await;
    let mut client = site.client().await;
    assert_eq!(
        client.get("/+health", &[]).await.text(),
        "{\"status\":\"ok\"}"
    );
    let ready = client.get("/+ready", &[]).await;
    assert_eq!(
        ready.problem(),
        "503 urn:pilothouse:not-ready not ready: no space"
    );
    let site = Site::start().await;
    assert_eq!(
        site.client().await.get("/+ready", &[]).await.text(),
        "{\"status\":\"ready\"}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn the_home_page_names_this_host_and_nothing_foul() {
    let site = Site::start().await;
    let mut client = site.client().await;
    insta::assert_snapshot!(client.get("/", &[]).await.text());
    let html = client.get("/", &[("Accept", "text/html,*/*")]).await;
    assert_eq!(
        html.header("content-type"),
        Some("text/html; charset=utf-8")
    );
    assert!(html.text().starts_with("<!DOCTYPE html>"));
}

#[tokio::test(flavor = "multi_thread")]
async fn other_methods_are_405_and_say_what_is_allowed() {
    let site = Site::start().await;
    site.source.fresh("foo", 1);
    let mut client = site.client().await;
    client.get("/simple/foo/", &[]).await;
    for method in ["POST", "PUT", "DELETE"] {
        client
            .send(method, "/simple/foo/", &[("Content-Length", "0")])
            .await;
        let reply = client.reply(false).await;
        assert_eq!(
            (reply.status, reply.header("allow")),
            (405, Some("GET,HEAD"))
        );
        let line = if method == "POST" {
            "uploads go to the address of an index, like /alice/dev/"
        } else {
            "this address does not take that method"
        };
        assert_eq!(
            reply.problem(),
            format!("405 urn:pilothouse:method-not-allowed {line}")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn http2_is_spoken_without_tls() {
    let site = Site::start().await;
    site.source.fresh("foo", 2000);
    let client = reqwest::Client::builder()
        .http2_prior_knowledge()
        .build()
        .unwrap();
    let url = format!("http://{}/simple/foo/", site.address);
    for cache in ["miss", "hit"] {
        let reply = client.get(&url).send().await.unwrap();
        assert_eq!(
            (reply.version(), reply.status().as_u16()),
            (reqwest::Version::HTTP_2, 200)
        );
        assert_eq!(reply.headers()["x-pilothouse-cache"], cache);
        assert!(reply.text().await.unwrap().contains("foo-1.1999.tar.gz"));
    }
    let nope = client.get(url.replace("foo", "nope")).send().await.unwrap();
    assert_eq!(nope.status().as_u16(), 404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_server_that_stops_ends_what_it_has_begun() {
    let site = Site::start().await;
    let slow = project("slow", 1);
    site.source
        .page("slow", Ok(Some(answer(&slow, index::Cache::Miss, LONG))));
    let source = site.source.clone();
    let address = site.address;
    let mut idle = site.client().await;
    idle.get("/+health", &[]).await;
    let mut busy = site.client().await;
    busy.send("GET", "/simple/slow/", &[]).await;
    while source.asked() == 0 {
        tokio::task::yield_now().await;
    }
    let stopped = site.stop();
    assert!(!idle.fill(1).await, "an idle connection is closed at once");
    assert!(
        tokio::net::TcpStream::connect(address).await.is_err(),
        "nobody is let in any more"
    );
    source.go.notify_one();
    let reply = busy.reply(false).await;
    assert_eq!(
        (reply.status, reply.complete, reply.header("connection")),
        (200, true, Some("close"))
    );
    assert_eq!(stopped.await.lines().count(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_has_an_end() {
    let config = Config {
        drain: Duration::from_millis(50),
        ..config()
    };
    let site = Site::with(config, Ok(())).await;
    let mut busy = site.client().await;
    busy.send("GET", "/simple/slow/", &[]).await;
    while site.source.asked() == 0 {
        tokio::task::yield_now().await;
    }
    site.stop().await;
    assert!(!busy.fill(1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_head_that_never_ends_is_cut() {
    let config = Config {
        head_timeout: Duration::from_millis(50),
        ..config()
    };
    let site = Site::with(config, Ok(())).await;
    let mut client = site.client().await;
    assert!(!client.fill(1).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_stops_in_the_middle_of_its_request_is_given_up() {
    let config = Config {
        body_timeout: Duration::from_millis(50),
        ..config()
    };
    let site = Site::with(config, Ok(())).await;
    let mut client = site.client().await;
    client
        .send("POST", "/+login", &[("Content-Length", "100")])
        .await;
    let reply = client.reply(false).await;
    let line = "408 urn:pilothouse:timeout the request stopped in its middle and was given up";
    assert_eq!(reply.problem(), line);
    assert!(!client.fill(1).await, "the rest is not waited for");
}

#[tokio::test(flavor = "multi_thread")]
async fn neither_silence_nor_half_a_request_holds_up_the_end() {
    let config = Config {
        drain: Duration::from_hours(1),
        ..config()
    };
    let site = Site::with(config, Ok(())).await;
    let mut silent = site.client().await;
    let mut half = site.client().await;
    half.send("POST", "/+login", &[("Content-Length", "100")])
        .await;
    let mut heard = site.client().await;
    heard.get("/+health", &[]).await;
    site.stop().await;
    assert!(!silent.fill(1).await);
    assert!(!half.fill(1_000_000).await, "it is closed, told or not");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_taken_port_is_an_error_that_names_it() {
    let taken = server::bind(&[SocketAddr::from(([127, 0, 0, 1], 0))])
        .await
        .unwrap();
    let address = taken[0].local_addr().unwrap();
    let error = server::bind(&[address]).await.unwrap_err();
    let line = format!(
        "`{address}` is taken: stop what listens there, or choose another address with `--listen`"
    );
    assert_eq!(error.to_string(), line);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_endless_head_is_431() {
    let site = Site::start().await;
    let mut client = site.client().await;
    let long = "x".repeat(100_000);
    client
        .send("GET", "/simple/foo/", &[("X-Long", &long)])
        .await;
    assert_eq!(client.reply_head().await.status, 431);
}
