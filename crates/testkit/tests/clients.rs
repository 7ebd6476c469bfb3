//! The real clients work against the fake upstream alone, so that what fails
//! elsewhere is the server's fault.

use testkit::{Dist, Installer, Pages, Project, Scratch, Upstream};

fn upstream() -> Upstream {
    Upstream::start([
        Project::new("foo").with(Dist::wheel("1.0").requires("bar>=1")),
        Project::new("bar").sdist("1.1"),
    ])
}

fn installs(installer: Installer) {
    let upstream = upstream();
    for pages in [Pages::Negotiated, Pages::Html] {
        upstream.change(|settings| settings.pages = pages);
        let installed = installer.install(&Scratch::new(), &upstream.simple(), &["foo"]);
        assert_eq!(installed.projects(), ["bar==1.1", "foo==1.0"]);
    }
}

#[test]
fn the_oldest_pip_installs_a_wheel_and_builds_an_sdist() {
    installs(Installer::PipOldest);
}

#[test]
fn the_newest_pip_installs_a_wheel_and_builds_an_sdist() {
    installs(Installer::PipNewest);
}

#[test]
fn the_oldest_uv_installs_a_wheel_and_builds_an_sdist() {
    installs(Installer::UvOldest);
}

#[test]
fn the_newest_uv_installs_a_wheel_and_builds_an_sdist() {
    installs(Installer::UvNewest);
}
