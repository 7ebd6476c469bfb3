//! Distributions built in memory: valid wheels and sdists of a few hundred
//! bytes, or of any size when a test needs many.
//!
//! The same description always gives the same bytes, so digests in snapshots
//! hold and two upstreams can serve one file.

mod archive;
mod sparse;

use std::fmt::Write as _;

use bytes::Bytes;
use md5::Md5;
use sha2::{Digest as _, Sha256, Sha512};

use crate::content::Content;

/// A file of a project, before it is built.
#[derive(Debug, Clone)]
pub struct Dist {
    pub(crate) kind: Kind,
    pub(crate) version: String,
    pub(crate) requires_python: Option<String>,
    pub(crate) requires: Vec<String>,
    pub(crate) yanked: Yank,
    pub(crate) padding: usize,
    pub(crate) upload_time: Option<String>,
    pub(crate) metadata: Metadata,
    pub(crate) wrong_digest: bool,
    pub(crate) wrong_metadata_digest: bool,
    pub(crate) provenance: bool,
    claims: Option<String>,
    /// Where it lies, if its content does not say so.
    folder: Option<&'static str>,
}

/// What sort of archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{name}-{version}-py3-none-any.whl`.
    Wheel,
    /// `{name}-{version}.tar.gz`, which builds itself without any other project.
    Sdist,
}

/// Whether a file is withdrawn.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Yank {
    /// It is not.
    No,
    /// It is, and nobody said why.
    Silent,
    /// It is, for this reason.
    Because(String),
}

/// How a wheel's METADATA can be had.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Metadata {
    /// The page advertises it and upstream answers for it.
    Advertised,
    /// It is in the wheel only.
    InWheel,
    /// The wheel has none at all, which makes it invalid.
    Missing,
}

impl Dist {
    /// A pure-Python wheel of this version.
    pub fn wheel(version: &str) -> Self {
        Self::new(Kind::Wheel, version)
    }

    /// A source distribution of this version.
    pub fn sdist(version: &str) -> Self {
        Self::new(Kind::Sdist, version)
    }

    fn new(kind: Kind, version: &str) -> Self {
        Self {
            kind,
            version: version.to_owned(),
            requires_python: None,
            requires: Vec::new(),
            yanked: Yank::No,
            padding: 0,
            upload_time: Some("2024-01-02T03:04:05.678901Z".to_owned()),
            metadata: Metadata::Advertised,
            wrong_digest: false,
            wrong_metadata_digest: false,
            provenance: false,
            claims: None,
            folder: None,
        }
    }

    /// Adds a dependency, as `Requires-Dist` has it.
    #[must_use]
    pub fn requires(mut self, requirement: &str) -> Self {
        self.requires.push(requirement.to_owned());
        self
    }

    /// Sets `Requires-Python`, in the metadata and on the page.
    #[must_use]
    pub fn requires_python(mut self, specifier: &str) -> Self {
        self.requires_python = Some(specifier.to_owned());
        self
    }

    /// Withdraws the file, with a reason unless it is empty.
    #[must_use]
    pub fn yanked(mut self, reason: &str) -> Self {
        self.yanked = if reason.is_empty() {
            Yank::Silent
        } else {
            Yank::Because(reason.to_owned())
        };
        self
    }

    /// Adds this many bytes that no compression makes smaller.
    #[must_use]
    pub fn padding(mut self, bytes: usize) -> Self {
        self.padding = bytes;
        self
    }

    /// Sets the time that the page gives, or none.
    #[must_use]
    pub fn uploaded(mut self, at: Option<&str>) -> Self {
        self.upload_time = at.map(str::to_owned);
        self
    }

    /// Sets where the metadata can be found.
    #[must_use]
    pub fn metadata(mut self, metadata: Metadata) -> Self {
        self.metadata = metadata;
        self
    }

    /// Makes the page promise a digest that the file does not have.
    #[must_use]
    pub fn wrong_digest(mut self) -> Self {
        self.wrong_digest = true;
        self
    }

    /// Makes the page promise a digest that the metadata file does not have.
    #[must_use]
    pub fn wrong_metadata_digest(mut self) -> Self {
        self.wrong_metadata_digest = true;
        self
    }

    /// Gives the file a provenance document.
    #[must_use]
    pub fn provenance(mut self) -> Self {
        self.provenance = true;
        self
    }

    /// Gives another version in the metadata than in the filename, which makes it invalid.
    #[must_use]
    pub fn claims(mut self, version: &str) -> Self {
        self.claims = Some(version.to_owned());
        self
    }

    /// Serves the file where other content of this name would be too, as nightly indexes do.
    #[must_use]
    pub fn in_place(mut self) -> Self {
        self.folder = Some("nightly");
        self
    }

