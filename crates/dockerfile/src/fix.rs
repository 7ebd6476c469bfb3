//! Mends what rules have found, where that changes nothing of what is built.
//!
//! One finding at a time: the file is read and judged anew after each, so that every change
//! is made to a text that stands. Only what has to change does, by its place.

mod cache;
mod later;
mod order;
mod wheels;

use std::collections::HashSet;
use std::fmt;

use crate::install::{self, Run};
use crate::lint::{self, File, Finding, Rule, Surroundings};
use crate::{Dockerfile, Ignore, Instruction, Invalid, Keyword, Span, Stage, stages};

/// A Dockerfile and what is left out of its context, mended.
#[derive(Debug, Clone)]
pub struct Fixed {
    /// The Dockerfile.
    pub dockerfile: String,
    /// The ignore file; none if there is none and needs none.
    pub ignore: Option<String>,
    /// What was mended, in order.
    pub done: Vec<Done>,
}

/// A finding that is no more.
#[derive(Debug, Clone)]
pub struct Done {
    /// Of which rule.
    pub rule: &'static Rule,
    /// What it said.
    pub message: String,
    /// What may be otherwise afterwards; nothing of what [`Extent::Safe`] mends.
    pub risk: Option<Risk>,
}

/// How much is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// What changes nothing of what is built.
    Safe,
    /// All that can be, though it may change something: each says what.
    All,
}

/// What may be otherwise after something was mended, in a clause.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Risk(&'static str);

impl fmt::Display for Risk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0)
    }
}

/// What mends a finding.
struct Remedy {
    edits: Edits,
    risk: Option<Risk>,
}

impl Remedy {
    fn new(edits: Edits, risk: Option<Risk>) -> Self {
        Self { edits, risk }
    }
}

/// Texts in place of others.
type Edits = Vec<(File, Span, String)>;

/// What takes a project's version from its repository.
const VERSIONED_BY_GIT: [&str; 6] = [
    "scm",
    "hatch-vcs",
    "versioneer",
    "pbr",
    "dunamai",
    "dynamic-versioning",
];

const READ_LATER: Risk = Risk("a program that reads `.env` when it runs misses it");

/// More than anybody has findings.
const MOST: usize = 200;

/// Mends what can be mended. [`Extent::Safe`] changes nothing of what is built, apart from files
/// of the context that no image needs. The error is that of a text that is no Dockerfile.
pub fn fix(text: &str, around: &Surroundings<'_>, extent: Extent) -> Result<Fixed, Invalid> {
    let mut fixed = Fixed {
        dockerfile: text.to_owned(),
        ignore: around.ignore.map(str::to_owned),
        done: Vec::new(),
    };
    let mut tried: HashSet<(&str, String, String)> = HashSet::new();
    for _ in 0..MOST {
        let file = Dockerfile::parse(&fixed.dockerfile)?;
        let around = Surroundings {
            ignore: fixed.ignore.as_deref(),
            ..*around
        };
        let findings = lint::lint(&file, &around).findings;
        let subject = Subject {
            stages: stages(&file),
            file: &file,
            around: &around,
        };
        let mended = findings.into_iter().find_map(|finding| {
            let remedy = subject.remedy(&finding)?;
            let is_allowed = extent == Extent::All || remedy.risk.is_none();
            let Remedy { edits, risk } = Some(remedy).filter(|_| is_allowed)?;
            if !is_whole(
                &file,
                &applied(&fixed.dockerfile, &File::Dockerfile, &edits),
            ) {
                return None;
            }
            // What is said of the same text again was not mended by this.
            let place = (
                finding.rule.code,
                finding.message.clone(),
                format!("{edits:?}"),
            );
            tried.insert(place).then_some((finding, edits, risk))
        });
        let Some((finding, edits, risk)) = mended else {
            break;
        };
        let dockerfile = applied(&fixed.dockerfile, &File::Dockerfile, &edits);
        let ignore = fixed.ignore.clone().unwrap_or_default();
        let ignore = applied(&ignore, &File::Ignore, &edits);
        fixed.dockerfile = dockerfile;
        fixed.ignore = Some(ignore).filter(|text| fixed.ignore.is_some() || !text.is_empty());
        fixed.done.push(Done {
            rule: finding.rule,
            message: finding.message,
            risk,
        });
    }
    Ok(fixed)
}

/// Whether an edited text is a Dockerfile that has all that it had: a line that goes on
/// with the next one swallows it easily. Only variables are ever taken out.
fn is_whole(before: &Dockerfile, after: &str) -> bool {
    let Ok(after) = Dockerfile::parse(after) else {
        return false;
    };
    let count = |file: &Dockerfile| {
        let all = file.instructions();
        all.filter(|one| !matches!(one.keyword, Keyword::Env | Keyword::Arg))
            .count()
    };
    count(&after) >= count(before)
}

