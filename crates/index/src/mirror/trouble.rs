//! Whether upstream is in trouble just now.
//!
//! While it is, a stale page is served without waiting for an answer that will
//! not come; one request at a time still finds out when the trouble is over.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(30);

/// Whether upstream is in trouble just now.
#[derive(Debug, Default)]
pub(crate) struct Trouble(Mutex<Option<Spell>>);

#[derive(Debug, Clone)]
struct Spell {
    until: Instant,
    pause: Duration,
    cause: String,
}

impl Trouble {
    /// Why upstream is not to be waited for, if so.
    pub(crate) fn cause(&self, now: Instant) -> Option<String> {
        let spell = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        spell
            .as_ref()
            .filter(|spell| now < spell.until)
            .map(|spell| spell.cause.clone())
    }

    /// Notes a failure; answers whether the trouble is new.
    pub(crate) fn began(&self, now: Instant, cause: &str) -> bool {
        let mut spell = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_new = spell.is_none();
        let pause = spell
            .as_ref()
            .map_or(FIRST, |spell| (spell.pause * 2).min(LONGEST));
        *spell = Some(Spell {
            until: now + pause,
            pause,
            cause: cause.to_owned(),
        });
        is_new
    }

    /// Notes a success; answers whether there had been trouble.
    pub(crate) fn ended(&self) -> bool {
        self.0
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take()
            .is_some()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_lasts_longer_each_time_and_ends_at_once() {
        let trouble = Trouble::default();
        let now = Instant::now();
        assert!(trouble.began(now, "silent"));
        assert_eq!(trouble.cause(now).as_deref(), Some("silent"));
        assert_eq!(trouble.cause(now + FIRST), None);
        assert!(!trouble.began(now, "silent"));
        assert!(trouble.cause(now + FIRST).is_some());
        assert!(trouble.ended());
        assert_eq!(trouble.cause(now), None);
    }
}
