//! Package lists that are older than what is installed by them.

use super::{Check, Findings, Rule, Severity, Subject};

pub(super) const RULE: Rule = Rule {
    code: "PH022",
    name: "apt-update-apart",
    severity: Severity::Warning,
    what: "`apt-get update` and `apt-get install` stand in different steps.",
    why: "The update is cached while the install changes: months later packages are asked for that the server does not have any more.",
    bad: "FROM python:3.13-slim\nRUN apt-get update\nRUN apt-get install -y gcc\n",
    good: "FROM python:3.13-slim\nRUN apt-get update && apt-get install -y gcc\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        for run in subject.runs(stage) {
            let does = |verb: &str| {
                run.commands.iter().find(|(command, _)| {
                    matches!(command.program(), "apt-get" | "apt")
                        && command.arguments().any(|word| word == verb)
                })
            };
            if let (Some((_, span)), None) = (does("update"), does("install")) {
                findings.add(*span, "the package lists of this step are old when a later one installs by them: do both in one step");
            }
        }
    }
}
