//! What an import must not open: private names to public files, private files to strangers.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::good;
use crate::house::House;

/// The good dump with something changed in its table of contents.
fn dumped(folder: &Path, change: impl Fn(&mut Value)) {
    let mut contents = good::write(folder);
    change(&mut contents);
    fs::write(folder.join("dataindex.json"), contents.to_string()).unwrap();
}

fn config<'a>(contents: &'a mut Value, index: &str) -> &'a mut Value {
    &mut contents["indexes"][index]["indexconfig"]
}

#[tokio::test(flavor = "multi_thread")]
async fn an_index_sees_others_only_when_it_is_filled() {
    let home = tempfile::tempdir().unwrap();
    dumped(home.path(), |_| {});
    let house = House::new().await;
    let mut while_filled = Vec::new();
    let imported = house.import_watched(home.path(), || {
        while_filled.extend(house.bases("alice/dev"));
    });
    imported.await.unwrap();
    assert_eq!(while_filled, [""; 0], "cut short anywhere, it sees none");
    assert_eq!(house.bases("alice/dev"), ["alice/base", "alice/mirror"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_base_that_is_missing_takes_those_it_shielded_with_it() {
    let home = tempfile::tempdir().unwrap();
    dumped(home.path(), |contents| {
        config(contents, "alice/base")["type"] = json!("plugin");
    });
    let house = House::new().await;
    let report = house.import(home.path()).await.unwrap();
    assert_eq!(house.bases("alice/dev"), [""; 0]);
    let told = |problem: &String| problem.starts_with("alice/dev gets no bases: `alice/base`");
    assert!(report.problems.iter().any(told), "{:?}", report.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn readers_that_cannot_be_told_are_the_owner_alone() {
    let home = tempfile::tempdir().unwrap();
    dumped(home.path(), |contents| {
        config(contents, "alice/dev")["acl_pkg_read"] = json!({});
    });
    let house = House::new().await;
    let report = house.import(home.path()).await.unwrap();
    let contents = house.contents().await;
    let kept = &contents["indexes"]["alice/dev"]["indexconfig"]["acl_pkg_read"];
    assert_eq!(kept, &json!(["alice"]));
    let told = |problem: &String| problem.starts_with("alice/dev is for its owner alone now");
    assert!(report.problems.iter().any(told), "{:?}", report.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn private_files_do_not_move_into_an_index_that_others_read() {
    let home = tempfile::tempdir().unwrap();
    let house = House::new().await;
    dumped(home.path(), |contents| {
        contents["indexes"]["alice/dev"]["files"] = json!([]);
    });
    house.import(home.path()).await.unwrap();
    dumped(home.path(), |contents| {
        config(contents, "alice/dev")["acl_pkg_read"] = json!(["alice"]);
    });
    let report = house.import(home.path()).await.unwrap();
    let told = "4 files of alice/dev are left out: others may read it here than in the dump";
    assert!(
        report.problems.iter().any(|problem| problem == told),
        "{:?}",
        report.problems
    );
    assert_eq!(report.files, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirrors_file_belongs_to_its_project() {
    let home = tempfile::tempdir().unwrap();
    dumped(home.path(), |contents| {
        contents["indexes"]["alice/mirror"]["files"][0]["projectname"] = json!("foo");
    });
    let house = House::new().await;
    let report = house.import(home.path()).await.unwrap();
    let told = |problem: &String| problem.ends_with("is left out: it is not a file of `foo`");
    assert!(report.problems.iter().any(told), "{:?}", report.problems);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_checked_or_kept_is_told() {
    let home = tempfile::tempdir().unwrap();
    dumped(home.path(), |contents| {
        let dev = &mut contents["indexes"]["alice/dev"];
        dev["projects"]["empty"] = json!({});
        let mapping = dev["files"][0]["entrymapping"].as_object_mut().unwrap();
        mapping.remove("hashes");
        mapping["hash_spec"] = json!("sha256=not-hex");
    });
    let house = House::new().await;
    let report = house.import(home.path()).await.unwrap();
    let empty =
        "`empty` of alice/dev is left out, since it has no release: a base may have it instead";
    assert!(
        report.problems.iter().any(|one| one == empty),
        "{:?}",
        report.problems
    );
    let unsure = "1 files of alice/dev are taken as they are: the dump has no digest of theirs";
    assert!(
        report.notes.iter().any(|one| one == unsure),
        "{:?}",
        report.notes
    );
}

/// The good dump, with nothing but a wheel of this version, that upstream has at this address.
fn dumped_wheel(folder: &Path, version: &str, address: &str) {
    dumped(folder, |contents| {
        let filename = format!("bar-{version}-py3-none-any.whl");
        let relpath = format!("alice/mirror/bar/{version}/{filename}");
        let from = contents["indexes"]["alice/mirror"]["files"][0]["relpath"]
            .as_str()
            .unwrap()
            .to_owned();
        let to = folder.join(&relpath);
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::copy(folder.join(from), to).unwrap();
        let file = &mut contents["indexes"]["alice/mirror"]["files"][0];
        file["version"] = json!(version);
        file["relpath"] = json!(relpath);
        file["entrymapping"]["url"] = json!(format!("{address}/{filename}{SIGNED}"));
    });
}

const SIGNED: &str = "?signature=s3cret";

#[tokio::test(flavor = "multi_thread")]
async fn a_second_dump_adds_to_what_the_first_has_left() {
    let house = House::new().await;
    for version in ["1.0", "1.1"] {
        let home = tempfile::tempdir().unwrap();
        dumped_wheel(home.path(), version, "https://files.example/bar");
        let report = house.import(home.path()).await.unwrap();
        assert_eq!(report.problems, [""; 0]);
    }
    let contents = house.contents().await;
    let files = contents["indexes"]["alice/mirror"]["files"].as_array();
    let mut versions: Vec<_> = files
        .unwrap()
        .iter()
        .map(|file| file["version"].as_str().unwrap())
        .collect();
    versions.sort_unstable();
    assert_eq!(versions, ["1.0", "1.1"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_lets_a_mirror_in_upstream_is_not_exported() {
    let house = House::new().await;
    let home = tempfile::tempdir().unwrap();
    dumped_wheel(home.path(), "1.0", "https://me:s3cret@files.example/bar");
    house.import(home.path()).await.unwrap();
    let contents = house.contents().await;
    let file = &contents["indexes"]["alice/mirror"]["files"][0];
    assert_eq!(
        file["entrymapping"]["url"],
        "https://files.example/bar/bar-1.0-py3-none-any.whl"
    );
    assert!(!contents.to_string().contains("s3cret"), "{contents:#}");
}
