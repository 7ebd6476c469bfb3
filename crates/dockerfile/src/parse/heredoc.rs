//! Documents within a Dockerfile: `RUN <<EOF` and what follows.

use super::{Heredoc, Instruction, Invalid, line};
use crate::Span;
use crate::shell;

/// The documents that an instruction opens, which begin at `at`; and where they end.
pub(super) fn read(
    file: &str,
    instruction: &Instruction,
    at: usize,
) -> Result<(Vec<Heredoc>, usize), Invalid> {
    let (mut heredocs, mut at) = (Vec::new(), at);
    for word in shell::words(&instruction.text) {
        let Some((name, strips_tabs, expands)) = opened(&word.raw) else {
            continue;
        };
        let start = at;
        let body = loop {
            let Some(line) = line::at(file, at) else {
                return Err(Invalid {
                    what: format!("unterminated heredoc: no line `{name}` closes it"),
                    span: instruction.place(word.start, word.start + word.raw.len()),
                });
            };
            at = line.end;
            let content = line.of(file).trim_end_matches(['\n', '\r']);
            let content = if strips_tabs {
                content.trim_start_matches('\t')
            } else {
                content
            };
            if content == name {
                break Span::new(start, line.start);
            }
        };
        heredocs.push(Heredoc {
            name,
            strips_tabs,
            expands,
            body,
        });
    }
    Ok((heredocs, at))
}

/// Name, whether tabs are stripped, and whether variables are replaced: `3<<-"EOF"`.
fn opened(word: &str) -> Option<(String, bool, bool)> {
    let rest = word.trim_start_matches(|c: char| c.is_ascii_digit());
    let rest = rest.strip_prefix("<<")?;
    let (rest, strips_tabs) = match rest.strip_prefix('-') {
        Some(rest) => (rest, true),
        None => (rest, false),
    };
    if rest.is_empty() || rest.contains('<') {
        return None;
    }
    let is_quote = |c: &char| matches!(c, '"' | '\'' | '\\');
    let name: String = rest.chars().filter(|c| !is_quote(c)).collect();
    let expands = name == rest;
    (!name.is_empty()).then_some((name, strips_tabs, expands))
}
