//! Installs that fetch everything again.

use super::{Check, Findings, Rule, Severity, Subject};

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
    for stage in &subject.stages {
        for run in subject
            .runs(stage)
            .iter()
            .filter(|run| run.cache_mounts.is_empty())
        {
            if let Some((tool, _, span)) = run.installs().next() {
                let message = format!(
                    "`{}` fetches everything again whenever this step runs: add `--mount=type=cache,target=/root/{}`",
                    tool.name(),
                    tool.cache()
                );
                findings.add(span, message);
            }
        }
    }
}
