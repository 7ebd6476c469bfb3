//! What no wheel fits.

use super::asked::Asked;
use super::{Check, Findings, Rule, Severity, Subject};
use crate::image::Libc;
use crate::wheel::{Target, is_wheel, needed_glibc};

pub(super) const RULE: Rule = Rule {
    code: "PH012",
    name: "no-wheel-for-this-image",
    severity: Severity::Warning,
    what: "A requirement is built from source, because there is no wheel for this Python or this distribution.",
    why: "A build from source takes longer, needs compilers and headers where it is more than Python, runs code of strangers, and gives other bytes each time.",
    bad: "FROM python:3.14-slim\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n# ---- requirements.txt\nheavy==2.0\n# ---- index\nheavy-2.0.tar.gz\nheavy-2.0-cp313-cp313-manylinux_2_28_x86_64.whl\n",
    good: "FROM python:3.13-slim\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n# ---- requirements.txt\nheavy==2.0\n# ---- index\nheavy-2.0.tar.gz\nheavy-2.0-cp313-cp313-manylinux_2_28_x86_64.whl\n",
    check: Check::Index(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for asked in subject.asked() {
        if let Some(reason) = reason(&asked) {
            let name = &asked.requirement.name;
            asked.tell(findings, format!("`{name}` is built from source: {reason}"));
        }
    }
}

fn reason(asked: &Asked<'_>) -> Option<String> {
    let target = asked.target;
    if asked.is_taken() || !asked.files.iter().any(|file| !is_wheel(file)) {
        return None;
    }
    let wheels: Vec<&String> = asked.files.iter().filter(|file| is_wheel(file)).collect();
    if wheels.is_empty() {
        return Some("there is no wheel of this version".to_owned());
    }
    let any = Target {
        libc: None,
        ..target
    };
    let with_glibc: Vec<&&String> = wheels.iter().filter(|file| any.takes(file)).collect();
    match target.libc {
        // That is what the rule about Alpine says.
        Some(Libc::Musl) if !with_glibc.is_empty() => None,
        Some(Libc::Glibc(major, minor)) if !with_glibc.is_empty() => {
            let needed = with_glibc
                .iter()
                .filter_map(|file| needed_glibc(file))
                .min()?;
            Some(format!(
                "its wheels need glibc {}.{}, and this image has {major}.{minor}",
                needed.0, needed.1
            ))
        }
        _ => {
            let (major, minor) = target.python;
            Some(format!(
                "its wheels are for other Pythons than {major}.{minor}, or other machines"
            ))
        }
    }
}
