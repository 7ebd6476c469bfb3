//! The version of a release.

use std::fmt;
use std::str::FromStr;

use crate::text::serde_as_text;

/// A version as the
/// [specification](https://packaging.python.org/en/latest/specifications/version-specifiers/)
/// defines it, ordered by its rules and shown in its normal form.
///
/// `1.0` and `1.0.0` are equal.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Version(uv_pep440::Version);

/// The text is not a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a version")]
pub struct InvalidVersion(String);

/// A filename has no more room.
const MAX_LENGTH: usize = 255;

impl Version {
    /// Whether installers pass over it unless told otherwise: a pre-release or a development release.
    pub fn is_prerelease(&self) -> bool {
        self.0.any_prerelease()
    }

    pub(crate) fn inner(&self) -> &uv_pep440::Version {
        &self.0
    }

    pub(crate) fn from_inner(version: uv_pep440::Version) -> Self {
        Self(version)
    }
}

impl FromStr for Version {
    type Err = InvalidVersion;

    fn from_str(text: &str) -> Result<Self, InvalidVersion> {
        if text.len() > MAX_LENGTH {
            return Err(InvalidVersion(text.to_owned()));
        }
        uv_pep440::Version::from_str(text)
            .map(Self)
            .map_err(|_| InvalidVersion(text.to_owned()))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

serde_as_text!(Version, "a version");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_version_is_shown_in_its_normal_form() {
        for (text, normal) in [
            ("1.0", "1.0"),
            ("v1.0-ALPHA.1", "1.0a1"),
            ("1.0-1", "1.0.post1"),
            ("2.9.0+cu128", "2.9.0+cu128"),
            ("1!2.0.dev3", "1!2.0.dev3"),
            ("1.0+Ubuntu_1", "1.0+ubuntu.1"),
        ] {
            assert_eq!(text.parse::<Version>().unwrap().to_string(), normal);
        }
    }

    #[test]
    fn a_prerelease_is_told_from_a_release() {
        for (text, is_prerelease) in [
            ("1.0", false),
            ("1.0.post1", false),
            ("1.0+local", false),
            ("1.0rc1", true),
            ("1.0.dev1", true),
            ("1.0.post1.dev1", true),
        ] {
            let version: Version = text.parse().unwrap();
            assert_eq!(version.is_prerelease(), is_prerelease, "{text}");
        }
    }

    #[test]
    fn what_is_not_a_version_is_refused() {
        for text in ["", "one", "1.0-gamma", "1..0", "1.0+", "2004d", "1.0/2"] {
            assert!(text.parse::<Version>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn versions_have_the_order_of_the_specification() {
        let ordered = [
            "1.0.dev1",
            "1.0a1",
            "1.0rc1",
            "1.0",
            "1.0+local",
            "1.0.post1",
            "1.10",
            "1!0.1",
        ];
        let versions: Vec<Version> = ordered.iter().map(|text| text.parse().unwrap()).collect();
        assert!(versions.is_sorted_by(|left, right| left < right));
        assert_eq!(
            "1.0".parse::<Version>().unwrap(),
            "1.0.0".parse::<Version>().unwrap()
        );
    }

    proptest! {
        #[test]
        fn any_text_is_a_version_or_an_error(text in ".{0,40}|[0-9a-z.!+_-]{0,40}") {
            if let Ok(version) = text.parse::<Version>() {
                prop_assert_eq!(version.to_string().parse::<Version>().unwrap(), version);
            }
        }
    }
}
