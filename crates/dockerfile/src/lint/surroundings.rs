//! What lies around a Dockerfile: its context, as far as somebody hands it in.

use std::collections::BTreeMap;
use std::fmt;

use pyspec::ProjectName;

use crate::Engine;

/// What lies around a Dockerfile. By default nothing does.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The text of what leaves files out of the context.
    pub ignore: Option<&'a str>,
    /// What builds it.
    pub engine: Engine,
    /// The files of the context, or the first of many.
    pub files: &'a [ContextFile],
    /// The text of a file of the context, by its path in it.
    pub read: &'a dyn Fn(&str) -> Option<String>,
    /// The names of all files of projects, as an index lists them, if one was asked.
    pub index: Option<&'a BTreeMap<ProjectName, Vec<String>>>,
}

/// A file of the context.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ContextFile {
    /// Below the context, with `/`.
    pub path: String,
    /// When it was changed: seconds since 1970, and the nanoseconds after them.
    pub modified: (i64, u32),
}

impl Default for Surroundings<'_> {
    fn default() -> Self {
        Self {
            ignore: None,
            engine: Engine::BuildKit,
            files: &[],
            read: &|_| None,
            index: None,
        }
    }
}

impl fmt::Debug for Surroundings<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Surroundings")
            .field("engine", &self.engine)
            .finish_non_exhaustive()
    }
}
