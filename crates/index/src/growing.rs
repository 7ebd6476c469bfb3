//! A file that is still arriving: everybody who wants it reads the same part on disk.
//!
//! The last bytes are withheld until the digest holds, so that wrong bytes never
//! look like a complete file.

use std::sync::Arc;

use bytes::Bytes;
use store::Blob;
use tokio::sync::watch;

use crate::Error;

/// How much of the end is withheld until the digest is checked.
const WITHHELD: u64 = 16 * 1024;

/// A file that is still arriving from upstream.
#[derive(Debug)]
pub struct Growing {
    blob: Blob,
    progress: watch::Sender<Progress>,
}

#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// All bytes before this offset are on disk.
    arrived: u64,
    /// The whole length, once upstream has said it.
    len: Option<u64>,
    outcome: Option<Result<(), Arc<Error>>>,
}

impl Progress {
    fn readable(&self) -> u64 {
        match (&self.outcome, self.len) {
            (Some(Ok(())), _) => self.arrived,
            (_, Some(len)) => self.arrived.min(len.saturating_sub(WITHHELD)),
            (_, None) => self.arrived.saturating_sub(WITHHELD),
        }
    }
}

impl Growing {
    pub(crate) fn new(blob: Blob) -> Self {
        Self {
            blob,
            progress: watch::Sender::new(Progress::default()),
        }
    }

    /// The whole length in bytes, if upstream has said it.
    pub fn len(&self) -> Option<u64> {
        self.progress.borrow().len
    }

    /// Whether nothing can be read yet.
    pub fn is_empty(&self) -> bool {
        self.progress.borrow().readable() == 0
    }

    /// Waits until bytes at `offset` can be read; answers where the readable part ends.
    ///
    /// The answer is `offset` itself at the true end of the file, and beyond
    /// `offset` everywhere else.
    pub async fn wait(&self, offset: u64) -> Result<u64, Arc<Error>> {
        let mut progress = self.progress.subscribe();
        loop {
            {
                let now = progress.borrow_and_update();
                let readable = now.readable();
                match &now.outcome {
                    // Whatever arrived of a broken file is of no use to anybody.
                    Some(Err(error)) => return Err(error.clone()),
                    _ if readable > offset => return Ok(readable),
                    Some(Ok(())) => return Ok(offset),
                    None => {}
                }
            }
            if progress.changed().await.is_err() {
                unreachable!("the sender lives as long as `self`");
            }
        }
    }

    /// The bytes, held as long as somebody reads them here.
    pub(crate) fn blob(&self) -> Blob {
        self.blob.clone()
    }

    /// Waits for the end of the transfer.
    pub(crate) async fn finished(&self) -> Result<(), Arc<Error>> {
        self.wait(u64::MAX).await.map(|_| ())
    }

    /// Bytes that [`Self::wait`] said can be read.
    pub fn slice(&self, offset: u64, len: usize) -> Result<Bytes, Error> {
        Ok(self.blob.slice(offset, len)?)
    }

    /// Waits until all bytes before `offset` are on disk, or the transfer has ended.
    pub(crate) async fn reached(&self, offset: u64) {
        let mut progress = self.progress.subscribe();
        // The sender lives as long as `self`.
        let _ = progress
            .wait_for(|p| p.arrived >= offset || p.outcome.is_some())
            .await;
    }

    /// Changes whenever something happens.
    pub(crate) fn news(&self) -> watch::Receiver<Progress> {
        self.progress.subscribe()
    }

    /// Makes everybody look again.
    pub(crate) fn nudge(&self) {
        self.progress.send_modify(|_| ());
    }

    pub(crate) fn arrived(&self) -> u64 {
        self.progress.borrow().arrived
    }

    pub(crate) fn set_len(&self, len: Option<u64>) {
        self.progress.send_modify(|p| p.len = len);
    }

    pub(crate) fn advance(&self, arrived: u64) {
        self.progress
            .send_modify(|p| p.arrived = p.arrived.max(arrived));
    }

    pub(crate) fn finish(&self, outcome: Result<(), Error>) {
        self.progress.send_modify(|p| {
            if p.outcome.is_none() {
                p.outcome = Some(outcome.map_err(Arc::new));
            }
        });
    }
}
