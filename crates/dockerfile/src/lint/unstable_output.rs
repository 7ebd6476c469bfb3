//! Builders whose output is new each time.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install::{self, Tool};
use crate::{Command, Instruction, Span};

pub(super) const RULE: Rule = Rule {
    code: "PH005",
    name: "unstable-builder-output",
    severity: Severity::Warning,
    what: "A stage whose installed packages are copied by another writes other bytes each time it runs.",
    why: "`COPY --from` is repeated when the bytes have changed. pip compiles what it installs, and each `.pyc` holds the time at which its source was written: so the copy, and all below it, is repeated although the packages are the same. With SOURCE_DATE_EPOCH set to anything, pip, venv and uv write the source's hash instead.",
    bad: "FROM python:3.13-slim AS builder\nRUN python -m venv --without-pip /venv\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip --python /venv/bin/python install -r requirements.txt\nFROM python:3.13-slim\nCOPY --from=builder /venv /venv\n",
    good: "FROM python:3.13-slim AS builder\nENV SOURCE_DATE_EPOCH=315532800\nRUN python -m venv --without-pip /venv\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip --python /venv/bin/python install -r requirements.txt\nFROM python:3.13-slim\nCOPY --from=builder /venv /venv\n",
    check: Check::Files(check),
};

/// The variable, and a time that every archive format can hold: the first second of 1980.
pub(crate) const VARIABLE: (&str, &str) = ("SOURCE_DATE_EPOCH", "315532800");

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let copies = subject.handed_on();
    let copies = copies.iter().filter(|copy| may_hold_bytecode(copy.1));
    let mut builders: Vec<usize> = copies.map(|copy| copy.2).collect();
    builders.sort_unstable();
    builders.dedup();
    for builder in builders {
        let instructions = &subject.stages[builder].instructions;
        let mut writers = instructions.iter().enumerate().filter_map(|(at, one)| {
            let (tool, span) = writer(subject, builder, at, one)?;
            Some((tool, span))
        });
        if let Some((tool, span)) = writers.next() {
            findings.add(
                span,
                format!(
                    "what `{tool}` writes here is new each time, so `COPY --from` is never cached: set `ENV {}={}` above",
                    VARIABLE.0, VARIABLE.1
                ),
            );
        }
    }
}

/// Whether something of a stage is more than files of other kinds, like a list that it wrote.
fn may_hold_bytecode(copy: &Instruction) -> bool {
    let words = copy.words();
    let sources = words.split_last().map_or(&[][..], |(_, sources)| sources);
    sources.iter().any(|source| {
        let name = source.rsplit('/').next().unwrap_or(source);
        let kind = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
        // Folders have dots as well: `python3.13`.
        kind.is_none_or(|(_, kind)| !kind.starts_with(|c: char| c.is_ascii_alphabetic()))
    })
}

/// The first command of a `RUN` that writes bytecode with times in it.
fn writer(
    subject: &Subject<'_>,
    stage: usize,
    at: usize,
    instruction: &Instruction,
) -> Option<(&'static str, Span)> {
    let run = install::run(instruction, subject.file.text())?;
    let scope = subject.scope(stage, at);
    if scope.variable(VARIABLE.0).is_some() {
        return None;
    }
    let compiles_uv = scope.variable("UV_COMPILE_BYTECODE").is_some_and(is_on);
    let by_itself = |command: &Command| {
        let mut variables = command.variables.iter();
        variables.any(|word| word.text.starts_with("SOURCE_DATE_EPOCH="))
    };
    let commands = run.commands.iter();
    let mut commands = commands.filter(|(command, _)| !by_itself(command));
    commands.find_map(|(command, span)| {
        let has = |flag: &str| command.arguments().any(|word| word == flag);
        let tool = match install::installer(command) {
            Some(Tool::Pip) if has("install") && !has("--no-compile") => "pip",
            Some(Tool::Uv) if compiles_uv || has("--compile-bytecode") || has("--compile") => "uv",
            None if has("venv") && has("-m") && !has("--without-pip") => "python -m venv",
            None if has("compileall") => "compileall",
            _ => return None,
        };
        Some((tool, *span))
    })
}

fn is_on(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "1" | "true" | "yes" | "on"
    )
}
