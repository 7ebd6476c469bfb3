//! What an engine has after it was sent a context again.
//!
//! Clients compare size, time and mode, not bytes. What looks the same is not sent, so
//! that the engine goes on with what it has.

use crate::Snapshot;
use crate::entry::{Bytes, Entry, Kind};

/// What an engine has.
#[derive(Debug)]
pub struct Received {
    /// Its files.
    pub snapshot: Snapshot,
    /// Changed, and not noticed.
    pub stale: Vec<String>,
}

impl Snapshot {
    /// What an engine that has `before` has after it was sent this.
    pub fn received(&self, before: &Self) -> Result<Received, String> {
        let mut received = self.clone();
        let mut stale = Vec::new();
        for (path, entry) in self.entries() {
            let Some(old) = before.entry(path) else {
                continue;
            };
            if !looks_same(old, entry) {
                continue;
            }
            let (was, is) = (before.digests(path)?, self.digests(path)?);
            if was.file == is.file {
                continue;
            }
            stale.push(path.clone());
            let kept = Entry {
                bytes: Bytes::Known(was),
                ..old.clone()
            };
            received.insert(path, kept);
        }
        Ok(Received {
            snapshot: received,
            stale,
        })
    }
}

/// Whether a client that knows only what stands in a directory's list sees no difference.
fn looks_same(before: &Entry, after: &Entry) -> bool {
    if before.kind != after.kind {
        return false;
    }
    match before.kind {
        // Its metadata is written, but its digest is left as it is.
        Kind::Directory => true,
        _ => {
            before.size == after.size
                && before.modified.is_some()
                && before.modified == after.modified
                && before.mode == after.mode
                && before.link == after.link
                && before.device == after.device
        }
    }
}
