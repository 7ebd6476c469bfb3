//! Indexes that are named with a password, or that anybody can stand before.

use super::{Check, Findings, Rule, Severity, Subject, fetched};
use crate::{Instruction, Keyword};

pub(super) const RULE: Rule = Rule {
    code: "PH019",
    name: "unsafe-index",
    severity: Severity::Error,
    what: "A password or token for an index stands in ARG, ENV or a command, or an index is asked without TLS.",
    why: "Whoever has the image reads it with `docker history`. A secret mount is there while the step runs, and in no layer and no cache key. Over `http://`, or with the certificate unread (`--trusted-host`), whoever stands between builder and index decides what is installed.",
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
    for source in fetched::sources(subject) {
        if let Some(said) = open(&source) {
            source.tell(findings, said);
        }
    }
}

/// Whether anybody on the way can answer in the place of an index.
fn open(source: &fetched::Source) -> Option<String> {
    let urls = [
        "--index-url",
        "-i",
        "--extra-index-url",
        "--find-links",
        "-f",
        "--index",
        "--default-index",
    ];
    let hosts = ["--trusted-host", "--allow-insecure-host"];
    // What is known by its hash is what it is, whoever sends it.
    if source.is_hashed {
        return None;
    }
    if let Some(url) = source.values(&urls).find(|url| fetched::is_open(url)) {
        // A password in it is told of, and printed nowhere.
        let host = url.rsplit('@').next().unwrap_or(url);
        let host = host.trim_start_matches("http://");
        return Some(format!(
            "whoever stands between here and `{host}` decides what is installed: ask it by `https://`"
        ));
    }
    let host = source.values(&hosts).next()?;
    Some(format!(
        "whoever pretends to be `{host}` decides what is installed: give pip its authority (`--cert`) in a secret mount"
    ))
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
        // The user of a key is none.
        authority.contains('@') && !text[..at].ends_with("ssh")
    })
}
