//! `pilothouse token` and `audit`, beside a running server.

use serde_json::{Value, json};
use testkit::http::Request;
use testkit::{Ended, Project, Server, Upstream, wait_until};

use crate::binary::PROGRAM;

fn server() -> (Upstream, Server) {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    let server = Server::new(PROGRAM).mirroring(&upstream).start();
    send(&server, "PUT", "/alice", "", &json!({"password": "secret"}));
    send(&server, "PUT", "/alice/dev", "secret", &json!({}));
    (upstream, server)
}

/// As alice, with a password or a token.
fn send(server: &Server, method: &str, path: &str, secret: &str, body: &Value) -> u16 {
    let request = Request::new(method, &format!("{}{path}", server.url()));
    let request = match secret {
        "" => request,
        secret => request.basic("alice", secret),
    };
    request.body(body.to_string()).send().status
}

fn json_of(ended: &Ended) -> Value {
    assert_eq!(ended.code, Some(0), "{ended:#?}");
    serde_json::from_str(&ended.stdout).expect("it is JSON")
}

#[test]
fn a_token_is_made_shown_once_used_listed_and_revoked() {
    let (_upstream, server) = server();
    let made = server.run([
        "token",
        "create",
        "ci",
        "--user",
        "alice",
        "--remove",
        "--index",
        "alice/dev",
        "--expires",
        "1d",
    ]);
    assert_eq!(made.code, Some(0), "{made:#?}");
    let secret = made.stdout.trim_end();
    assert!(secret.starts_with("pht_") && !made.stderr.contains(secret));
    let remove = |secret: &str| send(&server, "DELETE", "/alice/dev/none", secret, &json!({}));
    assert_eq!(remove(secret), 404, "the server knows it at once");
    let list =
        || json_of(&server.run(["token", "ls", "--user", "alice", "--json"]))["tokens"].clone();
    let listed = list();
    assert_eq!(listed[0]["name"], "ci");
    assert_eq!(listed[0]["rights"], "remove");
    assert_eq!(listed[0]["index"], "alice/dev");
    assert!(listed[0]["expires"].is_string() && listed[0]["token"].is_null());
    let id = listed[0]["id"].as_str().expect("a token has an id");
    let revoked = server.run(["token", "revoke", id, "--user", "alice"]);
    assert_eq!(revoked.code, Some(0), "{revoked:#?}");
    assert_eq!(list(), json!([]));
    wait_until("the server forgets it", || remove(secret) == 401);
}

#[test]
fn a_token_that_could_do_nothing_or_is_nobodys_is_refused_in_words() {
    let (_upstream, server) = server();
    for (arguments, error, hint) in [
        (
            &["token", "create", "ci"][..],
            "a token needs a right: `read`, `upload`, `remove` or `everything`",
            "",
        ),
        (
            &["token", "create", "ci", "--read", "--everything"],
            "a token for `everything` has no other right and no limit",
            "",
        ),
        (
            &["token", "create", "", "--read"],
            "a token needs a name: what it is for",
            "",
        ),
        (
            &["token", "create", "ci", "--read", "--index", "alice/dve"],
            "there is no index `alice/dve` here",
            "make it first, as with `devpi index -c alice/dve`",
        ),
        (
            &["token", "create", "ci", "--read", "--user", "bob"],
            "no user 'bob'",
            "",
        ),
        (
            &["token", "revoke", "none"],
            "root has no token `none`",
            "`pilothouse token ls --user USER` shows the tokens of a user",
        ),
    ] {
        let ended = server.run(arguments);
        assert_eq!(ended.code, Some(2), "{ended:#?}");
        assert!(
            ended.stderr.starts_with(&format!("error: {error}\n")),
            "{ended:#?}"
        );
        assert!(ended.stderr.contains(hint), "{ended:#?}");
    }
}

#[test]
fn what_people_did_is_told_in_order_and_by_what_it_is_about() {
    let (_upstream, server) = server();
    send(&server, "PUT", "/alice/prod", "secret", &json!({}));
    let audit = |arguments: &[&str]| {
        let all = [&["audit", "--json"], arguments].concat();
        let events = json_of(&server.run(all))["events"].clone();
        let events = events.as_array().expect("a list").clone();
        events
            .iter()
            .map(|event| {
                let word = |key: &str| event[key].as_str().unwrap_or("-").to_owned();
                [word("who"), word("what"), word("index")].join(" ")
            })
            .collect::<Vec<_>>()
    };
    let all = audit(&[]);
    let made = [
        "alice index-create alice/dev",
        "alice index-create alice/prod",
    ];
    assert_eq!(all[all.len() - 2..], made, "{all:?}");
    assert_eq!(audit(&["--index", "alice/prod"]), made[1..]);
    assert_eq!(audit(&["--since", "1h"]), all);
    assert_eq!(audit(&["--since", "1h", "--limit", "1"]), made[1..]);
    assert_eq!(audit(&["--after", "0", "--limit", "1"]), all[..1]);
    assert_eq!(audit(&["--who", "nobody"]), [""; 0]);
    let table = server.run(["audit", "--index", "alice/dev"]).stdout;
    let words: Vec<&str> = table
        .lines()
        .nth(1)
        .unwrap_or_default()
        .split_whitespace()
        .collect();
    assert_eq!(
        words[3..6],
        ["alice", "index-create", "alice/dev"],
        "{table}"
    );
}
