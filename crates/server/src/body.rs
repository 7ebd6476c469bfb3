//! The bodies we send: bytes by reference, never a whole file in memory.
//!
//! A stored file goes out as windows of a memory map: the socket reads the page
//! cache itself. A file that is still arriving goes out as far as it is there,
//! and a transfer that fails ends its body with an error, which cuts the
//! connection: wrong or missing bytes never look like a complete file.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http_body::{Body as HttpBody, Frame, SizeHint};
use index::Growing;
use store::Blob;
use tokio::runtime::Handle;
use tokio::task::JoinHandle;

use crate::listing::Names;

/// How much is handed to the socket at once.
const WINDOW: u64 = 1024 * 1024;

/// Why a body broke.
pub(crate) type Broken = Box<dyn std::error::Error + Send + Sync>;

/// The body of an answer.
pub(crate) enum Body {
    /// All there; `None` once it is sent.
    Full(Option<Bytes>),
    /// A file in the store.
    Stored(Stored),
    /// A file that is still arriving.
    Following(Following),
    /// The root listing.
    Names(Names),
    /// What the router answered.
    Routed(axum::body::Body),
}

impl Body {
    pub(crate) fn empty() -> Self {
        Self::Full(None)
    }

    pub(crate) fn full(bytes: Bytes) -> Self {
        Self::Full(Some(bytes).filter(|bytes| !bytes.is_empty()))
    }
}

impl HttpBody for Body {
    type Data = Bytes;
    type Error = Broken;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Broken>>> {
        let next = match self.get_mut() {
            Self::Full(bytes) => bytes.take().map(Ok),
            Self::Stored(stored) => ready!(stored.poll_next(cx)),
            Self::Following(following) => ready!(following.poll_next(cx)),
            Self::Names(names) => names.next().map(Ok),
            Self::Routed(body) => return Pin::new(body).poll_frame(cx).map_err(Into::into),
        };
        Poll::Ready(next.map(|bytes| bytes.map(Frame::data)))
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Full(bytes) => bytes.is_none(),
            Self::Stored(stored) => stored.next == stored.end,
            Self::Following(following) => Some(following.next) == following.end,
            Self::Names(_) => false,
            Self::Routed(body) => body.is_end_stream(),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Full(bytes) => {
                SizeHint::with_exact(bytes.as_ref().map_or(0, |bytes| bytes.len() as u64))
            }
            Self::Stored(stored) => SizeHint::with_exact(stored.end - stored.next),
            Self::Following(following) => match following.end {
                Some(end) => SizeHint::with_exact(end - following.next),
                None => SizeHint::default(),
            },
            Self::Names(_) => SizeHint::default(),
            Self::Routed(body) => body.size_hint(),
        }
    }
}

/// A part of a stored file on its way out.
pub(crate) struct Stored {
    blob: Blob,
    path: Arc<str>,
    next: u64,
    end: u64,
    main: Handle,
    /// Bytes up to here are in memory, as far as we know.
    warm_until: u64,
    warming: Option<JoinHandle<Result<(), store::Error>>>,
}

impl Stored {
    /// The bytes `start..end` of a blob; `path` names it in the log.
    pub(crate) fn new(blob: Blob, (start, end): (u64, u64), path: Arc<str>, main: Handle) -> Self {
        Self {
            blob,
            path,
            next: start,
            end,
            main,
            warm_until: start,
            warming: None,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if self.next == self.end {
            return Poll::Ready(None);
        }
        let len = WINDOW.min(self.end - self.next);
        if let Err(error) = ready!(self.poll_warm(cx, len)) {
            return Poll::Ready(Some(Err(broken(&self.path, self.next, error))));
        }
        let window = self.blob.slice(self.next, len as usize);
        Poll::Ready(Some(match window {
            Ok(bytes) => {
                self.next += len;
                Ok(bytes)
            }
            Err(error) => Err(broken(&self.path, self.next, error)),
        }))
    }

    /// A page fault on a cold window would stall everybody on this worker, so
    /// the blocking pool takes it.
    fn poll_warm(&mut self, cx: &mut Context<'_>, len: u64) -> Poll<Result<(), Broken>> {
        loop {
            if let Some(warming) = &mut self.warming {
                let done = ready!(Pin::new(warming).poll(cx));
                self.warming = None;
                done??;
                self.warm_until = self.next + len;
            }
            if self.warm_until >= self.next + len || self.blob.resident(self.next, len as usize) {
                return Poll::Ready(Ok(()));
            }
            let (blob, next) = (self.blob.clone(), self.next);
            self.warming = Some(
                self.main
                    .spawn_blocking(move || blob.populate(next, len as usize)),
            );
        }
    }
}

type Waiting = Pin<Box<dyn Future<Output = Result<u64, Arc<index::Error>>> + Send>>;

/// A part of an arriving file on its way out.
pub(crate) struct Following {
    growing: Arc<Growing>,
    path: Arc<str>,
    next: u64,
    /// Where the wanted part ends; unknown for a whole file of unknown length.
    end: Option<u64>,
    readable: u64,
    waiting: Option<Waiting>,
}

impl Following {
    /// The bytes from `start` to `end` of an arriving file, of which those
    /// before `readable` are there; `path` names it in the log.
    pub(crate) fn new(
        growing: Arc<Growing>,
        (start, end): (u64, Option<u64>),
        readable: u64,
        path: Arc<str>,
    ) -> Self {
        Self {
            growing,
            path,
            next: start,
            end,
            readable,
            waiting: None,
        }
    }

    fn poll_next(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<Bytes, Broken>>> {
        if self.end == Some(self.next) {
            return Poll::Ready(None);
        }
        if self.readable <= self.next {
            match ready!(self.poll_wait(cx)) {
                Ok(readable) if readable > self.next => self.readable = readable,
                Ok(_) => return Poll::Ready(self.ended()),
                Err(error) => return Poll::Ready(Some(Err(broken(&self.path, self.next, error)))),
            }
        }
        let until = self.readable.min(self.end.unwrap_or(u64::MAX));
        let len = WINDOW.min(until - self.next);
        Poll::Ready(Some(match self.growing.slice(self.next, len as usize) {
            Ok(bytes) => {
                self.next += len;
                Ok(bytes)
            }
            Err(error) => Err(broken(&self.path, self.next, error)),
        }))
    }

    fn poll_wait(&mut self, cx: &mut Context<'_>) -> Poll<Result<u64, Arc<index::Error>>> {
        let waiting = self.waiting.get_or_insert_with(|| {
            let (growing, next) = (self.growing.clone(), self.next);
            Box::pin(async move { growing.wait(next).await })
        });
        let answer = ready!(waiting.as_mut().poll(cx));
        self.waiting = None;
        Poll::Ready(answer)
    }

    /// The file is over: as announced, or too early.
    fn ended(&self) -> Option<Result<Bytes, Broken>> {
        let end = self.end?;
        let line = format!("the file ends here, but {end} bytes were announced");
        Some(Err(broken(&self.path, self.next, line)))
    }
}

/// Logs a body that ends too early; the connection is cut by the error itself.
fn broken(path: &str, sent_until: u64, error: impl Into<Broken>) -> Broken {
    let error = error.into();
    tracing::warn!(path, sent_until, "body cut short: {error}");
    error
}
