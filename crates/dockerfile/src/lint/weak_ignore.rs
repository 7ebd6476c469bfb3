//! What should not be a part of the context.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::{Ignore, Span};

pub(super) const RULE: Rule = Rule {
    code: "PH009",
    name: "weak-dockerignore",
    severity: Severity::Warning,
    what: "Files that no image needs are a part of the context that is copied.",
    why: "`.git`, virtual environments, caches and `.env` files are sent with every build and end in the image; and each of their changes repeats what comes after `COPY . .`. Secrets in them are in the image for good.",
    bad: "FROM python:3.13-slim\nCOPY . .\n",
    good: "FROM python:3.13-slim\nCOPY app app\n",
    check: Check::Files(check),
};

/// Paths that stand for what Python projects have, and what to write.
const UNWANTED: [(&str, &str); 8] = [
    (".git/HEAD", ".git"),
    (".venv/bin/python", ".venv"),
    ("app/__pycache__/a.pyc", "**/__pycache__"),
    (".env", ".env"),
    (".mypy_cache/a", ".mypy_cache"),
    (".pytest_cache/a", ".pytest_cache"),
    (".ruff_cache/a", ".ruff_cache"),
    ("Dockerfile", "Dockerfile"),
];

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let instructions = subject.stages.iter().flat_map(|stage| &stage.instructions);
    let mut broad = instructions.filter(|one| super::broad_copy::copies_all(one));
    let Some(copy) = broad.next() else {
        return;
    };
    let missing = missing_patterns(subject.around.ignore.unwrap_or_default());
    if missing.is_empty() {
        return;
    }
    let missing = missing.join(", ");
    if subject
        .around
        .ignore
        .is_some_and(|text| !text.trim().is_empty())
    {
        findings.add_to_ignore(
            Span::new(0, 0),
            format!("the whole context is copied, and these are in it: {missing}"),
        );
    } else {
        findings.add(
            copy.keyword_span,
            format!("the whole context is copied, and there is no .dockerignore: write one with {missing}"),
        );
    }
}

/// What an ignore file lacks.
pub(crate) fn missing_patterns(ignore: &str) -> Vec<&'static str> {
    // What cannot be read is another rule's matter.
    let ignore = Ignore::parse(ignore).unwrap_or_default();
    let missing = UNWANTED.iter().filter(|(path, _)| !ignore.leaves_out(path));
    missing.map(|(_, pattern)| *pattern).collect()
}
