//! The report for people.

use std::fmt::Write as _;
use std::io::{self, Write};

use dockerfile::cache::{Cached, Cause, Verdict};

use super::{Report, cost};

/// How many files of one step are named.
const MOST: usize = 5;

pub(super) fn print(report: &Report, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}:", headline(report))?;
    for (at, step) in report.steps.iter().enumerate() {
        let stage = if report.steps.iter().any(|other| other.stage != step.stage) {
            format!("[{}] ", step.stage)
        } else {
            String::new()
        };
        let word = match step.cached {
            Cached::Yes => "cached  ",
            Cached::No => "repeated",
            Cached::Depends => "depends ",
        };
        writeln!(
            out,
            "{:>4}  {word}  {stage}{}",
            at + 1,
            short(&step.instruction)
        )?;
        if step.cached != Cached::Yes {
            writeln!(
                out,
                "                because {}",
                clauses(report, at).join("; ")
            )?;
        }
    }
    writeln!(out, "{}", summary(report))?;
    for warning in &report.warnings {
        writeln!(out, "warning: {warning}")?;
    }
    Ok(())
}

/// What is compared, and by whom.
pub(super) fn headline(report: &Report) -> String {
    let (after, before, engine) = (&report.after, &report.before, report.engine);
    // With changes that are only thought of, the later state is told by the earlier one.
    if after.starts_with(&format!("{before} after ")) {
        return format!("{after}, by {engine}");
    }
    format!("{after} after {before}, by {engine}")
}

/// How much is done again.
pub(super) fn summary(report: &Report) -> String {
    let count = |cached| {
        report
            .steps
            .iter()
            .filter(|step| step.cached == cached)
            .count()
    };
    let (again, open) = (count(Cached::No), count(Cached::Depends));
    let mut end = format!("{again} of {} steps are repeated", report.steps.len());
    if open > 0 {
        let _ = write!(end, ", {open} hang on what others write");
    }
    let steps = report.steps.iter().zip(&report.costs);
    let costs = steps.filter(|(step, _)| step.cached == Cached::No);
    let seconds: f64 = costs.filter_map(|(_, cost)| cost.seconds).sum();
    if seconds >= 0.05 {
        let _ = write!(end, "; they took {} last time", cost::short(seconds));
    }
    end
}

/// Why, one clause after another; of many files only the first. At the end what it cost.
pub(super) fn clauses(report: &Report, at: usize) -> Vec<String> {
    let mut clauses = causes(&report.steps[at]);
    clauses.extend(report.costs[at].told());
    clauses
}

/// The same without what it cost.
pub(super) fn causes(step: &Verdict) -> Vec<String> {
    let is_file = |cause: &&Cause| matches!(cause, Cause::File { .. });
    let files = step.causes.iter().filter(is_file).count();
    let mut seen = 0;
    let mut clauses = Vec::new();
    for cause in &step.causes {
        if is_file(&cause) {
            seen += 1;
            if seen > MOST {
                continue;
            }
        }
        clauses.push(clause(cause));
        if seen == MOST && files > MOST && is_file(&cause) {
            clauses.push(format!("and {} files more", files - MOST));
        }
    }
    clauses
}

/// A cause, with steps numbered as they are printed.
pub(super) fn clause(cause: &Cause) -> String {
    let number = |step: usize| step + 1;
    match cause {
        Cause::Earlier(step) => Cause::Earlier(number(*step)).to_string(),
        Cause::Follows(step) => Cause::Follows(number(*step)).to_string(),
        Cause::Depends(step) => Cause::Depends(number(*step)).to_string(),
        other => other.to_string(),
    }
}

fn short(instruction: &str) -> String {
    const LONG: usize = 90;
    if instruction.chars().count() <= LONG {
        return instruction.to_owned();
    }
    let kept: String = instruction.chars().take(LONG - 1).collect();
    format!("{kept}…")
}
