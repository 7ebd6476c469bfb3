//! The name of an index: `{user}/{index}`, as in devpi.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// An index's name, for example `root/pypi`.
///
/// Both halves are 1 to 64 characters of `A-Z a-z 0-9 . _ @ -` and start with a
/// letter, digit or underscore, so that they are one clean path segment each
/// and can never be mistaken for the `+…` routes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IndexName {
    whole: Arc<str>,
    slash: usize,
}

/// Why a text is not an index name.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not an index name: write it as `user/index`, each of letters, digits, `.`, `_`, `@`, `-`"
)]
pub struct InvalidIndexName {
    text: String,
}

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

fn is_segment(text: &str) -> bool {
    let mut bytes = text.bytes();
    text.len() <= 64
        && bytes
            .next()
            .is_some_and(|b| b.is_ascii_alphanumeric() || b == b'_')
        && bytes.all(|b| b.is_ascii_alphanumeric() || b"._@-".contains(&b))
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
        for bad in [
            "", "root", "root/", "/pypi", "a/b/c", "+api/x", "a/+f", "a/..", "a b/c",
        ] {
            assert!(bad.parse::<IndexName>().is_err(), "{bad}");
        }
    }
}
