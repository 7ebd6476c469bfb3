//! The name of a file, and what it says about the file.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use uv_distribution_filename::{
    DistFilename, SourceDistExtension, SourceDistFilename, WheelFilename,
};

use crate::name::{self, ProjectName};
use crate::text::serde_as_text;
use crate::version::Version;

/// The name of a file: one path component that is safe on any disk and in any log.
///
/// Any such name is taken, for a mirror passes on what it cannot read. What the
/// name *means* is asked for with [`kind`](Self::kind), [`version_of`](Self::version_of)
/// and their like. Clones are cheap.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Filename(Arc<str>);

/// The text is not a safe filename.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{}` is not a filename: {why}", .text.escape_debug())]
pub struct InvalidFilename {
    text: String,
    why: &'static str,
}

/// What a file is, by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum FileKind {
    /// A built distribution that installers install.
    Wheel,
    /// A source distribution.
    Sdist,
    /// Anything else: eggs, installers for Windows, packages of distributions, signatures.
    Other,
}

/// What file systems take.
const MAX_LENGTH: usize = 255;

/// Endings of files that are neither wheel nor sdist and yet belong on an index.
const OTHER_ENDINGS: [&str; 8] = [
    ".egg",
    ".exe",
    ".msi",
    ".rpm",
    ".deb",
    ".dmg",
    ".tar.Z",
    "-variants.json",
];

/// More projects than this no real file's name leaves open.
const MOST_CANDIDATES: usize = 4;

impl Filename {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// What the file is.
    pub fn kind(&self) -> FileKind {
        if self.0.ends_with(".whl") {
            FileKind::Wheel
        } else if SourceDistExtension::from_path(self.as_str()).is_ok() {
            FileKind::Sdist
        } else {
            FileKind::Other
        }
    }

    /// The project and version, where the name tells them.
    ///
    /// The name of an sdist can be read in several ways; this is the likeliest,
    /// see [`candidates`](Self::candidates).
    pub fn project_and_version(&self) -> Option<(ProjectName, Version)> {
        let (name, version) = match self.kind() {
            FileKind::Wheel => {
                let wheel = WheelFilename::from_str(self.as_str()).ok()?;
                (wheel.name, wheel.version)
            }
            FileKind::Sdist => {
                let sdist = SourceDistFilename::parsed_normalized_filename(self.as_str()).ok()?;
                (sdist.name, sdist.version)
            }
            FileKind::Other => {
                return self.candidates().into_iter().find_map(|name| {
                    let version = self.version_of(&name)?;
                    Some((name, version))
                });
            }
        };
        Some((ProjectName::from_inner(name), Version::from_inner(version)))
    }

    /// The version, if this is a file of `project`.
    pub fn version_of(&self, project: &ProjectName) -> Option<Version> {
        if let Some(read) = DistFilename::try_from_filename(self.as_str(), project.inner()) {
            let is_its = read.name() == project.inner();
            return is_its.then(|| Version::from_inner(read.into_version()));
        }
        match self.kind() {
            FileKind::Wheel => None,
            // With a name that is spelled `foo--bar`.
            FileKind::Sdist => after_project(self.stem(), project.as_str())?.parse().ok(),
            FileKind::Other => legacy_version(after_project(self.stem(), project.as_str())?),
        }
    }

    /// The part of a wheel's name that all wheels of its release share.
    pub(crate) fn wheel_release(&self) -> Option<&str> {
        let stem = self.0.strip_suffix(".whl")?;
        let (at, _) = stem.match_indices('-').nth(1)?;
        Some(&stem[..at])
    }

