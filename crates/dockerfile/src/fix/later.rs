//! What changes with every build, declared after what is installed.

use std::collections::BTreeSet;

use super::{Edits, Remedy, Risk, Subject};
use crate::lint::{File, Finding};
use crate::{Instruction, Keyword, Span};

const READ: Risk = Risk("a command between may read the variable without naming it here");

/// Moves a variable, and all that is made of it, below the last install of its stage.
pub(super) fn remedy(subject: &Subject<'_>, finding: &Finding) -> Option<Remedy> {
    let (stage, at, first) = subject.place(finding.span)?;
    let instructions = &subject.stages[stage].instructions;
    let last = (at..instructions.len()).rev().find(|at| {
        let run = subject.run(instructions[*at]);
        run.is_some_and(|run| run.installs().next().is_some())
    })?;
    let mut names = names(first);
    let mut moved = vec![first];
    for one in &instructions[at + 1..=last] {
        let text = one.span.of(subject.file.text());
        if !names.iter().any(|name| mentions(text, name)) {
            continue;
        }
        if !matches!(one.keyword, Keyword::Env | Keyword::Arg | Keyword::Label) {
            return None;
        }
        if one.keyword != Keyword::Label {
            names.extend(self::names(one));
        }
        moved.push(one);
    }
    let text = subject.file.text();
    let mut edits: Edits = moved
        .iter()
        .map(|one| (File::Dockerfile, one.span, String::new()))
        .collect();
    let end = instructions[last].span.end;
    let gap = if text[..end].ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let lines = moved.iter().map(|one| one.span.of(text).trim_end());
    let lines: Vec<&str> = lines.collect();
    edits.push((
        File::Dockerfile,
        Span::new(end, end),
        format!("{gap}{}\n", lines.join("\n")),
    ));
    Some(Remedy::new(edits, Some(READ)))
}

/// The variables that an instruction sets.
fn names(one: &Instruction) -> BTreeSet<String> {
    let words = one.words();
    let is_legacy =
        one.keyword == Keyword::Env && words.first().is_some_and(|word| !word.contains('='));
    let count = if is_legacy { 1 } else { words.len() };
    let names = words.iter().take(count);
    names
        .filter_map(|word| word.split('=').next().map(str::to_owned))
        .collect()
}

/// Whether a name stands in a text as a word.
fn mentions(text: &str, name: &str) -> bool {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.match_indices(name).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + name.len()..].chars().next();
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}
