//! The page model: one project of an index, whatever it was written in.
//!
//! The types are plain data, made to be built by hand as well. Their serde form
//! is how a page is stored; what goes to clients is written by
//! [`render`](crate::render).

use std::collections::HashSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::filename::Filename;
use crate::hashes::Hashes;
use crate::name::ProjectName;
use crate::upload_time::UploadTime;
use crate::version::Version;

/// One project of an index, as the
/// [Simple repository API](https://packaging.python.org/en/latest/specifications/simple-repository-api/) lists it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ProjectPage {
    /// Which project.
    pub name: ProjectName,
    /// Whether the project is alive (PEP 792).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ProjectStatus>,
    /// The versions, in upstream's spelling and order, or derived from the filenames.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub versions: Vec<String>,
    /// The files, in upstream's order.
    pub files: Vec<PageFile>,
    /// The pages that this one extends (PEP 708).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tracks: Vec<String>,
    /// Other places of the same project (PEP 708).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alternate_locations: Vec<String>,
    /// The serial of the project's last change, where upstream counts them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_serial: Option<u64>,
}

/// Whether a project is alive ([PEP 792](https://peps.python.org/pep-0792/)).
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct ProjectStatus {
    /// `active`, `archived`, `quarantined`, `deprecated` or a word of tomorrow.
    pub status: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// One file of a project.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageFile {
    /// Its name.
    pub filename: Filename,
    /// Where upstream has it: absolute, `http` or `https`, without fragment.
    pub url: String,
    /// Its hashes, exactly those that upstream states.
    #[serde(default, skip_serializing_if = "Hashes::is_empty")]
    pub hashes: Hashes,
    /// Its length in bytes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub size: Option<u64>,
    /// When it was uploaded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upload_time: Option<UploadTime>,
    /// `Requires-Python`, as upstream states it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requires_python: Option<String>,
    /// Whether the file is yanked (PEP 592).
    #[serde(default, skip_serializing_if = "Yanked::is_no")]
    pub yanked: Yanked,
    /// Whether `{url}.metadata` exists (PEP 658, PEP 714).
    #[serde(default, skip_serializing_if = "CoreMetadata::is_absent")]
    pub core_metadata: CoreMetadata,
    /// Where the file's attestations are (PEP 740): absolute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provenance: Option<String>,
    /// Whether `{url}.asc` exists, if upstream says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub gpg_sig: Option<bool>,
}

/// Whether a file is yanked ([PEP 592](https://peps.python.org/pep-0592/)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Yanked {
    /// It is not.
    #[default]
    No,
    /// It is, with or without a reason; a reason is not empty.
    Yes(Option<String>),
}

impl Yanked {
    /// Whether the file is not yanked.
    pub fn is_no(&self) -> bool {
        matches!(self, Self::No)
    }

    /// Yanked, for this reason; an empty one is none.
    pub(crate) fn because(reason: &str) -> Self {
        Self::Yes((!reason.is_empty()).then(|| reason.to_owned()))
    }
}

/// Whether the file's metadata can be had by itself
/// ([PEP 658](https://peps.python.org/pep-0658/), [PEP 714](https://peps.python.org/pep-0714/)).
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CoreMetadata {
    /// It cannot.
    #[default]
    Absent,
    /// It can, and has these hashes, maybe none.
    Present(Hashes),
}

impl CoreMetadata {
    /// Whether it cannot be had.
    pub fn is_absent(&self) -> bool {
        matches!(self, Self::Absent)
    }
}

/// What was read, and what had to be left out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parsed<T> {
    /// The good part.
    pub value: T,
    /// The bad links or files.
    pub dropped: Vec<Dropped>,
}

/// A link or file that was left out of a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dropped {
    /// Its filename or link, as far as it could be read, cut to a readable length.
    pub what: String,
    /// One reason.
    pub why: String,
}

impl Dropped {
    pub(crate) fn new(what: &str, why: &(impl fmt::Display + ?Sized)) -> Self {
        const READABLE: usize = 200;
        let mut what: String = what
            .chars()
            .take(READABLE)
            .map(|c| if c.is_control() { '\u{fffd}' } else { c })
            .collect();
        if what.is_empty() {
            "(empty)".clone_into(&mut what);
        }
        Self {
            what,
            why: why.to_string(),
        }
    }
}

impl PageFile {
    /// A file that is known by its name and place only.
    pub fn new(filename: Filename, url: impl Into<String>) -> Self {
        Self {
            filename,
            url: url.into(),
            hashes: Hashes::default(),
            size: None,
            upload_time: None,
            requires_python: None,
            yanked: Yanked::No,
            core_metadata: CoreMetadata::Absent,
            provenance: None,
            gpg_sig: None,
        }
    }
}

impl ProjectPage {
    /// A page without files.
    pub fn new(name: ProjectName) -> Self {
        Self {
            name,
            status: None,
            versions: Vec::new(),
            files: Vec::new(),
            tracks: Vec::new(),
            alternate_locations: Vec::new(),
            last_serial: None,
        }
    }

    /// Sets `versions` to those of the files: each once, normal form, in the order of versions.
    pub fn derive_versions(&mut self) {
        let mut seen = HashSet::new();
        let mut versions: Vec<Version> = Vec::new();
        let mut last_release = None;
        for file in &self.files {
            // Files of one release stand together, so most need no second look.
            let release = file.filename.wheel_release();
            if release.is_some() && release == last_release {
                continue;
            }
            if let Some(version) = file.filename.version_of(&self.name) {
                versions.push(version);
                last_release = release;
            }
        }
        versions.retain(|version| seen.insert(version.clone()));
        versions.sort_unstable();
        self.versions = versions.iter().map(Version::to_string).collect();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_derived_once_each_in_their_order() {
        let mut page = ProjectPage::new("foo".parse().unwrap());
        for name in [
            "foo-1.10-py3-none-any.whl",
            "foo-1.9.tar.gz",
            "foo-1.10.tar.gz",
            "foo-1.10.0.zip",
            "foo-1.2-py2.7.egg",
            "foo-2.0rc1.tar.gz",
            "bar-3.0.tar.gz",
            "foo-latest.tar.gz",
        ] {
            page.files.push(PageFile::new(
                name.parse().unwrap(),
                format!("https://h.example/{name}"),
            ));
        }
        page.derive_versions();
        assert_eq!(page.versions, ["1.2", "1.9", "1.10", "2.0rc1"]);
    }

    #[test]
    fn what_is_dropped_stays_readable() {
        let dropped = Dropped::new(&"é\n".repeat(500), "because");
        assert_eq!(dropped.what.chars().count(), 200);
        assert!(!dropped.what.contains('\n'));
        assert_eq!(Dropped::new("", "because").what, "(empty)");
    }
}
