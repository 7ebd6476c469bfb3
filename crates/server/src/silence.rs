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
use tokio::time::{Instant, Sleep, sleep};

/// While the server drains, nobody may be waited for long.
const WHILE_DRAINING: Duration = Duration::from_secs(1);

/// A client has sent nothing for too long.
#[derive(Debug, thiserror::Error)]
#[error("the client has sent nothing for {} s", .0.as_secs())]
pub(crate) struct Silent(Duration);

/// The body of a request, as long as its client speaks.
pub(crate) struct Heard {
    incoming: Incoming,
    patience: Duration,
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
            patience,
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
        if !self.is_draining && self.draining.as_mut().poll(cx).is_ready() {
            self.is_draining = true;
            self.patience = self.patience.min(WHILE_DRAINING);
            self.silence = None;
        }
        let patience = self.patience;
        let silence = self
            .silence
            .get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(silence.as_mut().poll(cx));
        Poll::Ready(Silent(patience))
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
                if let Some(silence) = &mut this.silence {
                    silence.as_mut().reset(Instant::now() + this.patience);
                }
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
