//! The name of an index: `{user}/{index}`, as in devpi.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An index's name, for example `root/pypi`.
///
/// Both halves follow devpi's rule: letters and digits of any script and, of the
/// ASCII symbols, `-`, `.`, `_` and `@`. So each is one clean path segment and
/// can never be mistaken for the `+…` routes. Names are compared as they are
/// once a path is percent-decoded.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexName {
    whole: Arc<str>,
    slash: usize,
}

/// Why a text is not an index name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an index name: write it as `user/index`, with no space and no symbol but `-`, `.`, `_`, `@`"
)]
pub struct InvalidIndexName {
    text: String,
}

/// What fits into one name of a file on every disk, and on one line.
const LONGEST: usize = 200;

impl IndexName {
    /// The half before the slash.
    pub fn user(&self) -> &str {
        &self.whole[..self.slash]
    }

    /// The half after the slash.
    pub fn index(&self) -> &str {
        &self.whole[self.slash + 1..]
    }

    /// Both, as `user/index`.
    pub fn as_str(&self) -> &str {
        &self.whole
    }
}

impl FromStr for IndexName {
    type Err = InvalidIndexName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        match text.split_once('/') {
            Some((user, index)) if is_segment(user) && is_segment(index) => Ok(Self {
                whole: text.into(),
                slash: user.len(),
            }),
            _ => Err(InvalidIndexName {
                text: text.chars().take(140).collect(),
            }),
        }
    }
}

/// Whether a text may be the name of a user, or of an index within its user.
pub(crate) fn is_segment(text: &str) -> bool {
    let allowed = |c: char| {
        if c.is_ascii() {
            c.is_ascii_alphanumeric() || "-._@".contains(c)
        } else {
            !c.is_control() && !c.is_whitespace()
        }
    };
    // A client would take `.` and `..` out of a path.
    !matches!(text, "" | "." | "..") && text.len() <= LONGEST && text.chars().all(allowed)
}

impl fmt::Display for IndexName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.whole)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_name_has_two_clean_halves() {
        let name: IndexName = "root/pypi".parse().unwrap();
        assert_eq!((name.user(), name.index()), ("root", "pypi"));
        for good in [
            "a.b@c.example/dev-1_x",
            "-/_",
            "müller/größe",
            "用户/索引",
            "…/a",
        ] {
            assert_eq!(good.parse::<IndexName>().unwrap().as_str(), good);
        }
        let long = format!("a/{}", "b".repeat(LONGEST + 1));
        for bad in [
            "",
            "root",
            "root/",
            "/pypi",
            "a/b/c",
            "+api/x",
            "a/+f",
            "a/..",
            "./b",
            "a b/c",
            "a/b\u{a0}c",
            "a/b\u{2028}",
            "a/\0",
            "a/b\u{85}",
            &long,
        ] {
            assert!(bad.parse::<IndexName>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn every_other_symbol_of_ascii_is_refused() {
        let allowed: String = (0..128_u8)
            .map(char::from)
            .filter(|c| format!("a/x{c}").parse::<IndexName>().is_ok())
            .filter(|c| !c.is_ascii_alphanumeric())
            .collect();
        assert_eq!(allowed, "-.@_");
    }
}
