//! The clients' own caches: what we send must let them ask less.

use testkit::{Dist, Fault, Installer, Logged, Project, Scratch, Upstream};

use crate::mirror;

/// Installs twice with one cache and gives the requests of the second run.
fn second_run(installer: Installer, arguments: &[&str]) -> Vec<Logged> {
    second_run_over(&upstream(), installer, arguments)
}

fn upstream() -> Upstream {
    Upstream::start([
        Project::new("foo").with(Dist::wheel("1.0").requires("bar")),
        Project::new("bar").wheel("1.0"),
    ])
}

fn second_run_over(upstream: &Upstream, installer: Installer, arguments: &[&str]) -> Vec<Logged> {
    let mut server = mirror(upstream);
    let scratch = Scratch::caching();
    let mut all = vec!["foo"];
    let install = |server: &testkit::Server, all: &[&str]| {
        let installed = installer.install(&scratch, &server.simple(), all);
        assert_eq!(installed.projects(), ["bar==1.0", "foo==1.0"]);
    };
    if installer.is_pip() {
        // Without it pip keeps nothing that came over http.
        all.extend(["--trusted-host", "127.0.0.1"]);
    }
    install(&server, &all);
    let first = server.requests();
    assert!(
        first.iter().all(|request| request.status == 200),
        "{first:#?}"
    );
    server.start_again();
    all.extend(arguments);
    install(&server, &all);
    server.requests().split_off(first.len())
}

#[test]
fn the_newest_pip_asks_nothing_the_second_time() {
    assert_eq!(second_run(Installer::PipNewest, &[]), []);
}

// pip learned to cache what comes over plain http from a trusted host later.
#[test]
fn the_oldest_pip_keeps_nothing_that_came_over_http() {
    let requests = second_run(Installer::PipOldest, &[]);
    assert_eq!(requests.len(), 4, "{requests:#?}");
    assert!(requests.iter().all(|request| request.status == 200));
}

#[test]
fn uv_asks_nothing_the_second_time() {
    assert_eq!(second_run(Installer::UvOldest, &[]), []);
    assert_eq!(second_run(Installer::UvNewest, &[]), []);
}

#[test]
fn what_upstream_forbids_to_keep_is_kept_all_the_same() {
    for installer in [
        Installer::PipNewest,
        Installer::UvOldest,
        Installer::UvNewest,
    ] {
        let upstream = upstream();
        let forbids = Fault::headers()
            .header("Cache-Control", "no-store")
            .header("Vary", "*")
            .header("Set-Cookie", "edge=7");
        upstream.fault("*", forbids);
        assert_eq!(second_run_over(&upstream, installer, &[]), []);
    }
}

#[test]
fn uv_has_everything_confirmed_when_it_refreshes() {
    for installer in [Installer::UvOldest, Installer::UvNewest] {
        let requests = second_run(installer, &["--refresh"]);
        assert!(requests.len() >= 2, "{requests:#?}");
        for request in requests {
            assert_eq!(request.status, 304, "{request:?}");
        }
    }
}

#[test]
fn what_was_installed_stays_installable_from_uvs_cache_offline() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    let server = mirror(&upstream);
    let scratch = Scratch::caching();
    let index = server.simple();
    let install = |arguments: &[&str]| {
        Installer::UvNewest
            .install(&scratch, &index, arguments)
            .projects()
    };
    install(&["foo"]);
    drop(server);
    assert_eq!(install(&["foo", "--offline"]), ["foo==1.0"]);
}
