//! Packages from a stage that is not like this one.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::image::{self, Libc};
use crate::{Instruction, Keyword, Stage};

pub(super) const RULE: Rule = Rule {
    code: "PH008",
    name: "packages-from-another-python",
    severity: Severity::Error,
    what: "Installed packages are copied to another Python, another distribution or another folder.",
    why: "Packages are installed for one version of Python and one C library; in another they are not found, or fail when they are imported. Their programs begin with the path of the interpreter that installed them, and stand in `bin`, not in `site-packages`.",
    bad: "FROM python:3.12-slim AS builder\nENV SOURCE_DATE_EPOCH=315532800\nRUN --mount=type=cache,target=/root/.cache/pip pip install flask==3.1.2\nFROM python:3.13-alpine\nCOPY --from=builder /usr/local/lib/python3.12/site-packages /usr/local/lib/python3.12/site-packages\n",
    good: "FROM python:3.13-slim AS builder\nENV SOURCE_DATE_EPOCH=315532800\nRUN python -m venv --without-pip /venv\nRUN --mount=type=cache,target=/root/.cache/pip pip --python /venv/bin/python install flask==3.1.2\nFROM python:3.13-slim\nCOPY --from=builder /venv /venv\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (number, copy, origin) in subject.handed_on() {
        let words = copy.words();
        let Some((to, from)) = words.split_last() else {
            continue;
        };
        let from: Vec<&str> = from.iter().map(|path| path.trim_end_matches('/')).collect();
        let Some(packages) = from
            .iter()
            .find(|path| holds_packages(subject, origin, path))
        else {
            continue;
        };
        let said = differing(subject, origin, number, packages)
            .or_else(|| moved(packages, to))
            .or_else(|| without_programs(&subject.stages[number], copy, packages));
        if let Some(said) = said {
            findings.add(copy.keyword_span, said);
        }
    }
}

fn is_site_packages(path: &str) -> bool {
    path.ends_with("/site-packages") || path.ends_with("/dist-packages")
}

/// Whether this is where packages are installed: `site-packages`, or a virtual environment.
fn holds_packages(subject: &Subject<'_>, stage: usize, path: &str) -> bool {
    is_site_packages(path)
        || super::editable_install::venvs(subject, stage).contains(&path.to_owned())
}

fn differing(subject: &Subject<'_>, builder: usize, stage: usize, path: &str) -> Option<String> {
    let (there, here) = (subject.image(builder), subject.image(stage));
    let in_path = path
        .rsplit('/')
        .find_map(|part| image::minor(part.strip_prefix("python")?));
    if let (Some(there), Some(here)) = (in_path.or(there.python), here.python)
        && there != here
    {
        return Some(format!(
            "these packages are of Python {}.{}, and Python {}.{} of this stage does not find them: take one version for both stages",
            there.0, there.1, here.0, here.1
        ));
    }
    let (there, here) = (there.release?, here.release?);
    let [from, to] = [subject.image(builder).libc()?, subject.image(stage).libc()?];
    let is_too_new = match (from, to) {
        (Libc::Glibc(..), Libc::Musl) | (Libc::Musl, Libc::Glibc(..)) => true,
        (Libc::Glibc(a, b), Libc::Glibc(c, d)) => (a, b) > (c, d),
        (Libc::Musl, Libc::Musl) => false,
    };
    is_too_new.then(|| {
        format!("these packages are built on {there}, and what is compiled in them may not run on {here}: take one distribution for both stages")
    })
}

fn moved(from: &str, to: &str) -> Option<String> {
    let to = to.trim_end_matches('/');
    (is_site_packages(from) && to.starts_with('/') && to != from && !to.contains('$')).then(|| {
        format!("`{from}` is not where this stage looks for packages if it becomes `{to}`: copy a virtual environment to the same path")
    })
}

fn without_programs(stage: &Stage<'_>, copy: &Instruction, packages: &str) -> Option<String> {
    let (prefix, _) = packages.split_once("/lib/python")?;
    let bin = format!("{prefix}/bin");
    let mut copies = stage.instructions.iter();
    let has_programs = copies.any(|other| {
        other.keyword == Keyword::Copy
            && other.flag("from") == copy.flag("from")
            && other
                .words()
                .iter()
                .any(|path| path.starts_with(&bin) || path.trim_end_matches('/') == prefix)
    });
    (is_site_packages(packages) && !has_programs).then(|| {
        format!("the programs of these packages are in `{bin}` and stay behind: copy a virtual environment as a whole")
    })
}
