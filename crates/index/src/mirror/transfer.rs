//! One transfer of one file from upstream: streamed to all who want it, resumed
//! after cuts, in parallel ranges where upstream is slow, and hashed along the way.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{join, try_join, try_join_all};
use jiff::Timestamp;
use pyspec::{Digest, Filename};
use reqwest::{Response, StatusCode};
use store::{Blob, FileRow, RefusedRow, Staged};
use tokio::io::AsyncReadExt;
use tokio::sync::watch;

use super::Shared;
use super::client::Failure;
use super::config::shown;
use super::gate::{Gate, Mismatch};
use super::order::{Begun, Order, etag};
use super::queue::{Queue, SPAN};
use super::sink::Sink;
use super::span::{Head, Remote, Trouble};
use crate::{Error, Growing};

/// The largest file taken; PyPI's own limit is far below.
const LARGEST: u64 = 64 << 30;
/// The size on a page is advice: a file without a `Content-Length` may be so much longer.
const SIZE_SLACK: u64 = 1 << 20;
/// Smaller files are not worth a second connection.
const LARGE: u64 = 24 << 20;
/// What the first connection fetches of a large file before the others join.
const FIRST_SPAN: u64 = 8 << 20;
/// An upstream that gives one connection this much (bytes/s) needs no help.
const FAST: f64 = 100e6;
/// How long the first connection is watched before others join.
const WATCHED: Duration = Duration::from_millis(250);
/// Brought to disk at a time while a file arrives.
const SYNC_STEP: u64 = 64 << 20;
/// Hashed at a time: enough to make the hop to a thread negligible.
const HASH_STEP: u64 = 8 << 20;

/// A transfer under way, as others see it.
pub(crate) struct Running {
    pub(crate) filename: Filename,
    pub(crate) growing: Arc<Growing>,
    begun: watch::Receiver<Option<Result<Begun, Arc<Error>>>>,
}

impl Running {
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
    begun: watch::Sender<Option<Result<Begun, Arc<Error>>>>,
}

impl Transfer {
    /// Prepares a transfer; [`Self::run`] does it.
    pub(crate) fn prepare(shared: &Arc<Shared>, order: Order) -> Result<(Self, Running), Error> {
        let staged = Arc::new(shared.storage.blobs().begin()?);
        let growing = Arc::new(Growing::new(staged.blob()));
        let (begun, seen) = watch::channel(None);
        let running = Running {
            filename: order.file.filename.clone(),
            growing: growing.clone(),
            begun: seen,
        };
        let transfer = Self {
            shared: shared.clone(),
            order,
            growing,
            staged,
            begun,
        };
        Ok((transfer, running))
    }

