//! Which indexes there are, while people make, change and remove them.
//!
//! What is looked at is a [`Snapshot`]: all indexes as they were at one moment,
//! so that one answer never mixes two states. A change makes a new snapshot;
//! nobody waits for it. Who may change what is decided elsewhere.

mod snapshot;

pub use snapshot::{Entry, Origin, Snapshot};

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use arc_swap::ArcSwap;

use crate::{IndexName, Merges};

/// The indexes of this server; a clone is a reference.
#[derive(Clone)]
pub struct Catalog(Arc<Shared>);

struct Shared {
    default: IndexName,
    current: ArcSwap<Snapshot>,
    changes: Changes,
}

/// Indexes that are shown in a row, by the name of the view.
pub type Views = BTreeMap<Box<str>, Vec<IndexName>>;

/// Counts the changes of what people put on this server: uploads, removals,
/// settings. A clone counts the same.
///
/// Whoever keeps an answer reads the count *before* asking for it, and asks
/// again once the count is another.
#[derive(Debug, Clone, Default)]
pub struct Changes(Arc<AtomicU64>);

impl Changes {
    /// Something is different from now on: said once it can be seen.
    pub fn note(&self) {
        self.0.fetch_add(1, Ordering::Release);
    }

    /// How many there were.
    pub fn count(&self) -> u64 {
        self.0.load(Ordering::Acquire)
    }
}

impl Catalog {
    /// A catalog; `default` names the index behind `/simple/`.
    pub fn new(
        default: IndexName,
        indexes: impl IntoIterator<Item = Entry>,
        views: Views,
        changes: Changes,
    ) -> Self {
        let indexes = indexes.into_iter().map(Arc::new);
        let snapshot = Snapshot::new(indexes, Arc::new(views), Arc::new(Merges::default()));
        Self(Arc::new(Shared {
            default,
            current: ArcSwap::from_pointee(snapshot),
            changes,
        }))
    }

    /// All indexes as they are now.
    pub fn now(&self) -> Arc<Snapshot> {
        self.0.current.load_full()
    }

    /// The index behind `/simple/`, whether or not it exists.
    pub fn default_name(&self) -> &IndexName {
        &self.0.default
    }

    /// What counts the changes of the indexes and of what is on them.
    pub fn changes(&self) -> &Changes {
        &self.0.changes
    }

    /// Adds an index, or puts it in the place of the one of its name. One at a time.
    pub fn put(&self, entry: Entry) {
        let entry = Arc::new(entry);
        self.replace(&entry.name.clone(), Some(entry));
    }

    /// Takes an index away. One at a time.
    pub fn take(&self, name: &IndexName) {
        self.replace(name, None);
    }

    fn replace(&self, name: &IndexName, by: Option<Arc<Entry>>) {
        let next = self.0.current.load().with(name, by);
        self.0.current.store(Arc::new(next));
        self.0.changes.note();
    }
}

#[cfg(test)]
mod tests;
