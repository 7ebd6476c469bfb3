//! Where the bytes of a transfer come from: one connection, several, or a file on this machine.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use futures_util::future::{try_join, try_join_all};
use jiff::Timestamp;
use reqwest::{Response, StatusCode};
use tokio::io::AsyncReadExt;

use super::Transfer;
use crate::Error;
use crate::mirror::client::Failure;
use crate::mirror::order::{Begun, etag};
use crate::mirror::queue::{Queue, SPAN};
use crate::mirror::sink::Sink;
use crate::mirror::span::{Head, Remote, Trouble};

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
impl Transfer {
    pub(super) async fn feed(&self, sink: &Sink) -> Result<Begun, Error> {
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
        crate::mirror::fetch::note_trouble(&self.shared, failure(&asked));
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
}

fn failure<T>(asked: &Result<T, Trouble>) -> Option<&Failure> {
    match asked {
        Err(Trouble::Upstream(failure)) => Some(failure),
        _ => None,
    }
}
