//! Upstreams of every sort: old, flat, locked, spread over hosts.

use std::fs;

use testkit::http::{self, Request};
use testkit::{Auth, Dist, Fault, HashKind, Pages, Project, Scratch, Upstream};

use crate::{mirror, mirror_with, says_why, server, with_every_installer};

fn projects() -> [Project; 2] {
    [
        Project::new("foo").with(Dist::wheel("1.0").requires("bar")),
        Project::new("bar").sdist("1.1"),
    ]
}

const ALL: [&str; 2] = ["bar==1.1", "foo==1.0"];

with_every_installer! {
    fn a_flat_page_of_links_is_an_index(installer) {
        let upstream = Upstream::start(projects());
        let server = server()
            .config(&format!(
                "default = \"root/flat\"\n[mirror.\"root/flat\"]\nkind = \"find-links\"\nupstream = \"{}\"\n",
                upstream.find_links()
            ))
            .start();
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ALL);
        assert_eq!(http::get(&format!("{}nothing/", server.simple())).status, 404);
    }

    fn a_directory_of_files_is_an_index(installer) {
        let upstream = Upstream::start(projects());
        let wheels = tempfile::tempdir().unwrap();
        for filename in ["foo-1.0-py3-none-any.whl", "bar-1.1.tar.gz"] {
            fs::write(wheels.path().join(filename), upstream.content_of(filename)).unwrap();
        }
        let server = server()
            .config(&format!(
                "default = \"root/flat\"\n[mirror.\"root/flat\"]\nkind = \"find-links\"\nupstream = \"{}\"\n",
                wheels.path().display()
            ))
            .start();
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ALL);
    }

    fn an_upstream_behind_a_password_needs_none_here(installer) {
        let upstream = Upstream::start(projects());
        upstream.change(|settings| settings.auth = Auth::Basic("me".into(), "s3cret".into()));
        let server = mirror_with(&upstream, "username = \"me\"\npassword = \"s3cret\"");
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ALL);
        assert!(!server.log().contains("s3cret"));
    }

    fn an_upstream_may_give_other_hashes_or_none(installer) {
        for hashes in [HashKind::Sha512, HashKind::Md5, HashKind::None] {
            let upstream = Upstream::start(projects());
            upstream.change(|settings| settings.hashes = hashes);
            let mut server = mirror(&upstream);
            for is_warm in [false, true] {
                let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
                assert_eq!(installed.projects(), ALL, "{hashes:?}, warm: {is_warm}");
            }
            // A client that was told other hashes than upstream's would write them into its lock.
            let json = Request::get(&format!("{}foo/", server.simple())).json().send().json();
            let given = json["files"][0]["hashes"].as_object().unwrap();
            let expected = match hashes {
                HashKind::Sha512 => vec!["sha512"],
                HashKind::Md5 => vec!["md5"],
                HashKind::Sha256 | HashKind::None => Vec::new(),
            };
            assert_eq!(given.keys().collect::<Vec<_>>(), expected);
            server.stop();
            assert_eq!(upstream.count("*.whl").requests, 1);
        }
    }

    fn files_on_a_host_that_is_listed_are_served_from_here(installer) {
        let upstream = Upstream::start(projects());
        let files = Upstream::start(projects());
        let elsewhere = format!("http://localhost:{}", files.port());
        upstream.change(|settings| settings.files_at = Some(elsewhere));
        let server = mirror_with(&upstream, "file-hosts = [\"localhost\"]");
        let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
        assert_eq!(installed.projects(), ALL);
        assert_eq!(upstream.count("/packages/*").requests, 0);
        assert!(files.count("/packages/*").requests > 0);
    }

    fn files_on_a_host_that_is_not_allowed_are_refused_in_words(installer) {
        let upstream = Upstream::start(projects());
        let files = Upstream::start(projects());
        let elsewhere = format!("http://localhost:{}", files.port());
        upstream.change(|settings| {
            settings.files_at = Some(elsewhere);
            settings.metadata = false;
        });
        let server = server()
            .mirroring_with(&upstream, "file-hosts = [\"files.example\"]")
            .expect_5xx()
            .start();
        let installed = installer.install(&Scratch::new(), &server.simple(), &["bar"]);
        says_why(installer, &installed.run, "403 Forbidden", "files from `localhost` are not allowed: add it to `file-hosts` of this mirror if you trust it");
        assert_eq!(files.requests().len(), 0);
    }
}

