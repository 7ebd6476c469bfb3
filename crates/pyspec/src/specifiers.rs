//! Which versions a requirement takes.

use std::fmt;
use std::str::FromStr;

use crate::version::Version;

/// Conditions on a version, as the
/// [specification](https://packaging.python.org/en/latest/specifications/version-specifiers/)
/// has them: `>=1.0,<2`. None at all take every version.
#[derive(Clone, PartialEq, Eq)]
pub struct Specifiers(uv_pep440::VersionSpecifiers);

/// The text is no list of conditions on a version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no condition on a version")]
pub struct InvalidSpecifiers(String);

impl Specifiers {
    /// Whether a version meets all of them.
    pub fn take(&self, version: &Version) -> bool {
        self.0.contains(version.inner())
    }

    /// The one version that they leave: there is one condition, `==` and no wildcard in it.
    pub fn pinned(&self) -> Option<Version> {
        let mut all = self.0.iter();
        let only = all.next().filter(|_| all.next().is_none())?;
        let is_exact = matches!(
            only.operator(),
            uv_pep440::Operator::Equal | uv_pep440::Operator::ExactEqual
        );
        is_exact.then(|| Version::from_inner(only.version().clone()))
    }
}

impl FromStr for Specifiers {
    type Err = InvalidSpecifiers;

    fn from_str(text: &str) -> Result<Self, InvalidSpecifiers> {
        uv_pep440::VersionSpecifiers::from_str(text)
            .map(Self)
            .map_err(|_| InvalidSpecifiers(text.to_owned()))
    }
}

impl fmt::Display for Specifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl fmt::Debug for Specifiers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conditions_take_the_versions_that_meet_them_and_one_may_be_pinned() {
        for (text, version, takes, pinned) in [
            ("", "1.0", true, None),
            (">=1.0,<2", "1.5", true, None),
            (">=1.0,<2", "2.0", false, None),
            ("==1.5", "1.5.0", true, Some("1.5")),
            ("===1.5", "1.5", true, Some("1.5")),
            ("==1.*", "1.5", true, None),
            ("==1.5,!=1.6", "1.5", true, None),
            ("~=1.4.2", "1.5", false, None),
        ] {
            let specifiers: Specifiers = text.parse().unwrap();
            assert_eq!(
                specifiers.take(&version.parse().unwrap()),
                takes,
                "{text} {version}"
            );
            let only = specifiers.pinned().map(|version| version.to_string());
            assert_eq!(only.as_deref(), pinned, "{text}");
        }
        assert!("1.0".parse::<Specifiers>().is_err());
    }
}
