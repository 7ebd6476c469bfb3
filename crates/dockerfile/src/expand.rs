//! Variables in instructions: `$X`, `${X}`, and what BuildKit's lexer knows besides.
//!
//! `${X:-word}` and `${X-word}` (if it is not set, or empty), `${X:+word}`, `${X:?word}`,
//! `${X#pattern}`, `##`, `%`, `%%`, and `${X/pattern/replacement}`, `//`.

/// Why a text cannot be expanded.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InvalidExpansion {
    /// `${` without its end.
    #[error("syntax error: missing '}}'")]
    Unclosed,
    /// What follows the name is no modifier.
    #[error("unsupported modifier ({0}) in substitution")]
    Modifier(String),
    /// `${X:?word}`, and it is not set.
    #[error("{name}: {message}")]
    Required {
        /// The variable.
        name: String,
        /// The word.
        message: String,
    },
}

/// Replaces variables by what `lookup` says of them; what is not set becomes nothing.
/// Quotes stay, and nothing is replaced within single ones or after the escape character.
pub fn expand(
    text: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, InvalidExpansion> {
    Expander {
        escape,
        lookup,
        quotes: Quotes::Stay,
    }
    .expand(text)
}

/// The same without quotes and escapes: what an instruction makes of one of its words.
pub(crate) fn unquoted(
    text: &str,
    escape: char,
    lookup: &dyn Fn(&str) -> Option<String>,
) -> Result<String, InvalidExpansion> {
    Expander {
        escape,
        lookup,
        quotes: Quotes::Go,
    }
    .expand(text)
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Quotes {
    Stay,
    Go,
}

struct Expander<'a> {
    escape: char,
    lookup: &'a dyn Fn(&str) -> Option<String>,
    quotes: Quotes,
}

impl Expander<'_> {
    fn expand(&self, text: &str) -> Result<String, InvalidExpansion> {
        let mut out = String::with_capacity(text.len());
        let mut rest = text;
        let mut quote = None;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match c {
                _ if c == self.escape && quote != Some('\'') => {
                    let next = after.chars().next();
                    if self.keeps_escape(quote, next) {
                        out.push(c);
                    }
                    out.extend(next);
                    rest = &after[next.map_or(0, char::len_utf8)..];
                    continue;
                }
                '\'' | '"' if quote.is_none() => quote = Some(c),
                _ if quote == Some(c) => quote = None,
                '$' if quote != Some('\'') => {
                    rest = self.variable(after, &mut out)?;
                    continue;
                }
                _ => {
                    out.push(c);
                    rest = after;
                    continue;
                }
            }
            if self.quotes == Quotes::Stay {
                out.push(c);
            }
            rest = after;
        }
        Ok(out)
    }

    /// Within double quotes an escape character counts only before what means something there.
    fn keeps_escape(&self, quote: Option<char>, next: Option<char>) -> bool {
        let means_something = |c| c == self.escape || matches!(c, '"' | '$');
        self.quotes == Quotes::Stay || (quote == Some('"') && !next.is_some_and(means_something))
    }

    /// Replaces one variable, and gives what follows it.
    fn variable<'t>(&self, after: &'t str, out: &mut String) -> Result<&'t str, InvalidExpansion> {
        let Some(inner) = after.strip_prefix('{') else {
            let len = name(after);
            if len == 0 {
                out.push('$');
            } else {
                out.push_str(&(self.lookup)(&after[..len]).unwrap_or_default());
            }
            return Ok(&after[len..]);
        };
        let end = closing(inner, self.escape).ok_or(InvalidExpansion::Unclosed)?;
        let (inner, rest) = (&inner[..end], &inner[end + 1..]);
        let len = name(inner);
        let (name, modifier) = inner.split_at(len);
        let value = (self.lookup)(name);
        let word = |text: &str| self.expand(text);
        out.push_str(&modified(name, value, modifier, &word)?);
        Ok(rest)
    }
}

fn modified(
    name: &str,
    value: Option<String>,
    modifier: &str,
    word: &dyn Fn(&str) -> Result<String, InvalidExpansion>,
) -> Result<String, InvalidExpansion> {
    let (counts_empty, plain) = match modifier.strip_prefix(':') {
        Some(rest) => (true, rest),
        None => (false, modifier),
    };
    let is_set = value
        .as_ref()
        .is_some_and(|value| !counts_empty || !value.is_empty());
    let mut chars = plain.chars();
    let unsupported = || InvalidExpansion::Modifier(modifier.to_owned());
    let kind = chars.next();
    let rest = chars.as_str();
    Ok(match kind {
        None if !counts_empty => value.unwrap_or_default(),
        Some('-' | '?') if is_set => value.unwrap_or_default(),
        Some('+') if !is_set => String::new(),
        Some('-' | '+') => word(rest)?,
        Some('?') => {
            let message = word(rest)?;
            let message = if message.is_empty() {
                "parameter not set".to_owned()
            } else {
                message
            };
            let name = name.to_owned();
            return Err(InvalidExpansion::Required { name, message });
        }
        Some('#' | '%') if !counts_empty => trimmed(value.unwrap_or_default(), plain, word)?,
        Some('/') if !counts_empty => replaced(&value.unwrap_or_default(), plain, word)?,
        _ => return Err(unsupported()),
    })
}

