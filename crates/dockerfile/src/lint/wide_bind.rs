//! Mounts of more than is read.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install;

pub(super) const RULE: Rule = Rule {
    code: "PH014",
    name: "bind-mount-too-wide",
    severity: Severity::Warning,
    what: "The whole context is mounted for an install that reads a file or two of it.",
    why: "All that is mounted is a part of the step's cache key, read or not: with the context as a whole, every change of any file installs everything again.",
    bad: "FROM python:3.13-slim\nRUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,source=.,target=/src pip install -r /src/requirements.txt\n",
    good: "FROM python:3.13-slim\nRUN --mount=type=cache,target=/root/.cache/pip --mount=type=bind,source=requirements.txt,target=/src/requirements.txt pip install -r /src/requirements.txt\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        for instruction in &stage.instructions {
            let Some(run) = install::run(instruction, subject.file.text()) else {
                continue;
            };
            let mut installs = run.installs();
            let install = installs
                .find(|(tool, command, _)| !super::broad_copy::is_of_project_alone(*tool, command));
            let Some((tool, ..)) = install else {
                continue;
            };
            let wide = install::binds(instruction).into_iter();
            let mut wide = wide.filter(|bind| bind.from.is_none() && bind.is_whole_context());
            if let Some(bind) = wide.next() {
                findings.add(
                    bind.span,
                    format!(
                        "everything is mounted for `{}`, so any change repeats it: mount {} alone",
                        tool.name(),
                        tool.manifests()
                    ),
                );
            }
        }
    }
}