    /// Fetches, checks, releases the end to the readers, and keeps the file.
    pub(crate) async fn run(self) -> Result<FileRow, Error> {
        let stopping = StopGuard(self.growing.clone());
        let outcome = match self.fetch_and_check().await {
            Ok((digest, begun)) => {
                // The end of the body is an answer of success: what it stands for must
                // survive a power cut. Bytes that are right but cannot be kept are served.
                let kept = self.keep(digest, begun).await;
                self.growing.finish(Ok(()));
                kept
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

    async fn feed(&self, sink: &Sink) -> Result<Begun, Error> {
        if self.order.url.scheme() == "file" {
            return self.copy(sink).await;
        }
        self.fetch(sink)
            .await
            .map_err(|trouble| self.order.error(&self.shared.name, trouble))
    }

    async fn fetch(&self, sink: &Sink) -> Result<Begun, Trouble> {
        let remote = Remote {
            client: self.shared.client.clone(),
            url: self.order.url.clone(),
        };
        let many = self.shared.config.connections_per_file.max(1);
        let is_large = self.order.file.size.is_some_and(|size| size >= LARGE) && many > 1;
        let asked = remote.ask(0, is_large.then_some(FIRST_SPAN), None).await;
        super::fetch::note_trouble(&self.shared, failure(&asked));
        let (head, response) = asked?;
        let begun = self.begin(&head);
        let limit = self
            .order
            .file
            .size
            .map_or(LARGEST, |size| size + SIZE_SLACK);
        let len = head.len.unwrap_or(limit);
        if len > LARGEST {
            return Err(Failure::wrong(format!("it announced {len} bytes")).into());
        }
        let answered_in_part = response.status() == StatusCode::PARTIAL_CONTENT;
        let first_end = AtomicU64::new(if answered_in_part {
            FIRST_SPAN.min(len)
        } else {
            len
        });
        if head.len.is_some_and(|len| len >= LARGE) && head.ranges && many > 1 {
            self.fetch_in_parts(sink, &remote, &head, response, &first_end)
                .await?;
        } else {
            remote
                .fetch(sink, &head, Some(response), 0, &first_end)
                .await?;
            if head.len.is_none() && sink.growing().arrived() >= limit {
                return Err(
                    Failure::wrong(format!("its answer does not end after {limit} bytes")).into(),
                );
            }
            first_end.store(len, Ordering::Release);
            if head.len.is_some() {
                remote
                    .fetch(sink, &head, None, sink.growing().arrived(), &first_end)
                    .await?;
            }
        }
        Ok(begun)
    }

    /// The first connection goes on from the front; when it is slow, others fetch spans
    /// ahead of it, in order, so that the readable part grows as fast as all together.
    async fn fetch_in_parts(
        &self,
        sink: &Sink,
        from: &Remote,
        head: &Head,
        response: Response,
        first_end: &AtomicU64,
    ) -> Result<(), Trouble> {
        let queue = Queue::empty(head.len.unwrap_or(0));
        let first = async {
            from.fetch(sink, head, Some(response), 0, first_end).await?;
            queue.work(sink, from, head).await
        };
        let others = async {
            let workers = self.plan(first_end, &queue).await;
            try_join_all((0..workers).map(|_| queue.work(sink, from, head))).await
        };
        try_join(first, others).await.map(|_| ())
    }

    /// Watches the first connection and fills the queue; answers how many others shall work on it.
    async fn plan(&self, first_end: &AtomicU64, queue: &Queue) -> usize {
        let began = Instant::now();
        let end = first_end.load(Ordering::Acquire);
        let half = self.growing.reached(FIRST_SPAN.min(end) / 2);
        let _ = tokio::time::timeout(WATCHED, half).await;
        let rate = self.growing.arrived() as f64 / began.elapsed().as_secs_f64().max(1e-6);
        let others = self.shared.config.connections_per_file.saturating_sub(1);
        let is_whole = end == queue.len;
        match (rate < FAST, is_whole) {
            (true, true) => {
                let end = (self.growing.arrived() + FIRST_SPAN).min(queue.len);
                first_end.store(end, Ordering::Release);
                queue.fill(end, SPAN);
                others
            }
            (true, false) => {
                queue.fill(end, SPAN);
                others
            }
            (false, true) => 0,
            (false, false) => {
                queue.fill(end, queue.len - end);
                1
            }
        }
    }

    /// A file of a directory on this machine.
    async fn copy(&self, sink: &Sink) -> Result<Begun, Error> {
        let what = self.order.what();
        let unreadable = |cause: String| Error::UpstreamWrong {
            index: self.shared.name.clone(),
            what: what.clone(),
            cause,
        };
        let path = self
            .order
            .url
            .to_file_path()
            .map_err(|()| unreadable("its address is not a path".to_owned()))?;
        let file = tokio::fs::File::open(&path)
            .await
            .map_err(|error| unreadable(error.to_string()))?;
        let metadata = file
            .metadata()
            .await
            .map_err(|error| unreadable(error.to_string()))?;
        let head = Head::of_local(
            metadata.len(),
            metadata
                .modified()
                .ok()
                .and_then(|at| Timestamp::try_from(at).ok()),
        );
        let begun = self.begin(&head);
        let mut file = file;
        let mut offset = 0;
        loop {
            let mut piece = vec![0; 1 << 20];
            let read = file
                .read(&mut piece)
                .await
                .map_err(|error| unreadable(error.to_string()))?;
            if read == 0 {
                return Ok(begun);
            }
            piece.truncate(read);
            offset = sink.write(offset, vec![piece.into()]).await?;
        }
    }

    /// Lets everybody know that upstream's answer has begun.
    fn begin(&self, head: &Head) -> Begun {
        let begun = Begun {
            etag: etag(&self.order, head),
            last_modified: head.last_modified,
        };
        self.growing.set_len(head.len);
        self.begun.send_replace(Some(Ok(begun.clone())));
        begun
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
    async fn keep(&self, digest: Digest, begun: Begun) -> Result<FileRow, Error> {
        let size = self.growing.arrived();
        self.staged.commit(&digest).await?;
        let now = Timestamp::now();
        let db = self.shared.storage.db();
        let before = db.file(&self.shared.name, &self.order.path).await?;
        let row = FileRow {
            mirror: self.shared.name.clone(),
            path: self.order.path.clone(),
            project: self.order.project.clone(),
            filename: self.order.file.filename.clone(),
            digest,
            size,
            etag: begun.etag,
            last_modified: begun.last_modified,
            stored_at: now,
            last_used: now,
            pinned: before.is_some_and(|row| row.pinned),
        };
        db.save_file(&row).await?;
        db.forget_refused(&row.mirror, &row.path).await?;
        self.shared.storage.grew(size);
        Ok(row)
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

fn failure<T>(asked: &Result<T, Trouble>) -> Option<&Failure> {
    match asked {
        Err(Trouble::Upstream(failure)) => Some(failure),
        _ => None,
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
