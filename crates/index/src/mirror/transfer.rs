//! One transfer of one file from upstream: streamed to all who want it, resumed
//! after cuts, in parallel ranges where upstream is slow, and hashed along the way.

mod feed;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};

use futures_util::future::join;
use jiff::Timestamp;
use pyspec::{Digest, PageFile, ProjectName};
use store::{Blob, FileRow, RefusedRow, Staged};
use tokio::sync::watch;

use super::Shared;
use super::client::Failure;
use super::config::shown;
use super::gate::{Gate, Mismatch};
use super::order::{Begun, Order};
use super::read::contradicts;
use super::sink::Sink;
use crate::{Error, Growing, Project};

/// Brought to disk at a time while a file arrives.
const SYNC_STEP: u64 = 64 << 20;
/// Hashed at a time: enough to make the hop to a thread negligible.
const HASH_STEP: u64 = 8 << 20;

/// A transfer under way, as others see it.
pub(crate) struct Running {
    pub(crate) project: ProjectName,
    /// What is brought, as the page had it when it began.
    pub(crate) file: PageFile,
    pub(crate) growing: Arc<Growing>,
    is_superseded: Arc<AtomicBool>,
    /// The page that was last found to mean it: it is looked through once.
    meant_by: Mutex<Weak<Project>>,
    begun: watch::Receiver<Option<Result<Begun, Arc<Error>>>>,
}

impl Running {
    /// Whether a page means what is brought, as far as it says.
    pub(crate) fn is_meant_by(&self, page: &Arc<Project>, path: &str) -> bool {
        let mut last = self.meant_by.lock().unwrap_or_else(PoisonError::into_inner);
        if std::ptr::eq(last.as_ptr(), Arc::as_ptr(page)) {
            return true;
        }
        let meant = page.file_at(path);
        let is_meant = meant.is_none_or(|meant| !contradicts(&self.file.hashes, &meant.hashes));
        if is_meant {
            *last = Arc::downgrade(page);
        }
        is_meant
    }

    /// Leaves the bytes to those who read them already: the page means others by now.
    pub(crate) fn supersede(&self) {
        self.is_superseded.store(true, Ordering::Release);
    }

    /// Waits for the head of upstream's answer.
    pub(crate) async fn begun(&self) -> Result<Begun, Error> {
        let mut begun = self.begun.clone();
        let outcome = begun
            .wait_for(Option::is_some)
            .await
            .ok()
            .and_then(|outcome| outcome.clone());
        match outcome {
            Some(outcome) => outcome.map_err(|error| (*error).clone()),
            // The transfer is gone without a word; its growing file knows why.
            None => Err(self
                .growing
                .finished()
                .await
                .err()
                .map_or_else(stopped, |error| (*error).clone())),
        }
    }
}

fn stopped() -> Error {
    Error::UpstreamDown {
        index: String::new(),
        what: "the file".to_owned(),
        cause: "the transfer was stopped".to_owned(),
        retry_after: None,
    }
}

/// One transfer of one file.
pub(crate) struct Transfer {
    shared: Arc<Shared>,
    order: Order,
    growing: Arc<Growing>,
    staged: Arc<Staged>,
    is_superseded: Arc<AtomicBool>,
    begun: watch::Sender<Option<Result<Begun, Arc<Error>>>>,
}

impl Transfer {
    /// Prepares a transfer; [`Self::run`] does it.
    pub(crate) fn prepare(shared: &Arc<Shared>, order: Order) -> Result<(Self, Running), Error> {
        let staged = Arc::new(shared.storage.blobs().begin()?);
        let growing = Arc::new(Growing::new(staged.blob()));
        let (begun, seen) = watch::channel(None);
        let is_superseded = Arc::<AtomicBool>::default();
        let running = Running {
            project: order.project.clone(),
            file: order.file.clone(),
            growing: growing.clone(),
            is_superseded: is_superseded.clone(),
            meant_by: Mutex::default(),
            begun: seen,
        };
        let transfer = Self {
            shared: shared.clone(),
            order,
            growing,
            staged,
            is_superseded,
            begun,
        };
        Ok((transfer, running))
    }

    /// Fetches, checks, keeps the file, and releases the end to the readers.
    ///
    /// `None` is a file that was right and is served, but is not kept: it could not be,
    /// or upstream has replaced it meanwhile.
    pub(crate) async fn run(self) -> Result<Option<FileRow>, Error> {
        let stopping = StopGuard(self.growing.clone());
        let outcome = match self.fetch_and_check().await {
            Ok(_) if self.is_superseded() => {
                self.growing.finish(Ok(()));
                Ok(None)
            }
            Ok((digest, begun)) => {
                // The end of the body is an answer of success: what it stands for must
                // survive a power cut. Bytes that are right but cannot be kept are served.
                let kept = self.keep(digest, begun).await;
                self.growing.finish(Ok(()));
                Ok(kept.unwrap_or_else(|error| {
                    self.cannot_keep(&error);
                    None
                }))
            }
            Err(error) => {
                self.begun.send_if_modified(|begun| {
                    let is_first = begun.is_none();
                    begun.get_or_insert_with(|| Err(Arc::new(error.clone())));
                    is_first
                });
                self.growing.finish(Err(error.clone()));
                Err(error)
            }
        };
        drop(stopping);
        outcome
    }

