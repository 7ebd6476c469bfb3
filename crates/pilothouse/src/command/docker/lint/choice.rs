//! Which rules count, and how much: what flags say, and what the file says.

use dockerfile::lint::{Rule, Severity};

use super::Found;
use crate::config::Lint;
use crate::failure::Outcome;

/// What was chosen. Flags stand in the place of the file's lists, but `--ignore` adds to it.
#[derive(Debug)]
pub(super) struct Choice(Lint);

impl Choice {
    pub(super) fn new(
        written: Lint,
        select: Vec<&'static Rule>,
        ignore: &[&'static Rule],
        failure_threshold: Option<Severity>,
    ) -> Self {
        let mut lint = written;
        if !select.is_empty() {
            // Who asks for a rule by a flag wants to see it.
            lint.ignore.retain(|rule| !has(&select, rule));
            lint.select = select;
        }
        lint.ignore.extend(ignore);
        lint.failure_threshold = failure_threshold.or(lint.failure_threshold);
        Self(lint)
    }

    pub(super) fn counts(&self, rule: &Rule) -> bool {
        (self.0.select.is_empty() || has(&self.0.select, rule)) && !has(&self.0.ignore, rule)
    }

    pub(super) fn severity(&self, rule: &Rule) -> Severity {
        let mut said = self.0.severities.iter();
        said.find(|(other, _)| other.code == rule.code)
            .map_or(rule.severity, |(_, severity)| *severity)
    }

    pub(super) fn outcome(&self, found: &[Found]) -> Outcome {
        let threshold = self.0.failure_threshold.unwrap_or(Severity::Note);
        if found.iter().any(|one| one.severity >= threshold) {
            Outcome::Findings
        } else {
            Outcome::Clean
        }
    }
}

fn has(rules: &[&'static Rule], rule: &Rule) -> bool {
    rules.iter().any(|other| other.code == rule.code)
}
