//! Variables that are new with every commit.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::Keyword;
use crate::install;

pub(super) const RULE: Rule = Rule {
    code: "PH007",
    name: "volatile-variable-before-install",
    severity: Severity::Warning,
    what: "A variable that changes with every build is declared before dependencies are installed.",
    why: "Every ARG and ENV that was declared before a RUN is a part of its cache key, used or not. A commit, date or version in one of them installs everything again at every build.",
    bad: "FROM python:3.13-slim\nARG GIT_SHA\nENV VERSION=$GIT_SHA\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    good: "FROM python:3.13-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\nARG GIT_SHA\nENV VERSION=$GIT_SHA\n",
    check: Check::Files(check),
};

/// What such variables are called, or a part of it.
const NAMES: [&str; 12] = [
    "GIT_SHA",
    "GIT_COMMIT",
    "GIT_REV",
    "COMMIT_SHA",
    "COMMIT_HASH",
    "VCS_REF",
    "BUILD_DATE",
    "BUILD_TIME",
    "BUILD_ID",
    "BUILD_NUMBER",
    "SOURCE_COMMIT",
    "CACHEBUST",
];

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        let is_install = |at: &usize| {
            let run = install::run(stage.instructions[*at], subject.file.text());
            run.is_some_and(|run| run.installs().next().is_some())
        };
        let Some(last) = (0..stage.instructions.len()).rev().find(is_install) else {
            continue;
        };
        for instruction in &stage.instructions[..last] {
            if !matches!(instruction.keyword, Keyword::Arg | Keyword::Env) {
                continue;
            }
            let words = instruction.words();
            let names = words
                .iter()
                .map(|word| word.split('=').next().unwrap_or_default());
            let mut volatile = names.filter(|name| {
                NAMES
                    .iter()
                    .any(|known| name.to_ascii_uppercase().contains(known))
            });
            if let Some(name) = volatile.next() {
                findings.add(
                    instruction.keyword_span,
                    format!("`{name}` changes with every build, and every install below it is repeated then: declare it after the last install"),
                );
            }
        }
    }
}
