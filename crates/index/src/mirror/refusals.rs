//! Files that upstream keeps sending wrong, and for how long it is left alone with them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::Shared;
use crate::Error;

/// After so many refusals in a row, upstream is left alone for a while.
const REFUSALS: u32 = 2;
const REFUSED_FOR: Duration = Duration::from_mins(1);

/// The files of a mirror that upstream keeps sending wrong, by path.
pub(super) struct Refusals {
    shared: Arc<Shared>,
    all: Mutex<HashMap<String, Refused>>,
    started: Timestamp,
}

struct Refused {
    count: u32,
    last: Instant,
    error: Error,
}

impl Refusals {
    pub(super) fn new(shared: Arc<Shared>) -> Self {
        Self {
            shared,
            all: Mutex::default(),
            started: Timestamp::now(),
        }
    }

    /// Counts a refusal.
    pub(super) fn note(&self, path: &str, error: Error) {
        let mut all = self.all();
        let entry = all.entry(path.to_owned()).or_insert_with(|| Refused {
            count: 0,
            last: Instant::now(),
            error: error.clone(),
        });
        entry.count += 1;
        entry.last = Instant::now();
        entry.error = error;
    }

    /// Lets upstream be asked again.
    pub(super) fn clear(&self, path: &str) {
        self.all().remove(path);
    }

    /// The error of a file that upstream has sent wrong too often to be asked again just
    /// now, before or after a restart.
    pub(super) async fn check(&self, path: &str) -> Result<(), Error> {
        let remembered = self
            .all()
            .get(path)
            .map(|known| (known.count, known.last.elapsed(), known.error.clone()));
        if let Some((count, since, error)) = remembered {
            let pause = REFUSED_FOR * 2_u32.pow(count.saturating_sub(REFUSALS).min(6));
            return if count < REFUSALS || since > pause {
                Ok(())
            } else {
                Err(error)
            };
        }
        let db = self.shared.storage.db();
        let row = db.refused(&self.shared.name, path).await?;
        match row.filter(|row| Timestamp::now() < row.at + REFUSED_FOR) {
            // What was refused since the start is in memory, with its count.
            Some(row) if row.at < self.started => Err(Error::Refused {
                file: path.rsplit('/').next().unwrap_or(path).to_owned(),
                expected: row.expected,
                found: row.found,
            }),
            _ => Ok(()),
        }
    }

    fn all(&self) -> MutexGuard<'_, HashMap<String, Refused>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
