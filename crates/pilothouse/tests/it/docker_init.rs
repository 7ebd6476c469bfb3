//! `pilothouse docker init`: what is written is without findings, and nothing is written over.

use std::fs;

use crate::binary::Home;

fn project() -> Home {
    Home::new()
        .env("PILOTHOUSE_LISTEN", "127.0.0.1:1")
        .file("p/requirements.txt", "fastapi==0.110.0\nuvicorn==0.29.0\n")
        .file(
            "p/app/main.py",
            "from fastapi import FastAPI\n\napp = FastAPI()\n",
        )
        .file("p/.venv/lib/fastapi/applications.py", "x = 1\n")
}

#[test]
fn files_are_written_once_and_pass_our_own_rules() {
    let home = project();
    insta::assert_snapshot!(home.run(&["docker", "init", "p", "--print"]));
    assert!(!home.path().join("p/Dockerfile").exists());
    let ended = home.run(&["docker", "init", "p"]);
    assert_eq!(ended.code, Some(0), "{ended:?}");
    for name in ["Dockerfile", ".dockerignore", "compose.yaml"] {
        assert!(home.path().join("p").join(name).exists(), "{name}");
    }
    // Whether requirements are hashed is the project's matter.
    let linted = home.run(&["docker", "lint", "p", "--ignore", "PH013"]);
    assert_eq!(linted.code, Some(0), "{linted:?}");
    let explained = home.run(&["docker", "explain", "p", "--what-if", "touch app/main.py"]);
    let again = explained
        .stdout
        .lines()
        .filter(|line| line.contains("repeated  "));
    let again: Vec<&str> = again.collect();
    assert!(again.iter().all(|line| !line.contains("pip")), "{again:?}");
}

#[test]
fn what_is_there_stays_unless_told_otherwise() {
    let home = project().file("p/Dockerfile", "FROM mine\n");
    insta::assert_snapshot!(home.run(&["docker", "init", "p"]));
    assert!(!home.path().join("p/.dockerignore").exists(), "all or none");
    let forced = home.run(&["docker", "init", "p", "--force"]);
    assert_eq!(forced.code, Some(0), "{forced:?}");
    let text = fs::read_to_string(home.path().join("p/Dockerfile")).unwrap();
    assert!(!text.contains("mine"));
    let nothing = Home::new().file("empty/a.txt", "");
    insta::assert_snapshot!(nothing.run(&["docker", "init", "empty"]));
}
