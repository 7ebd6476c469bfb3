//! Cache mounts that nothing is kept in.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install::{Run, Tool};
use crate::{Instruction, Keyword, Span};

pub(super) const RULE: Rule = Rule {
    code: "PH003",
    name: "cache-mount-defeated",
    severity: Severity::Warning,
    what: "A cache mount stands beside what keeps the tool from using its cache.",
    why: "With `--no-cache-dir`, `PIP_NO_CACHE_DIR`, `UV_NO_CACHE`, or a command that empties the cache, its mount stays empty: the layer is no smaller, and every build fetches all again.",
    bad: "FROM python:3.13-slim\nENV PIP_NO_CACHE_DIR=1\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    good: "FROM python:3.13-slim\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        let off = |name: &str| variable(&stage.instructions, name);
        for run in subject
            .runs(stage)
            .iter()
            .filter(|run| !run.cache_mounts.is_empty())
        {
            let covered = run.installs().filter(|(tool, ..)| {
                let mut mounts = run.cache_mounts.iter();
                mounts.any(|target| is_of(*tool, target))
            });
            for (tool, command, span) in covered {
                let flag = command
                    .arguments()
                    .find(|word| matches!(*word, "--no-cache-dir" | "--no-cache"));
                let own = command.variables.iter().map(|word| word.text.as_str());
                let own = own.filter(|text| turns_off(tool, text)).count() > 0;
                if let Some(flag) = flag {
                    findings.add(
                        span,
                        format!("`{flag}` keeps the cache mount empty: leave one of them out"),
                    );
                } else if own {
                    findings.add(
                        span,
                        "a variable before this command keeps the cache mount empty",
                    );
                }
                let name = if tool == Tool::Uv {
                    "UV_NO_CACHE"
                } else {
                    "PIP_NO_CACHE_DIR"
                };
                if let Some(place) = off(name).filter(|_| matches!(tool, Tool::Uv | Tool::Pip)) {
                    findings.add(
                        place,
                        format!(
                            "`{name}` keeps the cache mounts of later steps empty: take it out"
                        ),
                    );
                }
            }
            emptied(run, findings);
        }
    }
}

/// Whether a mount may be where the tool keeps its cache; that of apt is not.
fn is_of(tool: Tool, target: &str) -> bool {
    let name = tool.cache().rsplit('/').next().unwrap_or_default();
    let target = target.trim_end_matches('/');
    target.contains(name) || target.ends_with("/.cache") || target.contains('$')
}

fn emptied(run: &Run, findings: &mut Findings) {
    for (command, span) in &run.commands {
        let words: Vec<&str> = command.arguments().collect();
        let removes =
            command.program() == "rm" && words.iter().any(|word| word.contains("/.cache"));
        let purges =
            words.starts_with(&["cache", "purge"]) || words.starts_with(&["cache", "clean"]);
        if removes || (purges && matches!(command.program(), "pip" | "pip3" | "uv")) {
            findings.add(
                *span,
                "this empties the cache mount, which is no part of the image anyway: leave it out",
            );
        }
    }
}

fn turns_off(tool: Tool, text: &str) -> bool {
    let name = match tool {
        Tool::Pip => "PIP_NO_CACHE_DIR",
        Tool::Uv => "UV_NO_CACHE",
        _ => return false,
    };
    text.split_once('=')
        .is_some_and(|(key, value)| key == name && is_on(value))
}

/// pip takes any value but these for "yes, no cache".
fn is_on(value: &str) -> bool {
    !matches!(
        value.to_ascii_lowercase().as_str(),
        "" | "0" | "no" | "off" | "false"
    )
}

fn variable(instructions: &[&Instruction], name: &str) -> Option<Span> {
    let mut settings = instructions
        .iter()
        .filter(|one| matches!(one.keyword, Keyword::Env | Keyword::Arg));
    settings.find_map(|one| {
        let words = one.words();
        let legacy = one.keyword == Keyword::Env && words.first().is_some_and(|word| word == name);
        let modern = words.iter().any(|word| {
            word.split_once('=')
                .is_some_and(|(key, value)| key == name && is_on(value))
        });
        (legacy || modern).then_some(one.keyword_span)
    })
}
