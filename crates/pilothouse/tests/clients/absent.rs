//! Names and files that are not there, and upstreams that do not say so well.

use testkit::http::{self, Request};
use testkit::{Account, Dist, Fault, Installer, Project, Scratch, Tree, Uploader, Upstream};

use crate::{mirror, mirror_with, says_why, server, with_every_installer};

fn upstream() -> Upstream {
    Upstream::start([Project::new("foo").wheel("1.0")])
}

fn says_not_found(installer: Installer, run: &testkit::Run) {
    run.fails();
    if installer.is_pip() {
        run.says("No matching distribution found for nothing");
    } else {
        run.says("Because nothing was not found in the package registry");
    }
}

with_every_installer! {
    fn a_name_that_upstream_does_not_have_is_not_found(installer) {
        let upstream = upstream();
        let server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.simple(), &["nothing"]);
        says_not_found(installer, &installed.run);
        assert_eq!(http::get(&format!("{}nothing/", server.simple())).status, 404);
    }

    fn an_upstream_that_forbids_what_it_lacks_is_understood(installer) {
        let upstream = upstream();
        upstream.change(|settings| {
            settings.missing = 403;
            settings.cache_control = Some("no-store".to_owned());
        });
        let server = mirror_with(&upstream, "missing = [403, 404]");
        let installed = installer.install(&Scratch::new(), &server.simple(), &["nothing"]);
        says_not_found(installer, &installed.run);
        let there = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(there.projects(), ["foo==1.0"]);
        let again = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(again.projects(), ["foo==1.0"]);
        // `no-store` would make a mirror useless.
        assert_eq!(upstream.count("/simple/foo/").requests, 1);
    }

    fn a_file_that_upstream_lost_is_said_by_name(installer) {
        let upstream = upstream();
        let server = mirror(&upstream);
        upstream.fault("*.whl", Fault::status(404));
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        says_why(installer, &installed.run, "404 Not Found", "`root/pypi` has no file `foo-1.0-py3-none-any.whl`");
    }

    fn a_file_that_cannot_be_fetched_is_said_with_the_reason(installer) {
        let mut upstream = upstream();
        let server = server().mirroring(&upstream).expect_5xx().start();
        let page = format!("{}foo/", server.simple());
        assert_eq!(http::get(&page).status, 200);
        // The metadata is there, the file is not.
        let json = Request::get(&page).json().send().json();
        let file = format!("{page}{}", json["files"][0]["url"].as_str().unwrap());
        assert_eq!(http::get(&format!("{file}.metadata")).status, 200);
        upstream.stop();
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        let reason = "upstream of `root/pypi` is not answering and file `foo-1.0-py3-none-any.whl` is not in the cache: no connection";
        says_why(installer, &installed.run, "504 Gateway Timeout", reason);
    }
}

#[test]
fn an_absent_name_is_remembered_for_a_while() {
    let upstream = upstream();
    let server = mirror(&upstream);
    let page = format!("{}nothing/", server.simple());
    for _ in 0..3 {
        let answer = http::get(&page);
        assert_eq!(answer.status, 404);
        assert_eq!(
            answer.header("Content-Type"),
            Some("application/problem+json")
        );
        assert_eq!(answer.reason, "`root/pypi` has no project `nothing`");
        assert_eq!(answer.json()["detail"], answer.reason);
    }
    assert_eq!(upstream.count("/simple/nothing/").requests, 1);
}

#[test]
fn an_absent_name_is_asked_for_again_after_that_while() {
    let upstream = upstream();
    let server = mirror_with(&upstream, "missing-for = \"10 ms\"");
    let page = format!("{}late/", server.simple());
    assert_eq!(http::get(&page).status, 404);
    upstream.put(Project::new("late").wheel("1.0"));
    testkit::wait_until("the new project", || http::get(&page).status == 200);
}

#[test]
fn unknown_and_upstream_down_is_a_gateway_timeout_in_words() {
    let mut upstream = upstream();
    let server = server().mirroring(&upstream).expect_5xx().start();
    upstream.stop();
    let answer = http::get(&format!("{}foo/", server.simple()));
    assert_eq!(answer.status, 504);
    assert_eq!(
        answer.header("Content-Type"),
        Some("application/problem+json")
    );
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
    assert_eq!(answer.json()["detail"], answer.reason);
    assert_eq!(answer.json()["status"], 504);
    assert_eq!(answer.json().get("title"), None);
    let begin = "upstream of `root/pypi` is not answering and project `foo` is not in the cache: no connection";
    assert!(answer.reason.starts_with(begin), "{}", answer.reason);
}

#[test]
fn pip_fails_at_once_when_upstream_is_down() {
    let mut upstream = upstream();
    let server = server().mirroring(&upstream).expect_5xx().start();
    upstream.stop();
    // pip repeats 503 for eight seconds and 504 not at all.
    let installed = Installer::PipNewest.install(&Scratch::new(), &server.simple(), &["foo"]);
    installed
        .run
        .fails()
        .says("No matching distribution found for foo");
    let requests = {
        let mut server = server;
        server.requests()
    };
    assert_eq!(requests.len(), 1, "{requests:#?}");
}

#[test]
fn a_wish_to_come_back_soon_is_passed_on() {
    let upstream = upstream();
    let server = server().mirroring(&upstream).expect_5xx().start();
    upstream.fault(
        "/simple/foo/",
        Fault::status(503).header("Retry-After", "20"),
    );
    let answer = http::get(&format!("{}foo/", server.simple()));
    assert_eq!(answer.status, 503);
    assert_eq!(answer.header("Retry-After"), Some("20"));
}

#[test]
fn an_unknown_index_and_a_wrong_method_are_said_in_words() {
    let upstream = upstream();
    let server = mirror(&upstream);
    let answer = http::get(&format!("{}foo/", server.index("no/body")));
    assert_eq!(
        (answer.status, answer.reason.as_str()),
        (404, "there is no index `no/body` here")
    );
    let posted = Request::new("POST", &server.simple())
        .header("Content-Length", "0")
        .send();
    assert_eq!(posted.status, 405);
}

#[test]
fn twine_is_told_that_a_mirror_takes_no_uploads() {
    let upstream = upstream();
    let server = mirror(&upstream);
    let scratch = Scratch::new();
    let tree = Tree::new(&scratch, "foo", "1.0");
    tree.dist(&Dist::wheel("1.0"));
    let account = Account {
        url: &server.simple(),
        user: "somebody",
        password: "secret",
    };
    let run = Uploader::Twine.publish(&scratch, account, &tree);
    run.fails()
        .says("uploads go to the address of an index, like /alice/dev/");
    let account = Account {
        url: &format!("{}/root/pypi/", server.url()),
        ..account
    };
    let run = Uploader::Twine.publish(&scratch, account, &tree);
    run.fails().says("cannot submit to mirror index root/pypi");
}
