//! Passwords that stay in the image.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::{Instruction, Keyword};

pub(super) const RULE: Rule = Rule {
    code: "PH019",
    name: "index-credentials-in-build",
    severity: Severity::Error,
    what: "A password or token for an index stands in ARG, ENV or a command.",
    why: "Whoever has the image reads it with `docker history`. A secret mount is there while the step runs, and in no layer and no cache key.",
    bad: "FROM python:3.13-slim\nARG PIP_EXTRA_INDEX_URL=https://user:password@pypi.corp.example/simple/\n",
    good: "FROM python:3.13-slim\nRUN --mount=type=cache,target=/root/.cache/pip --mount=type=secret,id=pip,target=/etc/pip.conf pip install app\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        for instruction in &stage.instructions {
            match instruction.keyword {
                Keyword::Arg | Keyword::Env => variables(instruction, findings),
                Keyword::Run => {
                    let run = crate::install::run(instruction, subject.file.text());
                    for (command, span) in run.into_iter().flat_map(|run| run.commands) {
                        if command.words.iter().any(|word| has_credentials(&word.text)) {
                            findings.add(span, "a password stands in this command, and stays in the image's history: use a secret mount");
                        }
                    }
                }
                _ => {}
            }
        }
    }
}

fn variables(instruction: &Instruction, findings: &mut Findings) {
    for word in instruction.words() {
        let (name, value) = word.split_once('=').unwrap_or((&word, ""));
        let upper = name.to_ascii_uppercase();
        let is_for_index = ["PIP_", "UV_", "POETRY_", "PDM_", "TWINE_"]
            .iter()
            .any(|tool| upper.starts_with(tool));
        let is_secret = is_for_index
            && ["PASSWORD", "TOKEN"]
                .iter()
                .any(|word| upper.contains(word));
        if is_secret || has_credentials(value) {
            findings.add(
                instruction.keyword_span,
                format!(
                    "`{name}` holds a secret that stays in the image's history: use a secret mount"
                ),
            );
            return;
        }
    }
}

/// `https://user:password@host/`, written out or from a variable.
fn has_credentials(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let rest = &text[at + 3..];
        let authority = rest.split(['/', ' ', '"', '\'']).next().unwrap_or_default();
        authority.contains('@')
    })
}
