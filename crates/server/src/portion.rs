//! The body of an upload, handed to the form's reader in portions.
//!
//! The reader takes all it is given before it looks for the end of a part's head,
//! and looks through all of it again each time. A head without an end must not grow
//! in memory: after one portion the reader has to have found something.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, ready};

use axum::Error;
use axum::body::BodyDataStream;
use bytes::Bytes;
use futures_util::Stream;

/// What is handed over before something has to have been found in it.
const PORTION: usize = 256 * 1024;

/// A part's head has no end.
#[derive(Debug, thiserror::Error)]
#[error("the head of a part is longer than {PORTION} bytes")]
pub(crate) struct Endless;

/// A body in portions.
pub(crate) struct Portions {
    body: BodyDataStream,
    given: Arc<AtomicUsize>,
    has_paused: bool,
}

/// Opens the next portion, when something has been found.
pub(crate) struct Opener(Arc<AtomicUsize>);

impl Opener {
    pub(crate) fn open(&self) {
        self.0.store(0, Ordering::Relaxed);
    }
}

impl Portions {
    pub(crate) fn of(body: BodyDataStream) -> (Self, Opener) {
        let given = Arc::new(AtomicUsize::new(0));
        let opener = Opener(given.clone());
        let portions = Self {
            body,
            given,
            has_paused: false,
        };
        (portions, opener)
    }
}

impl Stream for Portions {
    type Item = Result<Bytes, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        if self.given.load(Ordering::Relaxed) >= PORTION {
            if self.has_paused {
                return Poll::Ready(Some(Err(Error::new(Endless))));
            }
            // Lets the reader look at what it has; it finds something or comes again.
            self.has_paused = true;
            cx.waker().wake_by_ref();
            return Poll::Pending;
        }
        self.has_paused = false;
        let next = ready!(Pin::new(&mut self.body).poll_next(cx));
        if let Some(Ok(bytes)) = &next {
            self.given.fetch_add(bytes.len(), Ordering::Relaxed);
        }
        Poll::Ready(next)
    }
}