/// A text with its edits made, the last first.
fn applied(text: &str, file: &File, edits: &Edits) -> String {
    let mut here: Vec<_> = edits.iter().filter(|edit| edit.0 == *file).collect();
    here.sort_by_key(|edit| std::cmp::Reverse(edit.1.start));
    let mut text = text.to_owned();
    for (_, span, new) in here {
        text.replace_range(span.start..span.end, new);
    }
    text
}

/// What is mended.
struct Subject<'a> {
    file: &'a Dockerfile,
    stages: Vec<Stage<'a>>,
    around: &'a Surroundings<'a>,
}

impl Subject<'_> {
    fn remedy(&self, finding: &Finding) -> Option<Remedy> {
        let safe = |edits: Edits| Remedy::new(edits, None);
        match finding.rule.code {
            "PH001" => order::remedy(self, finding).map(safe),
            "PH002" => self.cache_mount(finding),
            "PH003" => self.filled(finding),
            "PH004" => self.moved_mount(finding),
            "PH005" => self.epoch(finding).map(safe),
            "PH007" => later::remedy(self, finding),
            "PH008" => wheels::remedy(self, finding),
            "PH009" => self.ignored(),
            "PH010" => self.pattern(finding).map(safe),
            _ => None,
        }
    }

    /// Number of the stage and of the instruction in it that stands here.
    fn place(&self, span: Span) -> Option<(usize, usize, &Instruction)> {
        self.stages.iter().enumerate().find_map(|(stage, here)| {
            let mut all = here.instructions.iter().enumerate();
            let (at, one) =
                all.find(|(_, one)| one.span.start <= span.start && span.start < one.span.end)?;
            Some((stage, at, *one))
        })
    }

    fn run(&self, one: &Instruction) -> Option<Run> {
        install::run(one, self.file.text())
    }

    /// A constant time at the beginning of the stage.
    fn epoch(&self, finding: &Finding) -> Option<Edits> {
        let (stage, ..) = self.place(finding.span)?;
        if self.file.text().contains(lint::CONSTANT_TIME.0) {
            // An ENV would take the place of a build argument of this name.
            return None;
        }
        let end = self.stages[stage].from.span.end;
        let (name, value) = lint::CONSTANT_TIME;
        let line = format!("ENV {name}={value}\n");
        Some(vec![(File::Dockerfile, Span::new(end, end), line)])
    }

    fn ignored(&self) -> Option<Remedy> {
        let text = self.around.ignore.unwrap_or_default();
        // What no engine reads is not mended by more of it.
        Ignore::parse(text).ok()?;
        let missing = lint::missing_patterns(text).into_iter();
        let missing = missing.filter(|pattern| !self.needs(pattern));
        // Programs read it when they run.
        let (open, safe): (Vec<_>, Vec<_>) = missing.partition(|pattern| *pattern == ".env");
        let (mut lines, risk) = if safe.is_empty() {
            (open, Some(READ_LATER))
        } else {
            (safe, None)
        };
        if lines.is_empty() {
            return None;
        }
        // A new file of the context must not become one of the image.
        lines.extend(self.around.ignore.is_none().then_some(".dockerignore"));
        let gap = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let lines = lines.join("\n");
        let end = Span::new(text.len(), text.len());
        let edit = (File::Ignore, end, format!("{gap}{lines}\n"));
        Some(Remedy::new(vec![edit], risk))
    }

    /// Whether an instruction speaks of what a pattern leaves out, or a build tells its version by it.
    fn needs(&self, pattern: &str) -> bool {
        let name = pattern.trim_start_matches("**/");
        let text = self.file.text();
        let mut instructions = self.stages.iter().flat_map(|stage| &stage.instructions);
        let is_named = instructions.any(|one| one.span.of(text).contains(name));
        let calls = |program: &str| {
            let instructions = self.stages.iter().flat_map(|stage| &stage.instructions);
            let mut runs = instructions.filter_map(|one| self.run(one));
            runs.any(|run| {
                let mut commands = run.commands.iter();
                commands.any(|(command, _)| command.program() == program)
            })
        };
        let tells_versions = || {
            let mut files = ["pyproject.toml", "setup.py", "setup.cfg"].into_iter();
            files.any(|path| {
                let text = (self.around.read)(path).unwrap_or_default();
                VERSIONED_BY_GIT.iter().any(|tool| text.contains(tool))
            })
        };
        is_named || (name == ".git" && (calls("git") || tells_versions()))
    }

    fn pattern(&self, finding: &Finding) -> Option<Edits> {
        let old = finding.span.of(self.around.ignore?);
        let new = match finding.message.split_once(": write `") {
            Some((_, new)) => new.trim_end_matches('`').to_owned(),
            None if old.trim_start().starts_with("! ") => old.replacen("! ", "!", 1),
            None => return None,
        };
        Some(vec![(File::Ignore, finding.span, new)])
    }
}

#[cfg(test)]
mod tests;
