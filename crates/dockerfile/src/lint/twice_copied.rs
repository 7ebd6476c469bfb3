//! The same context, copied twice.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::Keyword;

pub(super) const RULE: Rule = Rule {
    code: "PH024",
    name: "context-copied-twice",
    severity: Severity::Note,
    what: "The whole context is copied twice in one stage, or with ADD.",
    why: "The second copy is another layer of the same bytes. ADD unpacks archives and fetches URLs, which nobody expects of a folder of sources.",
    bad: "FROM python:3.13-slim\nCOPY . /src\nCOPY . /app\n",
    good: "FROM python:3.13-slim\nCOPY app /app\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        let copies = stage.instructions.iter();
        let copies: Vec<_> = copies
            .filter(|one| super::broad_copy::copies_all(one))
            .collect();
        for (at, copy) in copies.iter().enumerate() {
            if at > 0 {
                findings.add(
                    copy.keyword_span,
                    "the whole context is in the image a second time: copy what is needed",
                );
            } else if copy.keyword == Keyword::Add {
                findings.add(
                    copy.keyword_span,
                    "`ADD` unpacks archives and fetches URLs: `COPY` copies",
                );
            }
        }
    }
}