    /// Every project that the file may belong to, the likeliest first.
    ///
    /// `a-1-1.tar.gz` is release `1` of `a-1` or release `1-1` of `a`. Each may cost a
    /// question upstream, so of the many that a long name has only the likeliest are given.
    pub fn candidates(&self) -> Vec<ProjectName> {
        let mut splits: Vec<(Likelihood, ProjectName)> = splits(self.stem())
            .filter_map(|(left, right)| Some((self.likelihood(right), left.parse().ok()?)))
            .collect();
        if self.kind() == FileKind::Wheel {
            // The name of a wheel has no hyphen in its first part.
            splits.truncate(1);
        }
        // Stable: among equals the longest name stays first.
        splits.reverse();
        splits.sort_by_key(|(likelihood, _)| *likelihood);
        let mut names: Vec<ProjectName> = Vec::with_capacity(splits.len());
        for (_, name) in splits {
            if names.len() == MOST_CANDIDATES {
                break;
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
        names
    }

    /// Whether the ending is one that an index lists.
    pub(crate) fn is_distribution(&self) -> bool {
        self.kind() != FileKind::Other
            || OTHER_ENDINGS.iter().any(|ending| self.0.ends_with(ending))
    }

    /// The name without its ending.
    fn stem(&self) -> &str {
        let name = self.as_str();
        if let Some(stem) = OTHER_ENDINGS
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
        {
            return stem;
        }
        let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
        stem.strip_suffix(".tar").unwrap_or(stem)
    }

    fn likelihood(&self, right: &str) -> Likelihood {
        let is_version = match self.kind() {
            FileKind::Other => legacy_version(right).is_some(),
            FileKind::Wheel => true,
            FileKind::Sdist => right.parse::<Version>().is_ok(),
        };
        if is_version {
            Likelihood::Version
        } else if right.starts_with(|c: char| c.is_ascii_digit()) {
            Likelihood::Digit
        } else {
            Likelihood::Anything
        }
    }
}

/// What stands to the right of a split, the likeliest to be a version first.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Likelihood {
    Version,
    Digit,
    Anything,
}

/// Every way to part a text at a hyphen, from the left.
fn splits(stem: &str) -> impl Iterator<Item = (&str, &str)> {
    stem.match_indices('-')
        .map(|(at, _)| (&stem[..at], &stem[at + 1..]))
}

/// What follows the project's name and a hyphen, where the name may be spelled in any way.
fn after_project<'a>(stem: &'a str, project: &str) -> Option<&'a str> {
    splits(stem).find_map(|(left, right)| {
        (name::is_valid(left) && left.parse::<ProjectName>().ok()?.as_str() == project)
            .then_some(right)
    })
}

/// The version at the start of what older tools put behind the project's name:
/// `1.0-py2.7`, `1.0.win32-py2.7`, `1.0-1.noarch`.
fn legacy_version(rest: &str) -> Option<Version> {
    let token = rest.split('-').next()?;
    let token = [".win", ".linux", ".macosx"]
        .iter()
        .find_map(|mark| Some(token.split_once(mark)?.0))
        .unwrap_or(token);
    token.parse().ok()
}

impl FromStr for Filename {
    type Err = InvalidFilename;

    fn from_str(text: &str) -> Result<Self, InvalidFilename> {
        match fault(text) {
            None => Ok(Self(text.into())),
            Some(why) => {
                let text = text.chars().take(MAX_LENGTH).collect();
                Err(InvalidFilename { text, why })
            }
        }
    }
}

fn fault(text: &str) -> Option<&'static str> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~') && byte != b'/' && byte != b'\\';
    if text.is_empty() {
        Some("it is empty")
    } else if text.len() > MAX_LENGTH {
        Some("it is longer than 255 bytes")
    } else if text == "." || text == ".." {
        Some("it names a folder")
    } else if text.bytes().all(is_plain) {
        None
    } else if text.contains(['/', '\\']) {
        Some("it has a slash")
    } else if text.chars().any(char::is_control) {
        Some("it has a control character")
    } else {
        None
    }
}

impl AsRef<str> for Filename {
    fn as_ref(&self) -> &str {
        self.as_str()
    }
}

