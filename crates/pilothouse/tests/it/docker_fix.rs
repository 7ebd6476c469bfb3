//! `pilothouse docker fix`: shown first, written when told so, and never twice.

use std::fs;

use crate::binary::Home;

const BAD: &str = "FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN pip install --no-cache-dir -r requirements.txt\nCMD [\"python\", \"-m\", \"app\"]\n";

fn project() -> Home {
    Home::new()
        .env("PILOTHOUSE_LISTEN", "127.0.0.1:1")
        .file("Dockerfile", BAD)
        .file("requirements.txt", "flask==3.0.0\n")
        .file("app/__main__.py", "x = 1\n")
        .file(".dockerignore", ".git\n*.pyc\n")
}

#[test]
fn what_would_change_is_shown_and_nothing_is_written() {
    let home = project();
    insta::assert_snapshot!(home.run(&["docker", "fix"]));
    assert_eq!(
        fs::read_to_string(home.path().join("Dockerfile")).unwrap(),
        BAD
    );
}

#[test]
fn what_was_written_is_mended_and_repeats_less() {
    let home = project();
    let repeated = |home: &Home| {
        let what_if = ["docker", "explain", "--what-if", "touch app/__main__.py"];
        let explained = home.run(&what_if).stdout;
        let pip = explained
            .lines()
            .filter(|line| line.contains("repeated") && line.contains("pip"));
        pip.count()
    };
    assert_eq!(repeated(&home), 1);
    insta::assert_snapshot!(home.run(&["docker", "fix", "--write"]));
    insta::assert_snapshot!(fs::read_to_string(home.path().join("Dockerfile")).unwrap());
    assert_eq!(
        repeated(&home),
        0,
        "sources change, and nothing is installed"
    );
    let again = home.run(&["docker", "fix"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""));
}

#[test]
fn what_cannot_be_mended_is_left_as_it_is() {
    let home = project().file(
        "Dockerfile",
        "FROM python:3.13-slim\nCOPY . .\nRUN make && pip install .\n",
    );
    let before = fs::read_to_string(home.path().join("Dockerfile")).unwrap();
    home.run(&["docker", "fix", "--write"]);
    let after = fs::read_to_string(home.path().join("Dockerfile")).unwrap();
    assert_eq!(after.lines().nth(1), before.lines().nth(1));
    let broken = project().file("Dockerfile", "FROM python:3.13-slim\nRUM x\n");
    insta::assert_snapshot!(broken.run(&["docker", "fix"]));
    insta::assert_snapshot!(broken.run(&["docker", "fix", "-"]));
}

#[test]
fn what_may_change_something_waits_to_be_asked_for_and_is_named() {
    let home = project().file(
        "Dockerfile",
        "FROM python:3.13-slim\nARG GIT_SHA\nUSER app\nRUN pip install flask==3.0.0\n",
    );
    insta::assert_snapshot!(home.run(&["docker", "fix"]));
    insta::assert_snapshot!(home.run(&["docker", "fix", "--unsafe"]));
    insta::assert_snapshot!(home.run(&["docker", "fix", "--unsafe", "--write"]));
    let again = home.run(&["docker", "fix", "--unsafe"]);
    assert_eq!((again.code, again.stdout.as_str()), (Some(0), ""));
    let quiet = home.run(&["docker", "fix", "-q"]);
    assert_eq!((quiet.stdout.as_str(), quiet.stderr.as_str()), ("", ""));
}
