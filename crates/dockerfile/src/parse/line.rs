//! Lines, and what they are joined to.

use crate::Span;

/// The line that begins at a byte, its end included.
pub(super) fn at(text: &str, start: usize) -> Option<Span> {
    if start >= text.len() {
        return None;
    }
    let end = text[start..]
        .find('\n')
        .map_or(text.len(), |at| start + at + 1);
    Some(Span::new(start, end))
}

/// One line, joined from all that belong to it.
#[derive(Debug)]
pub(super) struct Logical {
    /// Without the blanks before it, and without what joins its lines.
    pub(super) text: String,
    /// Where each byte of `text` stands, and one more for its end.
    pub(super) places: Vec<usize>,
    /// The byte after its last line.
    pub(super) end: usize,
}

impl Logical {
    /// Joins the lines from `start` on: those that end in the escape character go on.
    pub(super) fn read(file: &str, start: usize, escape: char) -> Self {
        let mut logical = Self {
            text: String::new(),
            places: Vec::new(),
            end: start,
        };
        let mut is_first = true;
        let mut goes_on = true;
        while goes_on {
            let Some(line) = at(file, logical.end) else {
                break;
            };
            logical.end = line.end;
            let content = line.of(file).trim_end_matches(['\n', '\r']);
            let inner = content.trim_start();
            // Comments and blank lines between the lines of an instruction are not a part of it.
            if !is_first && (inner.is_empty() || inner.starts_with('#')) {
                continue;
            }
            let skipped = if is_first {
                content.len() - inner.len()
            } else {
                0
            };
            let (kept, continues) = without_escape(&content[skipped..], escape);
            logical.push(kept, line.start + skipped);
            goes_on = continues;
            is_first = false;
        }
        let last = logical.places.last().map_or(start, |last| last + 1);
        logical.places.push(last);
        logical
    }

    fn push(&mut self, text: &str, at: usize) {
        self.text.push_str(text);
        self.places.extend(at..at + text.len());
    }

    /// The word at `start`, and where the next begins.
    pub(super) fn split_word(&self, start: usize) -> (Span, usize) {
        let rest = &self.text[start..];
        let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
        (
            Span::new(start, start + end),
            self.after_blanks(start + end),
        )
    }

    /// The flag at `start`, which may have quotes in it, and where the next word begins.
    pub(super) fn split_flag(&self, start: usize) -> (Span, usize) {
        let mut quote = None;
        let mut end = self.text.len();
        for (at, c) in self.text[start..].char_indices() {
            match quote {
                Some(open) if c == open => quote = None,
                None if c == '"' || c == '\'' => quote = Some(c),
                None if c.is_whitespace() => {
                    end = start + at;
                    break;
                }
                Some(_) | None => {}
            }
        }
        (Span::new(start, end), self.after_blanks(end))
    }

    fn after_blanks(&self, at: usize) -> usize {
        self.text.len() - self.text[at..].trim_start().len()
    }

    /// Where a piece of the joined line stands in the file.
    pub(super) fn span(&self, start: usize, end: usize) -> Span {
        let last = if end > start {
            self.places[end - 1] + 1
        } else {
            self.places[start]
        };
        Span::new(self.places[start], last)
    }
}

/// The line without the escape character at its end; whether it had one.
fn without_escape(line: &str, escape: char) -> (&str, bool) {
    let trimmed = line.trim_end_matches([' ', '\t']);
    match trimmed.strip_suffix(escape) {
        // An escaped escape character joins nothing.
        Some(kept) if !kept.ends_with(escape) => (kept, true),
        _ => (line, false),
    }
}
