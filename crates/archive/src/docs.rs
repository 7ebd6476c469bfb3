//! Documentation: a zip file whose pages are read straight from it.
//!
//! Nothing is unpacked to the disk: a page is found in the list of entries and
//! unpacked on its way to the reader, so a docs zip costs its own size once, and
//! what is not unpacked cannot be unpacked to the wrong place.

use std::collections::BTreeMap;

use crate::refused::{Error, Refused, Shown};
use crate::zip::{self, Contents, Entry};
use crate::{Limits, ReadAt};

/// The pages of a docs zip.
#[derive(Debug, Clone, Default)]
pub struct Docs {
    pages: BTreeMap<Box<str>, Page>,
}

/// One page, picture or other file of a docs zip.
#[derive(Debug, Clone)]
pub struct Page(Entry);

impl Docs {
    /// Opens a docs zip and reads the list of its pages.
    pub fn open<S: ReadAt + ?Sized>(file: &S, limits: &Limits) -> Result<Self, Error> {
        let mut pages = BTreeMap::<Box<str>, Page>::new();
        zip::walk(file, limits, |entry| {
            if !entry.path.is_folder {
                pages.insert(entry.path.as_str().into(), Page(entry));
            }
            Ok(())
        })?;
        // A reader would not know which of the two to show.
        for path in pages.keys() {
            let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
            if let Some(parent) = parents
                .into_iter()
                .find(|parent| pages.contains_key(*parent))
            {
                return Err(Refused::Duplicate(Shown::new(parent)).into());
            }
        }
        Ok(Self { pages })
    }

    /// The page at this path, as it is written in the zip: `index.html`, `api/foo.html`.
    pub fn page(&self, path: &str) -> Option<&Page> {
        self.pages.get(path)
    }

    /// The path of every page, sorted.
    pub fn paths(&self) -> impl Iterator<Item = &str> {
        self.pages.keys().map(|path| &**path)
    }

    /// How many pages there are.
    pub fn len(&self) -> usize {
        self.pages.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.pages.is_empty()
    }
}

impl Page {
    /// Its length when unpacked.
    pub fn len(&self) -> u64 {
        self.0.size
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        self.0.size == 0
    }

    /// Its content, unpacked while it is read. Reading fails unless it is exactly what the list promises.
    pub fn contents<S: ReadAt>(&self, file: S) -> Contents<S> {
        self.0.contents(file)
    }
}
