//! What was not done, and why. A run that leaves something out says so at its end.

use std::collections::BTreeSet;
use std::path::Path;

/// What this run left out.
#[derive(Debug, Default)]
pub(crate) struct Skipped(Vec<String>);

impl Skipped {
    /// Notes one thing with its reason.
    pub(crate) fn note(&mut self, what: &str, why: &str) {
        self.0.push(format!("{what}: {why}"));
    }

    /// Adds what another part of the run left out.
    pub(crate) fn append(&mut self, other: Self) {
        self.0.extend(other.0);
    }

    /// Notes what the tests themselves have left out: a line each in this file, if there is one.
    pub(crate) fn note_tests(&mut self, file: &Path) {
        let lines = std::fs::read_to_string(file).unwrap_or_default();
        let lines: BTreeSet<&str> = lines.lines().collect();
        self.0
            .extend(lines.into_iter().map(|line| format!("tests of {line}")));
    }

    /// Prints the count and the list to stderr.
    pub(crate) fn report(&self) {
        eprintln!("xtask: {} steps left out", self.0.len());
        for line in &self.0 {
            eprintln!("  {line}");
        }
    }
}
