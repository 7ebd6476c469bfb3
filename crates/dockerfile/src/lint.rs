//! What makes a Python image rebuild, grow or leak, as rules.
//!
//! One file per rule: what it flags, why, a bad and a good example. A test runs every
//! rule on its own examples.

mod bad_pattern;
mod broad_copy;
mod broken_cache;
mod floating_base;
mod floating_source;
mod missing_cache;
mod secret_in_build;
mod split_update;
mod twice_copied;
mod volatile_variable;
mod weak_ignore;
mod wrong_cache;

#[cfg(test)]
mod tests;

use crate::install::{self, Run};
use crate::{Dockerfile, Piece, Position, Span, Stage, stages};

/// How much it matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// Something to know.
    Note,
    /// Something to mend.
    Warning,
    /// Something that is wrong.
    Error,
}

impl Severity {
    /// As SARIF and GitHub call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// A rule.
#[derive(Debug)]
pub struct Rule {
    /// `PH001`; never given to another rule.
    pub code: &'static str,
    /// What it flags, in two or three words with hyphens.
    pub name: &'static str,
    /// How much it matters.
    pub severity: Severity,
    /// What it flags, in a sentence.
    pub what: &'static str,
    /// Why that is bad.
    pub why: &'static str,
    /// A Dockerfile (or, of ignore rules, a `.dockerignore`) that it flags.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
    check: fn(&Subject<'_>, &mut Findings),
}

/// What a rule has found.
#[derive(Debug, Clone)]
pub struct Finding {
    /// Which rule.
    pub rule: &'static Rule,
    /// In which file.
    pub file: File,
    /// Where in it.
    pub span: Span,
    /// What is wrong there, and what to do.
    pub message: String,
}

/// The files that rules look into.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// The Dockerfile.
    Dockerfile,
    /// What is left out of its context.
    Ignore,
}

/// Every rule, by its code.
pub const RULES: [&Rule; 12] = [
    &broad_copy::RULE,
    &missing_cache::RULE,
    &broken_cache::RULE,
    &wrong_cache::RULE,
    &volatile_variable::RULE,
    &weak_ignore::RULE,
    &bad_pattern::RULE,
    &floating_base::RULE,
    &secret_in_build::RULE,
    &floating_source::RULE,
    &split_update::RULE,
    &twice_copied::RULE,
];

/// What is judged.
struct Subject<'a> {
    file: &'a Dockerfile,
    stages: Vec<Stage<'a>>,
    ignore: Option<&'a str>,
}

/// What was found so far.
struct Findings {
    rule: &'static Rule,
    all: Vec<Finding>,
}

impl Findings {
    fn add(&mut self, span: Span, message: impl Into<String>) {
        self.push(File::Dockerfile, span, message.into());
    }

    fn add_to_ignore(&mut self, span: Span, message: impl Into<String>) {
        self.push(File::Ignore, span, message.into());
    }

    fn push(&mut self, file: File, span: Span, message: String) {
        self.all.push(Finding {
            rule: self.rule,
            file,
            span,
            message,
        });
    }
}

impl Subject<'_> {
    /// What the `RUN`s of a stage run.
    fn runs(&self, stage: &Stage<'_>) -> Vec<Run> {
        let instructions = stage.instructions.iter();
        instructions
            .filter_map(|one| install::run(one, self.file.text()))
            .collect()
    }
}

/// Judges a Dockerfile with what is beside it as `.dockerignore`, in order of lines.
/// What a comment (`# pilothouse: ignore=PH002`) excuses is left out.
pub fn lint(file: &Dockerfile, ignore: Option<&str>) -> Vec<Finding> {
    let subject = Subject {
        file,
        stages: stages(file),
        ignore,
    };
    let mut findings = Findings {
        rule: RULES[0],
        all: Vec::new(),
    };
    for rule in RULES {
        findings.rule = rule;
        (rule.check)(&subject, &mut findings);
    }
    let mut all = findings.all;
    all.retain(|finding| finding.file == File::Ignore || !is_excused(file, finding));
    all.sort_by_key(|finding| (finding.file, finding.span.start, finding.rule.code));
    all
}

/// A rule by its code, in any case, or by its name.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES
        .into_iter()
        .find(|rule| rule.code.eq_ignore_ascii_case(code) || rule.name == code)
}

impl Rule {
    /// All that is to be said about it, as Markdown.
    pub fn page(&self) -> String {
        let Self {
            code,
            name,
            what,
            why,
            ..
        } = self;
        let severity = self.severity.as_str();
        let [bad, good] = [self.bad, self.good].map(|example| match example.split_once('\n') {
            Some(("# .dockerignore", rest)) => format!("```text\n{rest}```"),
            _ => format!("```dockerfile\n{example}```"),
        });
        format!(
            "# {code}: {name}\n\n{what} ({severity})\n\n{why}\n\nBad:\n\n{bad}\n\nGood:\n\n{good}\n"
        )
    }
}

/// Whether a comment right above the instruction, or at the top of the file, names the rule.
fn is_excused(file: &Dockerfile, finding: &Finding) -> bool {
    let names = |span: &Span| {
        let comment = span.of(file.text()).trim().trim_start_matches('#').trim();
        let codes = comment.strip_prefix("pilothouse:").map(str::trim);
        let codes = codes.and_then(|rest| rest.strip_prefix("ignore="));
        let mut codes = codes.unwrap_or_default().split([',', ' ']);
        codes.any(|code| code.eq_ignore_ascii_case(finding.rule.code))
    };
    let (mut above, mut is_top) = (false, true);
    for piece in &file.pieces {
        match piece {
            Piece::Comment(span) if names(span) && is_top => return true,
            Piece::Comment(span) => above |= names(span),
            Piece::Instruction(one) => {
                let is_here =
                    one.span.start <= finding.span.start && finding.span.start < one.span.end;
                if is_here && above {
                    return true;
                }
                (above, is_top) = (false, false);
            }
            Piece::Blank(_) => above = false,
            Piece::Directive(_) => {}
        }
    }
    false
}

impl Finding {
    /// Where it stands, for people.
    pub fn position(&self, text: &str) -> Position {
        Position::of(text, self.span.start)
    }
}
