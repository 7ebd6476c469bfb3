//! The outcome as a table that can be pasted into the documentation.

use std::io::{self, Write};
use std::time::Duration;

/// One run of one client.
pub(super) struct Row {
    pub(super) set: String,
    pub(super) client: String,
    pub(super) phase: &'static str,
    pub(super) took: Duration,
    /// Files that it asked the server for.
    pub(super) files: u64,
    /// Requests that the server sent upstream for it.
    pub(super) upstream: u64,
    /// Why it counts as failed.
    pub(super) faults: Vec<String>,
}

/// Prints the rows and, for those that failed, why.
pub(super) fn print(out: &mut impl Write, rows: &[Row]) -> io::Result<()> {
    writeln!(
        out,
        "| set | client | phase | seconds | files | upstream requests | outcome |"
    )?;
    writeln!(out, "|---|---|---|---:|---:|---:|---|")?;
    for row in rows {
        let outcome = if row.faults.is_empty() {
            "ok".to_owned()
        } else {
            format!("failed: {}", row.faults.join("; "))
        };
        writeln!(
            out,
            "| {} | {} | {} | {:.1} | {} | {} | {outcome} |",
            row.set,
            row.client,
            row.phase,
            row.took.as_secs_f64(),
            row.files,
            row.upstream,
        )?;
    }
    Ok(())
}
