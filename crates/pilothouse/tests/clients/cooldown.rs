//! Upload times: policies that wait for a file to age must work through us.

use testkit::{Dist, Installer, Pages, Project, Scratch, Upstream};

use crate::mirror;

fn upstream() -> Upstream {
    Upstream::start([Project::new("foo")
        .with(Dist::wheel("1.0").uploaded(Some("2024-01-01T00:00:00Z")))
        .with(Dist::wheel("2.0").uploaded(Some("2025-06-01T12:00:00.123456Z")))])
}

fn installs(installer: Installer, flag: [&str; 2], upstream: &Upstream, expected: &str) {
    let server = mirror(upstream);
    let installed = installer.install(
        &Scratch::new(),
        &server.simple(),
        &["foo", flag[0], flag[1]],
    );
    assert_eq!(installed.projects(), [expected]);
}

const UV_2024: [&str; 2] = ["--exclude-newer", "2024-12-31T00:00:00Z"];
const PIP_2024: [&str; 2] = ["--uploaded-prior-to", "2024-12-31T00:00:00Z"];
const UV_FAR: [&str; 2] = ["--exclude-newer", "2999-01-01T00:00:00Z"];
const PIP_FAR: [&str; 2] = ["--uploaded-prior-to", "2999-01-01T00:00:00Z"];

#[test]
fn uv_excludes_what_is_newer() {
    for installer in [Installer::UvOldest, Installer::UvNewest] {
        installs(installer, UV_2024, &upstream(), "foo==1.0");
        installs(installer, UV_FAR, &upstream(), "foo==2.0");
    }
}

#[test]
fn pip_takes_only_what_was_uploaded_before() {
    installs(Installer::PipNewest, PIP_2024, &upstream(), "foo==1.0");
    installs(Installer::PipNewest, PIP_FAR, &upstream(), "foo==2.0");
}

#[test]
fn an_upstream_without_upload_times_works_with_both() {
    for pages in [Pages::Html, Pages::Json] {
        let upstream = upstream();
        upstream.change(|settings| {
            settings.pages = pages;
            settings.upload_times = false;
        });
        installs(Installer::UvNewest, UV_FAR, &upstream, "foo==2.0");
        installs(Installer::PipNewest, PIP_FAR, &upstream, "foo==2.0");
    }
}

#[test]
fn a_time_that_is_not_upstreams_is_marked_and_stays() {
    let upstream = upstream();
    upstream.change(|settings| settings.upload_times = false);
    let mut server = mirror(&upstream);
    let times = |server: &testkit::Server| {
        let page = format!("{}foo/", server.simple());
        let page = testkit::http::Request::get(&page).json().send().json();
        let file = page["files"][0].clone();
        (
            file["upload-time"].clone(),
            file["_upload-time-source"].clone(),
        )
    };
    let first = times(&server);
    assert!(first.0.is_string());
    assert_eq!(first.1, "first-seen");
    server.stop();
    server.start_again();
    assert_eq!(times(&server), first);
}
