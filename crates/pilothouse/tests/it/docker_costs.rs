//! `pilothouse docker explain`: what steps cost the last time, as docker told it.

use std::fs;

use serde_json::Value;
use testkit::{Builder, Engine};

use crate::binary::Home;

const DOCKERFILE: &str = "FROM base AS build\nCOPY a.txt /a.txt\nRUN cat /a.txt > /b.txt\n\
                          FROM base\nWORKDIR /\nENV A=b\nWORKDIR /w\n\
                          COPY --from=build /b.txt /b.txt\nRUN echo 12345678 > /c.txt\n";

fn project() -> Home {
    Home::new()
        .file("p/Dockerfile", DOCKERFILE)
        .file("p/.dockerignore", "Dockerfile\n")
        .file("p/a.txt", "1234\n")
}

/// Seconds and bytes of each step after a change.
fn costs(home: &Home) -> Vec<(Option<f64>, Option<u64>)> {
    let ended = home.run(&[
        "docker",
        "explain",
        "p",
        "--json",
        "--what-if",
        "touch a.txt",
    ]);
    let report: Value = serde_json::from_str(&ended.stdout).expect(&ended.stderr);
    let steps = report["steps"].as_array().expect("steps are a list").iter();
    steps
        .map(|step| (step["seconds"].as_f64(), step["bytes"].as_u64()))
        .collect()
}

#[test]
fn what_docker_tells_is_what_steps_cost() {
    let Some(engine) = Engine::start() else {
        return;
    };
    let home = project();
    let context = home.path().join("p");
    let built = engine.build(Builder::BuildKit, &context, &["--tag", "image"]);
    let built = built.succeeds();
    let home = home
        .file("build.log", &built.output)
        .file("history.json", &engine.history("image"));
    let record = ["docker", "explain", "p", "--record"];
    let files = ["--log", "build.log", "--history", "history.json"];
    let recorded = home.run(&[&record[..], &files].concat());
    assert_eq!(recorded.code, Some(0), "{recorded:?}");
    let all = costs(&home);
    // FROM, COPY, RUN; FROM, WORKDIR, COPY, RUN.
    let bytes: Vec<Option<u64>> = all.iter().map(|(_, bytes)| *bytes).collect();
    let none = None;
    assert_eq!(bytes, [none, none, none, none, Some(0), Some(5), Some(9)]);
    let timed = all.iter().filter(|(seconds, _)| seconds.is_some()).count();
    assert!(timed >= 5, "{all:?} of {}", built.output);
    // A build that takes all from the cache says nothing new.
    let again = engine.build(Builder::BuildKit, &context, &["--tag", "image"]);
    let home = home.file("build.log", &again.succeeds().output);
    home.run(&[&record[..], &files[..2]].concat());
    assert_eq!(costs(&home)[6], all[6]);
}

const LOG: &str = "#1 [internal] load build definition from Dockerfile\n#1 DONE 0.0s\n\
                   #5 [build 1/3] FROM base\n#5 DONE 0.0s\n#6 [build 2/3] COPY a.txt /a.txt\n#6 DONE 0.1s\n\n\
                   #7 [build 3/3] RUN cat /a.txt > /b.txt\n#7 0.312 DONE 3s\n#7 DONE 71.2s\n\n\
                   #8 [stage-1 2/4] WORKDIR /w\n#8 CACHED\n";

#[test]
fn steps_that_are_repeated_say_what_they_cost() {
    let home = project().file("build.log", LOG);
    home.run(&["docker", "explain", "p", "--record", "--log", "build.log"]);
    let what_if = ["docker", "explain", "p", "--what-if", "touch a.txt"];
    insta::assert_snapshot!(home.run(&what_if));
    // What stands in the place of a step costs what that did.
    fs::write(
        home.path().join("p/Dockerfile"),
        DOCKERFILE.replace("cat /a.txt", "cat  /a.txt  /a.txt"),
    )
    .unwrap();
    let ended = home.run(&["docker", "explain", "p"]);
    assert!(
        ended.stdout.contains("its text changed; 71 s last time"),
        "{ended:?}"
    );
}

#[test]
fn what_is_no_output_of_docker_is_told() {
    let home = project()
        .file("empty.log", "")
        .file(
            "human.json",
            "{\"CreatedBy\":\"RUN x\",\"Size\":\"1.2MB\"}\n",
        )
        .file(
            "other.json",
            "{\"CreatedBy\":\"COPY x /x\",\"Size\":\"12\"}\n",
        );
    let record =
        |flag: &str, file: &str| home.run(&["docker", "explain", "p", "--record", flag, file]);
    insta::assert_snapshot!(record("--log", "empty.log"));
    insta::assert_snapshot!(record("--history", "human.json"));
    insta::assert_snapshot!(record("--history", "other.json"));
    let unread = record("--log", "missing.log");
    assert!(
        unread
            .stderr
            .starts_with("error: `missing.log` cannot be read"),
        "{unread:?}"
    );
}
