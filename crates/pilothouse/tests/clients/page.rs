//! What pages carry from upstream to the client, whatever form either speaks.

use testkit::http::{self, Request};
use testkit::{Dist, Fault, HashKind, Pages, Project, Scratch, Upstream};

use crate::{mirror, with_every_installer};

with_every_installer! {
    fn requires_python_holds_through_an_upstream_of_html(installer) {
        let upstream = Upstream::start([Project::new("foo")
            .with(Dist::wheel("1.0").requires_python(">=3.7"))
            .with(Dist::wheel("2.0").requires_python(">=4"))]);
        upstream.change(|settings| settings.pages = Pages::Html);
        let server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ["foo==1.0"]);
    }

    fn yanked_files_are_taken_only_when_asked_for_by_version(installer) {
        let upstream = Upstream::start([Project::new("foo")
            .wheel("1.0")
            .with(Dist::wheel("2.0").yanked("eats <your> \"lunch\""))
            .with(Dist::wheel("3.0").yanked(""))]);
        upstream.change(|settings| settings.pages = Pages::Html);
        let server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ["foo==1.0"]);
        let asked = installer.install(&Scratch::new(), &server.simple(), &["foo==2.0"]);
        assert_eq!(asked.projects(), ["foo==2.0"]);
        asked.run.says("eats <your> \"lunch\"");
    }

    fn other_digests_than_sha256_pass_as_they_are(installer) {
        for (kind, key) in [(HashKind::Sha512, "sha512"), (HashKind::Md5, "md5"), (HashKind::None, "")] {
            let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
            upstream.change(|settings| settings.hashes = kind);
            let server = mirror(&upstream);
            let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
            assert_eq!(installed.projects(), ["foo==1.0"]);
            // The same set before and after the file is here, or locks flip.
            let page = Request::get(&format!("{}foo/", server.simple())).json().send().json();
            let keys: Vec<_> = page["files"][0]["hashes"].as_object().unwrap().keys().cloned().collect();
            assert_eq!(keys.join(","), key);
        }
    }

    fn local_versions_install_however_upstream_writes_the_plus(installer) {
        for escape in [false, true] {
            let upstream = Upstream::start([Project::new("foo").wheel("2.9.0+cu128")]);
            upstream.change(|settings| settings.escape_plus = escape);
            let server = mirror(&upstream);
            let installed = installer.install(&Scratch::new(), &server.simple(), &["foo==2.9.0+cu128"]);
            assert_eq!(installed.projects(), ["foo==2.9.0+cu128"]);
        }
    }

    fn file_urls_with_a_query_upstream_have_none_here(installer) {
        let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").requires("bar")), Project::new("bar").sdist("1.0")]);
        upstream.change(|settings| settings.file_query = Some("token=abc&x=%2F".to_owned()));
        let server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ["bar==1.0", "foo==1.0"]);
        let page = http::get(&format!("{}foo/", server.simple()));
        assert!(!page.text().contains("token"), "{}", page.text());
    }

    fn names_are_found_however_they_are_written(installer) {
        let upstream = Upstream::start([Project::new("Foo_Bar.baz").wheel("1.0")]);
        let server = mirror(&upstream);
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo.BAR__baz"]);
        assert_eq!(installed.projects(), ["foo_bar_baz==1.0"]);
    }
}

fn one() -> Upstream {
    Upstream::start([Project::new("foo")
        .with(Dist::wheel("1.0").requires_python(">=3.7,<4").provenance())
        .with(Dist::wheel("1.1").yanked("broken"))
        .sdist("1.2")
        .status("archived", "moved to bar")])
}

