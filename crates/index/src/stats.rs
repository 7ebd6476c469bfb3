//! What is counted from the first day, as plain atomics.
//!
//! The domain counts; `server` renders the numbers for Prometheus at scrape time.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};
use std::time::Duration;

/// A number that only grows.
#[derive(Debug, Default)]
pub struct Counter(AtomicU64);

impl Counter {
    /// Adds `n`.
    pub fn add(&self, n: u64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// The sum so far.
    pub fn value(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// A number that rises and falls.
#[derive(Debug, Default)]
pub struct Gauge(AtomicI64);

impl Gauge {
    /// Adds `n`, which may be negative.
    pub fn add(&self, n: i64) {
        self.0.fetch_add(n, Ordering::Relaxed);
    }

    /// Replaces the value.
    pub fn set(&self, n: i64) {
        self.0.store(n, Ordering::Relaxed);
    }

    /// The value now.
    pub fn value(&self) -> i64 {
        self.0.load(Ordering::Relaxed)
    }

    /// Raises by one until the guard is dropped.
    pub fn hold(&self) -> Held<'_> {
        self.add(1);
        Held(self)
    }
}

/// Lowers its gauge again when dropped.
#[derive(Debug)]
pub struct Held<'a>(&'a Gauge);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.add(-1);
    }
}

/// How one kind of thing (page, file, metadata) was answered.
///
/// Pages that `server` answers from its rendered copies never reach a source;
/// it adds them to `hits` itself.
#[derive(Debug, Default)]
pub struct Kind {
    /// From the store, fresh.
    pub hits: Counter,
    /// Fetched from upstream for this answer.
    pub misses: Counter,
    /// From the store though no longer fresh.
    pub stale: Counter,
    /// Upstream confirmed what we had.
    pub revalidated: Counter,
    /// Neither here nor to be had.
    pub failures: Counter,
}

/// Everything the domain counts.
#[derive(Debug, Default)]
pub struct Stats {
    /// Project pages and root listings.
    pub pages: Kind,
    /// Files.
    pub files: Kind,
    /// `.metadata` and `.provenance`.
    pub sidecars: Kind,
    /// Requests sent upstream, retries included.
    pub upstream_requests: Counter,
    /// Of these, answered with an error or not at all.
    pub upstream_failures: Counter,
    /// Repeated requests after a failure.
    pub upstream_retries: Counter,
    /// Microseconds from sending a request upstream to its response head.
    pub upstream_micros: Counter,
    /// Body bytes received from upstream.
    pub upstream_bytes: Counter,
    /// File bytes that did not have to come from upstream; counted by `server`, which knows
    /// how many it serves.
    pub bytes_saved: Counter,
    /// Requests upstream under way, until what they brought is kept.
    pub in_flight: Gauge,
    /// Files refused for a wrong digest.
    pub refused: Counter,
    /// Files that were right and served, but could not be kept.
    pub unkept: Counter,
    /// Events that webhooks were told of.
    pub webhooks_delivered: Counter,
    /// Attempts to tell that failed.
    pub webhooks_failed: Counter,
    /// Files removed to keep the disk bounded.
    pub evicted_files: Counter,
    /// Their bytes.
    pub evicted_bytes: Counter,
    /// Bytes of all blobs.
    pub disk_used: Gauge,
    /// What `cache.max-size` allows; 0 means no bound.
    pub disk_limit: Gauge,
    /// Wheels whose metadata was made here from range reads.
    pub metadata_made: Counter,
}

impl Stats {
    /// Notes one response head from upstream.
    pub fn upstream_answered(&self, after: Duration) {
        self.upstream_micros.add(after.as_micros() as u64);
    }
}
