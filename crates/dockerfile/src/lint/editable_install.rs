//! Installs that point at folders which are not there in the end.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install::{self, Tool};
use crate::{Command, Keyword};

pub(super) const RULE: Rule = Rule {
    code: "PH021",
    name: "install-that-points-elsewhere",
    severity: Severity::Warning,
    what: "A virtual environment is copied to another path, or without the sources that it points at.",
    why: "The programs of a virtual environment begin with its path, and an editable install is a path to the sources. Where these are not, the image builds and the container does not start.",
    bad: "FROM python:3.13-slim AS builder\nENV SOURCE_DATE_EPOCH=315532800\nRUN python -m venv --without-pip /build/venv\nFROM python:3.13-slim\nCOPY --from=builder /build/venv /venv\n",
    good: "FROM python:3.13-slim AS builder\nENV SOURCE_DATE_EPOCH=315532800\nRUN python -m venv --without-pip /venv\nFROM python:3.13-slim\nCOPY --from=builder /venv /venv\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (number, copy, origin) in subject.handed_on() {
        let words = copy.words();
        let [from, to] = words.as_slice() else {
            continue;
        };
        let at = subject.stages[number]
            .instructions
            .iter()
            .position(|one| one.span == copy.span);
        let to = subject.scope(number, at.unwrap_or_default()).path(to);
        let from = subject
            .scope(origin, subject.stages[origin].instructions.len())
            .path(from);
        if !venvs(subject, origin).contains(&from) {
            continue;
        }
        // `COPY venv dir/` puts what is in it into `dir`.
        if to != from && !to.contains('$') {
            findings.add(
                copy.keyword_span,
                format!("the programs in `{from}` do not work in `{to}`: make it there, or copy it to the same path"),
            );
        } else if let Some(tool) = editable(subject, origin)
            && !has_sources(subject, number)
        {
            let flag = if tool == Tool::Uv {
                "`--no-editable`"
            } else {
                "no `-e`"
            };
            findings.add(
                copy.keyword_span,
                format!(
                    "`{from}` points at sources that are not copied: install with {flag} there"
                ),
            );
        }
    }
}

/// The virtual environments that a stage makes, by their paths.
pub(super) fn venvs(subject: &Subject<'_>, stage: usize) -> Vec<String> {
    let mut all = Vec::new();
    for (at, instruction) in subject.stages[stage].instructions.iter().enumerate() {
        let Some(run) = install::run(instruction, subject.file.text()) else {
            continue;
        };
        let scope = subject.scope(stage, at);
        for (command, _) in &run.commands {
            let words = install::positional(command);
            let is_python = command.program().starts_with("python");
            match (command.program(), words.as_slice()) {
                (_, ["venv", paths @ ..]) if is_python && !paths.is_empty() => {
                    all.extend(paths.iter().map(|path| scope.path(path)));
                }
                ("uv", ["venv", path, ..]) => all.push(scope.path(path)),
                ("uv", ["venv" | "sync", ..]) => {
                    let place = scope.variable("UV_PROJECT_ENVIRONMENT").unwrap_or(".venv");
                    all.push(scope.path(place));
                }
                ("poetry", ["install" | "sync", ..]) => {
                    let inside = scope.variable("POETRY_VIRTUALENVS_IN_PROJECT");
                    if inside.is_some_and(|value| matches!(value, "1" | "true")) {
                        all.push(scope.path(".venv"));
                    }
                }
                _ => {}
            }
        }
    }
    all.dedup();
    all
}

/// The tool by which the project itself is installed as a path to its sources.
fn editable(subject: &Subject<'_>, stage: usize) -> Option<Tool> {
    let runs = subject.runs(&subject.stages[stage]);
    let installs: Vec<(Tool, &Command)> = runs
        .iter()
        .flat_map(|run| run.installs().map(|(tool, command, _)| (tool, command)))
        .collect();
    let has =
        |command: &Command, flags: &[&str]| command.arguments().any(|word| flags.contains(&word));
    let found = installs.into_iter().find(|(tool, command)| match tool {
        Tool::Uv if has(command, &["sync"]) => !has(
            command,
            &[
                "--no-editable",
                "--no-install-project",
                "--no-install-workspace",
            ],
        ),
        Tool::Uv | Tool::Pip => has(command, &["-e", "--editable"]),
        _ => false,
    });
    found.map(|(tool, _)| tool)
}

/// Whether a stage takes anything else from the context or from a builder.
fn has_sources(subject: &Subject<'_>, stage: usize) -> bool {
    let copies = subject.stages[stage].instructions.iter();
    let copies: Vec<_> = copies
        .filter(|one| matches!(one.keyword, Keyword::Copy | Keyword::Add))
        .collect();
    copies.len() > 1
}