#[test]
fn a_json_page_is_complete() {
    let upstream = one();
    let server = mirror(&upstream);
    let answer = Request::get(&format!("{}foo/", server.simple()))
        .json()
        .send();
    assert_eq!(
        answer.header("Content-Type"),
        Some("application/vnd.pypi.simple.v1+json")
    );
    let page = answer.json();
    assert_eq!(page["meta"]["api-version"], "1.4");
    assert_eq!(page["meta"]["_last-serial"], 12_345_678);
    assert_eq!(page["name"], "foo");
    assert_eq!(page["versions"], serde_json::json!(["1.0", "1.1", "1.2"]));
    assert_eq!(
        page["project-status"],
        serde_json::json!({"status": "archived", "reason": "moved to bar"})
    );
    let files = page["files"].as_array().unwrap();
    assert_eq!(files[0]["requires-python"], ">=3.7,<4");
    assert_eq!(files[0]["upload-time"], "2024-01-02T03:04:05.678901Z");
    assert_eq!(
        files[0]["size"],
        upstream.content_of("foo-1.0-py3-none-any.whl").len()
    );
    assert_eq!(files[1]["yanked"], "broken");
    for file in files {
        // The old key makes some older pips fail (PEP 714).
        assert_eq!(file.get("dist-info-metadata"), None);
        assert_eq!(file.get("data-dist-info-metadata"), None);
        let url = file["url"].as_str().unwrap();
        assert!(url.starts_with("../../+f/packages/"), "{url}");
        assert!(!url.contains(['?', '#']), "{url}");
        let whole = http::get(&format!("{}foo/{url}", server.simple()));
        assert_eq!(
            whole.body,
            upstream.content_of(file["filename"].as_str().unwrap())
        );
    }
    let provenance = files[0]["provenance"].as_str().unwrap();
    let provenance = http::get(&format!("{}foo/{provenance}", server.simple()));
    assert_eq!(
        (provenance.status, provenance.json()["version"].as_u64()),
        (200, Some(1))
    );
}

