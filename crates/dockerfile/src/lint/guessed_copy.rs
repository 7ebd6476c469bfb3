//! Copies of files that may not be there.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::Keyword;

pub(super) const RULE: Rule = Rule {
    code: "PH025",
    name: "copy-of-what-may-be-missing",
    severity: Severity::Note,
    what: "A wildcard hides whether a lock file is there.",
    why: "`uv.loc[k]` and `poetry.lock*` match nothing without a word: when the lock is missing, left out by .dockerignore or renamed, the build goes on and installs whatever is newest. They match what nobody meant as well, like `poetry.lock.orig`.",
    bad: "FROM python:3.13-slim\nCOPY pyproject.toml uv.loc[k] ./\n",
    good: "FROM python:3.13-slim\nCOPY pyproject.toml uv.lock ./\n",
    check: Check::Files(check),
};

/// Files that an install rests on.
const LOCKS: [&str; 8] = [
    "uv.lock",
    "poetry.lock",
    "pdm.lock",
    "Pipfile.lock",
    "pylock.toml",
    "requirements.txt",
    "pyproject.toml",
    "Pipfile",
];

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let instructions = subject.stages.iter().flat_map(|stage| &stage.instructions);
    let copies = instructions.filter(|one| matches!(one.keyword, Keyword::Copy | Keyword::Add));
    for copy in copies.filter(|copy| copy.flag("from").is_none()) {
        let words = copy.words();
        let sources = words.split_last().map_or(&[][..], |(_, sources)| sources);
        for source in sources {
            let name = source.rsplit('/').next().unwrap_or(source);
            let meant = LOCKS.iter().find(|lock| is_guess(name, lock));
            if let Some(lock) = meant {
                findings.add(
                    copy.keyword_span,
                    format!("`{source}` matches nothing, without a word, where there is no `{lock}`: write `{lock}`"),
                );
            }
        }
    }
}

/// `uv.lock*`, `uv.loc[k]`, `uv.loc?`: the name itself, made a pattern.
fn is_guess(pattern: &str, name: &str) -> bool {
    let Some(at) = pattern.find(['*', '?', '[']) else {
        return false;
    };
    let is_close = at + 1 >= name.len();
    is_close && crate::ignore::glob(pattern, name)
}