impl fmt::Display for Filename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Filename {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{self}`")
    }
}

serde_as_text!(Filename, "a filename");

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn filename(text: &str) -> Filename {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_tells_kind_project_and_version() {
        use FileKind::{Other, Sdist, Wheel};
        for (name, kind, read) in [
            (
                "foo_bar-1.0-py3-none-any.whl",
                Wheel,
                Some(("foo-bar", "1.0")),
            ),
            (
                "torch-2.9.0+cu128-cp312-cp312-manylinux_2_28_x86_64.whl",
                Wheel,
                Some(("torch", "2.9.0+cu128")),
            ),
            (
                "foo-1.0-1-py2.py3-none-any.whl",
                Wheel,
                Some(("foo", "1.0")),
            ),
            ("foo-1.0.whl", Wheel, None),
            ("foo-one-py3-none-any.whl", Wheel, None),
            ("foo_bar-1.0.tar.gz", Sdist, Some(("foo-bar", "1.0"))),
            (
                "python-dateutil-2.8.2.tar.gz",
                Sdist,
                Some(("python-dateutil", "2.8.2")),
            ),
            ("a-1-1.zip", Sdist, Some(("a-1", "1"))),
            ("foo-1.0.tgz", Sdist, Some(("foo", "1.0"))),
            ("foo-1.0.linux-x86_64.tar.gz", Sdist, None),
            ("pytz-2004d.tar.bz2", Sdist, None),
            ("foo-1.0-py2.7.egg", Other, Some(("foo", "1.0"))),
            ("foo-1.0.win32-py2.7.exe", Other, Some(("foo", "1.0"))),
            ("foo-bar-1.0.win-amd64.msi", Other, Some(("foo-bar", "1.0"))),
            ("foo-1.0-1.noarch.rpm", Other, Some(("foo", "1.0"))),
            ("foo_bar-1.0-variants.json", Other, Some(("foo-bar", "1.0"))),
            ("foo.gz", Other, None),
            ("foo", Other, None),
            ("FOO.WHL", Other, None),
        ] {
            let filename = filename(name);
            assert_eq!(filename.kind(), kind, "{name}");
            let found = filename
                .project_and_version()
                .map(|(name, version)| (name.to_string(), version.to_string()));
            assert_eq!(
                found,
                read.map(|(name, version)| (name.to_owned(), version.to_owned())),
                "{name}"
            );
        }
    }

    #[test]
    fn the_version_is_read_with_the_project_in_mind() {
        for (name, project, version) in [
            ("a-1-1.tar.gz", "a", Some("1.post1")),
            ("a-1-1.tar.gz", "a-1", Some("1")),
            ("a-1-1.tar.gz", "b", None),
            ("a-1.tar-1..g1-1.tar.gz", "a-1-tar-1-g1", Some("1")),
            ("Foo.Bar-1.0.zip", "foo-bar", Some("1.0")),
            ("foo_bar-1.0-py3-none-any.whl", "foo-bar", Some("1.0")),
            ("foo_bar-1.0-py3-none-any.whl", "foo", None),
            ("foo_bar-1.0-py2.7.egg", "foo-bar", Some("1.0")),
            ("foo-bar-1.0.win32.exe", "foo", None),
            ("foo-bar-1.0.win32.exe", "foo-bar", Some("1.0")),
            ("foo", "foo", None),
        ] {
            let found = filename(name).version_of(&project.parse().unwrap());
            assert_eq!(
                found.map(|version| version.to_string()).as_deref(),
                version,
                "{name} of {project}"
            );
        }
    }

    #[test]
    fn candidates_come_likeliest_first() {
        for (name, projects) in [
            ("foo_bar-1.0-py3-none-any.whl", &["foo-bar"][..]),
            ("foo_bar-1.0.tar.gz", &["foo-bar"]),
            ("a-1-1.tar.gz", &["a-1", "a"]),
            ("foo-bar-2004d.tar.gz", &["foo-bar", "foo"]),
            ("foo-bar-latest.tar.gz", &["foo-bar", "foo"]),
            ("foo-2-latest.tar.gz", &["foo", "foo-2"]),
            ("foo-1.0.win32-py2.7.exe", &["foo", "foo-1-0-win32"]),
            ("foo.tar.gz", &[]),
            ("-1.0.tar.gz", &[]),
        ] {
            let found = filename(name).candidates();
            assert_eq!(
                found.iter().map(ProjectName::as_str).collect::<Vec<_>>(),
                projects,
                "{name}"
            );
        }
    }

    #[test]
    fn only_one_safe_path_component_is_a_filename() {
        let long = "a".repeat(256);
        for text in [
            "", ".", "..", "a/b", "a\\b", "a\0", "a\nb", "a\u{85}", &long,
        ] {
            assert!(text.parse::<Filename>().is_err(), "{text:?}");
        }
        for text in ["a", "...", "a b", "é.whl", ".hidden", &long[1..]] {
            assert_eq!(filename(text).as_str(), text);
        }
        insta::assert_snapshot!("a\n/b".parse::<Filename>().unwrap_err(), @r"`a\n/b` is not a filename: it has a slash");
    }

    #[test]
    fn an_index_lists_distributions() {
        for (name, listed) in [
            ("a-1.whl", true),
            ("a-1.tar.gz", true),
            ("a-1.egg", true),
            ("a-1.0-variants.json", true),
            ("a-1.whl.metadata", false),
            ("a-1.tar.gz.asc", false),
            ("index.html", false),
        ] {
            assert_eq!(filename(name).is_distribution(), listed, "{name}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_a_filename_or_an_error(text in r"\PC{0,40}|[-a-c1-3._+]{0,20}(\.whl|\.tar\.gz|\.zip|\.egg|\.exe|-py3-none-any\.whl|\.tar|)") {
            if let Ok(filename) = text.parse::<Filename>() {
                prop_assert_eq!(filename.as_str(), &text);
                let candidates = filename.candidates();
                if let Some((name, version)) = filename.project_and_version() {
                    prop_assert_eq!(candidates.first(), Some(&name));
                    prop_assert_eq!(filename.version_of(&name), Some(version));
                }
            }
        }
    }
}
