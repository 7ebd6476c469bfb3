//! `pilothouse docker explain`: from two states to causes.

use std::fs;
use std::os::unix::fs::symlink;
use std::process::Command;

use quick_xml::escape::unescape;
use quick_xml::events::Event;
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
        let warnings = report["warnings"].as_array().unwrap().iter();
        let of_git = warnings.filter(|one| one.as_str().unwrap().contains(".git"));
        (step["causes"][0]["path"].clone(), of_git.count())
    };
    let (path, warnings) = changed(&["--from", "HEAD~1", "--to", "HEAD"]);
    assert_eq!((path, warnings), ("app/main.py".into(), 0));
    fs::write(root.join("requirements.txt"), "django\n").unwrap();
    let (path, warnings) = changed(&[]);
    assert_eq!((path, warnings), ("requirements.txt".into(), 1));
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
        let mut warnings = report["warnings"].as_array().unwrap().iter();
        let is_told = warnings.any(|one| one.as_str().unwrap().contains("other bytes"));
        (report["steps"][2]["cached"].clone(), is_told)
    };
    assert_eq!(explained("incremental"), (Value::Bool(true), true));
    assert_eq!(explained("full"), (Value::Bool(false), false));
}

/// The warnings of `docker explain` with these arguments.
fn warnings(home: &Home, arguments: &[&str]) -> Vec<String> {
    let all = [&["docker", "explain", "--json"], arguments].concat();
    let ended = home.run(&all);
    let report: Value = serde_json::from_str(&ended.stdout).expect(&ended.stderr);
    let warnings = report["warnings"].as_array().expect("a list").iter();
    warnings
        .map(|one| one.as_str().expect("a text").to_owned())
        .collect()
}

#[test]
fn a_folder_of_the_same_name_may_lend_its_files() {
    let home = Home::new();
    let home = ["mine", "theirs"].into_iter().fold(home, |home, whose| {
        home.file(
            &format!("{whose}/app/Dockerfile"),
            "FROM base\nCOPY . /app\n",
        )
        .file(&format!("{whose}/app/main.py"), &format!("{whose:.4}\n"))
        .file(&format!("{whose}/app/other.py"), &format!("{whose}\n"))
    });
    let path = |whose: &str| home.path().join(whose).join("app/main.py");
    let time = fs::metadata(path("mine")).unwrap().modified().unwrap();
    let file = fs::File::options()
        .write(true)
        .open(path("theirs"))
        .unwrap();
    file.set_modified(time).unwrap();
    let recorded = home.run(&["docker", "explain", "theirs/app", "--record"]);
    assert_eq!(recorded.code, Some(0), "{recorded:?}");
    let asked = |more: &[&str]| {
        let asked = [&["mine/app", "--what-if", "touch other.py"], more].concat();
        warnings(&home, &asked)
    };
    let told = asked(&[]);
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(
        told[0].starts_with("`main.py` has the size and time of that in `"),
        "{told:?}"
    );
    assert!(told[0].contains("theirs/app`"), "{told:?}");
    // The client of 20.10 goes by the whole path, and a new builder has nothing to lend.
    assert_eq!(asked(&["--engine", "buildkit-0.8"]), [""; 0]);
    assert_eq!(asked(&["--transfer", "full"]), [""; 0]);
}

#[test]
fn a_venv_that_is_compiled_anew_is_copied_anew() {
    let dockerfile = |variable: &str| {
        format!(
            "FROM python:3.13-slim AS build\n{variable}RUN python -m venv --without-pip /venv\nCOPY requirements.txt .\nRUN pip --python /venv/bin/python install -r requirements.txt\nFROM python:3.13-slim\nCOPY --from=build /venv /venv\n"
        )
    };
    let told = |variable: &str, what_if: &str| {
        let home = project().file("p/Dockerfile", &dockerfile(variable));
        warnings(&home, &["p", "--what-if", what_if])
    };
    let told_of_all = told("", "touch requirements.txt");
    assert_eq!(told_of_all.len(), 1, "{told_of_all:?}");
    assert!(
        told_of_all[0].starts_with("step 6 copies what step 4 installs"),
        "{told_of_all:?}"
    );
    assert_eq!(told("", "touch app/main.py"), [""; 0]);
    let constant = "ENV SOURCE_DATE_EPOCH=315532800\n";
    assert_eq!(told(constant, "touch requirements.txt"), [""; 0]);
}

#[test]
fn what_is_mounted_changes_and_old_buildah_does_not_look() {
    let dockerfile =
        "FROM base\nRUN --mount=type=bind,source=requirements.txt,target=/r pip install -r /r\n";
    let home = project().file("p/Dockerfile", dockerfile);
    let told = |engine: &str, what_if: &str| {
        warnings(&home, &["p", "--engine", engine, "--what-if", what_if])
    };
    assert_eq!(
        told("buildah", "touch requirements.txt"),
        [
            "step 2 is not repeated for what it mounts (`requirements.txt` changed): buildah before 1.39 looks away from the files of bind mounts"
        ]
    );
    assert_eq!(told("buildah", "touch app/main.py"), [""; 0]);
    assert_eq!(told("buildkit", "touch requirements.txt"), [""; 0]);
}

