//! What is mended, and what is left alone.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::lint::RULES;
use crate::lint::tests::with_example;
use crate::{Engine, cache};

type Files<'a> = &'a [(&'a str, &'a str)];

fn fixed(dockerfile: &str, ignore: Option<&str>, files: Files<'_>) -> Fixed {
    let read = |path: &str| {
        let found = files.iter().find(|file| file.0 == path);
        found.map(|file| file.1.to_owned())
    };
    let around = Surroundings {
        ignore,
        read: &read,
        ..Surroundings::default()
    };
    fix(dockerfile, &around, Extent::Safe).unwrap()
}

const GOOD_IGNORE: &str =
    ".git\n.venv\n**/__pycache__\n.env\n.mypy_cache\n.pytest_cache\n.ruff_cache\nDockerfile\n";

#[test]
fn what_is_installed_comes_before_the_sources_and_with_a_cache() {
    let files: Files<'_> = &[
        ("requirements.txt", "-r more/base.txt\nflask==1\n"),
        ("more/base.txt", "-c limits.txt\nx==1\n"),
        ("more/limits.txt", "y<2\n"),
    ];
    let bad = "FROM python:3.13-slim\nWORKDIR /app\nCOPY --chown=1000 . .\nENV A=1\nRUN pip install --no-cache-dir -r requirements.txt\nCMD [\"x\"]\n";
    let good = fixed(bad, Some(GOOD_IGNORE), files);
    assert_eq!(
        good.dockerfile,
        "FROM python:3.13-slim\nWORKDIR /app\nCOPY --chown=1000 requirements.txt ./\nCOPY --chown=1000 more/base.txt more/limits.txt ./more/\nENV A=1\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\nCOPY --chown=1000 . .\nCMD [\"x\"]\n"
    );
    assert_eq!(good.ignore.as_deref(), Some(GOOD_IGNORE));
    let codes: Vec<&str> = good.done.iter().map(|done| done.rule.code).collect();
    assert_eq!(codes, ["PH001", "PH002", "PH003"]);
}

#[test]
fn what_reads_the_sources_keeps_its_place() {
    let text = |run: &str| format!("FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN {run}\n");
    let files: Files<'_> = &[
        ("requirements.txt", "flask==1\n"),
        ("local.txt", "-e .\n"),
        ("pyproject.toml", "[project]\nname = \"a\"\n"),
        ("uv.lock", ""),
    ];
    for run in [
        "pip install .",
        "pip install -e . -r requirements.txt",
        "pip install -r local.txt",
        "make && pip install -r requirements.txt",
        "pip install -r missing.txt",
        "uv sync --frozen",
        "poetry install --no-root",
    ] {
        let done = fixed(&text(run), Some(GOOD_IGNORE), files);
        let lines: Vec<&str> = done.dockerfile.lines().collect();
        assert_eq!(lines[2], "COPY . .", "{run}:\n{}", done.dockerfile);
    }
    let moved = fixed(
        &text("uv sync --frozen --no-install-project"),
        Some(GOOD_IGNORE),
        files,
    );
    let lines: Vec<&str> = moved.dockerfile.lines().collect();
    assert_eq!(lines[2], "COPY pyproject.toml uv.lock ./");
    assert_eq!(lines[4], "COPY . .");
}

#[test]
fn the_cache_of_another_user_is_left_alone() {
    for setting in ["USER app", "ENV PIP_CACHE_DIR=/c", "ENV HOME=/x"] {
        let text = format!("FROM python:3.13-slim\n{setting}\nRUN pip install flask==1\n");
        assert!(
            !fixed(&text, None, &[]).dockerfile.contains("--mount"),
            "{setting}"
        );
    }
}

#[test]
fn builders_get_a_constant_time_and_ignore_files_what_they_lack() {
    let text = "FROM python:3.13-slim AS b\nRUN --mount=type=cache,target=/root/.cache/pip pip install --prefix /p flask==1\nFROM python:3.13-slim\nCOPY --from=b /p /p\nCOPY . .\n";
    let done = fixed(text, Some(".git\n*.pyc"), &[]);
    assert!(
        done.dockerfile
            .starts_with("FROM python:3.13-slim AS b\nENV SOURCE_DATE_EPOCH=315532800\nRUN "),
        "{}",
        done.dockerfile
    );
    let ignore = done.ignore.unwrap();
    assert!(ignore.starts_with(".git\n**/*.pyc\n.venv\n"), "{ignore}");
    assert_eq!(
        fixed(text, None, &[]).ignore.unwrap().lines().next(),
        Some(".git")
    );
}

