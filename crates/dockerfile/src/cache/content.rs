//! What a step takes of files that exist before the build: the door to the context.

use std::collections::BTreeMap;

/// The files of a build, however they are kept.
pub trait Context {
    /// What a selection comes to; why it comes to nothing.
    fn content(&self, selection: &Selection) -> Result<Content, String>;

    /// What was given under a name beside them (`--build-context`), in place of whatever has
    /// that name.
    fn named(&self, _name: &str) -> Option<Named<'_>> {
        None
    }
}

/// What a name stands for that was given to a build.
#[derive(Clone, Copy)]
pub enum Named<'a> {
    /// Other files.
    Files(&'a dyn Context),
    /// An image, or whatever else is the same as long as its address is.
    Image(&'a str),
}

/// What of the context a step takes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Selection {
    /// Paths within the context, without slashes at their ends; the root is empty.
    pub sources: Vec<String>,
    /// How the engine takes them together.
    pub form: Form,
    /// `--exclude`.
    pub exclude: Vec<String>,
}

/// What an engine compares of files.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Form {
    /// BuildKit's digest of each source, a directory's with all that is in it. Names may
    /// be patterns, which come to the last name and the digest of all they match.
    Joined,
    /// The same, but what a pattern matches comes to a list of all that is in it; so does
    /// whatever is parted by `--exclude`.
    Listed,
    /// A bind mount: names are no patterns.
    Mounted,
    /// Every file by name, mode and bytes.
    Named,
    /// An archive of each source, in their order; of a directory that of what is in it.
    Archived(Archive),
}

impl Form {
    /// How files come to be that are taken so after they were taken as that.
    pub(super) fn over(&self, before: &Self) -> Self {
        let (Self::Archived(now), Self::Archived(before)) = (self, before) else {
            return self.clone();
        };
        Self::Archived(Archive {
            owner: now.owner.clone().or_else(|| before.owner.clone()),
            was: Some(before.owner.clone().unwrap_or_default()),
            mode: now.mode.or(before.mode),
            keeps: before.keeps,
            // The name is that in the stage; whoever asks knows it.
            keeps_name: false,
        })
    }
}

/// What of an archive is not as the files are.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Archive {
    /// Whose everything is, as `user:group`; if nobody says, whose it was in a stage, and
    /// root's out of the context.
    pub owner: Option<String>,
    /// Whose it was in the stage that it comes out of.
    pub was: Option<String>,
    /// Permissions of everything.
    pub mode: Option<u32>,
    /// Whether files keep whose they are, and setuid and setgid: those of named contexts do.
    pub keeps: bool,
    /// Whether a file that is alone keeps its name.
    pub keeps_name: bool,
}

/// What a selection comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Content {
    /// What the engine compares.
    pub key: String,
    /// What is in it, by path within the context, so that a difference can be told.
    pub entries: BTreeMap<String, Seen>,
}

/// What can change of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// `file`, `directory`, `link` or `other`.
    pub kind: &'static str,
    /// Permissions.
    pub mode: u32,
    /// Where a link points.
    pub link: String,
    /// Whose it is, as `user:group`, if the engine looks at that.
    pub owner: String,
    /// Extended attributes, in any form that changes with them.
    pub attributes: String,
    /// A digest of the bytes.
    pub bytes: String,
}