    pub(crate) fn version(&self) -> &str {
        &self.version
    }

    /// The file's name and its bytes.
    pub fn file(&self, project: &str) -> (String, Content) {
        let built = self.build(project);
        (built.filename, built.content.into())
    }

    /// The text of METADATA or PKG-INFO.
    pub(crate) fn metadata_text(&self, project: &str) -> String {
        let mut text = format!(
            "Metadata-Version: 2.1\nName: {project}\nVersion: {}\nSummary: made up for a test\n",
            self.claims.as_ref().unwrap_or(&self.version)
        );
        if let Some(specifier) = &self.requires_python {
            let _ = writeln!(text, "Requires-Python: {specifier}");
        }
        for requirement in &self.requires {
            let _ = writeln!(text, "Requires-Dist: {requirement}");
        }
        text
    }

    pub(crate) fn build(&self, project: &str) -> Built {
        let stem = format!("{}-{}", module(project), self.version);
        let (filename, content) = match self.kind {
            Kind::Wheel => (
                format!("{stem}-py3-none-any.whl"),
                archive::wheel(project, self),
            ),
            Kind::Sdist => (format!("{stem}.tar.gz"), archive::sdist(project, self)),
        };
        Built {
            path: match self.folder {
                Some(folder) => format!("/{folder}/{filename}"),
                None => path(&filename, &content),
            },
            filename,
            metadata: (self.kind == Kind::Wheel && self.metadata != Metadata::Missing)
                .then(|| Bytes::from(self.metadata_text(project))),
            content: Bytes::from(content),
        }
    }
}

/// The build backend of an sdist or a source tree, which needs no other project.
pub(crate) fn backend(project: &str, dist: &Dist) -> String {
    archive::backend(project, dist)
}

pub(crate) use sparse::wheel as sparse_wheel;

/// A zip of documentation.
pub(crate) fn docs(files: &[(&str, &str)]) -> Vec<u8> {
    archive::zip(
        &files
            .iter()
            .map(|(name, text)| ((*name).to_owned(), text.as_bytes().to_vec()))
            .collect::<Vec<_>>(),
    )
}

/// A distribution's bytes and where they are served.
#[derive(Debug, Clone)]
pub(crate) struct Built {
    pub(crate) filename: String,
    /// Below the host, beginning with a slash, as PyPI lays its files out.
    pub(crate) path: String,
    pub(crate) content: Bytes,
    pub(crate) metadata: Option<Bytes>,
}

/// The import name, which is also the first part of every filename.
pub(crate) fn module(project: &str) -> String {
    project.to_ascii_lowercase().replace(['-', '.'], "_")
}

/// SHA-256 in lower hex.
pub(crate) fn sha256(bytes: &[u8]) -> String {
    hex::encode(Sha256::digest(bytes))
}

/// SHA-512 in lower hex.
pub(crate) fn sha512(bytes: &[u8]) -> String {
    hex::encode(Sha512::digest(bytes))
}

/// MD5 in lower hex, for the indexes that have nothing better.
pub(crate) fn md5(bytes: &[u8]) -> String {
    hex::encode(Md5::digest(bytes))
}

/// `/packages/ab/cd/{60 hex}/{filename}`, from a digest of name and content.
fn path(filename: &str, content: &[u8]) -> String {
    let mut hasher = Sha256::new();
    hasher.update(filename);
    hasher.update(content);
    let hex = hex::encode(hasher.finalize());
    format!(
        "/packages/{}/{}/{}/{filename}",
        &hex[..2],
        &hex[2..4],
        &hex[4..]
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_description_gives_the_same_bytes() {
        let wheel = Dist::wheel("1.0").padding(100_000);
        assert_eq!(wheel.build("foo").content, wheel.build("foo").content);
        assert_ne!(wheel.build("foo").content, wheel.build("bar").content);
        let sdist = Dist::sdist("1.0");
        assert_eq!(sdist.build("foo").content, sdist.build("foo").content);
    }

    #[test]
    fn padding_survives_compression() {
        assert!(Dist::wheel("1").padding(1 << 20).build("foo").content.len() > 1 << 20);
        assert!(Dist::sdist("1").padding(1 << 20).build("foo").content.len() > 1 << 20);
    }

    #[test]
    fn names_follow_the_specifications() {
        let built = Dist::wheel("1.0+cu128").build("Foo-Bar.baz");
        assert_eq!(built.filename, "foo_bar_baz-1.0+cu128-py3-none-any.whl");
        assert!(
            built
                .path
                .ends_with("/foo_bar_baz-1.0+cu128-py3-none-any.whl")
        );
    }
}
