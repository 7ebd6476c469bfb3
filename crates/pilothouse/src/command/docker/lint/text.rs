//! Findings for people: each with the line that is meant, and a mark below it.

use std::collections::BTreeSet;
use std::io::{self, Write};

use dockerfile::lint::Severity;

use super::Found;

pub(super) fn print(found: &[Found], out: &mut dyn Write) -> io::Result<()> {
    for one in found {
        let (rule, severity) = (one.rule, one.severity.as_str());
        writeln!(out, "{severity}[{}]: {}", rule.code, one.message)?;
        excerpt(one, out)?;
        writeln!(out)?;
    }
    Ok(())
}

/// How many there are, and where more is said of them.
pub(super) fn tell(found: &[Found]) {
    if let Some(first) = found.first() {
        eprintln!("{}", summary(found));
        eprintln!(
            "`pilothouse docker lint --explain {}` says why",
            first.rule.code
        );
    }
}

/// The line on which it begins, with what is meant of it marked.
fn excerpt(one: &Found, out: &mut dyn Write) -> io::Result<()> {
    let number = one.start.line.to_string();
    let margin = " ".repeat(number.len());
    writeln!(
        out,
        "{margin}--> {}:{}:{}",
        one.file, one.start.line, one.start.column
    )?;
    let line = &one.line;
    if line.trim().is_empty() {
        return Ok(());
    }
    let length = line.trim_end().chars().count();
    let end = if one.end.line == one.start.line {
        one.end.column - 1
    } else {
        length
    };
    let before = one.start.column - 1;
    let marked = end.min(length).saturating_sub(before).max(1);
    // A tab is one character wide here, so that the marks stand below what they mean.
    let line = line.trim_end().replace('\t', " ");
    writeln!(out, "{margin} |")?;
    writeln!(out, "{number} | {line}")?;
    writeln!(
        out,
        "{margin} | {}{}",
        " ".repeat(before),
        "^".repeat(marked)
    )
}

/// "1 error and 2 notes in 1 file".
fn summary(found: &[Found]) -> String {
    let counted = [Severity::Error, Severity::Warning, Severity::Note].map(|severity| {
        let count = found.iter().filter(|one| one.severity == severity).count();
        (count, severity.as_str())
    });
    let said: Vec<String> = counted
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, word)| counted_word(count, word))
        .collect();
    let files: BTreeSet<&str> = found.iter().map(|one| one.file.as_str()).collect();
    format!(
        "{} in {}",
        said.join(", "),
        counted_word(files.len(), "file")
    )
}

fn counted_word(count: usize, word: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {word}{plural}")
}