/// The fuzz target found it: lines were added until there was no more patience.
#[test]
fn an_ignore_file_that_no_engine_reads_is_left_alone() {
    let broken = "a[\n";
    let done = fixed("FROM python:3.13-slim\nCOPY . .\n", Some(broken), &[]);
    assert_eq!(done.ignore.as_deref(), Some(broken));
}

#[test]
fn what_is_fine_is_not_touched() {
    let text = "FROM python:3.13-slim\nCMD [\"python\"]\n";
    let done = fixed(text, None, &[]);
    assert_eq!((done.dockerfile.as_str(), done.ignore), (text, None));
    assert!(done.done.is_empty());
}

/// Every bad example and every good one: what is mended is sound, told of no more, and stays.
fn mended_examples(extent: Extent) -> Vec<&'static str> {
    let mut mended = BTreeSet::new();
    for rule in RULES {
        for example in [rule.bad, rule.good] {
            with_example(example, |text, around| {
                let once = fix(text, around, extent).unwrap();
                let file = Dockerfile::parse(&once.dockerfile).unwrap();
                file.check().unwrap();
                let around = Surroundings {
                    ignore: once.ignore.as_deref(),
                    ..*around
                };
                let left = lint::lint(&file, &around).findings;
                let left: Vec<&str> = left.iter().map(|finding| finding.rule.code).collect();
                for done in &once.done {
                    let code = done.rule.code;
                    // `.env` is left out on demand only.
                    let may_stay = extent == Extent::Safe && code == "PH009";
                    let is_left = left.contains(&code) && !may_stay;
                    assert!(!is_left, "{code}: {}", once.dockerfile);
                    assert!(extent == Extent::All || done.risk.is_none(), "{code}");
                }
                let twice = fix(&once.dockerfile, &around, extent).unwrap();
                assert_eq!(twice.dockerfile, once.dockerfile);
                assert_eq!((twice.ignore, twice.done.len()), (once.ignore.clone(), 0));
                if example == rule.bad && once.done.iter().any(|done| done.rule.code == rule.code) {
                    mended.insert(rule.code);
                }
            });
        }
    }
    mended.into_iter().collect()
}

#[test]
fn what_is_mended_is_no_finding_and_is_not_mended_again() {
    let safe = ["PH001", "PH002", "PH005", "PH009", "PH010"];
    assert_eq!(mended_examples(Extent::Safe), safe);
    let all = [
        "PH001", "PH002", "PH003", "PH004", "PH005", "PH007", "PH009", "PH010",
    ];
    assert_eq!(mended_examples(Extent::All), all);
}

fn unsafely(text: &str) -> (String, Vec<&'static str>) {
    let around = Surroundings {
        ignore: Some(GOOD_IGNORE),
        ..Surroundings::default()
    };
    let done = fix(text, &around, Extent::All).unwrap();
    let risky = done.done.iter().filter(|done| done.risk.is_some());
    (done.dockerfile, risky.map(|done| done.rule.code).collect())
}

