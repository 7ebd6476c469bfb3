//! Dependencies that are installed again with each release of the project.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install::Tool;
use crate::manifest::Project;

pub(super) const RULE: Rule = Rule {
    code: "PH006",
    name: "version-in-dependency-layer",
    severity: Severity::Note,
    what: "The step that installs dependencies reads the version of the project.",
    why: "pyproject.toml, and uv.lock with it, hold the project's own version: each release, though no dependency has changed, installs all of them again. A version that the build backend finds elsewhere, or a list that is exported without the project, keeps the step cached.",
    bad: "FROM python:3.13-slim\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-install-project\n# ---- pyproject.toml\n[project]\nname = \"app\"\nversion = \"1.4.0\"\n",
    good: "FROM python:3.13-slim\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-install-project\n# ---- pyproject.toml\n[project]\nname = \"app\"\ndynamic = [\"version\"]\n",
    check: Check::Files(check),
};

/// By which installs leave the project out.
const WITHOUT_PROJECT: [&str; 4] = [
    "--no-install-project",
    "--no-install-workspace",
    "--no-root",
    "--no-self",
];

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for install in &subject.installs {
        let leaves_out = install
            .command
            .arguments()
            .any(|word| WITHOUT_PROJECT.contains(&word));
        let project = install.project.as_deref().map(Project::read);
        if !leaves_out || project.is_none_or(|project| project.version.is_none()) {
            continue;
        }
        let instead = match install.tool {
            Tool::Uv => "install what `uv export --no-emit-project` writes",
            Tool::Poetry => "install what `poetry export` writes",
            _ => "install what `pdm export` writes",
        };
        findings.add(
            install.span,
            format!("each new `version` in pyproject.toml installs all dependencies again: make it dynamic, or {instead}"),
        );
    }
}
