//! A virtual environment of this machine, over the image's own.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::Ignore;

pub(super) const RULE: Rule = Rule {
    code: "PH023",
    name: "venv-overwritten-by-copy",
    severity: Severity::Error,
    what: "The context is copied over a folder in which the image has its virtual environment.",
    why: "A `.venv` of the developer's machine is a part of the context unless .dockerignore leaves it out, and is then mixed into the image's own: other versions, links to an interpreter that is not there, programs for another system.",
    bad: "FROM python:3.13-slim\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-install-project\nCOPY . .\n# ---- .dockerignore\n.git\n",
    good: "FROM python:3.13-slim\nWORKDIR /app\nCOPY pyproject.toml uv.lock ./\nRUN --mount=type=cache,target=/root/.cache/uv uv sync --locked --no-install-project\nCOPY . .\n# ---- .dockerignore\n.git\n.venv\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let ignore = Ignore::parse(subject.around.ignore.unwrap_or_default()).unwrap_or_default();
    for (number, stage) in subject.stages.iter().enumerate() {
        let venvs = super::editable_install::venvs(subject, number);
        for (at, copy) in stage.instructions.iter().enumerate() {
            if !super::broad_copy::copies_all(copy) {
                continue;
            }
            let words = copy.words();
            let to = subject
                .scope(number, at)
                .path(words.last().map_or(".", String::as_str));
            let inner = venvs
                .iter()
                .find_map(|venv| venv.strip_prefix(&to)?.strip_prefix('/'));
            if let Some(inner) =
                inner.filter(|inner| !ignore.leaves_out(&format!("{inner}/bin/python")))
            {
                findings.add(
                    copy.keyword_span,
                    format!("a `{inner}` of this machine is copied over the image's own: add `{inner}` to .dockerignore"),
                );
            }
        }
    }
}
