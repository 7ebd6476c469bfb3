//! uv's image without a version.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::Keyword;

pub(super) const RULE: Rule = Rule {
    code: "PH020",
    name: "copy-from-floating-image",
    severity: Severity::Warning,
    what: "Files are copied from an image whose tag moves.",
    why: "Each release of uv is another image behind `uv:latest`: the copied file changes, and every step after it is repeated.",
    bad: "FROM python:3.13-slim\nCOPY --from=registry.example/astral-sh/uv:latest /uv /bin/\n",
    good: "FROM python:3.13-slim\nCOPY --from=registry.example/astral-sh/uv:0.13.9 /uv /bin/\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let names: Vec<String> = subject
        .stages
        .iter()
        .filter_map(|stage| stage.name.clone())
        .collect();
    for stage in &subject.stages {
        let copies = stage.instructions.iter();
        for copy in copies.filter(|one| matches!(one.keyword, Keyword::Copy | Keyword::Add)) {
            let Some(from) = copy.flag("from") else {
                continue;
            };
            let is_stage = names.iter().any(|name| name.eq_ignore_ascii_case(from));
            let is_number = from.chars().all(|c| c.is_ascii_digit());
            if is_stage || is_number || from.contains(['$', '@']) {
                continue;
            }
            let last = from.rsplit('/').next().unwrap_or(from);
            let tag = last.split_once(':').map(|(_, tag)| tag);
            // Without a tag it may be a named context.
            let is_image = from.contains('/') || tag.is_some();
            if is_image && tag.is_none_or(|tag| tag == "latest") {
                findings.add(
                    copy.keyword_span,
                    format!("`{from}` is another image with each release: name a version"),
                );
            }
        }
    }
}
