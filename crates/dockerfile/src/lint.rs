//! What makes a Python image rebuild, grow or leak, as rules.
//!
//! One file per rule: what it flags, why, a bad and a good example. A test runs every
//! rule on its own examples.

mod asked;
mod bad_pattern;
mod broad_copy;
mod broken_cache;
mod doubled_by_chown;
mod editable_install;
mod example;
mod fetched;
mod floating_base;
mod floating_source;
mod foreign_packages;
mod guessed_copy;
mod merged_steps;
mod missing_cache;
mod normal_times;
mod overwritten_venv;
mod released_dependencies;
mod source_build;
mod source_on_musl;
mod split_update;
mod stale_bind;
mod surroundings;
mod twice_copied;
mod unsafe_index;
mod unstable_output;
mod volatile_variable;
mod weak_ignore;
mod wide_bind;
mod wrong_cache;

#[cfg(test)]
pub(crate) mod tests;

use std::collections::BTreeSet;

use pyspec::ProjectName;

use crate::image::Image;
use crate::inputs::{self, Install};
use crate::install::{self, Run};
use crate::scope::Scope;
use crate::{Base, Dockerfile, Instruction, Keyword, Piece, Position, Span, Stage, stages};
pub use surroundings::{ContextFile, Surroundings};
pub(crate) use unstable_output::VARIABLE as CONSTANT_TIME;
pub(crate) use weak_ignore::missing_patterns;

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
    /// A Dockerfile that it flags; after lines like `# ---- .dockerignore` what lies around it.
    pub bad: &'static str,
    /// The same, mended.
    pub good: &'static str,
    check: Check,
}

/// How a rule judges, and what it needs for that.
#[derive(Debug)]
enum Check {
    /// By the files alone.
    Files(fn(&Subject<'_>, &mut Findings)),
    /// By the names of the files that an index has, where no lock lists them.
    Index(fn(&Subject<'_>, &mut Findings)),
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
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum File {
    /// The Dockerfile.
    Dockerfile,
    /// What is left out of its context.
    Ignore,
    /// A file of the context, by its path in it.
    Context(String),
}

/// Every rule, by its code.
pub const RULES: [&Rule; 25] = [
    &broad_copy::RULE,
    &missing_cache::RULE,
    &broken_cache::RULE,
    &wrong_cache::RULE,
    &unstable_output::RULE,
    &released_dependencies::RULE,
    &volatile_variable::RULE,
    &foreign_packages::RULE,
    &weak_ignore::RULE,
    &bad_pattern::RULE,
    &source_on_musl::RULE,
    &source_build::RULE,
    &floating_base::RULE,
    &wide_bind::RULE,
    &stale_bind::RULE,
    &normal_times::RULE,
    &doubled_by_chown::RULE,
    &merged_steps::RULE,
    &unsafe_index::RULE,
    &floating_source::RULE,
    &editable_install::RULE,
    &split_update::RULE,
    &overwritten_venv::RULE,
    &twice_copied::RULE,
    &guessed_copy::RULE,
];

/// What is judged.
struct Subject<'a> {
    file: &'a Dockerfile,
    stages: Vec<Stage<'a>>,
    installs: Vec<Install>,
    around: &'a Surroundings<'a>,
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

impl<'a> Subject<'a> {
    fn new(file: &'a Dockerfile, around: &'a Surroundings<'a>) -> Self {
        let stages = stages(file);
        Self {
            installs: inputs::installs(file, &stages, around.read),
            file,
            stages,
            around,
        }
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

    /// What holds before the instruction at `at` of a stage.
    fn scope(&self, stage: usize, at: usize) -> Scope {
        Scope::at(self.file, &self.stages, stage, at)
    }

    /// The image that a stage is built on in the end.
    fn image(&self, stage: usize) -> Image {
        match &self.stages[stage].base {
            Base::Image(name) => Image::of(&Scope::outside(self.file).expanded(name)),
            Base::Stage(below) if *below < stage => self.image(*below),
            Base::Stage(_) | Base::Scratch => Image::default(),
        }
    }

    /// The stage that `--from` of an instruction means.
    fn origin(&self, instruction: &Instruction) -> Option<usize> {
        let from = instruction.flag("from")?;
        let named = |stage: &Stage<'_>| {
            let name = stage.name.as_deref();
            name.is_some_and(|name| name.eq_ignore_ascii_case(from))
        };
        let by_name = self.stages.iter().position(named);
        by_name.or_else(|| {
            from.parse()
                .ok()
                .filter(|number| *number < self.stages.len())
        })
    }

    /// Every `COPY --from` of a stage, with the stage it is in and the one it is from.
    fn handed_on(&self) -> Vec<(usize, &Instruction, usize)> {
        let mut all = Vec::new();
        for (number, stage) in self.stages.iter().enumerate() {
            let copies = stage.instructions.iter();
            let copies = copies.filter(|one| one.keyword == Keyword::Copy);
            all.extend(copies.filter_map(|copy| Some((number, *copy, self.origin(copy)?))));
        }
        all
    }
}

/// What was found, and what was not looked for.
#[derive(Debug, Clone)]
pub struct Report {
    /// In order of lines. What a comment (`# pilothouse: ignore=PH002`) excuses is left out.
    pub findings: Vec<Finding>,
    /// Rules that had to ask an index about something, and had none.
    pub skipped: Vec<&'static Rule>,
}

/// Judges a Dockerfile with what lies around it.
pub fn lint(file: &Dockerfile, around: &Surroundings<'_>) -> Report {
    let subject = Subject::new(file, around);
    let mut findings = Findings {
        rule: RULES[0],
        all: Vec::new(),
    };
    let lacks_index = around.index.is_none() && !subject.unknown().is_empty();
    let mut skipped = Vec::new();
    for rule in RULES {
        findings.rule = rule;
        match rule.check {
            Check::Files(check) => check(&subject, &mut findings),
            // What locks tell is judged all the same.
            Check::Index(check) => {
                skipped.extend(lacks_index.then_some(rule));
                check(&subject, &mut findings);
            }
        }
    }
    let mut all = findings.all;
    all.retain(|finding| !is_excused(file, finding));
    let key = |finding: &Finding| {
        let Span { start, end } = finding.span;
        (
            finding.file.clone(),
            start,
            end,
            finding.rule.code,
            finding.message.clone(),
        )
    };
    all.sort_by_key(key);
    // What two stages read is one file, and wrong once.
    all.dedup_by_key(|finding| key(finding));
    Report {
        findings: all,
        skipped,
    }
}

/// The projects of which rules need to know what files an index has.
pub fn unknown_projects(file: &Dockerfile, around: &Surroundings<'_>) -> BTreeSet<ProjectName> {
    Subject::new(file, around).unknown()
}

/// A rule by its code, in any case, or by its name.
pub fn rule(code: &str) -> Option<&'static Rule> {
    RULES
        .into_iter()
        .find(|rule| rule.code.eq_ignore_ascii_case(code) || rule.name == code)
}

impl Rule {
    /// Whether it may have to know what files an index has.
    pub fn asks_an_index(&self) -> bool {
        matches!(self.check, Check::Index(_))
    }

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
        let [bad, good] = [self.bad, self.good].map(example::page);
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
                let is_here = finding.file == File::Dockerfile
                    && one.span.start <= finding.span.start
                    && finding.span.start < one.span.end;
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