#[test]
fn a_token_opens_an_upstream_and_goes_to_no_other_host() {
    let upstream = Upstream::start(projects());
    upstream.change(|settings| settings.auth = Auth::Bearer("t0ken".into()));
    let files = Upstream::start(projects());
    let elsewhere = format!("http://localhost:{}", files.port());
    upstream.change(|settings| settings.files_at = Some(elsewhere));
    let server = mirror_with(&upstream, "token = \"t0ken\"\nfile-hosts = [\"localhost\"]");
    let installed =
        testkit::Installer::UvNewest.install(&Scratch::new(), &server.simple(), &["foo"]);
    assert_eq!(installed.projects(), ALL);
    for request in files.requests() {
        assert_eq!(request.header("authorization"), None, "{request:?}");
    }
}

#[test]
fn a_wrong_password_is_said_to_the_operator() {
    let upstream = Upstream::start(projects());
    upstream.change(|settings| settings.auth = Auth::Basic("me".into(), "s3cret".into()));
    let server = server()
        .mirroring_with(&upstream, "username = \"me\"\npassword = \"wr0ng\"")
        .expect_5xx()
        .start();
    let answer = http::get(&format!("{}foo/", server.simple()));
    assert_eq!(answer.status, 504);
    assert!(
        answer
            .reason
            .contains("check this mirror's username, password or token"),
        "{}",
        answer.reason
    );
    assert!(!answer.text().contains("wr0ng"));
}

#[test]
fn an_upstream_of_json_alone_is_served_as_html_too() {
    let upstream = Upstream::start(projects());
    upstream.change(|settings| settings.pages = Pages::Json);
    let server = mirror(&upstream);
    let installed =
        testkit::Installer::PipOldest.install(&Scratch::new(), &server.simple(), &["foo"]);
    assert_eq!(installed.projects(), ALL);
}

#[test]
fn a_redirected_page_is_read_where_it_ends() {
    let upstream = Upstream::start(projects());
    let moved = Upstream::start(projects());
    let to = format!("{}foo/", moved.simple());
    upstream.fault("/simple/foo/", Fault::redirect(&to));
    let server = mirror(&upstream);
    let page = format!("{}foo/", server.simple());
    let json = Request::get(&page).json().send().json();
    let file = http::get(&format!(
        "{page}{}",
        json["files"][0]["url"].as_str().unwrap()
    ));
    assert_eq!(file.body, moved.content_of("foo-1.0-py3-none-any.whl"));
    assert_eq!(moved.count("*.whl").requests, 1);
}

#[test]
fn several_mirrors_stand_side_by_side() {
    let one = Upstream::start([Project::new("foo").wheel("1.0")]);
    let two = Upstream::start([Project::new("foo").wheel("2.0")]);
    let server = server()
        .config(&format!(
            "[mirror.\"root/pypi\"]\nupstream = \"{}\"\n[mirror.\"gpu/cu128\"]\nupstream = \"{}\"\n",
            one.simple(),
            two.simple()
        ))
        .start();
    let uv = testkit::Installer::UvNewest;
    let from = |index: &str| uv.install(&Scratch::new(), index, &["foo"]).projects();
    assert_eq!(from(&server.simple()), ["foo==1.0"]);
    assert_eq!(from(&server.index("root/pypi")), ["foo==1.0"]);
    assert_eq!(from(&server.index("gpu/cu128")), ["foo==2.0"]);
}
