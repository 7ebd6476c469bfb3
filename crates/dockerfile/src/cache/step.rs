//! What an engine does, one thing after another, with everything that it compares.

use crate::Keyword;

use super::content::Content;
use super::copy::Placed;
use super::written::Written;

/// A build, step by step. What a step needs stands before it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) steps: Vec<Step>,
}

/// What an engine does, or has done before.
#[derive(Debug)]
pub(super) struct Step {
    /// The stage's name, or `stage-` and its number from 0.
    pub(super) stage: String,
    pub(super) stage_number: usize,
    /// As the engine counts: within the stage, but the legacy builder within the build.
    pub(super) number: usize,
    /// From 1.
    pub(super) line: usize,
    /// On one line.
    pub(super) instruction: String,
    pub(super) keyword: Keyword,
    /// What is compared of the instruction itself.
    pub(super) parts: Vec<Part>,
    /// What it takes of elsewhere.
    pub(super) inputs: Vec<Input>,
    /// What it takes too, and the engine does not look at.
    pub(super) unseen: Vec<Input>,
    /// The step before, on whose result it works.
    pub(super) parent: Option<usize>,
    pub(super) writes: Writes,
}

/// One thing that is compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Part {
    pub(super) kind: Kind,
    /// Of a variable, a host, a mount.
    pub(super) name: String,
    pub(super) value: String,
}

/// What a part is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Base,
    Text,
    Variable,
    User,
    Folder,
    Host,
    Network,
    Flag,
    Mount,
    Source,
    Target,
}

/// What a step takes of elsewhere.
#[derive(Debug)]
pub(super) enum Input {
    Context(Content),
    /// Files that earlier steps have written.
    Written(Written),
    /// Files of an image that no stage builds on.
    Image(String),
}

/// Where a step leaves something behind.
#[derive(Debug)]
pub(super) enum Writes {
    /// Nowhere: it only tells.
    Nothing,
    /// An empty image.
    Scratch,
    /// Wherever it likes.
    Anything,
    /// A folder.
    Folder(String),
    /// What it copies.
    Copy(Placed),
}

impl Part {
    pub(super) fn new(kind: Kind, name: impl Into<String>, value: impl Into<String>) -> Self {
        Self {
            kind,
            name: name.into(),
            value: value.into(),
        }
    }
}
