//! What each worker counts: plain atomics that nobody else writes to.
//!
//! Summed up and rendered only when somebody asks, by [`crate::scrape`].

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use index::Gauge;

use crate::told::{CacheState, Route};

/// Upper bounds of the duration buckets, in microseconds; the last is open.
pub(crate) const BOUNDS: [u64; 11] = [
    100, 500, 1_000, 5_000, 10_000, 50_000, 100_000, 500_000, 1_000_000, 5_000_000, 30_000_000,
];

/// Status classes, from 1xx on.
pub(crate) const CLASSES: [&str; 5] = ["1xx", "2xx", "3xx", "4xx", "5xx"];

/// What one worker has counted. Aligned, so that workers share no cache line.
#[derive(Default)]
#[repr(align(128))]
pub(crate) struct Tally {
    requests: [[[AtomicU64; 6]; 5]; 8],
    buckets: [[AtomicU64; 12]; 8],
    micros: [AtomicU64; 8],
    bytes: [AtomicU64; 8],
    /// Pages answered without their source, not yet added to its statistics.
    warm_hits: AtomicU64,
    warm_stale: AtomicU64,
    /// Connections open now.
    pub(crate) connections: Gauge,
}

impl Tally {
    /// Counts one answered request.
    pub(crate) fn count(
        &self,
        route: Route,
        status: u16,
        cache: CacheState,
        bytes: u64,
        took: Duration,
    ) {
        let route = route as usize;
        let class = usize::from(status / 100).clamp(1, 5) - 1;
        let micros = took.as_micros() as u64;
        let bucket = BOUNDS
            .iter()
            .position(|bound| micros <= *bound)
            .unwrap_or(BOUNDS.len());
        add(&self.requests[route][class][cache as usize], 1);
        add(&self.buckets[route][bucket], 1);
        add(&self.micros[route], micros);
        add(&self.bytes[route], bytes);
    }

    /// Counts a page that its source was not asked for.
    pub(crate) fn count_warm(&self, cache: CacheState) {
        match cache {
            CacheState::Stale => add(&self.warm_stale, 1),
            _ => add(&self.warm_hits, 1),
        }
    }

    /// Moves the warm pages into the domain's own statistics.
    pub(crate) fn settle(&self, pages: &index::Kind) {
        pages.hits.add(self.warm_hits.swap(0, Ordering::Relaxed));
        pages.stale.add(self.warm_stale.swap(0, Ordering::Relaxed));
    }

    pub(crate) fn requests(&self, route: Route, class: usize, cache: CacheState) -> u64 {
        read(&self.requests[route as usize][class][cache as usize])
    }

    /// Requests per duration bucket, not cumulated.
    pub(crate) fn buckets(&self, route: Route) -> [u64; 12] {
        std::array::from_fn(|n| read(&self.buckets[route as usize][n]))
    }

    pub(crate) fn micros(&self, route: Route) -> u64 {
        read(&self.micros[route as usize])
    }

    pub(crate) fn bytes(&self, route: Route) -> u64 {
        read(&self.bytes[route as usize])
    }
}

fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

fn read(counter: &AtomicU64) -> u64 {
    counter.load(Ordering::Relaxed)
}
