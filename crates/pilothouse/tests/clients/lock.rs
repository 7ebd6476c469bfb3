//! Lock files hold absolute addresses of files: theirs and ours differ by a prefix only.

use std::fs;
use std::path::Path;

use testkit::{Dist, Installer, Project, Scratch, Upstream};

use crate::mirror;

const PYPROJECT: &str = r#"
[project]
name = "app"
version = "0"
requires-python = ">=3.8"
dependencies = ["foo"]

[tool.uv]
package = false
"#;

fn upstream() -> Upstream {
    Upstream::start([
        Project::new("foo").with(Dist::wheel("1.0").requires("bar")),
        Project::new("bar").wheel("1.1"),
    ])
}

/// A project and its lock, made from this index.
fn locked(installer: Installer, index: &str) -> Scratch {
    let scratch = Scratch::new();
    scratch.file("pyproject.toml", PYPROJECT);
    installer
        .run(&scratch, &["lock", "--default-index", index])
        .succeeds();
    scratch
}

/// Changes the addresses of files, and nothing else.
fn point(scratch: &Scratch, from: &str, to: &str) {
    let path = scratch.path().join("uv.lock");
    let lock = fs::read_to_string(&path).unwrap();
    let pointed = lock.replace(&format!("url = \"{from}"), &format!("url = \"{to}"));
    assert_ne!(pointed, lock, "`{from}` is not in it");
    fs::write(path, pointed).unwrap();
}

/// Installs exactly what the lock says, without a look at any index.
fn sync(installer: Installer, scratch: &Scratch) {
    installer.run(scratch, &["sync", "--frozen"]).succeeds();
    assert_eq!(
        installed(scratch.path()),
        ["bar-1.1.dist-info", "foo-1.0.dist-info"]
    );
}

fn installed(project: &Path) -> Vec<String> {
    let lib = project.join(".venv/lib");
    let python = fs::read_dir(lib).unwrap().next().unwrap().unwrap().path();
    let packages = fs::read_dir(python.join("site-packages")).unwrap();
    let names = packages.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| name.ends_with(".dist-info")).collect();
    names.sort();
    names
}

#[test]
fn a_lock_of_upstreams_becomes_one_of_ours_by_its_prefix() {
    for installer in [Installer::UvOldest, Installer::UvNewest] {
        let mut upstream = upstream();
        let scratch = locked(installer, &upstream.simple());
        let server = mirror(&upstream);
        let ours = format!("{}/root/pypi/+f/", server.url());
        point(&scratch, &format!("{}/", upstream.origin()), &ours);
        upstream.forget_requests();
        sync(installer, &scratch);
        assert_eq!(
            upstream.count("*.whl").requests,
            2,
            "each file came once, and to us"
        );
        // The next machine, with upstream gone.
        upstream.stop();
        fs::remove_dir_all(scratch.path().join(".venv")).unwrap();
        sync(installer, &scratch);
    }
}

#[test]
fn a_lock_of_ours_becomes_one_of_upstreams_by_its_prefix() {
    for installer in [Installer::UvOldest, Installer::UvNewest] {
        let upstream = upstream();
        let server = mirror(&upstream);
        let scratch = locked(installer, &server.index("root/pypi"));
        let ours = format!("{}/root/pypi/+f/", server.url());
        point(&scratch, &ours, &format!("{}/", upstream.origin()));
        drop(server);
        sync(installer, &scratch);
    }
}
