//! The texts of a draft.

use std::fmt::Write as _;

use super::project::{Locker, Project, Source};
use super::start::Start;
use crate::path::by_folder;

/// What no image needs, and what must not be in one.
pub(super) const IGNORE: &str = "\
# What no image needs, and what must not be in one.
.git
.github
.venv
venv
.env
.env.*
**/__pycache__
**/*.py[cod]
**/*.egg-info
.*_cache
.tox
.nox
.coverage
htmlcov
build
dist
node_modules
.idea
.vscode
**/.DS_Store
.dockerignore
Dockerfile*
compose*.yaml
";

/// The versions of tools that write locks as requirements.
const UV: &str = "uv==0.13.9";
const POETRY: &str = "poetry==2.5.1 poetry-plugin-export==1.10.1";
const PDM: &str = "pdm==2.29.4";
const PIPENV: &str = "pipenv==2026.10.3";

/// What writes the dependencies of a pyproject.toml, one a line.
const LIST: &str = "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project'].get('dependencies', []), sep='\\n')";

pub(super) fn dockerfile(project: &Project, start: &Start) -> String {
    let mut text = format!(
        "FROM python:{}-slim AS base\nENV PYTHONUNBUFFERED=1\n",
        project.python
    );
    let has_venv = project.source != Source::Nothing || project.is_installed;
    if let Source::Lock(_) | Source::Pyproject = project.source {
        text.push_str(&lock(project));
    }
    if has_venv {
        text.push_str(&builder(project));
    }
    let is_copied = !project.is_installed || project.program.is_none() || start.port.is_some();
    // Writing to a String cannot fail.
    let _ = write!(
        text,
        "\nFROM base\nRUN useradd --uid 1000 --create-home app\nWORKDIR /app\n"
    );
    if has_venv {
        text.push_str("COPY --from=builder /venv /venv\nENV PATH=/venv/bin:$PATH\n");
    }
    if is_copied && start.is_in_src && !project.is_installed {
        text.push_str("ENV PYTHONPATH=/app/src\n");
    }
    if is_copied {
        text.push_str("COPY . .\n");
    }
    // By number: who runs it need not look into the image for the name.
    text.push_str("USER 1000\n");
    if let Some(port) = start.port {
        let _ = writeln!(text, "EXPOSE {port}");
    }
    let words: Vec<String> = start
        .command
        .iter()
        .map(|word| serde_json::Value::from(word.as_str()).to_string())
        .collect();
    let _ = writeln!(text, "CMD [{}]", words.join(", "));
    text
}

/// The stage that writes the list of dependencies.
fn lock(project: &Project) -> String {
    // Python knows TOML from 3.11 on, and a list is the same whoever writes it.
    let minor = project.python.split('.').nth(1);
    let is_old = minor
        .and_then(|minor| minor.parse().ok())
        .is_some_and(|minor: u32| minor < 11);
    let base = match project.source {
        Source::Pyproject if is_old => "python:3.13-slim",
        _ => "base",
    };
    let mut text = format!(
        "\n# The list of dependencies alone: the project's own version is not in it, so that a\n# release installs nothing again.\nFROM {base} AS lock\n"
    );
    let (tool, files, command) = match &project.source {
        Source::Lock(Locker::Uv) => (
            UV,
            "pyproject.toml uv.lock",
            "uv export --quiet --frozen --no-dev --no-emit-project --no-header --output-file /requirements.txt".to_owned(),
        ),
        Source::Lock(Locker::Poetry) => (
            POETRY,
            "pyproject.toml poetry.lock",
            "poetry export --output /requirements.txt".to_owned(),
        ),
        Source::Lock(Locker::Pdm) => (
            PDM,
            "pyproject.toml pdm.lock",
            "pdm export --prod --no-markers --output /requirements.txt".to_owned(),
        ),
        Source::Lock(Locker::Pipenv) => (
            PIPENV,
            "Pipfile Pipfile.lock",
            "pipenv requirements --hash > /requirements.txt".to_owned(),
        ),
        _ => ("", "pyproject.toml", format!("python -c \"{LIST}\" > /requirements.txt")),
    };
    if !tool.is_empty() {
        let _ = writeln!(
            text,
            "RUN --mount=type=cache,target=/root/.cache/pip pip install {tool}"
        );
    }
    let _ = write!(text, "WORKDIR /src\nCOPY {files} ./\nRUN {command}\n");
    text
}

/// The stage that installs.
fn builder(project: &Project) -> String {
    let mut text = "\nFROM base AS builder\n\
        # Bytecode with the hash of its source in it, and not the time: the same packages are\n\
        # the same bytes, and the copy of them stays cached.\n\
        ENV SOURCE_DATE_EPOCH=315532800\n\
        RUN python -m venv --without-pip /venv\n"
        .to_owned();
    let install = |arguments: &str| {
        format!(
            "RUN --mount=type=cache,target=/root/.cache/pip \\\n    pip --python /venv/bin/python install {arguments}\n"
        )
    };
    match &project.source {
        Source::Requirements(files) => {
            text.push_str("WORKDIR /src\n");
            for (folder, names) in by_folder(files) {
                let _ = writeln!(text, "COPY {} ./{folder}", names.join(" "));
            }
            text.push_str(&install(&format!("-r {}", files[0])));
        }
        Source::Lock(_) | Source::Pyproject => {
            text.push_str("COPY --from=lock /requirements.txt /requirements.txt\n");
            text.push_str(&install("-r /requirements.txt"));
        }
        Source::Nothing => {}
    }
    if project.is_installed {
        if !matches!(project.source, Source::Requirements(_)) {
            text.push_str("WORKDIR /src\n");
        }
        text.push_str("COPY . .\n");
        text.push_str(&install("--no-deps ."));
    }
    text
}

pub(super) fn compose(port: u16) -> String {
    format!(
        "services:\n  app:\n    build: .\n    ports:\n      - \"127.0.0.1:{port}:{port}\"\n    init: true\n"
    )
}
