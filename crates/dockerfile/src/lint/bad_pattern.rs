//! Ignore patterns that do not do what they seem to.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::{Ignore, Span};

pub(super) const RULE: Rule = Rule {
    code: "PH010",
    name: "pattern-of-no-use",
    severity: Severity::Warning,
    what: "A pattern of .dockerignore matches only at the root, or not in every engine.",
    why: "Unlike in .gitignore, `*.pyc` and `__pycache__` match in the context's root alone, `**.pyc` matches nothing in older engines and in buildah, and `! x` keeps nothing in buildah.",
    bad: "FROM python:3.13-slim\n# ---- .dockerignore\n__pycache__\n*.pyc\n**.log\n! keep\n",
    good: "FROM python:3.13-slim\n# ---- .dockerignore\n**/__pycache__\n**/*.pyc\n**/*.log\n!keep\n",
    check: Check::Files(check),
};

/// What Python leaves in every folder.
const EVERYWHERE: [&str; 6] = [
    "__pycache__",
    "*.pyc",
    "*.pyo",
    "*.py[cod]",
    ".DS_Store",
    "*.egg-info",
];

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let Some(text) = subject.around.ignore else {
        return;
    };
    if let Err(error) = Ignore::parse(text) {
        findings.add_to_ignore(
            line(text, error.line),
            format!("`{}` is no pattern: engines refuse the file", error.text),
        );
        return;
    }
    for (at, raw) in text.lines().enumerate() {
        let span = line(text, at + 1);
        let pattern = raw.trim();
        if raw.starts_with('#') || pattern.is_empty() {
            continue;
        }
        let plain = pattern.trim_start_matches('/').trim_end_matches('/');
        if EVERYWHERE.contains(&plain) {
            findings.add_to_ignore(
                span,
                format!("`{pattern}` matches at the root alone: write `**/{plain}`"),
            );
        } else if let Some(rest) = pattern
            .strip_prefix("**")
            .filter(|rest| rest.starts_with('.'))
        {
            findings.add_to_ignore(
                span,
                format!("`{pattern}` matches nothing in some engines: write `**/*{rest}`"),
            );
        } else if pattern.starts_with("! ") {
            findings.add_to_ignore(
                span,
                format!("`{pattern}` keeps nothing in buildah: leave the blank out"),
            );
        }
    }
}

/// Where a line stands, from 1.
fn line(text: &str, number: usize) -> Span {
    let mut start = 0;
    for (at, line) in text.split_inclusive('\n').enumerate() {
        if at + 1 == number {
            return Span::new(start, start + line.trim_end().len());
        }
        start += line.len();
    }
    Span::new(start, start)
}
