//! Instructions with their variables replaced.

use crate::expand::{InvalidExpansion, unquoted};
use crate::{Arguments, Dockerfile, Instruction, Keyword, shell};

use super::scope::Scope;

/// Variables by their name.
pub(super) type Lookup<'a> = &'a dyn Fn(&str) -> Option<String>;

/// `NAME=value` pairs of `ENV`, `LABEL` and `ARG`; of `ARG` a value may be missing.
pub(super) fn pairs(
    instruction: &Instruction,
    escape: char,
    lookup: Lookup<'_>,
) -> Result<Vec<(String, Option<String>)>, InvalidExpansion> {
    let text = &instruction.text;
    let words = shell::words(text);
    let is_old = words.first().is_some_and(|word| !word.raw.contains('='));
    if is_old && instruction.keyword != Keyword::Arg {
        // `ENV NAME all the rest`.
        let (name, value) = text
            .split_once(char::is_whitespace)
            .unwrap_or((text.as_str(), ""));
        let value = unquoted(value.trim(), escape, lookup)?;
        return Ok(vec![(name.to_owned(), Some(value))]);
    }
    words
        .iter()
        .map(|word| {
            let (name, value) = match word.raw.split_once('=') {
                Some((name, value)) => (name, Some(unquoted(value, escape, lookup)?)),
                None => (word.raw.as_str(), None),
            };
            Ok((unquoted(name, escape, lookup)?, value))
        })
        .collect()
}

/// The words of `COPY`, `ADD` and the like: blanks part them whatever quotes say.
pub(super) fn words(
    instruction: &Instruction,
    escape: char,
    lookup: Lookup<'_>,
) -> Result<Vec<String>, InvalidExpansion> {
    let raw: Vec<&str> = match &instruction.arguments {
        Arguments::Json(words) => words.iter().map(String::as_str).collect(),
        Arguments::Text => instruction.text.split_whitespace().collect(),
    };
    raw.into_iter()
        .map(|word| unquoted(word, escape, lookup))
        .collect()
}

/// What is run: the exec form as it is, the shell form by the shell.
pub(super) fn command(
    instruction: &Instruction,
    dockerfile: &Dockerfile,
    scope: &Scope,
) -> Vec<String> {
    match &instruction.arguments {
        Arguments::Json(words) => words.clone(),
        Arguments::Text => {
            let mut words = scope.shell.clone();
            words.push(script(instruction, dockerfile));
            words
        }
    }
}

/// The line, or the document that is all there is of it, or both.
fn script(instruction: &Instruction, dockerfile: &Dockerfile) -> String {
    let Some(first) = instruction.heredocs.first() else {
        return instruction.text.clone();
    };
    let is_alone = instruction.text.starts_with("<<")
        && !instruction.text.contains(char::is_whitespace)
        && instruction.heredocs.len() == 1;
    let body = first.body.of(dockerfile.text());
    if !is_alone {
        // The shell reads the documents itself, names and all.
        let bodies = instruction.heredocs.iter();
        let bodies = bodies.map(|heredoc| {
            let body = heredoc.body.of(dockerfile.text());
            format!("\n{body}{}", heredoc.name)
        });
        return instruction.text.clone() + &bodies.collect::<String>();
    }
    if !first.strips_tabs {
        return body.to_owned();
    }
    let lines = body.split_inclusive('\n');
    lines.map(|line| line.trim_start_matches('\t')).collect()
}

/// As it is shown: on one line, in capitals.
pub(super) fn shown(instruction: &Instruction, dockerfile: &Dockerfile) -> String {
    let flags = instruction.flags.iter();
    let flags = flags.map(|flag| format!("{} ", flag.span.of(dockerfile.text())));
    let flags: String = flags.collect();
    let text: Vec<&str> = instruction.text.split_whitespace().collect();
    let keyword = instruction.keyword.as_str();
    format!("{keyword} {flags}{}", text.join(" "))
}
