//! Findings for programs.

use std::io::Write;

use serde::Serialize;

use super::Judged;
use crate::command::print_json;

/// The shape of the answer.
const VERSION: u32 = 1;

#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    findings: Vec<Listed<'a>>,
    skipped: Vec<Skipped<'a>>,
}

/// Lines and columns count from 1, columns in characters; the end is where what is meant is over.
#[derive(Debug, Serialize)]
struct Listed<'a> {
    rule: &'static str,
    name: &'static str,
    severity: &'static str,
    file: &'a str,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    message: &'a str,
}

/// A rule that could not be asked.
#[derive(Debug, Serialize)]
struct Skipped<'a> {
    rule: &'static str,
    reason: &'a str,
}

pub(super) fn print(judged: &Judged, out: &mut dyn Write) -> anyhow::Result<()> {
    let findings = judged.found.iter().map(|one| Listed {
        rule: one.rule.code,
        name: one.rule.name,
        severity: one.severity.as_str(),
        file: &one.file,
        line: one.start.line,
        column: one.start.column,
        end_line: one.end.line,
        end_column: one.end.column,
        message: &one.message,
    });
    let skipped = judged.skipped.iter().map(|(rule, reason)| Skipped {
        rule: rule.code,
        reason,
    });
    let answer = Answer {
        version: VERSION,
        findings: findings.collect(),
        skipped: skipped.collect(),
    };
    print_json(out, &answer)
}
