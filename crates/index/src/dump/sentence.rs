//! What a dump says, said again to a person: on one line, and no longer than they would read.

use std::fmt::Write as _;

/// In characters.
const LONGEST: usize = 400;
const END: usize = 100;

/// The text without what would begin another line or turn it around; of a long one, the begin
/// and the end.
pub(super) fn sentence(text: &str) -> String {
    let mut sentence = String::new();
    let count = text.chars().count();
    for (at, char) in text.chars().enumerate() {
        if count > LONGEST && at == LONGEST - END {
            sentence.push('…');
        }
        let is_left_out = count > LONGEST && (LONGEST - END..count - END).contains(&at);
        if is_left_out {
            continue;
        }
        if char.is_control() || turns(char) {
            // A string takes whatever is written to it.
            let _ = write!(sentence, "{}", char.escape_default());
        } else {
            sentence.push(char);
        }
    }
    sentence
}

/// Whether a terminal may show what follows in another order, or on another line.
fn turns(char: char) -> bool {
    matches!(char, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_is_on_one_line_and_has_its_begin_and_its_end() {
        assert_eq!(
            sentence("`a\nproblem: b\0\u{202e}`"),
            "`a\\nproblem: b\\u{0}\\u{202e}`"
        );
        assert_eq!(sentence("`bér` is left out"), "`bér` is left out");
        let long = format!("`{}` is left out", "é".repeat(5000));
        let short = sentence(&long);
        assert_eq!(short.chars().count(), LONGEST + 1);
        assert!(
            short.starts_with("`éé") && short.ends_with("é` is left out"),
            "{short}"
        );
    }
}
