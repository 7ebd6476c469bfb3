//! Redirects: followed where files may be, and nowhere else.

use std::time::Duration;

use testkit::http;
use testkit::{Fault, Installer, Project, Scratch, Upstream};

use crate::{WHEEL, file, server, upstream};

fn answer_to(to: &str) -> http::Reply {
    let upstream = upstream(1000);
    let server = server().mirroring(&upstream).expect_5xx().start();
    let url = file(&server);
    upstream.fault("*.whl", Fault::redirect(to));
    let answer = http::get(&url);
    testkit::wait_until("nothing to be staged", || server.staged().is_empty());
    answer
}

#[track_caller]
fn is_refused(answer: &http::Reply, words: &str) {
    assert_eq!(answer.status, 504, "{}", answer.reason);
    assert!(
        answer.reason.contains(words),
        "no `{words}` in {}",
        answer.reason
    );
}

#[test]
fn a_redirect_on_the_same_host_is_followed() {
    let other = upstream(1000);
    let to = format!("{}{}", other.origin(), other.path_of(WHEEL));
    assert_eq!(answer_to(&to).body, other.content_of(WHEEL));
}

#[test]
fn a_redirect_to_a_file_of_this_machine_is_refused() {
    is_refused(
        &answer_to("file:///etc/passwd"),
        "a redirect that may not be followed",
    );
}

#[test]
fn a_redirect_to_a_private_address_is_refused() {
    for host in [
        "10.0.0.1",
        "169.254.169.254",
        "127.0.0.2",
        "[::1]",
        "localhost",
    ] {
        let to = format!("http://{host}:9/{WHEEL}");
        is_refused(&answer_to(&to), "loopback or private address");
    }
}

#[test]
fn a_loop_is_left() {
    let upstream = upstream(1000);
    let server = server().mirroring(&upstream).expect_5xx().start();
    let url = file(&server);
    let own = format!("{}{}", upstream.origin(), upstream.path_of(WHEEL));
    upstream.fault("*.whl", Fault::redirect(&own));
    is_refused(&http::get(&url), "redirects");
    assert!(upstream.count("*.whl").requests < 60);
}

#[test]
fn a_page_that_loops_is_left() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    let server = server().mirroring(&upstream).expect_5xx().start();
    upstream.fault(
        "/simple/foo/",
        Fault::redirect(&format!("{}foo/", upstream.simple())),
    );
    let answer = http::get(&format!("{}foo/", server.simple()));
    is_refused(&answer, "redirects");
}

#[test]
fn a_private_file_url_on_a_page_is_forbidden_in_words() {
    let upstream = upstream(1000);
    upstream.change(|settings| settings.files_at = Some("http://10.0.0.1:9".to_owned()));
    let server = server().mirroring(&upstream).start();
    let answer = http::get(&file(&server));
    assert_eq!(answer.status, 403, "{}", answer.reason);
    let words = "`10.0.0.1` is a loopback or private address: list it in `file-hosts` of this mirror if files really live there";
    assert!(answer.reason.contains(words), "{}", answer.reason);
}

/// The clients must not hang on retries, and what they can print they must.
#[test]
fn clients_say_soon_that_upstream_is_wrong() {
    let upstream = upstream(1000);
    let server = server().mirroring(&upstream).expect_5xx().start();
    upstream.fault("*.whl", Fault::redirect("file:///etc/passwd"));
    upstream.fault("/simple/bad/", Fault::body("application/json", "{}"));
    let pip = Installer::PipNewest;
    let file = pip.install(&Scratch::new(), &server.simple(), &["foo"]);
    file.run.fails().says("a redirect that may not be followed");
    let page = pip.install(&Scratch::new(), &server.simple(), &["bad"]);
    page.run
        .fails()
        .says("No matching distribution found for bad");
    // It repeats 500, 502 and 503 for eight seconds and then loses our words.
    for run in [file.run, page.run] {
        assert!(run.took < Duration::from_secs(6), "{:?}", run.took);
    }
    let page = Installer::UvNewest.install(&Scratch::new(), &server.simple(), &["bad"]);
    page.run
        .fails()
        .says("its page has the type `application/json`, which is none of the Simple API's");
}
