//! Files that all have one time.

use std::collections::BTreeMap;

use super::{Check, Findings, Rule, Severity, Subject};
use crate::{Ignore, Keyword};

pub(super) const RULE: Rule = Rule {
    code: "PH016",
    name: "files-of-one-time",
    severity: Severity::Note,
    what: "The files of the context all have the same time of change.",
    why: "An engine asks for a file again when its size or time has changed. Where a tool has set all times to one (archives, artefacts of CI, reproducible checkouts), a change that keeps the size is not seen, and the image is built from the old file.",
    bad: "FROM python:3.13-slim\nCOPY app app\n# ---- times of files\n315532800 app/__init__.py\n315532800 app/main.py\n315532800 app/models.py\n315532800 app/views.py\n315532800 app/wsgi.py\n",
    good: "FROM python:3.13-slim\nCOPY app app\n# ---- times of files\n1767225600.125 app/__init__.py\n1767225600.375 app/main.py\n1767225601.5 app/models.py\n1767225601.75 app/views.py\n1767225603.25 app/wsgi.py\n",
    check: Check::Files(check),
};

/// Fewer files tell nothing.
const FEWEST: usize = 5;

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let mut instructions = subject.stages.iter().flat_map(|stage| &stage.instructions);
    let copy = instructions.find(|one| {
        matches!(one.keyword, Keyword::Copy | Keyword::Add) && one.flag("from").is_none()
    });
    let ignore = Ignore::parse(subject.around.ignore.unwrap_or_default()).unwrap_or_default();
    let mut times: BTreeMap<(i64, u32), usize> = BTreeMap::new();
    let sent = subject
        .around
        .files
        .iter()
        .filter(|file| !ignore.leaves_out(&file.path));
    for file in sent {
        *times.entry(file.modified).or_default() += 1;
    }
    let all: usize = times.values().sum();
    let most = times.into_iter().max_by_key(|(_, count)| *count);
    if let (Some(copy), Some((time, count))) = (copy, most)
        && time.1 == 0
        && count >= FEWEST
        && count * 10 >= all * 9
    {
        findings.add(
            copy.keyword_span,
            format!("{count} of {all} files in the context have one time of change: an engine that has built this before does not notice changes that keep a file's size"),
        );
    }
}
