//! Findings for programs.

use std::io::Write;

use serde::Serialize;

use super::Found;
use crate::command::print_json;

/// The shape of the answer.
const VERSION: u32 = 1;

#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    findings: Vec<Listed<'a>>,
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

pub(super) fn print(found: &[Found<'_>], out: &mut dyn Write) -> anyhow::Result<()> {
    let findings = found.iter().map(|one| Listed {
        rule: one.rule.code,
        name: one.rule.name,
        severity: one.severity.as_str(),
        file: one.file,
        line: one.start.line,
        column: one.start.column,
        end_line: one.end.line,
        end_column: one.end.column,
        message: &one.message,
    });
    let answer = Answer {
        version: VERSION,
        findings: findings.collect(),
    };
    print_json(out, &answer)
}
