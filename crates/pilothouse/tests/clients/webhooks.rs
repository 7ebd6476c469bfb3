//! What webhooks are told, and how long one waits for them.

use serde_json::json;
use testkit::http::Request;
use testkit::{Posted, Receiver, Server, wait_until};

use crate::server;

const KEY: &[u8] = b"not told to anybody";

/// A server that tells this receiver of what happens on one index.
fn telling(receiver: &Receiver) -> Server {
    let url = receiver.url();
    server()
        .config(&format!(
            "[webhook.ci]\nurl = \"{url}\"\nsecret-env = \"HOOK\"\nindex = \"alice/dev\"\nevents = [\"register\", \"remove-project\"]\n"
        ))
        .env("HOOK", std::str::from_utf8(KEY).unwrap())
        .start()
}

fn send(server: &Server, method: &str, path: &str, content_type: &str, body: &str) {
    let url = format!("{}{path}", server.url());
    let reply = Request::new(method, &url)
        .basic("alice", "secret")
        .header("Content-Type", content_type)
        .body(body.to_owned())
        .send();
    assert!(matches!(reply.status, 200 | 201), "{}", reply.text());
}

fn indexes(server: &Server) {
    let json = "application/json";
    let url = format!("{}/alice", server.url());
    let user = json!({"password": "secret"}).to_string();
    assert_eq!(Request::new("PUT", &url).body(user).send().status, 201);
    send(server, "PUT", "/alice/dev", json, "{}");
    send(server, "PUT", "/alice/other", json, "{}");
}

fn register(server: &Server, index: &str, name: &str) {
    let form = format!(":action=submit&name={name}&version=1.0");
    let urlencoded = "application/x-www-form-urlencoded";
    send(server, "POST", &format!("/{index}/"), urlencoded, &form);
}

fn projects(posted: &[Posted]) -> Vec<String> {
    let name = |one: &Posted| one.json()["data"]["project"].as_str().unwrap().to_owned();
    posted.iter().map(name).collect()
}

#[test]
fn a_webhook_hears_of_what_it_asked_for_and_can_check_from_whom() {
    let receiver = Receiver::start();
    let server = telling(&receiver);
    indexes(&server);
    register(&server, "alice/other", "elsewhere");
    register(&server, "alice/dev", "foo");
    send(&server, "DELETE", "/alice/dev/foo", "", "");
    wait_until("both are told", || receiver.posted().len() == 2);
    let posted = receiver.posted();
    let body = posted[0].json();
    assert_eq!(body["type"], "register");
    assert_eq!(body["data"]["who"], "alice");
    assert_eq!(body["data"]["index"], "alice/dev");
    assert_eq!(body["data"]["project"], "foo");
    assert_eq!(body["data"]["version"], "1.0");
    assert_eq!(posted[1].json()["type"], "remove-project");
    for one in &posted {
        assert_eq!(one.header("content-type"), "application/json");
        assert!(one.is_signed_with(KEY));
        assert!(!one.is_signed_with(b"another"));
    }
    assert_ne!(
        posted[0].header("webhook-id"),
        posted[1].header("webhook-id")
    );
}

#[test]
fn a_webhook_that_fails_is_told_again_under_the_same_id() {
    let receiver = Receiver::start();
    receiver.answer_with(&[500]);
    let server = telling(&receiver);
    indexes(&server);
    register(&server, "alice/dev", "foo");
    wait_until("it failed once", || receiver.posted().len() == 1);
    register(&server, "alice/dev", "bar");
    wait_until("all is told", || receiver.posted().len() == 3);
    let posted = receiver.posted();
    let ids: Vec<&str> = posted.iter().map(|one| one.header("webhook-id")).collect();
    let first = ids.iter().filter(|id| **id == ids[0]).count();
    assert_eq!(first, 2, "{ids:?}");
    assert!(
        server
            .log()
            .contains("a webhook could not be told of an event: it answered 500")
    );
    // A receiver's path may be its secret.
    assert!(!server.log().contains("/hook"));
}

#[test]
fn what_a_webhook_missed_while_it_was_down_survives_a_kill() {
    let receiver = Receiver::start();
    receiver.answer_with(&[503, 503]);
    let mut server = telling(&receiver);
    indexes(&server);
    register(&server, "alice/dev", "foo");
    wait_until("it failed", || !receiver.posted().is_empty());
    server.kill9();
    server.start_again();
    let told = |posted: &[Posted]| {
        projects(posted)
            .iter()
            .filter(|name| *name == "foo")
            .count()
    };
    wait_until("it is told in the end", || told(&receiver.posted()) == 3);
}
