//! `pilothouse docker lint`, in every format.

use testkit::{Project, Upstream};

use crate::binary::Home;

const BAD: &str = "FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN set -e && \\\n\tpip install -r requirements.txt\n";

/// Nothing listens there: the port is not one that we may take.
const NOBODY: (&str, &str) = ("PILOTHOUSE_LISTEN", "127.0.0.1:1");

fn project() -> Home {
    Home::new()
        .env(NOBODY.0, NOBODY.1)
        .file("Dockerfile", BAD)
        .file("Dockerfile.dockerignore", ".git\n*.pyc\n")
        .file(
            "clean/Dockerfile",
            "FROM python:3.13-slim\nCMD [\"python\"]\n",
        )
        .file(
            "broken/Dockerfile",
            "FROM python:3.13-slim\n\nRUM pip install a\n",
        )
}

/// Once: nothing beside the findings. Twice: nothing but errors, and it still ends as before.
#[test]
fn quiet_says_less_and_twice_only_what_is_wrong() {
    let home = project();
    let loud = home.run(&["docker", "lint"]);
    let quiet = home.run(&["docker", "lint", "-q"]);
    assert_eq!((quiet.code, quiet.stderr.as_str()), (loud.code, ""));
    assert_eq!(quiet.stdout, loud.stdout);
    let home = home.file(
        "secret/Dockerfile",
        "FROM python:latest\nENV PIP_INDEX_URL=https://a:b@c.example/simple/\n",
    );
    let files = ["docker", "lint", "-qq", "Dockerfile", "secret/Dockerfile"];
    insta::assert_snapshot!(home.run(&files));
}

