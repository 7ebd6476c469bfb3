//! A request's body that ends when its client falls silent.
//!
//! A client that stops in the middle of an upload would otherwise hold its
//! connection, its handler and its staged file for as long as it likes.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Error;
use bytes::Bytes;
use http_body::{Body, Frame, SizeHint};
use hyper::body::Incoming;
use tokio::sync::watch;
use tokio::time::{Instant, Sleep, sleep_until};

/// While the server drains, nobody may be waited for long.
const WHILE_DRAINING: Duration = Duration::from_secs(1);

/// A client has sent nothing for too long.
#[derive(Debug, thiserror::Error)]
#[error("the client has sent nothing for {} s", .0.as_secs())]
pub(crate) struct Silent(Duration);

/// How long a client has been waited for, and how long it may be.
///
/// Only waiting counts: a client that has sent all it may and finds us busy is not silent.
#[derive(Debug)]
struct Patience {
    limit: Duration,
    waiting_since: Option<Instant>,
}

impl Patience {
    fn new(limit: Duration) -> Self {
        Self {
            limit,
            waiting_since: None,
        }
    }

    /// The client has said something.
    fn heard(&mut self) {
        self.waiting_since = None;
    }

    /// Nothing is there now: until when something has to be.
    fn until(&mut self, now: Instant) -> Instant {
        *self.waiting_since.get_or_insert(now) + self.limit
    }

    /// From now on nobody is waited for longer than this.
    fn shorten(&mut self, limit: Duration, now: Instant) {
        self.limit = self.limit.min(limit);
        self.waiting_since = Some(now);
    }
}

/// The body of a request, as long as its client speaks.
pub(crate) struct Heard {
    incoming: Incoming,
    patience: Patience,
    /// Exists from the first wait on: most bodies are there at once, or empty.
    silence: Option<Pin<Box<Sleep>>>,
    draining: Pin<Box<dyn Future<Output = ()> + Send>>,
    is_draining: bool,
}

impl Heard {
    /// Gives up on `incoming` after `patience` of silence, and sooner once the server drains.
    pub(crate) fn new(
        incoming: Incoming,
        patience: Duration,
        mut draining: watch::Receiver<bool>,
    ) -> Self {
        Self {
            incoming,
            patience: Patience::new(patience),
            silence: None,
            draining: Box::pin(async move {
                if draining.wait_for(|draining| *draining).await.is_err() {
                    std::future::pending::<()>().await;
                }
            }),
            is_draining: false,
        }
    }

    /// Pending until the client has been silent for too long.
    fn poll_silence(&mut self, cx: &mut Context<'_>) -> Poll<Silent> {
        let now = Instant::now();
        if !self.is_draining && self.draining.as_mut().poll(cx).is_ready() {
            self.is_draining = true;
            self.patience.shorten(WHILE_DRAINING, now);
        }
        let until = self.patience.until(now);
        let silence = self
            .silence
            .get_or_insert_with(|| Box::pin(sleep_until(until)));
        if silence.deadline() != until {
            silence.as_mut().reset(until);
        }
        ready!(silence.as_mut().poll(cx));
        Poll::Ready(Silent(self.patience.limit))
    }
}

impl Body for Heard {
    type Data = Bytes;
    type Error = Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Error>>> {
        let this = self.get_mut();
        match Pin::new(&mut this.incoming).poll_frame(cx) {
            Poll::Ready(frame) => {
                this.patience.heard();
                Poll::Ready(frame.map(|frame| frame.map_err(Error::new)))
            }
            Poll::Pending => {
                let silent = ready!(this.poll_silence(cx));
                Poll::Ready(Some(Err(Error::new(silent))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        self.incoming.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.incoming.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: Duration = Duration::from_secs(30);

    fn seconds(seconds: u64) -> Duration {
        Duration::from_secs(seconds)
    }

    #[test]
    fn a_client_that_says_a_little_now_and_then_is_waited_for() {
        let mut now = Instant::now();
        let mut patience = Patience::new(LIMIT);
        for _ in 0..1000 {
            let until = patience.until(now);
            now += seconds(29);
            assert!(now < until);
            patience.heard();
        }
        assert_eq!(patience.until(now), now + LIMIT);
    }

    #[test]
    fn looking_again_in_vain_does_not_begin_anew() {
        let begin = Instant::now();
        let mut patience = Patience::new(LIMIT);
        for after in [0, 10, 29] {
            let until = patience.until(begin + seconds(after));
            assert_eq!(until, begin + LIMIT, "after {after} s");
        }
    }

    #[test]
    fn the_time_that_we_take_is_not_the_clients() {
        let begin = Instant::now();
        let mut patience = Patience::new(LIMIT);
        patience.until(begin);
        patience.heard();
        // What it said took a minute to write down.
        let now = begin + seconds(60);
        assert_eq!(patience.until(now), now + LIMIT);
    }

    #[test]
    fn a_drain_shortens_a_wait_that_has_begun() {
        let begin = Instant::now();
        let mut patience = Patience::new(LIMIT);
        patience.until(begin);
        let now = begin + seconds(10);
        patience.shorten(WHILE_DRAINING, now);
        assert_eq!(patience.until(now), now + WHILE_DRAINING);
        let mut hasty = Patience::new(Duration::from_millis(5));
        hasty.shorten(WHILE_DRAINING, now);
        assert_eq!(hasty.until(now), now + Duration::from_millis(5));
    }
}
