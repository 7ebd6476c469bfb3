//! `requirements.txt`, as [pip reads it](https://pip.pypa.io/en/stable/reference/requirements-file-format/).

use super::{Nested, Requirement};
use crate::Span;

/// The requirements of a text, and the files that it names.
pub(super) fn read(text: &str) -> (Vec<Requirement>, Vec<Nested>) {
    let (mut requirements, mut nested) = (Vec::new(), Vec::new());
    for (line, span) in lines(text) {
        if let Some(one) = file(&line) {
            nested.push(one);
        } else if !line.starts_with('-') {
            // Options of a requirement (`--hash=…`) come after it.
            let (inner, options) = line.split_once(" --").unwrap_or((&line, ""));
            let read = super::requirement(inner, span);
            requirements.extend(read.map(|requirement| Requirement {
                is_hashed: options.contains("hash=") || options.contains("hash "),
                ..requirement
            }));
        }
    }
    (requirements, nested)
}

/// Logical lines without comments, each with where its first one stands.
pub(crate) fn lines(text: &str) -> Vec<(String, Span)> {
    let mut lines = Vec::new();
    let (mut joined, mut first): (String, Option<Span>) = (String::new(), None);
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let content = line.trim_end_matches(['\n', '\r']);
        let kept = without_comment(content);
        let (kept, goes_on) = match kept.strip_suffix('\\') {
            Some(kept) => (kept, true),
            None => (kept, false),
        };
        let indent = kept.len() - kept.trim_start().len();
        let span = Span::new(start + indent, start + indent + kept.trim().len());
        first = first.or(Some(span));
        joined.push(' ');
        joined.push_str(kept.trim());
        start += line.len();
        if !goes_on {
            let whole = std::mem::take(&mut joined);
            let whole = whole.trim();
            if let Some(span) = first.take().filter(|_| !whole.is_empty()) {
                lines.push((whole.to_owned(), span));
            }
        }
    }
    let whole = joined.trim();
    if let Some(span) = first.filter(|_| !whole.is_empty()) {
        lines.push((whole.to_owned(), span));
    }
    lines
}

/// `#` begins a comment at the beginning of a line or after a blank: URLs have it, too.
fn without_comment(line: &str) -> &str {
    let mut marks = line.match_indices('#');
    let comment = marks.find(|(at, _)| {
        line[..*at]
            .chars()
            .next_back()
            .is_none_or(char::is_whitespace)
    });
    comment.map_or(line, |(at, _)| &line[..at]).trim_end()
}

/// `-r other.txt` and `-c constraints.txt`, in all spellings.
fn file(line: &str) -> Option<Nested> {
    let options = [
        ("-r", false),
        ("--requirement", false),
        ("-c", true),
        ("--constraint", true),
    ];
    options.iter().find_map(|(option, is_constraint)| {
        let rest = line.strip_prefix(option)?;
        let path = rest.trim_start_matches([' ', '=', '\t']);
        // `--requirements-of-something` is another option.
        let is_it = !option.starts_with("--") || rest.len() > path.len();
        (is_it && !path.is_empty() && !path.starts_with('-')).then(|| Nested {
            path: path.trim_matches(['"', '\'']).to_owned(),
            is_constraint: *is_constraint,
        })
    })
}
