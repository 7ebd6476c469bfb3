//! Who may do what: every route and method, by every kind of caller, on an index that
//! all may read and on one that few may.
//!
//! The rows come from the route list and from what each route says it takes. A route that is
//! new has no row in the tables, and the tests fail until somebody has thought about it.

mod ground;

use std::collections::BTreeSet;
use std::fmt::Write;

use insta::assert_snapshot;
use serde_json::{Value, json};

use ground::{CALLERS, Ground, Index, Sent, Who};

/// The route list itself.
const ROUTES: &str = include_str!("../../src/routes.rs");

/// Every route as it is written.
fn routes() -> impl Iterator<Item = &'static str> {
    let calls = ROUTES.split(".route(").skip(1);
    calls.map(|call| call.split('"').nth(1).unwrap())
}

impl Ground {
    /// Every route with the methods that it takes; HEAD goes wherever GET does.
    async fn rows(&self) -> Vec<(String, &'static str)> {
        let mut rows = Vec::new();
        for route in routes() {
            let path = self.path("GET", route, Index::Open);
            let reply = self.ask(Who::Nobody, "BREW", &path, &Sent::Nothing).await;
            assert_eq!(reply.status, 405, "{route}");
            let allowed = reply.header("allow").unwrap_or_default().to_owned();
            let mut methods: BTreeSet<&str> = allowed.split(',').collect();
            methods.remove("HEAD");
            let pushed = self.ask(Who::Nobody, "PUSH", &path, &Sent::Nothing).await;
            if pushed.status != 405 {
                methods.insert("PUSH");
            }
            rows.extend(methods.iter().map(|method| ((*method).to_owned(), route)));
        }
        rows
    }
}

/// A line for each route and method, a column for each caller.
async fn matrix(index: Index) -> String {
    let mut ground = Ground::new(index).await;
    let callers = CALLERS.map(|who| format!("{who:?}"));
    let mut table = line("method", "route", &callers);
    for (method, route) in ground.rows().await {
        let mut statuses = Vec::new();
        for who in CALLERS {
            let path = ground.path(&method, route, index);
            let sent = ground.sent(&method, route);
            let reply = ground.ask(who, &method, &path, &sent).await;
            statuses.push(reply.status.to_string());
            if method == "GET" {
                let head = ground.ask(who, "HEAD", &path, &sent).await;
                assert_eq!(head.status, reply.status, "HEAD {path} by {who:?}");
            }
            // What was removed is not there for the next.
            if method == "DELETE" && reply.status < 300 {
                ground = Ground::new(index).await;
            }
        }
        table += &line(&method, route, &statuses);
    }
    table
}