    async fn fetch_and_check(&self) -> Result<(Digest, Begun), Error> {
        let sink = Sink::new(
            self.shared.clone(),
            self.staged.clone(),
            self.growing.clone(),
            self.order.what(),
        );
        let fed = AtomicBool::new(false);
        let gate = Gate::new(&self.order.file.hashes);
        let feeding = async {
            let outcome = self.feed(&sink).await;
            fed.store(true, Ordering::Release);
            self.growing.nudge();
            outcome
        };
        let (begun, gate) = join(feeding, self.hash_along(gate, &fed)).await;
        let begun = begun?;
        self.check_length()?;
        match gate?.finish() {
            Ok(digest) => Ok((digest, begun)),
            Err(mismatch) => Err(self.refuse(mismatch).await),
        }
    }

    /// Where nothing else tells a file that was cut, the size on the page has to.
    fn check_length(&self) -> Result<(), Error> {
        let arrived = self.growing.arrived();
        match self.order.file.size {
            Some(size)
                if self.order.file.hashes.is_empty()
                    && self.growing.len().is_none()
                    && size != arrived =>
            {
                let failure = Failure::wrong(format!("it sent {arrived} bytes of {size}"));
                Err(failure.about(&self.shared.name, &self.order.what()))
            }
            _ => Ok(()),
        }
    }

    /// Feeds the gate with what has arrived in order, on a thread, while the rest arrives.
    async fn hash_along(&self, mut gate: Gate, fed: &AtomicBool) -> Result<Gate, Error> {
        let mut hashed = 0;
        let mut news = self.growing.news();
        loop {
            news.mark_unchanged();
            let is_fed = fed.load(Ordering::Acquire);
            let arrived = self.growing.arrived();
            if arrived > hashed && (is_fed || arrived - hashed >= HASH_STEP / 8) {
                let (blob, end) = (self.staged.blob(), arrived.min(hashed + HASH_STEP));
                let hashing = tokio::task::spawn_blocking(move || hash(gate, &blob, hashed, end));
                gate = match hashing.await {
                    Ok(outcome) => outcome?,
                    Err(panic) => std::panic::resume_unwind(panic.into_panic()),
                };
                if end / SYNC_STEP > hashed / SYNC_STEP {
                    self.sync_meanwhile();
                }
                hashed = end;
            } else if is_fed {
                return Ok(gate);
            } else {
                // The sender lives in `self.growing`.
                let _ = news.changed().await;
            }
        }
    }

    /// Starts bringing to disk what is there, so that less is left for the end.
    fn sync_meanwhile(&self) {
        let staged = self.staged.clone();
        // The commit syncs as well, and says so when it fails.
        tokio::task::spawn_blocking(move || drop(staged.sync()));
    }

    /// Blob first, record second. A file that cannot be kept has been served all the same.
    async fn keep(&self, digest: Digest, begun: Begun) -> Result<Option<FileRow>, Error> {
        let size = self.growing.arrived();
        self.staged.commit(&digest).await?;
        if self.is_superseded() {
            // The blob is an orphan now; its record would take the place of the new one's.
            return Ok(None);
        }
        let now = Timestamp::now();
        let db = self.shared.storage.db();
        let before = db.file(&self.shared.name, &self.order.path).await?;
        let row = FileRow {
            mirror: self.shared.name.clone(),
            path: self.order.path.clone(),
            project: self.order.project.clone(),
            filename: self.order.file.filename.clone(),
            digest,
            promised: self.order.file.hashes.clone(),
            size,
            etag: begun.etag,
            last_modified: begun.last_modified,
            stored_at: now,
            last_used: now,
            pinned: before.is_some_and(|row| row.pinned),
        };
        self.shared.storage.is_read(&digest, self.growing.blob());
        db.save_file(&row).await?;
        db.forget_refused(&row.mirror, &row.path).await?;
        self.shared.storage.grew(size);
        Ok(Some(row))
    }

    fn is_superseded(&self) -> bool {
        self.is_superseded.load(Ordering::Acquire)
    }

    fn cannot_keep(&self, error: &Error) {
        self.shared.client.stats().unkept.add(1);
        let file = &self.order.file.filename;
        tracing::error!(index = %self.shared.name, %error, "`{file}` was served but cannot be kept");
    }

    /// Remembers and reports wrong bytes; nothing of them is kept.
    async fn refuse(&self, mismatch: Mismatch) -> Error {
        let Mismatch { expected, found } = mismatch;
        self.shared.client.stats().refused.add(1);
        let file = self.order.file.filename.to_string();
        tracing::error!(index = %self.shared.name, "refused `{file}` from {}: expected {expected}, found {found}", shown(&self.order.url));
        let row = RefusedRow {
            mirror: self.shared.name.clone(),
            path: self.order.path.clone(),
            url: shown(&self.order.url),
            expected: expected.clone(),
            found: found.clone(),
            at: Timestamp::now(),
        };
        if let Err(error) = self.shared.storage.db().refuse(&row).await {
            tracing::error!(%error, "the refusal of `{file}` cannot be recorded");
        }
        Error::Refused {
            file,
            expected,
            found,
        }
    }
}

fn hash(mut gate: Gate, blob: &Blob, start: u64, end: u64) -> Result<Gate, Error> {
    let mut offset = start;
    while offset < end {
        let window = blob.slice(offset, (end - offset).min(1 << 20) as usize)?;
        gate.update(&window);
        offset += window.len() as u64;
    }
    Ok(gate)
}

/// Tells the readers when a transfer ends without having said how, as in a panic.
struct StopGuard(Arc<Growing>);

impl Drop for StopGuard {
    fn drop(&mut self) {
        self.0.finish(Err(stopped()));
    }
}
