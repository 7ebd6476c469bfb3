//! Waiting for what happens in another process or thread.

use std::time::{Duration, Instant};

const LONGEST: Duration = Duration::from_secs(30);

/// Waits until the condition holds, looking often. Panics after 30 s.
pub fn wait_until(what: &str, mut condition: impl FnMut() -> bool) {
    assert!(
        holds_within(LONGEST, &mut condition),
        "waited {} s for {what}",
        LONGEST.as_secs()
    );
}

pub(crate) fn holds_within(longest: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let begin = Instant::now();
    loop {
        if condition() {
            return true;
        }
        if begin.elapsed() > longest {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}
