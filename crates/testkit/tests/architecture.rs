//! The arrows between crates, the homes of heavy libraries, and what no
//! committed file may say.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn metadata() -> Metadata {
    MetadataCommand::new()
        .manifest_path(root().join("Cargo.toml"))
        .no_deps()
        .other_options(["--offline".to_owned()])
        .exec()
        .unwrap()
}

/// For each crate of the workspace, what it uses outside of its tests.
fn uses() -> BTreeMap<String, BTreeSet<String>> {
    metadata()
        .packages
        .iter()
        .map(|package| {
            let uses = package
                .dependencies
                .iter()
                .filter(|dependency| dependency.kind != DependencyKind::Development)
                .map(|dependency| dependency.name.clone())
                .collect();
            (package.name.to_string(), uses)
        })
        .collect()
}

/// What each crate of ours may use of ours. A new crate needs a line here.
const ARROWS: [(&str, &[&str]); 10] = [
    ("pyspec", &[]),
    ("archive", &["pyspec"]),
    ("store", &["pyspec"]),
    ("index", &["archive", "pyspec", "store"]),
    ("server", &["index", "pyspec", "store"]),
    ("dockerfile", &["pyspec"]),
    ("context", &["dockerfile"]),
    (
        "pilothouse",
        &[
            "context",
            "dockerfile",
            "index",
            "pyspec",
            "server",
            "store",
        ],
    ),
    ("testkit", &[]),
    ("xtask", &[]),
];

#[test]
fn arrows_run_one_way() {
    let uses = uses();
    let ours: BTreeSet<&str> = uses.keys().map(String::as_str).collect();
    assert_eq!(ours, ARROWS.iter().map(|(name, _)| *name).collect());
    for (name, allowed) in ARROWS {
        let back: Vec<_> = uses[name]
            .iter()
            .filter(|used| ours.contains(used.as_str()) && !allowed.contains(&used.as_str()))
            .collect();
        assert!(back.is_empty(), "`{name}` must not use {back:?}");
    }
}

/// Which crates may use libraries whose names begin so.
const HOMES: [(&str, &[&str]); 9] = [
    ("axum", &["server"]),
    ("hyper", &["server"]),
    ("tower", &["server"]),
    ("sqlx", &["store"]),
    ("memmap2", &["store"]),
    ("html5gum", &["pyspec"]),
    ("clap", &["pilothouse", "xtask"]),
    ("anyhow", &["pilothouse", "xtask"]),
    ("uv-", &["pyspec", "pilothouse"]),
];

#[test]
fn heavy_libraries_stay_at_home() {
    for (name, uses) in uses() {
        for (library, homes) in HOMES {
            let strays: Vec<_> = uses
                .iter()
                .filter(|used| used.starts_with(library) && !homes.contains(&name.as_str()))
                .collect();
            assert!(strays.is_empty(), "`{name}` must not use {strays:?}");
        }
    }
}

#[test]
fn the_binary_takes_nothing_of_uv_but_its_default_index() {
    let uses = uses();
    let of_uv: Vec<_> = uses["pilothouse"]
        .iter()
        .filter(|used| used.starts_with("uv-"))
        .collect();
    assert_eq!(of_uv, ["uv-distribution-types"]);
}

#[test]
fn versions_are_written_once() {
    for package in metadata().packages {
        let manifest = std::fs::read_to_string(&package.manifest_path).unwrap();
        let own: Vec<_> = manifest
            .lines()
            .filter(|line| line.contains("version = \"") || line.contains(" = \"="))
            .collect();
        assert!(own.is_empty(), "{}: {own:?}", package.manifest_path);
    }
}

/// Every file that is committed or about to be.
fn files() -> Vec<PathBuf> {
    let output = Command::new("git")
        .args([
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(output.status.success());
    String::from_utf8(output.stdout)
        .unwrap()
        .split_terminator('\0')
        .map(|path| root().join(path))
        .filter(|path| path.is_file())
        .collect()
}

#[test]
fn no_file_names_the_host_of_a_package_registry() {
    // In pieces, so that this file is clean too.
    let hosts = [
        ["pypi", ".org"],
        ["python", "hosted.org"],
        ["crates", ".io/"],
        ["index.crates", ".io"],
        ["registry.npm", "js.org"],
        ["proxy.go", "lang.org"],
        ["deb.deb", "ian.org"],
    ]
    .map(|pieces| pieces.concat());
    let mut found = Vec::new();
    for path in files() {
        // Cargo writes the source of every crate into the lock file.
        if path.ends_with("Cargo.lock") {
            continue;
        }
        let content = std::fs::read(&path).unwrap();
        let content = String::from_utf8_lossy(&content).to_lowercase();
        for host in hosts.iter().filter(|host| content.contains(host.as_str())) {
            found.push(format!("{} names {host}", path.display()));
        }
    }
    assert!(found.is_empty(), "{found:#?}");
}

#[test]
fn every_source_file_says_first_what_it_is_for() {
    let silent: Vec<_> = files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            !text.starts_with("//!") && !text.starts_with("#!")
        })
        .collect();
    assert!(silent.is_empty(), "{silent:#?}");
}

#[test]
fn lint_exceptions_give_their_reason() {
    let allow = ["#[", "allow("].concat();
    let inner = ["#![", "allow("].concat();
    let found: Vec<_> = files()
        .into_iter()
        .filter(|path| path.extension().is_some_and(|extension| extension == "rs"))
        .filter(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            text.contains(&allow) || text.contains(&inner)
        })
        .collect();
    assert!(found.is_empty(), "write expect with a reason: {found:#?}");
}