#[test]
fn people_see_the_lines_that_are_meant() {
    insta::assert_snapshot!(project().run(&["docker", "lint"]), @r"
    exit 1
    --- stdout
    warning[PH001]: everything is copied before `pip` installs: copy requirements.txt first, and the rest after it
     --> Dockerfile:3:1
      |
    3 | COPY . .
      | ^^^^

    warning[PH002]: `pip` fetches everything again whenever this step runs: add `--mount=type=cache,target=/root/.cache/pip`
     --> Dockerfile:5:2
      |
    5 |  pip install -r requirements.txt
      |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    warning[PH009]: the whole context is copied, and these are in it: .venv, **/__pycache__, .env, .mypy_cache, .pytest_cache, .ruff_cache, Dockerfile
     --> Dockerfile.dockerignore:1:1
      |
    1 | .git
      | ^

    warning[PH010]: `*.pyc` matches at the root alone: write `**/*.pyc`
     --> Dockerfile.dockerignore:2:1
      |
    2 | *.pyc
      | ^^^^^

    --- stderr
    4 warnings in 2 files
    `pilothouse docker lint --explain PH001` says why
    ");
}

#[test]
fn a_clean_file_is_silence() {
    insta::assert_snapshot!(project().run(&["docker", "lint", "clean"]), @r"
    exit 0
    --- stdout
    --- stderr
    ");
}

#[test]
fn a_broken_file_keeps_no_other_from_being_judged() {
    let arguments = [
        "docker",
        "lint",
        "broken/Dockerfile",
        "missing",
        ".",
        "--select",
        "PH002",
    ];
    insta::assert_snapshot!(project().run(&arguments), @r"
    exit 2
    --- stdout
    warning[PH002]: `pip` fetches everything again whenever this step runs: add `--mount=type=cache,target=/root/.cache/pip`
     --> Dockerfile:5:2
      |
    5 |  pip install -r requirements.txt
      |  ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

    --- stderr
    1 warning in 1 file
    `pilothouse docker lint --explain PH002` says why
    error: `broken/Dockerfile` is no Dockerfile: line 3: unknown instruction: RUM

    hint: an engine would refuse to build it, too
    error: `missing` cannot be read
    cause: No such file or directory (os error 2)

    hint: name a Dockerfile, or a folder with one in it; `-` is stdin
    ");
}

#[test]
fn programs_get_json() {
    let ended = project().run(&["docker", "lint", "--json", "--select", "PH002,ph010"]);
    insta::assert_snapshot!(ended, @r#"
    exit 1
    --- stdout
    {
      "version": 1,
      "findings": [
        {
          "rule": "PH002",
          "name": "install-without-cache-mount",
          "severity": "warning",
          "file": "Dockerfile",
          "line": 5,
          "column": 2,
          "end_line": 5,
          "end_column": 33,
          "message": "`pip` fetches everything again whenever this step runs: add `--mount=type=cache,target=/root/.cache/pip`"
        },
        {
          "rule": "PH010",
          "name": "pattern-of-no-use",
          "severity": "warning",
          "file": "Dockerfile.dockerignore",
          "line": 2,
          "column": 1,
          "end_line": 2,
          "end_column": 6,
          "message": "`*.pyc` matches at the root alone: write `**/*.pyc`"
        }
      ],
      "skipped": []
    }
    --- stderr
    "#);
}

#[test]
fn code_scanning_gets_sarif() {
    let home = project().file("a b/Dockerfile", BAD);
    let ended = home.run(&[
        "docker",
        "lint",
        "--format",
        "sarif",
        "a b",
        "--select",
        "install-without-cache-mount",
    ]);
    let mut log: serde_json::Value = serde_json::from_str(&ended.stdout).unwrap();
    let rules = log["runs"][0]["tool"]["driver"]["rules"].take();
    assert_eq!(rules[1]["id"], "PH002");
    log["runs"][0]["tool"]["driver"]["version"].take();
    insta::assert_snapshot!(serde_json::to_string_pretty(&log).unwrap(), @r#"
    {
      "$schema": "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json",
      "runs": [
        {
          "columnKind": "unicodeCodePoints",
          "results": [
            {
              "level": "warning",
              "locations": [
                {
                  "physicalLocation": {
                    "artifactLocation": {
                      "uri": "a%20b/Dockerfile"
                    },
                    "region": {
                      "endColumn": 33,
                      "endLine": 5,
                      "startColumn": 2,
                      "startLine": 5
                    }
                  }
                }
              ],
              "message": {
                "text": "`pip` fetches everything again whenever this step runs: add `--mount=type=cache,target=/root/.cache/pip`"
              },
              "ruleId": "PH002",
              "ruleIndex": 1
            }
          ],
          "tool": {
            "driver": {
              "name": "pilothouse",
              "rules": null,
              "version": null
            }
          }
        }
      ],
      "version": "2.1.0"
    }
    "#);
}

#[test]
fn actions_get_annotations() {
    let home = project().file("a,b:c/Dockerfile", BAD);
    insta::assert_snapshot!(home.run(&["docker", "lint", "--format", "github", "a,b:c", "."]), @r"
    exit 1
    --- stdout
    ::warning file=a%2Cb%3Ac/Dockerfile,line=3,endLine=3,col=1,endColumn=5,title=PH001 broad-copy-before-install::everything is copied before `pip` installs: copy requirements.txt first, and the rest after it
    ::warning file=a%2Cb%3Ac/Dockerfile,line=3,endLine=3,col=1,endColumn=5,title=PH009 weak-dockerignore::the whole context is copied, and there is no .dockerignore: write one with .git, .venv, **/__pycache__, .env, .mypy_cache, .pytest_cache, .ruff_cache, Dockerfile
    ::warning file=a%2Cb%3Ac/Dockerfile,line=5,endLine=5,col=2,endColumn=33,title=PH002 install-without-cache-mount::`pip` fetches everything again whenever this step runs: add `--mount=type=cache,target=/root/.cache/pip`
    ::warning file=Dockerfile,line=3,endLine=3,col=1,endColumn=5,title=PH001 broad-copy-before-install::everything is copied before `pip` installs: copy requirements.txt first, and the rest after it
    ::warning file=Dockerfile,line=5,endLine=5,col=2,endColumn=33,title=PH002 install-without-cache-mount::`pip` fetches everything again whenever this step runs: add `--mount=type=cache,target=/root/.cache/pip`
    ::warning file=Dockerfile.dockerignore,line=1,endLine=1,col=1,endColumn=1,title=PH009 weak-dockerignore::the whole context is copied, and these are in it: .venv, **/__pycache__, .env, .mypy_cache, .pytest_cache, .ruff_cache, Dockerfile
    ::warning file=Dockerfile.dockerignore,line=2,endLine=2,col=1,endColumn=6,title=PH010 pattern-of-no-use::`*.pyc` matches at the root alone: write `**/*.pyc`
    --- stderr
    ");
}

#[test]
fn stdin_is_judged_within_the_folder_that_is_named() {
    use std::io::Write as _;
    use std::process::Stdio;

    let home = project();
    let mut command = home.command(&[
        "docker", "lint", "-", "--format", "github", "--select", "PH002",
    ]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut child = command.spawn().unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(BAD.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    let stdout = String::from_utf8(output.stdout).unwrap();
    insta::assert_snapshot!(stdout, @"::warning file=<stdin>,line=5,endLine=5,col=2,endColumn=33,title=PH002 install-without-cache-mount::`pip` fetches everything again whenever this step runs: add `--mount=type=cache,target=/root/.cache/pip`");
}

#[test]
fn the_file_of_settings_says_which_rules_count_and_how_much() {
    let settings = "[docker.lint]\nignore = [\"PH001\", \"PH009\"]\nfailure-threshold = \"error\"\n\n[docker.lint.severity]\nPH010 = \"note\"\n";
    let home = project().file("p.toml", settings);
    let run = |more: &[&str]| {
        let first = ["docker", "lint", "--config", "p.toml", "--format", "github"];
        let ended = home.run(&[&first, more].concat());
        let codes = ended.stdout.lines().map(|line| {
            let title = line.split("title=").nth(1).unwrap();
            format!("{} {}", &line[2..4], &title[..5])
        });
        let codes: Vec<String> = codes.collect();
        format!("exit {}: {}", ended.code.unwrap(), codes.join(", "))
    };
    assert_eq!(run(&[]), "exit 0: wa PH002, no PH010");
    let selected = run(&["--select", "PH001,PH010"]);
    assert_eq!(selected, "exit 0: wa PH001, no PH010");
    assert_eq!(run(&["--ignore", "PH002"]), "exit 0: no PH010");
    let stricter = ["--failure-threshold", "warning"];
    assert_eq!(run(&stricter), "exit 1: wa PH002, no PH010");
    let noted = run(&[&stricter[..], &["--select", "PH010"]].concat());
    assert_eq!(noted, "exit 0: no PH010");
    let wrong = home.file("p.toml", "[docker.lint]\nignore = [\"PH999\"]\n[docker.lint.severity]\nPH01 = \"bad\"\nPH001 = \"bad\"\n");
    insta::assert_snapshot!(wrong.run(&["docker", "lint", "--config", "p.toml"]), @r"
    exit 2
    --- stdout
    --- stderr
    error: the configuration `p.toml` has 3 faults
    cause: line 2: docker.lint.ignore[0]: there is no rule `PH999`: `pilothouse docker lint --explain` lists them
    cause: line 4: docker.lint.severity.PH01: there is no such key; did you mean `PH001`?
    cause: line 5: docker.lint.severity.PH001: `bad` is not a severity: write `note`, `warning` or `error`

    hint: `pilothouse config example` prints a file with every key and what it means
    ");
}

#[test]
fn a_rule_explains_itself() {
    let home = Home::new();
    insta::assert_snapshot!(home.run(&["docker", "lint", "--explain", "ph010"]), @r"
    exit 0
    --- stdout
    # PH010: pattern-of-no-use

    A pattern of .dockerignore matches only at the root, or not in every engine. (warning)

    Unlike in .gitignore, `*.pyc` and `__pycache__` match in the context's root alone, `**.pyc` matches nothing in older engines and in buildah, and `! x` keeps nothing in buildah.

    Bad:

    ```dockerfile
    FROM python:3.13-slim
    ```

    `.dockerignore`:

    ```text
    __pycache__
    *.pyc
    **.log
    ! keep
    ```

    Good:

    ```dockerfile
    FROM python:3.13-slim
    ```

    `.dockerignore`:

    ```text
    **/__pycache__
    **/*.pyc
    **/*.log
    !keep
    ```
    --- stderr
    ");
    let all = home.run(&["docker", "lint", "--explain"]);
    assert_eq!((all.code, all.stdout.lines().count()), (Some(0), 26));
    let wrong = home.run(&["docker", "lint", "--explain", "PH999"]);
    insta::assert_snapshot!(wrong, @r"
    exit 2
    --- stdout
    --- stderr
    error: invalid value 'PH999' for '--explain [<CODES>...]': there is no rule `PH999`: `pilothouse docker lint --explain` lists them

    For more information, try '--help'.
    ");
}

fn with_requirements() -> Home {
    Home::new()
        .file("Dockerfile", "FROM python:3.13-slim-bookworm\nCOPY deps /deps\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r /deps/all.txt\n")
        .file("deps/all.txt", "-r sub/web.txt\nfoo==1.0 --hash=sha256:00\n")
        .file("deps/sub/web.txt", "# all of it\nbar>=1\n")
}

#[test]
fn requirement_files_are_judged_where_their_lines_are() {
    let upstream = Upstream::start([
        Project::new("foo").sdist("1.0").wheel("2.0"),
        Project::new("bar").wheel("1.0").sdist("1.1"),
    ]);
    let index = upstream.simple();
    let ended = with_requirements().run(&["docker", "lint", "--index", &index]);
    insta::assert_snapshot!(ended, @r"
    exit 1
    --- stdout
    warning[PH012]: `foo` is built from source: there is no wheel of this version
     --> deps/all.txt:2:1
      |
    2 | foo==1.0 --hash=sha256:00
      | ^^^^^^^^^^^^^^^^^^^^^^^^^

    warning[PH012]: `bar` is built from source: there is no wheel of this version
     --> deps/sub/web.txt:2:1
      |
    2 | bar>=1
      | ^^^^^^

    note[PH013]: `bar` is whatever is newest on the day of the build: name a version, like `bar==…`
     --> deps/sub/web.txt:2:1
      |
    2 | bar>=1
      | ^^^^^^

    --- stderr
    2 warnings, 1 note in 2 files
    `pilothouse docker lint --explain PH012` says why
    ");
}

#[test]
fn without_an_index_some_rules_are_skipped_and_that_is_said() {
    let home = with_requirements().env(NOBODY.0, NOBODY.1);
    let select = ["docker", "lint", "--select", "PH011,PH012,PH001"];
    insta::assert_snapshot!(home.run(&select), @r"
    exit 0
    --- stdout
    --- stderr
    skipped PH011 and PH012: no pilothouse answers at 127.0.0.1:1: `--index URL` names another index
    ");
    insta::assert_snapshot!(home.run(&[&select[..], &["--json"]].concat()), @r#"
    exit 0
    --- stdout
    {
      "version": 1,
      "findings": [],
      "skipped": [
        {
          "rule": "PH011",
          "reason": "no pilothouse answers at 127.0.0.1:1: `--index URL` names another index"
        },
        {
          "rule": "PH012",
          "reason": "no pilothouse answers at 127.0.0.1:1: `--index URL` names another index"
        }
      ]
    }
    --- stderr
    "#);
    let named = ["--index", "http://127.0.0.1:1/simple/"];
    let ended = home.run(&[&select[..], &named].concat());
    assert_eq!((ended.code, ended.stdout.as_str()), (Some(2), ""));
    assert!(
        ended
            .stderr
            .starts_with("error: the index does not say which files `")
    );
    assert_eq!(
        home.run(&["docker", "lint", "--select", "PH001"]).stderr,
        ""
    );
}
