//! Mounts whose changes an engine does not see.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::Engine;
use crate::install;

pub(super) const RULE: Rule = Rule {
    code: "PH015",
    name: "bind-mount-stale-in-buildah",
    severity: Severity::Warning,
    what: "A file is bind-mounted in a build that podman or buildah may run.",
    why: "buildah before 1.39, and podman of that age, leave the content of bind mounts out of the cache key: when the file changes, the step stays cached, and the image has the old packages. Only Containerfiles are judged by this rule.",
    bad: "# ---- Containerfile\nFROM python:3.13-slim\nRUN --mount=type=bind,source=requirements.txt,target=requirements.txt --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    good: "# ---- Containerfile\nFROM python:3.13-slim\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    if subject.around.engine != Engine::Buildah {
        return;
    }
    let instructions = subject.stages.iter().flat_map(|stage| &stage.instructions);
    for instruction in instructions {
        for bind in install::binds(instruction) {
            if bind.from.is_none() {
                findings.add(
                    bind.span,
                    format!(
                        "buildah before 1.39 does not notice when `{}` changes: copy it instead",
                        bind.source
                    ),
                );
            }
        }
    }
}