#[test]
fn what_may_change_something_is_mended_when_that_is_wanted() {
    const MOUNT: &str = "RUN --mount=type=cache,target=/root/.cache/pip pip install a==1";
    for (bad, good, rules) in [
        (
            format!("ENV PIP_NO_CACHE_DIR=1\n{MOUNT}"),
            MOUNT.to_owned(),
            &["PH003"][..],
        ),
        (
            format!("ENV A=1 PIP_NO_CACHE_DIR=on B=2\n{MOUNT}"),
            format!("ENV A=1 B=2\n{MOUNT}"),
            &["PH003"],
        ),
        (
            MOUNT.replace("pip install", "PIP_NO_CACHE_DIR=1 pip install"),
            MOUNT.to_owned(),
            &[],
        ),
        (
            format!("{MOUNT} && rm -rf /root/.cache"),
            MOUNT.to_owned(),
            &["PH003"],
        ),
        (
            "USER app\nRUN pip install a==1".to_owned(),
            "USER app\nRUN --mount=type=cache,target=/home/app/.cache/pip,mode=0777 pip install a==1".to_owned(),
            &["PH002"],
        ),
        (
            format!("RUN useradd -u 7 app\nUSER app\n{}", MOUNT.replace("cache/pip ", "cache/pip,sharing=locked ")),
            "RUN useradd -u 7 app\nUSER app\nRUN --mount=type=cache,target=/home/app/.cache/pip,uid=7,sharing=locked pip install a==1".to_owned(),
            &["PH004"],
        ),
        (
            format!("ARG GIT_SHA\nENV VERSION=$GIT_SHA\nENV A=1\nLABEL v=${{VERSION}}\n{MOUNT}\nCMD [\"x\"]"),
            format!("ENV A=1\n{MOUNT}\nARG GIT_SHA\nENV VERSION=$GIT_SHA\nLABEL v=${{VERSION}}\nCMD [\"x\"]"),
            &["PH007"],
        ),
        (
            format!("ARG GIT_SHA\nRUN echo $GIT_SHA\n{MOUNT}"),
            format!("ARG GIT_SHA\nRUN echo $GIT_SHA\n{MOUNT}"),
            &[],
        ),
    ] {
        let (fixed, risky) = unsafely(&format!("FROM python:3.13-slim\n{bad}\n"));
        assert_eq!(fixed, format!("FROM python:3.13-slim\n{good}\n"));
        assert_eq!(risky, rules, "{bad}");
    }
}

#[test]
fn wheels_take_the_place_of_copied_packages() {
    let bad = "FROM python:3.13-slim AS b\nCOPY r.txt .\nRUN pip install --no-cache-dir -r r.txt\nFROM python:3.13-slim\n\
        COPY --from=b /usr/local/lib/python3.13/site-packages /usr/local/lib/python3.13/site-packages\nCMD [\"gunicorn\"]\n";
    let good = "FROM python:3.13-slim AS b\nCOPY r.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip wheel --wheel-dir=/wheelhouse -r r.txt\nFROM python:3.13-slim\n\
        RUN --mount=type=bind,from=b,source=/wheelhouse,target=/wheelhouse pip install --no-index --no-deps /wheelhouse/*.whl\nCMD [\"gunicorn\"]\n";
    let (fixed, _) = unsafely(bad);
    assert_eq!(fixed.replace("ENV SOURCE_DATE_EPOCH=315532800\n", ""), good);
    for other in [
        bad.replace("-r r.txt", "--user -r r.txt"),
        bad.replace("RUN pip", "RUN pip install b && pip"),
        bad.replace("r.txt\nFROM", "r.txt\nRUN a --build\nFROM"),
        bad.replace("slim AS b", "alpine AS b"),
        bad.replace("COPY --from", "USER app\nCOPY --from"),
    ] {
        assert!(!unsafely(&other).0.contains("pip wheel"), "{other}");
    }
}

/// The context of a build, as far as its files have a name and bytes.
struct Plain<'a>(Files<'a>);

impl cache::Context for Plain<'_> {
    fn content(&self, selection: &cache::Selection) -> Result<cache::Content, String> {
        let is_in = |path: &str| {
            let mut sources = selection.sources.iter();
            sources.any(|source| {
                let below = path.strip_prefix(source.as_str());
                source.is_empty()
                    || below.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            })
        };
        let files = self.0.iter().filter(|file| is_in(file.0));
        Ok(cache::Content {
            key: format!("{:?}", files.collect::<Vec<_>>()),
            entries: BTreeMap::new(),
        })
    }
}

/// Whether the step that installs is cached after a source was edited.
fn is_kept(dockerfile: &str) -> bool {
    let dockerfile = Dockerfile::parse(dockerfile).unwrap();
    let options = cache::Options::default();
    let [old, new] =
        ["one", "two"].map(|text| [("requirements.txt", "flask\n"), ("main.py", text)]);
    let [old, new] = [Plain(&old), Plain(&new)];
    let [old, new] = [&old, &new].map(|context| cache::Build {
        dockerfile: &dockerfile,
        options: &options,
        context,
    });
    let verdicts = cache::explain(Engine::BuildKit, &old, &new).unwrap();
    let install = verdicts
        .iter()
        .find(|one| one.instruction.contains("pip install"));
    install.unwrap().cached == cache::Cached::Yes
}

