//! Mends what rules have found, where that changes nothing of what is built.
//!
//! One finding at a time: the file is read and judged anew after each, so that every change
//! is made to a text that stands. Only what has to change does, by its place.

mod order;

use std::collections::HashSet;

use crate::install::{self, Run};
use crate::lint::{self, File, Finding, Rule, Surroundings};
use crate::scope::Scope;
use crate::{Dockerfile, Ignore, Instruction, Invalid, Span, Stage, stages};

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
}

/// Texts in place of others.
type Edits = Vec<(File, Span, String)>;

/// More than anybody has findings.
const MOST: usize = 200;

/// Mends what can be mended without a change of what is built, apart from files of the context
/// that no image needs. The error is that of a text that is no Dockerfile.
pub fn fix(text: &str, around: &Surroundings<'_>) -> Result<Fixed, Invalid> {
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
            let edits = subject.remedy(&finding)?;
            // What is said of the same text again was not mended by this.
            let place = (
                finding.rule.code,
                finding.message.clone(),
                format!("{edits:?}"),
            );
            tried.insert(place).then_some((finding, edits))
        });
        let Some((finding, edits)) = mended else {
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
        });
    }
    Ok(fixed)
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
    fn remedy(&self, finding: &Finding) -> Option<Edits> {
        match finding.rule.code {
            "PH001" => order::remedy(self, finding),
            "PH002" => self.cache_mount(finding),
            "PH003" => self.without_flag(finding),
            "PH005" => self.epoch(finding),
            "PH009" => self.ignored(),
            "PH010" => self.pattern(finding),
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

    /// Where root's tool looks: for other users the number of the user would have to be known.
    fn cache_mount(&self, finding: &Finding) -> Option<Edits> {
        let (stage, at, one) = self.place(finding.span)?;
        let scope = Scope::at(self.file, &self.stages, stage, at);
        let run = self.run(one)?;
        let (tool, command, _) = run.installs().next()?;
        let is_elsewhere = |name: &str| {
            let own = command.variables.iter();
            scope.variable(name).is_some()
                || own.filter(|word| word.text.starts_with(name)).count() > 0
        };
        if !matches!(scope.user.as_str(), "root" | "0" | "0:0" | "root:root")
            || ["HOME", "XDG_CACHE_HOME", tool.cache_variable()]
                .into_iter()
                .any(is_elsewhere)
        {
            return None;
        }
        let flag = format!(" --mount=type=cache,target=/root/{}", tool.cache());
        let end = one.keyword_span.end;
        Some(vec![(File::Dockerfile, Span::new(end, end), flag)])
    }

    /// A flag that keeps a cache mount empty.
    fn without_flag(&self, finding: &Finding) -> Option<Edits> {
        let text = self.file.text();
        let command = finding.span.of(text);
        ["--no-cache-dir", "--no-cache"].iter().find_map(|flag| {
            let at = command.find(&format!(" {flag}"))?;
            let end = at + 1 + flag.len();
            let is_whole = command[end..]
                .chars()
                .next()
                .is_none_or(char::is_whitespace);
            let start = finding.span.start;
            is_whole.then(|| {
                let span = Span::new(start + at, start + end);
                vec![(File::Dockerfile, span, String::new())]
            })
        })
    }

    /// A constant time at the beginning of the stage.
    fn epoch(&self, finding: &Finding) -> Option<Edits> {
        let (stage, ..) = self.place(finding.span)?;
        let end = self.stages[stage].from.span.end;
        let (name, value) = lint::CONSTANT_TIME;
        let line = format!("ENV {name}={value}\n");
        Some(vec![(File::Dockerfile, Span::new(end, end), line)])
    }

    fn ignored(&self) -> Option<Edits> {
        let text = self.around.ignore.unwrap_or_default();
        // What no engine reads is not mended by more of it.
        Ignore::parse(text).ok()?;
        let gap = if text.is_empty() || text.ends_with('\n') {
            ""
        } else {
            "\n"
        };
        let mut lines = lint::missing_patterns(text);
        // A new file of the context must not become one of the image.
        lines.extend(self.around.ignore.is_none().then_some(".dockerignore"));
        let lines = lines.join("\n");
        let end = Span::new(text.len(), text.len());
        Some(vec![(File::Ignore, end, format!("{gap}{lines}\n"))])
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