fn line(method: &str, route: &str, cells: &[String]) -> String {
    let mut line = format!("{method:6} {route:56}");
    for cell in cells {
        write!(line, " {cell:9}").unwrap();
    }
    line.trim_end().to_owned() + "\n"
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what_on_an_index_that_all_may_read() {
    assert_snapshot!(matrix(Index::Open).await);
}

#[tokio::test(flavor = "multi_thread")]
async fn who_may_do_what_on_an_index_that_few_may_read() {
    assert_snapshot!(matrix(Index::Shut).await);
}

/// To whom it is nothing, an index that few may read is as one that does not exist, to the byte;
/// so is a view of it.
#[tokio::test(flavor = "multi_thread")]
async fn what_is_shut_is_as_none_to_whom_it_does_not_concern() {
    let ground = Ground::new(Index::Shut).await;
    for (method, route) in ground.rows().await {
        if !route.starts_with("/{user}/{index}") && !route.starts_with("/views/{view}") {
            continue;
        }
        let also_head = (method == "GET").then_some("HEAD");
        for method in also_head.into_iter().chain([method.as_str()]) {
            for who in [Who::Nobody, Who::Wrong, Who::Expired, Who::Stranger] {
                let shut = told(&ground, who, method, route, Index::Shut).await;
                let gone = told(&ground, who, method, route, Index::Gone).await;
                assert_eq!(shut, gone, "{method} {route} by {who:?}");
            }
        }
    }
}

/// The whole answer about an index, or about the view of it, without its name.
async fn told(ground: &Ground, who: Who, method: &str, route: &str, index: Index) -> String {
    // That of an index that is there already, even for PUT.
    let path = ground.path("GET", route, index);
    let path = match index {
        Index::Gone => path.replace("/views/view/", "/views/none/"),
        _ => path,
    };
    let sent = ground.sent(method, route);
    let whole = ground.ask(who, method, &path, &sent).await.whole();
    let whole = whole.replace("views/none", "views/view");
    whole.replace(index.name(), "[index]")
}

/// Users are shown with those of their indexes that the caller may read.
#[tokio::test(flavor = "multi_thread")]
async fn a_shut_index_is_named_to_its_readers_alone() {
    let ground = Ground::new(Index::Shut).await;
    for who in CALLERS {
        let named = ground.ask(who, "GET", "/olga", &Sent::Nothing).await;
        let named: Value = serde_json::from_slice(&named.body).unwrap();
        let readers = [Who::Reader, Who::Owner, Who::Root, Who::MayRead, Who::Other];
        let is_named = named["result"]["indexes"].get("shut").is_some();
        assert_eq!(is_named, readers.contains(&who), "{who:?}");
        let home = ground.ask(who, "GET", "/", &Sent::Nothing).await;
        assert!(!home.text().contains("shut"), "{who:?}");
    }
}

/// A token for one index reads what that index shows of its bases, and the bases only there.
#[tokio::test(flavor = "multi_thread")]
async fn a_token_for_one_index_reads_its_private_bases_through_it() {
    let ground = Ground::new(Index::Shut).await;
    let file = format!("+f/{}", ground.hosted);
    for (path, expected) in [
        ("+simple/foo/", [200, 404]),
        ("foo", [200, 404]),
        ("foo/1.0", [200, 404]),
        (&file, [200, 404]),
    ] {
        for (index, expected) in ["elsewhere", "shut"].into_iter().zip(expected) {
            let path = format!("/olga/{index}/{path}");
            let token = ground
                .ask(Who::Elsewhere, "GET", &path, &Sent::Nothing)
                .await;
            assert_eq!(token.status, expected, "{path}");
            let stranger = ground
                .ask(Who::Stranger, "GET", &path, &Sent::Nothing)
                .await;
            assert_eq!(stranger.status, 404, "{path}");
        }
    }
}

/// A page that is kept rendered is given at once to whom it was made for, and to nobody else.
#[tokio::test(flavor = "multi_thread")]
async fn a_warm_page_is_for_those_who_may_read_all_of_it() {
    let ground = Ground::new(Index::Shut).await;
    let ask = async |who, page| ground.ask(who, "GET", page, &Sent::Nothing).await;
    let readers = [Who::Reader, Who::Owner, Who::Root, Who::MayRead];
    for page in [
        "/olga/shut/+simple/foo/",
        "/olga/elsewhere/+simple/foo/",
        "/views/view/simple/foo/",
    ] {
        let cold = ask(Who::Owner, page).await;
        // A password is known from its first time on.
        let known = [false, true].into_iter();
        for (is_known, who) in known.flat_map(|known| CALLERS.map(|who| (known, who))) {
            let reply = ask(who, page).await;
            // That token reads what its own index shows of others.
            let may_read = readers.contains(&who)
                || (who == Who::Elsewhere && page.starts_with("/olga/elsewhere/"));
            assert_eq!(reply.status == 200, may_read, "{page} by {who:?}");
            if may_read {
                assert_eq!(reply.body, cold.body, "{page} by {who:?}");
                assert_eq!(reply.header("cache-control"), Some("private, no-cache"));
                let is_routed = reply.header("x-devpi-api-version").is_some();
                assert!(!(is_known && is_routed), "{page} by {who:?}");
            }
        }
    }
    let shut = Sent::json(&json!({ "acl_pkg_read": [] }));
    let changed = ground.ask(Who::Owner, "PATCH", "/olga/shut", &shut).await;
    assert_eq!(changed.status, 200, "{}", changed.text());
    assert_eq!(ask(Who::Owner, "/olga/shut/+simple/foo/").await.status, 200);
    assert_eq!(
        ask(Who::Reader, "/olga/shut/+simple/foo/").await.status,
        404
    );
}
