//! What has wheels, but none for Alpine.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::image::Libc;

pub(super) const RULE: Rule = Rule {
    code: "PH011",
    name: "no-wheel-for-alpine",
    severity: Severity::Warning,
    what: "A requirement has wheels for other distributions, and none for Alpine's C library.",
    why: "On Alpine, whose C library is musl, it is built from source: minutes in the place of seconds, and compilers in the image. A slim image takes the wheel, and is smaller in the end.",
    bad: "FROM python:3.13-alpine\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n# ---- requirements.txt\nheavy==2.0\n# ---- index\nheavy-2.0.tar.gz\nheavy-2.0-cp313-cp313-manylinux_2_28_x86_64.whl\n",
    good: "FROM python:3.13-slim\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n# ---- requirements.txt\nheavy==2.0\n# ---- index\nheavy-2.0.tar.gz\nheavy-2.0-cp313-cp313-manylinux_2_28_x86_64.whl\n",
    check: Check::Index(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for asked in subject.asked() {
        if asked.target.libc != Some(Libc::Musl) || asked.is_taken() {
            continue;
        }
        // The same with glibc, of any version.
        let elsewhere = crate::wheel::Target {
            libc: None,
            ..asked.target
        };
        if asked.files.iter().any(|file| elsewhere.takes(file)) {
            let name = &asked.requirement.name;
            asked.tell(findings, format!("`{name}` has no wheel for Alpine and is built from source: take a slim image, which takes its wheel"));
        }
    }
}
