//! What was not done, and why. A run that leaves something out says so at its end.

/// What this run left out.
#[derive(Debug, Default)]
pub(crate) struct Skipped(Vec<String>);

impl Skipped {
    /// Notes one thing with its reason.
    pub(crate) fn note(&mut self, what: &str, why: &str) {
        self.0.push(format!("{what}: {why}"));
    }

    /// Prints the count and the list to stderr.
    pub(crate) fn report(&self) {
        eprintln!("xtask: {} steps left out", self.0.len());
        for line in &self.0 {
            eprintln!("  {line}");
        }
    }
}
