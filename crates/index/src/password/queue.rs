//! Who waits for a slow check: few, and of one user fewer.
//!
//! A check takes a core for a tenth of a second. Strangers who guess passwords must
//! not make a queue in which everybody else stands for minutes.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::sync::{Semaphore, SemaphorePermit};

/// How many are checked at once: each takes a core and the hash's memory.
pub(super) const AT_ONCE: usize = 2;

/// How many may wait, for themselves and in all.
const MOST_OF_ONE: usize = 8;
const MOST: usize = 64;

/// Too many wait already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too many passwords are being checked just now: try again in a moment")]
pub struct Busy;

/// A queue for few.
pub(super) struct Queue {
    turns: Semaphore,
    waiting: Mutex<Waiting>,
}

#[derive(Default)]
struct Waiting {
    all: usize,
    each: HashMap<Box<str>, usize>,
}

impl Queue {
    pub(super) fn new() -> Self {
        Self {
            turns: Semaphore::new(AT_ONCE),
            waiting: Mutex::default(),
        }
    }

    /// Waits for a turn, which lasts until it is dropped.
    pub(super) async fn turn(&self, user: &str) -> Result<Turn<'_>, Busy> {
        let place = self.stand(user)?;
        let turn = self.turns.acquire().await;
        Ok(Turn {
            _turn: turn.expect("nobody closes this semaphore"),
            _place: place,
        })
    }

    fn stand(&self, user: &str) -> Result<Place<'_>, Busy> {
        let mut waiting = self.lock();
        let own = waiting.each.get(user).copied().unwrap_or_default();
        if waiting.all >= MOST || own >= MOST_OF_ONE {
            return Err(Busy);
        }
        waiting.all += 1;
        waiting.each.insert(user.into(), own + 1);
        Ok(Place {
            queue: self,
            user: user.into(),
        })
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A turn that has come.
pub(super) struct Turn<'a> {
    _turn: SemaphorePermit<'a>,
    _place: Place<'a>,
}

/// A place in the queue, free again when dropped.
struct Place<'a> {
    queue: &'a Queue,
    user: Box<str>,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let mut waiting = self.queue.lock();
        waiting.all -= 1;
        if let Some(own) = waiting.each.get_mut(&self.user) {
            *own -= 1;
            if *own == 0 {
                waiting.each.remove(&self.user);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_user_fills_a_part_of_the_queue_and_all_fill_it() {
        let queue = Queue::new();
        let mut places = Vec::new();
        for user in 0..MOST / MOST_OF_ONE {
            let user = format!("user{user}");
            for _ in 0..MOST_OF_ONE {
                places.push(queue.stand(&user).unwrap());
            }
            assert!(queue.stand(&user).is_err());
        }
        assert!(queue.stand("another").is_err());
        places.pop();
        places.push(queue.stand("another").unwrap());
        drop(places);
        assert!(queue.lock().each.is_empty() && queue.lock().all == 0);
    }
}
