//! `pilothouse docker explain`: from two states to causes.

use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::binary::Home;

const DOCKERFILE: &str = "FROM python:3.13-slim AS build\nWORKDIR /w\nCOPY . .\nRUN pip install -r requirements.txt\n\nFROM python:3.13-slim\nCOPY --from=build /venv /venv\nCOPY app /app\nCMD [\"python\"]\n";

fn project() -> Home {
    Home::new()
        .file("p/Dockerfile", DOCKERFILE)
        .file("p/.dockerignore", "docs\n")
        .file("p/requirements.txt", "flask\n")
        .file("p/app/main.py", "x = 1\n")
        .file("p/docs/a.md", "a\n")
}

#[test]
fn a_change_that_is_only_thought_of_names_its_file_and_what_follows() {
    let what_if = |change| {
        let arguments = ["docker", "explain", "p", "--what-if", change];
        project().run(&arguments)
    };
    insta::assert_snapshot!(what_if("touch app/main.py"));
    insta::assert_snapshot!(what_if("touch docs/a.md"));
    insta::assert_snapshot!(what_if("dance"));
}

#[test]
fn what_was_recorded_is_compared_with() {
    let home = project();
    let recorded = home.run(&["docker", "explain", "p", "--record"]);
    assert_eq!(recorded.code, Some(0), "{recorded:?}");
    let cached = |home: &Home| {
        let ended = home.run(&["docker", "explain", "p", "--json"]);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        report["steps"].as_array().unwrap().clone()
    };
    assert!(cached(&home).iter().all(|step| step["cached"] == true));
    let home = home.file("p/requirements.txt", "flask\ndjango\n");
    let steps = cached(&home);
    assert_eq!(steps[2]["cached"], false);
    assert_eq!(steps[2]["line"], 3);
    assert_eq!(steps[2]["causes"][0]["path"], "requirements.txt");
    assert_eq!(steps[2]["causes"][0]["change"], "content");
    assert_eq!(steps[3]["causes"][0]["kind"], "earlier");
    assert_eq!(steps[3]["causes"][0]["step"], 3);
    assert_eq!(steps[5]["cached"], Value::Null, "a command writes it");
    assert_eq!(steps[5]["causes"][0]["kind"], "depends");
}

#[test]
fn two_revisions_and_the_files_as_they_are_are_compared() {
    let home = project();
    let root = home.path().join("p");
    let git = |arguments: &[&str]| {
        let done = Command::new("git")
            .current_dir(&root)
            .args(["-c", "user.name=a", "-c", "user.email=a@a.example"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "{done:?}");
    };
    git(&["init", "--quiet"]);
    git(&["add", "--all"]);
    git(&["commit", "--quiet", "--message", "one"]);
    fs::write(root.join("app/main.py"), "x = 2\n").unwrap();
    git(&["commit", "--quiet", "--all", "--message", "two"]);
    let changed = |arguments: &[&str]| {
        let all = [&["docker", "explain", "p", "--json"], arguments].concat();
        let ended = home.run(&all);
        let report: Value = serde_json::from_str(&ended.stdout).expect(&ended.stderr);
        let step = report["steps"][2].clone();
        (
            step["causes"][0]["path"].clone(),
            report["warnings"].clone(),
        )
    };
    let (path, warnings) = changed(&["--from", "HEAD~1", "--to", "HEAD"]);
    assert_eq!(
        (path, warnings),
        ("app/main.py".into(), Value::Array(vec![]))
    );
    fs::write(root.join("requirements.txt"), "django\n").unwrap();
    let (path, warnings) = changed(&[]);
    assert_eq!(path, "requirements.txt");
    let warning = warnings[0].as_str().unwrap();
    assert!(
        warning.starts_with("`.git` is sent to the engine"),
        "{warning}"
    );
}

#[test]
fn bytes_that_change_behind_the_same_size_and_time_are_not_noticed() {
    let home = project();
    home.run(&["docker", "explain", "p", "--record"]);
    let path = home.path().join("p/app/main.py");
    let time = fs::metadata(&path).unwrap().modified().unwrap();
    fs::write(&path, "x = 2\n").unwrap();
    let file = fs::File::options().write(true).open(&path).unwrap();
    file.set_modified(time).unwrap();
    let explained = |transfer| {
        let ended = home.run(&["docker", "explain", "p", "--json", "--transfer", transfer]);
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        let warnings = report["warnings"].as_array().unwrap().len();
        (report["steps"][2]["cached"].clone(), warnings)
    };
    assert_eq!(explained("incremental"), (Value::Bool(true), 1));
    assert_eq!(explained("full"), (Value::Bool(false), 0));
}

#[test]
fn engines_have_caches_of_their_own() {
    let steps = |engine| {
        let arguments = ["docker", "explain", "p", "--json", "--engine", engine];
        let more = ["--what-if", "chmod 600 requirements.txt"];
        let ended = project().run(&[&arguments[..], &more].concat());
        let report: Value = serde_json::from_str(&ended.stdout).unwrap();
        report["steps"].as_array().unwrap().len()
    };
    assert_eq!(steps("buildkit"), 7);
    assert_eq!(steps("buildkit-0.8"), 7);
    // What is only told is a step there.
    assert_eq!(steps("legacy"), 8);
    assert_eq!(steps("buildah"), 8);
}
