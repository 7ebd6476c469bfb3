//! Where the bytes of one transfer go: the staged file, in whatever order they come.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use store::Staged;

use super::Shared;
use crate::{Error, Growing};

/// The staged file of a transfer and how much of it has arrived.
pub(crate) struct Sink {
    shared: Arc<Shared>,
    staged: Arc<Staged>,
    growing: Arc<Growing>,
    coverage: Mutex<Coverage>,
    what: String,
}

impl Sink {
    pub(crate) fn new(
        shared: Arc<Shared>,
        staged: Arc<Staged>,
        growing: Arc<Growing>,
        what: String,
    ) -> Self {
        Self {
            shared,
            staged,
            growing,
            coverage: Mutex::default(),
            what,
        }
    }

    pub(crate) fn growing(&self) -> &Growing {
        &self.growing
    }

    /// Writes `pieces` one after the other from `offset` on, and lets readers have them.
    pub(crate) async fn write(&self, offset: u64, pieces: Vec<Bytes>) -> Result<u64, Error> {
        let len: u64 = pieces.iter().map(|piece| piece.len() as u64).sum();
        let pieces: Arc<[Bytes]> = pieces.into();
        let mut outcome = self.write_once(offset, pieces.clone()).await;
        if matches!(outcome, Err(store::Error::Full { .. }))
            && self.shared.storage.make_room(len.max(64 << 20)).await
        {
            outcome = self.write_once(offset, pieces).await;
        }
        outcome.map_err(|error| match error {
            store::Error::Full { .. } => Error::Full {
                what: self.what.clone(),
            },
            other => other.into(),
        })?;
        self.shared.client.stats().upstream_bytes.add(len);
        let end = offset + len;
        let arrived = self
            .coverage
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .add(offset, end);
        self.growing.advance(arrived);
        Ok(end)
    }

    async fn write_once(&self, offset: u64, pieces: Arc<[Bytes]>) -> Result<(), store::Error> {
        let staged = self.staged.clone();
        let writing = tokio::task::spawn_blocking(move || {
            let mut at = offset;
            for piece in pieces.iter() {
                staged.write_at(at, piece)?;
                at += piece.len() as u64;
            }
            Ok(())
        });
        match writing.await {
            Ok(outcome) => outcome,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}

/// Which parts of a file have arrived: a growing front and islands ahead of it.
#[derive(Debug, Default)]
struct Coverage {
    front: u64,
    ahead: BTreeMap<u64, u64>,
}

impl Coverage {
    /// Adds `start..end`; answers where the part without holes ends.
    fn add(&mut self, start: u64, end: u64) -> u64 {
        // A span grows by appending, so the island that ends here is the one to extend.
        match self
            .ahead
            .iter_mut()
            .find(|(_, island_end)| **island_end == start)
        {
            Some((_, island_end)) => *island_end = end,
            None if start <= self.front => self.front = self.front.max(end),
            None => {
                let known = self.ahead.entry(start).or_insert(end);
                *known = end.max(*known);
            }
        }
        while let Some((&start, &end)) = self.ahead.first_key_value() {
            if start > self.front {
                break;
            }
            self.front = self.front.max(end);
            self.ahead.pop_first();
        }
        self.front
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_front_moves_when_the_hole_before_an_island_is_filled() {
        let mut coverage = Coverage::default();
        assert_eq!(coverage.add(0, 10), 10);
        assert_eq!(coverage.add(20, 25), 10);
        assert_eq!(coverage.add(25, 30), 10);
        assert_eq!(coverage.add(40, 50), 10);
        assert_eq!(coverage.add(10, 15), 15);
        assert_eq!(coverage.add(15, 20), 30);
        assert_eq!(coverage.add(30, 40), 50);
        assert!(coverage.ahead.is_empty());
    }
}