#[test]
fn an_html_page_says_the_same() {
    let upstream = one();
    let server = mirror(&upstream);
    let answer = http::get(&format!("{}foo/", server.simple()));
    assert_eq!(
        answer.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    let page = answer.text();
    for part in [
        "<meta name=\"pypi:repository-version\" content=\"1.4\">",
        "<meta name=\"pypi:project-status\" content=\"archived\">",
        "data-requires-python=\"&gt;=3.7,&lt;4\"",
        "data-yanked=\"broken\"",
        " data-core-metadata=\"sha256=",
        " data-dist-info-metadata=\"sha256=",
        "href=\"../../+f/packages/",
        ">foo-1.2.tar.gz</a>",
    ] {
        assert!(page.contains(part), "no `{part}` in\n{page}");
    }
}

#[test]
fn pages_are_the_same_whether_upstream_speaks_html_or_json() {
    let pages = [Pages::Html, Pages::Json].map(|form| {
        let upstream = one();
        upstream.change(|settings| settings.pages = form);
        let server = mirror(&upstream);
        let page = Request::get(&format!("{}foo/", server.simple()))
            .json()
            .send();
        let mut page = page.json();
        for file in page["files"].as_array_mut().unwrap() {
            let file = file.as_object_mut().unwrap();
            // HTML has no place for these.
            for key in ["size", "upload-time", "_upload-time-source", "provenance"] {
                file.remove(key);
            }
        }
        page
    });
    assert_eq!(pages[0]["files"], pages[1]["files"]);
    assert_eq!(pages[0]["versions"], pages[1]["versions"]);
    assert_eq!(pages[0]["project-status"], pages[1]["project-status"]);
}

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "application/vnd.pypi.simple.v1+html";
const OLD: &str = "text/html; charset=utf-8";

#[test]
fn the_form_is_negotiated() {
    let upstream = one();
    let server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    for (accept, expected) in [
        ("*/*", None),
        (JSON, Some(JSON)),
        (HTML, Some(HTML)),
        ("text/html", Some(OLD)),
        ("application/vnd.pypi.simple.latest+json", Some(JSON)),
        (
            "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
            Some(JSON),
        ),
        (
            "application/vnd.pypi.simple.v1+json;q=0.1, text/html",
            Some(OLD),
        ),
        (
            "application/vnd.pypi.simple.v1+json;q=0, text/html;q=0.5",
            Some(OLD),
        ),
    ] {
        let answer = Request::get(&page).header("Accept", accept).send();
        assert_eq!(answer.status, 200, "{accept}");
        if expected.is_some() {
            assert_eq!(answer.header("Content-Type"), expected, "{accept}");
        }
        assert!(
            answer.header("Vary").unwrap().contains("Accept"),
            "{accept}"
        );
    }
    let refused = Request::get(&page).header("Accept", "image/png").send();
    assert_eq!(refused.status, 406);
    let asked = Request::get(&format!("{page}?format={JSON}"))
        .header("Accept", "text/html")
        .send();
    assert_eq!(asked.header("Content-Type"), Some(JSON));
}

#[test]
fn slashes_and_names_are_put_right_by_relative_redirects() {
    let upstream = one();
    let server = mirror(&upstream);
    for (path, location) in [("foo", "foo/"), ("FOO/", "../foo/"), ("FOO", "foo/")] {
        let answer = http::get(&format!("{}{path}", server.simple()));
        assert_eq!(answer.status, 301, "{path}");
        assert_eq!(answer.header("Location"), Some(location), "{path}");
    }
    assert_eq!(upstream.requests().len(), 0);
}

#[test]
fn the_root_lists_every_name_in_both_forms() {
    let upstream = Upstream::start(["foo", "bar"].map(|name| Project::new(name).wheel("1.0")));
    let server = mirror(&upstream);
    let json = Request::get(&server.simple()).json().send();
    assert_eq!(json.status, 200);
    assert_eq!(
        json.json()["projects"],
        serde_json::json!([{"name": "bar"}, {"name": "foo"}])
    );
    let html = http::get(&server.simple());
    assert!(
        html.text().contains("<a href=\"bar/\">bar</a>"),
        "{}",
        html.text()
    );
    assert_eq!(upstream.count("/simple/").requests, 1);
}

#[test]
fn the_aliases_of_the_newest_version_are_answered_with_the_real_type() {
    let upstream = one();
    let server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    for version in ["v1", "latest"] {
        for form in ["json", "html"] {
            let accept = format!("application/vnd.pypi.simple.{version}+{form}");
            let answer = Request::get(&page).header("Accept", &accept).send();
            let real = format!("application/vnd.pypi.simple.v1+{form}");
            assert_eq!(answer.status, 200, "{accept}");
            assert_eq!(answer.header("Content-Type"), Some(real.as_str()));
            let named = http::get(&format!("{page}?format={}", accept.replace('+', "%2B")));
            assert_eq!(named.header("Content-Type"), Some(real.as_str()));
        }
    }
}

// Some older pips fail on the legacy key in JSON: PEP 714.
#[test]
fn json_says_core_metadata_and_html_says_both() {
    let upstream = one();
    let server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    let json = Request::get(&page).json().send().text().to_owned();
    assert!(json.contains("\"core-metadata\""), "{json}");
    assert!(!json.contains("dist-info-metadata"), "{json}");
    let html = http::get(&page).text().to_owned();
    assert!(html.contains("data-core-metadata="), "{html}");
    assert!(html.contains("data-dist-info-metadata="), "{html}");
}

#[test]
fn headers_of_upstream_that_are_meant_for_us_end_here() {
    let upstream = one();
    for on in ["/simple/foo/", "*.whl", "*.metadata"] {
        let meant_for_us = Fault::headers()
            .header("Set-Cookie", "edge=7")
            .header("Vary", "Cookie, User-Agent")
            .header("Cache-Control", "no-store");
        upstream.fault(on, meant_for_us);
    }
    let server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    let json = Request::get(&page).json().send();
    let json = json.json();
    let mut files = json["files"].as_array().unwrap().iter();
    let wheel = files.find(|file| !file["core-metadata"].is_null()).unwrap();
    let file = format!("{page}{}", wheel["url"].as_str().unwrap());
    let metadata = format!("{file}.metadata");
    for (url, vary) in [(&page, true), (&file, false), (&metadata, false)] {
        for answer in [http::get(url), http::head(url)] {
            assert_eq!(answer.status, 200, "{url}");
            assert_eq!(answer.header("Set-Cookie"), None, "{url}");
            let cache_control = answer.header("Cache-Control").unwrap();
            assert!(
                cache_control.starts_with("public, max-age="),
                "{cache_control}"
            );
            let expected = vary.then_some("Accept, Accept-Encoding");
            assert_eq!(answer.header("Vary"), expected, "{url}");
        }
    }
}

#[test]
fn files_of_kinds_that_we_do_not_know_are_passed_through() {
    let upstream = Upstream::start([]);
    let page = r#"{"meta": {"api-version": "1.1"}, "name": "foo", "versions": ["1.0"], "files": [
        {"filename": "foo-1.0-variants.json", "url": "/packages/foo-1.0-variants.json", "hashes": {}, "size": 2}]}"#;
    upstream.fault(
        "/simple/foo/",
        Fault::body("application/vnd.pypi.simple.v1+json", page),
    );
    upstream.fault(
        "/packages/foo-1.0-variants.json",
        Fault::body("application/json", "{}"),
    );
    let server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    let json = Request::get(&page).json().send().json();
    assert_eq!(json["files"][0]["filename"], "foo-1.0-variants.json");
    let url = format!("{page}{}", json["files"][0]["url"].as_str().unwrap());
    assert_eq!(http::get(&url).text(), "{}");
    assert!(
        http::get(&page)
            .text()
            .contains(">foo-1.0-variants.json</a>")
    );
}
