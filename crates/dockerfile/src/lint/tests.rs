//! Every rule against its own examples, and what excuses from it.

use std::collections::BTreeMap;

use super::*;
use crate::Engine;

pub(super) fn codes(file: &str, around: &Surroundings<'_>) -> Vec<&'static str> {
    let file = Dockerfile::parse(file).unwrap();
    let findings = lint(&file, around).findings;
    findings.iter().map(|finding| finding.rule.code).collect()
}

/// What rules say to a Dockerfile with nothing around it.
pub(super) fn alone(file: &str) -> Vec<&'static str> {
    codes(file, &Surroundings::default())
}

/// What they say to an example with all that belongs to it.
fn in_example(example: &'static str) -> Vec<&'static str> {
    with_example(example, codes)
}

/// Hands on the Dockerfile of an example, and what lies around it.
pub(crate) fn with_example<T>(
    example: &'static str,
    work: impl FnOnce(&'static str, &Surroundings<'_>) -> T,
) -> T {
    let files = example::files(example);
    let named = |name: &str| files.iter().find(|file| file.0 == name).map(|file| file.1);
    let times = named("times of files").unwrap_or_default().lines();
    let times: Vec<ContextFile> = times
        .map(|line| {
            let (time, path) = line.split_once(' ').unwrap();
            let (seconds, rest) = time.split_once('.').unwrap_or((time, "0"));
            let path = path.to_owned();
            let modified = (seconds.parse().unwrap(), rest.parse().unwrap());
            ContextFile { path, modified }
        })
        .collect();
    let mut index: BTreeMap<ProjectName, Vec<String>> = BTreeMap::new();
    for name in named("index").unwrap_or_default().lines() {
        let filename: pyspec::Filename = name.parse().unwrap();
        let (project, _) = filename.project_and_version().unwrap();
        index.entry(project).or_default().push(name.to_owned());
    }
    let around = Surroundings {
        ignore: named(".dockerignore"),
        engine: match files[0].0 {
            "Containerfile" => Engine::Buildah,
            _ => Engine::BuildKit,
        },
        files: &times,
        read: &|path| named(path).map(str::to_owned),
        index: Some(&index),
    };
    work(files[0].1, &around)
}

#[test]
fn every_rule_flags_its_bad_example_and_not_its_good_one() {
    for rule in RULES {
        assert!(
            in_example(rule.bad).contains(&rule.code),
            "{}: {}",
            rule.code,
            rule.bad
        );
        assert!(
            !in_example(rule.good).contains(&rule.code),
            "{}: {}",
            rule.code,
            rule.good
        );
    }
}

#[test]
fn rules_have_codes_of_their_own_in_order() {
    let all = RULES.map(|rule| rule.code);
    assert!(all.is_sorted() && all.windows(2).all(|pair| pair[0] != pair[1]));
    assert_eq!(rule("ph001").unwrap().name, "broad-copy-before-install");
    assert!(rule("PH999").is_none());
}

#[test]
fn a_comment_excuses_the_instruction_below_it_or_the_file() {
    let bad = "FROM python:3.13-slim\nRUN pip install a==1\n";
    assert_eq!(alone(bad), ["PH002"]);
    let above = bad.replace("RUN", "# pilothouse: ignore=PH001,ph002\nRUN");
    assert_eq!(alone(&above), [""; 0]);
    let apart = bad.replace("RUN", "# pilothouse: ignore=PH002\n\nRUN");
    assert_eq!(alone(&apart), ["PH002"]);
    let top = format!("# pilothouse: ignore=PH002\n\n{bad}");
    assert_eq!(alone(&top), [""; 0]);
}

#[test]
fn tools_are_known_in_every_way_they_are_called() {
    for line in [
        "pip install a",
        "pip3.13 install a",
        "python -m pip install -r r.txt",
        "/venv/bin/pip --quiet install a",
        "A=1 uv pip install a",
        "uv sync --frozen",
        "poetry install --no-root",
        "pdm sync",
        "pipenv install",
        "[\"pip\", \"install\", \"a\"]",
        "<<EOF\nset -e\npip install a\nEOF",
        "sudo -H pip install a",
        "sudo -u app -E A=1 python3 -m pip install a",
        "env A=1 B=2 pip install a",
        "if [ -f r.txt ]; then pip install -r r.txt; fi",
        "pipx install a",
        "python3 -m pipx inject a b",
        "uv tool install a",
    ] {
        assert!(
            alone(&format!("FROM a:1\nRUN {line}\n")).contains(&"PH002"),
            "{line}"
        );
    }
    for line in [
        "pip list",
        "uv run x",
        "echo pip install",
        "npm install",
        "sudo -l",
        "env A=1",
        "pipx run a",
    ] {
        assert!(
            !alone(&format!("FROM a:1\nRUN {line}\n")).contains(&"PH002"),
            "{line}"
        );
    }
}

#[test]
fn findings_point_at_what_they_are_about() {
    let text = "FROM python:3.13-slim\nRUN set -e && \\\n    pip install a\n";
    let file = Dockerfile::parse(text).unwrap();
    let finding = &lint(&file, &Surroundings::default()).findings[0];
    assert_eq!(finding.span.of(text), "pip install a");
    let position = finding.position(text);
    assert_eq!((position.line, position.column), (3, 5));
}

/// What the guides of the tools say to write is no finding.
#[test]
fn a_file_as_the_guide_of_uv_has_it_is_clean() {
    let file = "FROM python:3.13-slim\nCOPY --from=registry.example/astral-sh/uv:0.13.9 /uv /uvx /bin/\nWORKDIR /app\n\
        RUN --mount=type=cache,target=/root/.cache/uv \\\n    --mount=type=bind,source=uv.lock,target=uv.lock \\\n    \
        --mount=type=bind,source=pyproject.toml,target=pyproject.toml \\\n    uv sync --locked --no-install-project\n\
        COPY . /app\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --locked\n";
    let ignore = ".git\n.venv\n**/__pycache__\n.env\n.*_cache\nDockerfile\n";
    let around = Surroundings {
        ignore: Some(ignore),
        ..Surroundings::default()
    };
    assert_eq!(codes(file, &around), [""; 0]);
    let all_in_one = file.replace("uv sync --locked --no-install-project", "true");
    assert_eq!(codes(&all_in_one, &around), ["PH001"]);
}

#[test]
fn installed_packages_are_followed_from_stage_to_stage() {
    let build = |base: &str, runs: &str, copy: &str| {
        alone(&format!(
            "FROM {base} AS b\nENV SOURCE_DATE_EPOCH=1\n{runs}\nFROM python:3.13-slim-bookworm\n{copy}\n"
        ))
    };
    let venv = "RUN python -m venv --without-pip /v";
    for (base, runs, copy, expected) in [
        (
            "python:3.13-slim-bookworm",
            venv,
            "COPY --from=b /v /v",
            &[][..],
        ),
        (
            "python:3.13-slim-bookworm",
            venv,
            "COPY --from=b /v/ /v/",
            &[],
        ),
        (
            "python:3.13-slim-trixie",
            venv,
            "COPY --from=b /v /v",
            &["PH008"],
        ),
        (
            "python:3.13-alpine",
            venv,
            "COPY --from=b /v /v",
            &["PH008"],
        ),
        (
            "python:3.12-bookworm",
            venv,
            "COPY --from=b /v /v",
            &["PH008"],
        ),
        ("python:3.13-bullseye", venv, "COPY --from=b /v /v", &[]),
        (
            "python:3.13-bookworm",
            venv,
            "COPY --from=b /v /w",
            &["PH021"],
        ),
        ("python:3.13-bookworm", venv, "COPY --from=b /etc/x /x", &[]),
        (
            "python:3.13-bookworm",
            "WORKDIR /a\nRUN --mount=type=cache,target=/root/.cache/uv uv sync",
            "COPY --from=b /a/.venv /a/.venv",
            &["PH021"],
        ),
        (
            "python:3.13-bookworm",
            "WORKDIR /a\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --no-editable",
            "COPY --from=b /a/.venv /a/.venv",
            &[],
        ),
        (
            "python:3.13-bookworm",
            "WORKDIR /a\nRUN --mount=type=cache,target=/root/.cache/uv uv sync",
            "COPY --from=b /a/.venv /a/.venv\nCOPY src /a/src",
            &[],
        ),
        (
            "python:3.13-bookworm",
            "",
            "COPY --from=b /usr/local/lib/python3.13/site-packages /usr/local/lib/python3.13/site-packages",
            &["PH008"],
        ),
        (
            "python:3.13-bookworm",
            "",
            "COPY --from=b /usr/local/lib/python3.13/site-packages /usr/local/lib/python3.13/site-packages\nCOPY --from=b /usr/local/bin /usr/local/bin",
            &[],
        ),
    ] {
        assert_eq!(build(base, runs, copy), expected, "{base} {runs} {copy}");
    }
}

#[test]
fn what_a_builder_writes_is_new_only_where_bytecode_is_made() {
    let build = |setting: &str, run: &str| {
        alone(&format!(
            "FROM python:3.13 AS b\n{setting}\nRUN --mount=type=cache,target=/root/.cache {run}\nFROM python:3.13\nCOPY --from=0 / /x\n"
        ))
    };
    for (setting, run, flagged) in [
        ("", "pip install a", true),
        ("", "pip install --no-compile a", false),
        ("", "SOURCE_DATE_EPOCH=1 pip install a", false),
        ("ENV SOURCE_DATE_EPOCH=1", "pip install a", false),
        ("ARG SOURCE_DATE_EPOCH=1", "pip install a", false),
        ("ARG SOURCE_DATE_EPOCH", "pip install a", true),
        ("", "pip wheel a", false),
        ("", "uv sync", false),
        ("ENV UV_COMPILE_BYTECODE=1", "uv sync", true),
        ("", "uv pip install --compile-bytecode a", true),
        ("", "python3 -m venv /x", true),
        ("", "python3 -m venv --without-pip /x", false),
        ("", "python3 -m compileall /x", true),
    ] {
        let found = build(setting, run).contains(&"PH005");
        assert_eq!(found, flagged, "{setting} {run}");
    }
}

/// PH005 looks at what is copied, not at how it is called.
#[test]
fn only_what_holds_bytecode_is_new_each_time() {
    let build = |runs: &str, copy: &str| {
        alone(&format!(
            "FROM python:3.13 AS b\nWORKDIR /w\n{runs}\nFROM python:3.13\nCOPY --from=b {copy} /x\n"
        ))
    };
    let pip = "RUN pip install a==1 && npm run build";
    let venv = "RUN python -m venv --without-pip /v\nENV PATH=/v/bin:$PATH\nRUN pip install a==1";
    for (runs, copy, flagged) in [
        (pip, "/dist", false),
        (pip, "/usr/local", true),
        (pip, "/usr/local/lib/python3.13/site-packages", true),
        (pip, "/usr/local/bin", false),
        (pip, "/", true),
        (pip, "/w/app.tar.gz", false),
        ("RUN pip install --target=dist a==1", "/w/dist", true),
        ("RUN pip install --target=dist a==1", "/w/dist/a", true),
        (
            "RUN pip install --target=dist a==1",
            "/w/distribution",
            false,
        ),
        ("RUN pip install --prefix /p a==1", "/p", true),
        ("RUN pip install --prefix /p a==1", "/p/bin", false),
        ("RUN pip install --prefix /p a==1", "/usr/local", false),
        ("RUN pip install --target $T a==1", "/dist", true),
        (venv, "/v", true),
        (venv, "/usr/local/lib", false),
        ("RUN /v/bin/pip install a==1", "/v", true),
        (
            "RUN uv pip install --compile-bytecode --python /v/bin/python a==1",
            "/v",
            true,
        ),
        ("RUN uv sync --compile-bytecode", "/w/.venv", true),
        ("RUN uv sync --compile-bytecode", "/w/dist", false),
        ("RUN python -m compileall /w/src", "w/src", true),
        ("RUN python -m compileall /w/src", "/w/static", false),
        (
            "RUN pip install a==1 && cp -r /usr/local/lib/python3.13 /dist",
            "/dist",
            true,
        ),
    ] {
        let found = build(runs, copy).contains(&"PH005");
        assert_eq!(found, flagged, "{runs} {copy}");
    }
}

/// `INSTA_UPDATE=always` writes them anew, as it does with snapshots.
#[test]
fn every_rule_has_its_page_in_the_documentation() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/rules");
    let updates = std::env::var("INSTA_UPDATE").is_ok_and(|update| update == "always");
    let mut names = Vec::new();
    for rule in RULES {
        let name = format!("{}.md", rule.code);
        let path = folder.join(&name);
        if updates {
            std::fs::create_dir_all(&folder).unwrap();
            std::fs::write(&path, rule.page()).unwrap();
        }
        let page = std::fs::read_to_string(&path).unwrap_or_default();
        assert_eq!(page, rule.page(), "{}", path.display());
        names.push(name);
    }
    let there = std::fs::read_dir(&folder).unwrap();
    let mut there: Vec<String> = there
        .map(|one| one.unwrap().file_name().into_string().unwrap())
        .collect();
    there.sort();
    assert_eq!(there, names);
}