/// `#`, `##`, `%` and `%%`: without the shortest or longest beginning or end that fits.
fn trimmed(
    value: String,
    modifier: &str,
    word: &dyn Fn(&str) -> Result<String, InvalidExpansion>,
) -> Result<String, InvalidExpansion> {
    let side = modifier.chars().next().unwrap_or('#');
    let longest = modifier[1..].starts_with(side);
    let pattern = word(&modifier[1 + usize::from(longest)..])?;
    let mut cuts: Vec<usize> = value
        .char_indices()
        .map(|(at, _)| at)
        .chain([value.len()])
        .collect();
    // The shortest first; of an end that is the last cut.
    if (side == '%') != longest {
        cuts.reverse();
    }
    let fits = |cut: &&usize| match side {
        '#' => crate::ignore::glob(&pattern, &value[..**cut]),
        _ => crate::ignore::glob(&pattern, &value[**cut..]),
    };
    let cut = cuts.iter().find(fits).copied();
    Ok(match cut {
        Some(cut) if side == '#' => value[cut..].to_owned(),
        Some(cut) => value[..cut].to_owned(),
        None => value,
    })
}

/// `/pattern/replacement`, once, or everywhere with two slashes.
fn replaced(
    value: &str,
    modifier: &str,
    word: &dyn Fn(&str) -> Result<String, InvalidExpansion>,
) -> Result<String, InvalidExpansion> {
    let everywhere = modifier[1..].starts_with('/');
    let inner = &modifier[1 + usize::from(everywhere)..];
    let (pattern, replacement) = inner
        .split_once('/')
        .ok_or_else(|| InvalidExpansion::Modifier(modifier.to_owned()))?;
    let (pattern, replacement) = (word(pattern)?, word(replacement)?);
    let (mut out, mut rest, mut done) = (String::new(), value, false);
    while let Some(c) = rest.chars().next() {
        let ends = rest.char_indices().map(|(at, _)| at).chain([rest.len()]);
        let mut ends: Vec<usize> = ends.skip(1).collect();
        ends.reverse();
        let found = ends
            .into_iter()
            .find(|end| crate::ignore::glob(&pattern, &rest[..*end]));
        if let Some(end) = found.filter(|_| everywhere || !done) {
            out.push_str(&replacement);
            rest = &rest[end..];
            done = true;
        } else {
            out.push(c);
            rest = &rest[c.len_utf8()..];
        }
    }
    Ok(out)
}

/// Bytes of the name at the beginning of a text.
fn name(text: &str) -> usize {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if text.starts_with(|c: char| c.is_ascii_digit()) {
        return 1;
    }
    text.find(|c| !is_name(c)).unwrap_or(text.len())
}

/// Where the brace that was opened before is closed.
fn closing(text: &str, escape: char) -> Option<usize> {
    let (mut depth, mut escaped) = (0, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            _ if c == escape => escaped = true,
            '{' => depth += 1,
            '}' if depth == 0 => return Some(at),
            '}' => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expanded(text: &str) -> String {
        let lookup = |name: &str| match name {
            "X" => Some("foo.tar.gz".to_owned()),
            "E" => Some(String::new()),
            _ => None,
        };
        expand(text, '\\', &lookup).unwrap_or_else(|error| format!("error: {error}"))
    }

    #[test]
    fn every_modifier_means_what_buildkit_means() {
        for (text, expected) in [
            ("a$X-b", "afoo.tar.gz-b"),
            ("${X}y$", "foo.tar.gzy$"),
            ("\\$X '$X' \"$X\"", "\\$X '$X' \"foo.tar.gz\""),
            ("${N}$N", ""),
            ("${N:-d} ${E:-d} ${E-d} ${X:-d}", "d d  foo.tar.gz"),
            ("${N:+d} ${E:+d} ${E+d} ${X:+d}", "  d d"),
            ("${N:-${X}}", "foo.tar.gz"),
            ("${N:?no}", "error: N: no"),
            ("${N?}", "error: N: parameter not set"),
            ("${X:?no}", "foo.tar.gz"),
            ("${X#*.} ${X##*.}", "tar.gz gz"),
            ("${X%.*} ${X%%.*}", "foo.tar foo"),
            ("${X#none}", "foo.tar.gz"),
            (
                "${X/o/0} ${X//o/0} ${X/t*z/zip}",
                "f0o.tar.gz f00.tar.gz foo.zip",
            ),
            ("${X", "error: syntax error: missing '}'"),
            ("${X^}", "error: unsupported modifier (^) in substitution"),
        ] {
            assert_eq!(expanded(text), expected, "{text}");
        }
    }

    #[test]
    fn an_unquoted_word_has_neither_quotes_nor_escapes() {
        let lookup = |name: &str| (name == "X").then(|| "a 'b'".to_owned());
        for (text, expected) in [
            ("'$X' \"$X\" $X", "$X a 'b' a 'b'"),
            ("a\\ b \\$X", "a b $X"),
            ("\"a\\b \\\" \\$X\"", "a\\b \" $X"),
            ("${X:+'y'}", "y"),
        ] {
            assert_eq!(unquoted(text, '\\', &lookup).unwrap(), expected, "{text}");
        }
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_stumble(text in "[$X{}:+?#%/*'\"\\\\a-cä ]{0,30}") {
            let _ = expanded(&text);
        }
    }
}
