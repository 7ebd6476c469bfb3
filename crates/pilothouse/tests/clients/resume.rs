//! A connection to us that breaks in the middle of a file.

use testkit::{Cut, Dist, Installer, Logged, Project, Scratch, Upstream};

use crate::mirror;

/// Installs a wheel over a wire that breaks once, and gives the requests for it.
fn over_a_broken_wire(installer: Installer, arguments: &[&str]) -> Vec<Logged> {
    let upstream = Upstream::start([Project::new("foo").with(Dist::wheel("1.0").padding(900_000))]);
    let mut server = mirror(&upstream);
    let at = server.url().trim_start_matches("http://").to_owned();
    let cut = Cut::start(&at, 500_000);
    let mut all = vec!["foo"];
    all.extend(arguments);
    let index = format!("{}/simple/", cut.url());
    let installed = installer.install(&Scratch::new(), &index, &all);
    assert_eq!(installed.projects(), ["foo==1.0"]);
    assert!(cut.has_cut());
    let requests = server.requests();
    assert_eq!(upstream.count("*.whl").requests, 1);
    let is_file =
        |request: &Logged| request.path.contains("/+f/") && !request.path.contains(".metadata");
    requests.into_iter().filter(is_file).collect()
}

/// In order of size: two workers write the log.
fn statuses(requests: &[Logged]) -> Vec<u64> {
    let mut statuses: Vec<u64> = requests.iter().map(|request| request.status).collect();
    statuses.sort_unstable();
    statuses
}

// It asks with `Range` and with our strong ETag in `If-Range`, and checks the hash of the whole.
#[test]
fn the_newest_pip_goes_on_where_it_was_cut() {
    let requests = over_a_broken_wire(Installer::PipNewest, &["--resume-retries", "2"]);
    assert_eq!(statuses(&requests), [200, 206]);
}

#[test]
fn uv_begins_again() {
    for installer in [Installer::UvOldest, Installer::UvNewest] {
        let requests = over_a_broken_wire(installer, &[]);
        assert_eq!(statuses(&requests), [200, 200]);
    }
}
