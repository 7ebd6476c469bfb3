//! The records of stored files that are current, in memory for those that are asked for often.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use quick_cache::sync::Cache as QuickCache;
use store::FileRow;

use super::Shared;
use crate::Error;

/// How many records are kept in memory.
const MOST: usize = 4096;

/// The records of the stored files of a mirror.
pub(crate) struct Records {
    shared: Arc<Shared>,
    memory: QuickCache<Box<str>, Arc<FileRow>>,
    /// Rises whenever something is forgotten.
    forgotten: AtomicU64,
}

impl Records {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            memory: QuickCache::new(MOST),
            forgotten: AtomicU64::default(),
        }
    }

    /// The record of the file at `path`, unless upstream has other bytes there by now.
    pub(crate) async fn current(&self, path: &str) -> Result<Option<Arc<FileRow>>, Error> {
        if let Some(row) = self.memory.get(path) {
            return Ok(Some(row));
        }
        let before = self.forgotten.load(Ordering::SeqCst);
        let db = self.shared.storage.db();
        let Some(row) = db.current_file(&self.shared.name, path).await? else {
            return Ok(None);
        };
        let row = Arc::new(row);
        self.memory.insert(path.into(), row.clone());
        if self.forgotten.load(Ordering::SeqCst) != before {
            // It may have been forgotten after it was read and before it was put in.
            self.memory.remove(path);
        }
        Ok(Some(row))
    }

    /// The record, if it is in memory.
    pub(crate) fn remembered(&self, path: &str) -> Option<Arc<FileRow>> {
        self.memory.get(path)
    }

    /// Remembers a record that was saved just now.
    pub(crate) fn remember(&self, row: FileRow) {
        self.memory.insert(row.path.as_str().into(), Arc::new(row));
    }

    /// Lets the record be read again from the store.
    pub(crate) fn forget(&self, path: &str) {
        self.forgotten.fetch_add(1, Ordering::SeqCst);
        self.memory.remove(path);
    }
}
