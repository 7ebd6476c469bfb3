//! The spans of a large file, handed to its connections in order.

use std::sync::atomic::{AtomicU64, Ordering};

use super::sink::Sink;
use super::span::{Head, Remote, Trouble};

/// What each further connection fetches at a time.
pub(crate) const SPAN: u64 = 4 << 20;

/// The spans of a file that are still to be fetched.
pub(crate) struct Queue {
    pub(crate) len: u64,
    next: AtomicU64,
    span: AtomicU64,
}

impl Queue {
    pub(crate) fn empty(len: u64) -> Self {
        Self {
            len,
            next: AtomicU64::new(len),
            span: AtomicU64::new(SPAN),
        }
    }

    pub(crate) fn fill(&self, from: u64, span: u64) {
        self.span.store(span.max(1), Ordering::Release);
        self.next.store(from, Ordering::Release);
    }

    /// Fetches spans until none is left.
    pub(crate) async fn work(
        &self,
        sink: &Sink,
        from: &Remote,
        head: &Head,
    ) -> Result<(), Trouble> {
        loop {
            let span = self.span.load(Ordering::Acquire);
            let start = self.next.fetch_add(span, Ordering::AcqRel);
            if start >= self.len {
                return Ok(());
            }
            let end = AtomicU64::new((start + span).min(self.len));
            from.fetch(sink, head, None, start, &end).await?;
        }
    }
}
