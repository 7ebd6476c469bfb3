//! Findings as workflow commands, which GitHub Actions shows beside the lines.

use std::io::{self, Write};

use dockerfile::lint::Severity;

use super::Found;

pub(super) fn print(found: &[Found], out: &mut dyn Write) -> io::Result<()> {
    for one in found {
        let command = match one.severity {
            Severity::Note => "notice",
            Severity::Warning => "warning",
            Severity::Error => "error",
        };
        let title = format!("{} {}", one.rule.code, one.rule.name);
        write!(
            out,
            "::{command} file={},line={},endLine={},col={},endColumn={},title={}",
            property(&one.file),
            one.start.line,
            one.end.line,
            one.start.column,
            one.end.column,
            property(&title),
        )?;
        writeln!(out, "::{}", data(&one.message))?;
    }
    Ok(())
}

/// What follows `::` may be anything on one line.
fn data(text: &str) -> String {
    let text = text.replace('%', "%25");
    text.replace('\r', "%0D").replace('\n', "%0A")
}

/// A property ends at a comma, and the row of them at a colon.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}
