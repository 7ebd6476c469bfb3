//! Steps that do what changes at different times.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install::{self, Tool};
use crate::{Command, Instruction, Span};

pub(super) const RULE: Rule = Rule {
    code: "PH018",
    name: "steps-merged-too-far",
    severity: Severity::Note,
    what: "One step installs what changes at different times: system packages and Python's, or dependencies and the project.",
    why: "Fewer layers are no aim in themselves. What stands in one RUN is repeated together: a new requirement installs the system's packages again, a change of the project all its dependencies.",
    bad: "FROM python:3.13-slim\nRUN --mount=type=cache,target=/root/.cache/pip apt-get update && apt-get install -y libpq5 && pip install -r requirements.txt\n",
    good: "FROM python:3.13-slim\nRUN apt-get update && apt-get install -y libpq5\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        for instruction in &stage.instructions {
            if let Some((span, message)) = merged(subject, instruction) {
                findings.add(span, message);
            }
        }
    }
}

fn merged(subject: &Subject<'_>, instruction: &Instruction) -> Option<(Span, String)> {
    let run = install::run(instruction, subject.file.text())?;
    let installs: Vec<(Tool, &Command, Span)> = run.installs().collect();
    let (tool, _, first) = installs.first()?;
    let system = run.commands.iter().find(|(command, _)| {
        let has = |verb: &str| command.arguments().any(|word| word == verb);
        match command.program() {
            "apt-get" | "apt" | "dnf" | "yum" | "microdnf" => has("install"),
            "apk" => has("add"),
            _ => false,
        }
    });
    if let Some((command, _)) = system {
        let message = format!(
            "`{}` and `{}` are repeated together here: give each a RUN of its own",
            command.program(),
            tool.name()
        );
        return Some((*first, message));
    }
    let by_list = installs.iter().any(|(_, command, _)| lists(command));
    let project = installs
        .iter()
        .find(|(tool, command, _)| *tool == Tool::Pip && is_of_project(command))?;
    by_list.then(|| {
        let message = "a change of the project installs its dependencies again: install them in a RUN before it";
        (project.2, message.to_owned())
    })
}

/// Whether a list of requirements is installed.
fn lists(command: &Command) -> bool {
    command.arguments().any(|word| {
        matches!(word, "-r" | "--requirement")
            || word.starts_with("-r")
            || word.starts_with("--requirement=")
    })
}

/// Whether the folder itself is installed.
fn is_of_project(command: &Command) -> bool {
    command
        .arguments()
        .any(|word| word == "." || word == "./" || word.starts_with(".["))
}
