//! Installs that fetch everything again.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::{home, install};

pub(super) const RULE: Rule = Rule {
    code: "PH002",
    name: "install-without-cache-mount",
    severity: Severity::Warning,
    what: "Packages are installed without a cache mount.",
    why: "When the step is repeated, because one requirement was added, every package is fetched and every sdist built again. A cache mount keeps them between builds and out of the image.",
    bad: "FROM python:3.13-slim\nCOPY requirements.txt .\nRUN pip install -r requirements.txt\n",
    good: "FROM python:3.13-slim\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (number, stage) in subject.stages.iter().enumerate() {
        for (at, instruction) in stage.instructions.iter().enumerate() {
            let Some(run) = install::run(instruction, subject.file.text()) else {
                continue;
            };
            if !run.cache_mounts.is_empty() {
                continue;
            }
            // What asks no index fetches nothing.
            let mut fetches = run
                .installs()
                .filter(|(_, command, _)| !command.arguments().any(|word| word == "--no-index"));
            if let Some((tool, command, span)) = fetches.next() {
                let place = (number, at);
                let ground = (subject.file, &subject.stages[..]);
                let add = match home::cache(ground, place, tool, command) {
                    Some(cache) => format!("add `{}`", cache.flag()),
                    None => "add `--mount=type=cache` where it keeps its cache".to_owned(),
                };
                let name = tool.name();
                findings.add(
                    span,
                    format!("`{name}` fetches everything again whenever this step runs: {add}"),
                );
            }
        }
    }
}