#[test]
fn a_folder_under_a_name_is_taken_in_place_of_a_stage() {
    let dockerfile = "FROM base AS build\nRUN make\nFROM base\nCOPY --from=build /x.whl /\nCOPY --from=more a.txt /\n";
    let home = project()
        .file("p/Dockerfile", dockerfile)
        .file("more/a.txt", "1\n")
        .file("built/x.whl", "1\n");
    let named = [
        "--build-context",
        "more=more",
        "--build-context",
        "build=built",
    ];
    let run = |more: &[&str]| home.run(&[&["docker", "explain", "p"], &named[..], more].concat());
    assert_eq!(run(&["--record"]).code, Some(0));
    let cached = || {
        let report: Value = serde_json::from_str(&run(&["--json"]).stdout).unwrap();
        let steps = report["steps"].as_array().unwrap().clone();
        let cached = steps.iter().map(|step| step["cached"].as_bool());
        (cached.collect::<Vec<_>>(), steps)
    };
    // Nobody needs the stage.
    assert_eq!(cached().0, [Some(true); 3]);
    fs::write(home.path().join("more/a.txt"), "22\n").unwrap();
    let (are, steps) = cached();
    assert_eq!(are, [Some(true), Some(true), Some(false)]);
    assert_eq!(steps[2]["causes"][0]["path"], "a.txt");
    let refused = run(&["--engine", "legacy", "--what-if", "touch app/main.py"]);
    insta::assert_snapshot!(refused);
    let odd = ["docker", "explain", "p", "--build-context", "more"];
    insta::assert_snapshot!(home.run(&odd));
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

/// The texts of a picture, each with the names of the elements around it. Panics if it is no XML.
fn texts(picture: &str) -> Vec<(String, String)> {
    let mut reader = quick_xml::Reader::from_str(picture);
    let mut around: Vec<String> = Vec::new();
    let mut texts: Vec<(String, String)> = Vec::new();
    let mut text = String::new();
    loop {
        match reader.read_event().expect("the picture is XML") {
            Event::Start(element) => {
                around.push(element.name().0.to_owned());
                text.clear();
            }
            Event::Text(part) => text.push_str(&part),
            Event::GeneralRef(name) => {
                let name = format!("&{};", &*name);
                text.push_str(&unescape(&name).expect("the name stands for something"));
            }
            Event::End(_) => {
                texts.push((around.join(" "), std::mem::take(&mut text)));
                around.pop();
            }
            Event::Eof => break,
            _ => {}
        }
    }
    assert!(around.is_empty(), "{around:?} is open");
    texts
}

#[test]
fn a_graph_has_every_step_and_why_it_is_repeated() {
    let home = project();
    let ended = home.run(&[
        "docker",
        "explain",
        "p",
        "--what-if",
        "touch app/main.py",
        "--graph",
        "out.svg",
        "--json",
    ]);
    let report: Value = serde_json::from_str(&ended.stdout).expect(&ended.stderr);
    let picture = fs::read_to_string(home.path().join("out.svg")).unwrap();
    let texts = texts(&picture);
    let titles: Vec<&String> = texts
        .iter()
        .filter(|(around, _)| around == "svg g title")
        .map(|(_, text)| text)
        .collect();
    let steps = report["steps"].as_array().unwrap();
    assert_eq!(titles.len(), steps.len());
    for (title, step) in titles.iter().zip(steps) {
        let instruction = step["instruction"].as_str().unwrap();
        assert!(title.contains(instruction), "{title}, {step}");
        for cause in step["causes"].as_array().unwrap() {
            assert!(title.contains(cause["text"].as_str().unwrap()), "{title}");
        }
    }
    let (around, first) = &texts[0];
    assert_eq!(around, "svg title");
    assert_eq!(first, "`p` after `touch app/main.py`, by buildkit");
    // From one box to the next five times, and out of the first stage once.
    assert_eq!(picture.matches("marker-end").count(), 6);
    assert_eq!(steps[5]["takes"], serde_json::json!([4]));
}

#[test]
fn a_graph_takes_any_text() {
    let odd = "FROM scratch AS a\nCOPY <<E /x\n1\nE\nFROM a\nCOPY --from=a /x /\u{1b}<y>&amp;\"'\u{7}]]>\n";
    let home = Home::new().file("p/Dockerfile", odd).file("p/a", "a\n");
    let arguments = ["docker", "explain", "p", "--what-if", "touch Dockerfile"];
    let ended = home.run(&[&arguments[..], &["--graph", "p/out.svg"]].concat());
    assert_eq!(ended.code, Some(0), "{ended:?}");
    let texts = texts(&fs::read_to_string(home.path().join("p/out.svg")).unwrap());
    let expected = "COPY --from=a /x /\u{fffd}<y>&amp;\"'\u{fffd}]]>";
    assert!(
        texts.iter().any(|(_, text)| text.contains(expected)),
        "{texts:?}"
    );
}

#[test]
fn a_graph_is_written_whole_or_not_at_all() {
    let home = project().file("old.svg", "old\n");
    symlink("old.svg", home.path().join("link.svg")).unwrap();
    let drawn = |path: &str| {
        let arguments = ["docker", "explain", "p", "--what-if", "touch app/main.py"];
        home.run(&[&arguments[..], &["--graph", path]].concat())
    };
    insta::assert_snapshot!(drawn("missing/out.svg"));
    insta::assert_snapshot!(drawn("p"));
    // Renamed over, a device would be one no more.
    assert_eq!(drawn("/dev/null").code, Some(2));
    assert_eq!(drawn("link.svg").code, Some(0));
    let written = fs::read_to_string(home.path().join("old.svg")).unwrap();
    assert!(written.ends_with("</svg>\n"), "{written}");
    let left: Vec<_> = fs::read_dir(home.path()).unwrap().collect();
    assert_eq!(left.len(), 3, "{left:?}");
}
