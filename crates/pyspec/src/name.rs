//! The name of a project.

use std::fmt;
use std::str::FromStr;

use uv_normalize::PackageName;

use crate::text::serde_as_text;

/// A project's name in its normal form.
///
/// Any valid name is taken and normalised, as the
/// [specification](https://packaging.python.org/en/latest/specifications/name-normalization/)
/// says: "lowercased with all runs of the characters `.`, `-`, or `_` replaced with a single `-`".
/// Clones are cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ProjectName(PackageName);

/// The text is not the name of a project.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a project name: letters, digits, `-`, `_` and `.` only, a letter or digit at both ends"
)]
pub struct InvalidName(String);

/// Far above any real name; a filename has no more room either.
const MAX_LENGTH: usize = 255;

impl ProjectName {
    /// The normal form.
    pub fn as_str(&self) -> &str {
        self.0.as_str()
    }

    /// Whether the text is a valid name and already in its normal form.
    pub fn is_normal(text: &str) -> bool {
        is_valid(text)
            && !text.contains("--")
            && text
                .bytes()
                .all(|byte| byte == b'-' || byte.is_ascii_lowercase() || byte.is_ascii_digit())
    }

    pub(crate) fn inner(&self) -> &PackageName {
        &self.0
    }

    pub(crate) fn from_inner(name: PackageName) -> Self {
        Self(name)
    }
}

/// Whether the text is a valid name, in whatever spelling.
pub(crate) fn is_valid(text: &str) -> bool {
    let bytes = text.as_bytes();
    bytes.len() <= MAX_LENGTH
        && bytes.first().is_some_and(u8::is_ascii_alphanumeric)
        && bytes.last().is_some_and(u8::is_ascii_alphanumeric)
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.'))
}

impl FromStr for ProjectName {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        if !is_valid(text) {
            return Err(InvalidName(text.to_owned()));
        }
        PackageName::from_str(text)
            .map(Self)
            .map_err(|_| InvalidName(text.to_owned()))
    }
}

impl AsRef<str> for ProjectName {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for ProjectName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

serde_as_text!(ProjectName, "the name of a project");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_name_is_normalised() {
        for (text, normal) in [
            ("django", "django"),
            ("Django", "django"),
            ("zope.interface", "zope-interface"),
            ("friendly-._.-bard", "friendly-bard"),
            ("A", "a"),
            ("0", "0"),
        ] {
            assert_eq!(text.parse::<ProjectName>().unwrap().as_str(), normal);
            assert_eq!(ProjectName::is_normal(text), text == normal, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_name_is_refused() {
        let long = "a".repeat(256);
        for text in [
            "", "-", "a-", ".a", "a b", "a/b", "é", "a\0", "..", "a\n", &long,
        ] {
            assert!(text.parse::<ProjectName>().is_err(), "{text:?}");
            assert!(!ProjectName::is_normal(text), "{text:?}");
        }
    }

    #[test]
    fn a_name_is_deserialised_by_the_same_rules() {
        assert_eq!(
            serde_json::from_str::<ProjectName>(r#""Foo_Bar""#)
                .unwrap()
                .as_str(),
            "foo-bar"
        );
        insta::assert_snapshot!(
            serde_json::from_str::<ProjectName>(r#""no good""#).unwrap_err(),
            @"`no good` is not a project name: letters, digits, `-`, `_` and `.` only, a letter or digit at both ends at line 1 column 9"
        );
    }

    proptest! {
        #[test]
        fn a_normal_name_is_what_normalising_gives(text in "[-_.a-zA-Z0-9é ]{0,12}") {
            match text.parse::<ProjectName>() {
                Ok(name) => {
                    prop_assert_eq!(ProjectName::is_normal(&text), name.as_str() == text);
                    prop_assert!(ProjectName::is_normal(name.as_str()));
                    prop_assert_eq!(name.as_str().parse::<ProjectName>().unwrap(), name);
                }
                Err(_) => prop_assert!(!ProjectName::is_normal(&text)),
            }
        }
    }
}