#[test]
fn an_edited_source_leaves_what_is_installed_once_the_order_is_right() {
    let rule = lint::rule("PH001").unwrap();
    with_example(rule.bad, |text, around| {
        assert!(!is_kept(text));
        let mended = fix(text, around, Extent::Safe).unwrap().dockerfile;
        assert!(is_kept(&mended), "{mended}");
    });
}

/// From a review: each of these was once written, and built no more, or built something else.
#[test]
fn what_an_instruction_needs_is_left_to_it() {
    let continued = "FROM python:3.13-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask \\\n    --no-cache-dir\nCOPY a .\n";
    let variables = "FROM python:3.13-slim\nENV A=1 \\\n    PIP_NO_CACHE_DIR=1\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask\n";
    for text in [continued, variables] {
        for extent in [Extent::Safe, Extent::All] {
            let around = Surroundings {
                ignore: Some(".git\n"),
                ..Surroundings::default()
            };
            let done = fix(text, &around, extent).unwrap();
            let file = Dockerfile::parse(&done.dockerfile).unwrap();
            assert!(file.instructions().count() >= 3, "{}", done.dockerfile);
        }
    }
    let named = "FROM python:3.13-slim AS b\nCOPY .git /g\nCOPY .env Dockerfile /e/\nFROM python:3.13-slim\nCOPY . .\n";
    let ignore = fixed(named, None, &[]).ignore.unwrap();
    for name in [".git\n", ".env\n", "Dockerfile\n"] {
        assert!(!ignore.contains(name), "{name}: {ignore}");
    }
    let scm = [("pyproject.toml", "[tool.setuptools_scm]\n")];
    let all = "FROM python:3.13-slim\nCOPY . .\n";
    let ignore = fixed(all, None, &scm).ignore.unwrap();
    assert!(
        !ignore.contains(".git\n") && !ignore.contains(".env\n"),
        "{ignore}"
    );
    let apt = "FROM python:3.13-slim\nRUN --mount=type=cache,target=/var/cache/apt apt-get install -y gcc && pip install --no-cache-dir flask\n";
    assert!(fixed(apt, None, &[]).dockerfile.contains("--no-cache-dir"));
}

#[test]
fn an_install_of_parts_of_the_context_is_not_moved() {
    for (install, manifest) in [
        ("pip install -r r.txt vendor/foo-1.0-py3-none-any.whl", "a"),
        ("pip install -r r.txt", "vendor/foo-1.0-py3-none-any.whl"),
        ("pip install -r r.txt \"foo @ file:///app/y\"", "a"),
        ("PIP_CONSTRAINT=c.txt pip install -r r.txt", "a"),
        ("pip install --cert certs/ca.pem -r r.txt", "a"),
        ("pip install --target . -r r.txt", "a"),
        ("pip install --target=/srv/lib -r r.txt", "a"),
    ] {
        let text = format!(
            "FROM python:3.13-slim\nWORKDIR /srv\nCOPY . .\nRUN --mount=type=cache,target=/root/.cache/pip {install}\n"
        );
        let done = fixed(&text, Some(GOOD_IGNORE), &[("r.txt", manifest)]);
        assert_eq!(done.dockerfile, text, "{install}");
    }
    let prefix = "FROM python:3.13-slim\nWORKDIR /srv\nCOPY . .\nRUN --mount=type=cache,target=/root/.cache/pip pip --python /venv/bin/python install --prefix=/packages -r r.txt\n";
    let moved = fixed(prefix, Some(GOOD_IGNORE), &[("r.txt", "a")]).dockerfile;
    assert!(moved.contains("COPY r.txt ./\n"), "{moved}");
    let uv = "FROM python:3.13-slim\nCOPY . .\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --no-install-project\n";
    let project = |sources: &'static str| {
        [
            ("pyproject.toml", sources),
            ("uv.lock", ""),
            ("uv.toml", ""),
        ]
    };
    let parts = project("[tool.uv.sources]\nfoo = { path = \"libs/foo\" }\n");
    assert_eq!(fixed(uv, Some(GOOD_IGNORE), &parts).dockerfile, uv);
    let moved = fixed(uv, Some(GOOD_IGNORE), &project("[project]\n")).dockerfile;
    assert!(
        moved.contains("COPY pyproject.toml uv.lock uv.toml ./\n"),
        "{moved}"
    );
}
