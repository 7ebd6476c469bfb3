//! Sources before dependencies.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install::{self, Tool};
use crate::{Instruction, Keyword};

pub(super) const RULE: Rule = Rule {
    code: "PH001",
    name: "broad-copy-before-install",
    severity: Severity::Warning,
    what: "The whole context is copied before dependencies are installed.",
    why: "A step is repeated when what stands before it has changed. With all sources copied first, every change of any file installs everything again.",
    bad: "FROM python:3.13-slim\nWORKDIR /app\nCOPY . .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n# ---- requirements.txt\nflask==3.1.2\n",
    good: "FROM python:3.13-slim\nWORKDIR /app\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\nCOPY . .\n# ---- requirements.txt\nflask==3.1.2\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        let mut copied: Option<&Instruction> = None;
        let mut before = Vec::new();
        for instruction in &stage.instructions {
            if copies_all(instruction) {
                copied = copied.or(Some(instruction));
            }
            let run = install::run(instruction, subject.file.text());
            let run = run.as_ref();
            let installs = run.into_iter().flat_map(install::Run::installs);
            let mut installs =
                installs.filter(|(tool, command, _)| !is_of_project_alone(*tool, command));
            let Some((tool, ..)) = installs.next() else {
                continue;
            };
            let Some(copy) = copied else {
                before.push(tool);
                continue;
            };
            // What was installed before the copy stays; this adds the project.
            if !before.contains(&tool) {
                let message = format!(
                    "everything is copied before `{}` installs: copy {} first, and the rest after it",
                    tool.name(),
                    tool.manifests()
                );
                findings.add(copy.keyword_span, message);
                break;
            }
        }
    }
}

/// Whether a `COPY` or `ADD` takes the context as a whole.
pub(super) fn copies_all(instruction: &Instruction) -> bool {
    if !matches!(instruction.keyword, Keyword::Copy | Keyword::Add)
        || instruction.flag("from").is_some()
    {
        return false;
    }
    let words = instruction.words();
    let sources = words.split_last().map_or(&[][..], |(_, sources)| sources);
    sources
        .iter()
        .any(|source| matches!(source.as_str(), "." | "./" | "/" | "*" | "./*"))
}

/// `pip install --no-deps .` installs nothing that was there before.
pub(super) fn is_of_project_alone(tool: Tool, command: &crate::Command) -> bool {
    tool == Tool::Pip && command.arguments().any(|word| word == "--no-deps")
}
