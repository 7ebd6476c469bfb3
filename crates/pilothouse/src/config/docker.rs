//! What the file says about Dockerfiles: which rules they are judged by, and how hard.

use std::sync::LazyLock;

use dockerfile::lint::{self, RULES, Rule, Severity};

use super::reader::Table;

pub(super) const KEYS: &[&str] = &["lint"];
pub(super) const LINT_KEYS: &[&str] = &["select", "ignore", "failure-threshold", "severity"];

/// The keys of `[docker.lint.severity]`.
static CODES: LazyLock<Vec<&'static str>> =
    LazyLock::new(|| RULES.iter().map(|rule| rule.code).collect());

/// Which rules count, and how much.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lint {
    /// Only these; all of them if nothing is said.
    pub(crate) select: Vec<&'static Rule>,
    /// Not these.
    pub(crate) ignore: Vec<&'static Rule>,
    /// What matters more, or less, than we think.
    pub(crate) severities: Vec<(&'static Rule, Severity)>,
    /// From which severity on a run ends with 1.
    pub(crate) failure_threshold: Option<Severity>,
}

pub(super) fn read(root: &Table) -> Lint {
    let read = root.table("docker", KEYS, |docker| {
        docker.table("lint", LINT_KEYS, |lint| {
            let rules = |key| lint.texts(key, rule).map(|setting| setting.value);
            let threshold = lint.text("failure-threshold", severity);
            Lint {
                select: rules("select").unwrap_or_default(),
                ignore: rules("ignore").unwrap_or_default(),
                severities: lint
                    .table("severity", &CODES, severities)
                    .unwrap_or_default(),
                failure_threshold: threshold.map(|setting| setting.value),
            }
        })
    });
    read.flatten().unwrap_or_default()
}

fn severities(table: &Table) -> Vec<(&'static Rule, Severity)> {
    let said = RULES.into_iter().filter_map(|rule| {
        let severity = table.text(rule.code, severity)?;
        Some((rule, severity.value))
    });
    said.collect()
}

/// A rule, by its code or name.
pub(crate) fn rule(text: &str) -> Result<&'static Rule, String> {
    lint::rule(text).ok_or_else(|| {
        format!("there is no rule `{text}`: `pilothouse docker lint --explain` lists them")
    })
}

/// How much something matters.
pub(crate) fn severity(text: &str) -> Result<Severity, String> {
    let all = [Severity::Note, Severity::Warning, Severity::Error];
    let found = all.into_iter().find(|severity| severity.as_str() == text);
    found.ok_or_else(|| format!("`{text}` is not a severity: write `note`, `warning` or `error`"))
}
