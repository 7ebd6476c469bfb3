//! Fetching a span of a file: one request after another until all its bytes are there.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use futures_util::{FutureExt, StreamExt};
use jiff::Timestamp;
use reqwest::header::{
    ACCEPT_ENCODING, ACCEPT_RANGES, CONTENT_LENGTH, CONTENT_RANGE, ETAG, HeaderMap, HeaderValue,
    IF_RANGE, LAST_MODIFIED, RANGE,
};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::client::{Client, Failure, Purpose, describe, value};
use super::sink::Sink;
use crate::Error;

/// Until a response head; shorter than pip's patience of 15 s.
const HEAD_DEADLINE: Duration = Duration::from_secs(12);
/// How often a span is taken up again without a single new byte.
const MOST_FAILURES: u32 = 4;
/// Bytes written at a time when they come faster than they are written.
const BATCH: usize = 512 * 1024;

/// What the head of upstream's answer says of the whole file.
#[derive(Debug, Clone)]
pub(crate) struct Head {
    /// Bytes of the whole file.
    pub(crate) len: Option<u64>,
    /// Where the body starts within the file.
    start: u64,
    /// A strong validator, for `If-Range`.
    pub(crate) validator: Option<String>,
    pub(crate) last_modified: Option<Timestamp>,
    /// Whether parts can be asked for.
    pub(crate) ranges: bool,
}

impl Head {
    /// Of a file on this machine.
    pub(crate) fn of_local(len: u64, last_modified: Option<Timestamp>) -> Self {
        Self {
            len: Some(len),
            start: 0,
            validator: None,
            last_modified,
            ranges: false,
        }
    }
}

/// Why a span did not come.
#[derive(Debug)]
pub(crate) enum Trouble {
    Upstream(Failure),
    /// Upstream has no such file; the status it gave.
    Missing(StatusCode),
    Here(Error),
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        Self::Upstream(failure)
    }
}

/// A file upstream.
#[derive(Debug, Clone)]
pub(crate) struct Remote {
    pub(crate) client: Client,
    pub(crate) url: Url,
}

impl Remote {
    /// Asks for the file from `start` on, up to `end` if that is given.
    pub(crate) async fn ask(
        &self,
        start: u64,
        end: Option<u64>,
        validator: Option<&str>,
    ) -> Result<(Head, Response), Trouble> {
        let headers = range_headers(start, end, validator);
        let until = Instant::now() + HEAD_DEADLINE / 2;
        let asking = self
            .client
            .send_patiently(Purpose::File, &self.url, headers, until);
        let response = tokio::time::timeout(HEAD_DEADLINE, asking)
            .await
            .map_err(|_| Failure::Down {
                cause: format!("no answer within {} s", HEAD_DEADLINE.as_secs()),
                retry_after: None,
            })??;
        match response.status() {
            StatusCode::OK => Ok((head(&response, None), response)),
            StatusCode::PARTIAL_CONTENT => {
                let range = content_range(&response).filter(|range| range.0 == start);
                let range = range.ok_or_else(|| {
                    Failure::wrong("it sent another part of the file than was asked for")
                })?;
                if range.1.is_none() && end.is_some() && start == 0 {
                    // Without the whole length, a part cannot be told from all of it.
                    return Box::pin(self.ask(0, None, None)).await;
                }
                Ok((head(&response, Some(range)), response))
            }
            status @ (StatusCode::NOT_FOUND
            | StatusCode::GONE
            | StatusCode::FORBIDDEN
            | StatusCode::UNAVAILABLE_FOR_LEGAL_REASONS) => Err(Trouble::Missing(status)),
            status => Err(Failure::wrong(format!("it answered {status}")).into()),
        }
    }

    /// Fetches from `offset` to `end` (which may come nearer meanwhile) into the sink,
    /// taking up again after cuts. `first` is an answer that is already here.
    pub(crate) async fn fetch(
        &self,
        sink: &Sink,
        head: &Head,
        mut first: Option<Response>,
        mut offset: u64,
        end: &AtomicU64,
    ) -> Result<(), Trouble> {
        let mut failures = 0;
        while offset < end.load(Ordering::Acquire) {
            let asked = match first.take() {
                Some(response) => Ok((head.clone(), response)),
                None => {
                    self.ask(offset, bounded(end), head.validator.as_deref())
                        .await
                }
            };
            let before = offset;
            let failure = match asked {
                Ok((part, response)) => {
                    let grew = part.len.is_some() && head.len.is_some() && part.len != head.len;
                    if grew || (offset > 0 && part.validator != head.validator) {
                        return Err(Failure::wrong("the file changed while it was fetched").into());
                    }
                    match self
                        .pump(sink, part.start, response, &mut offset, end)
                        .await
                    {
                        Ok(()) if head.len.is_none() => return Ok(()),
                        Ok(()) if offset > before => continue,
                        Ok(()) => Failure::wrong("it sent fewer bytes than it announced"),
                        Err(Trouble::Upstream(failure)) if failure.is_passing() => failure,
                        Err(trouble) => return Err(trouble),
                    }
                }
                Err(Trouble::Upstream(failure)) if failure.is_passing() => failure,
                Err(trouble) => return Err(trouble),
            };
            failures = if offset > before { 1 } else { failures + 1 };
            if failures > MOST_FAILURES {
                return Err(failure.into());
            }
            self.client.stats().upstream_retries.add(1);
            tokio::time::sleep(Duration::from_millis(100) * 2_u32.pow(failures)).await;
        }
        Ok(())
    }

    /// Writes a body that starts at `start` into the sink, from `offset` up to `end`.
    async fn pump(
        &self,
        sink: &Sink,
        start: u64,
        response: Response,
        offset: &mut u64,
        end: &AtomicU64,
    ) -> Result<(), Trouble> {
        // An answer to a range request may be the whole file again; what we have is skipped.
        let mut skip = *offset - start.min(*offset);
        let mut body = response.bytes_stream();
        loop {
            let Some(chunk) = body.next().await else {
                return Ok(());
            };
            let mut batch = Vec::new();
            let mut size = 0;
            let mut next = Some(chunk);
            let mut broken = None;
            while let Some(chunk) = next.take() {
                match chunk {
                    Ok(chunk) => {
                        size += push(&mut batch, chunk, &mut skip);
                        if size < BATCH {
                            next = body.next().now_or_never().flatten();
                        }
                    }
                    Err(error) => broken = Some(describe(&error)),
                }
            }
            let room = end.load(Ordering::Acquire).saturating_sub(*offset);
            let is_last = cut(&mut batch, room);
            if !batch.is_empty() {
                *offset = sink.write(*offset, batch).await.map_err(Trouble::Here)?;
            }
            if is_last {
                return Ok(());
            }
            if let Some(failure) = broken {
                return Err(failure.into());
            }
        }
    }
}

fn push(batch: &mut Vec<Bytes>, mut chunk: Bytes, skip: &mut u64) -> usize {
    let skipped = (*skip).min(chunk.len() as u64);
    *skip -= skipped;
    let chunk = chunk.split_off(skipped as usize);
    let size = chunk.len();
    if size > 0 {
        batch.push(chunk);
    }
    size
}

/// Cuts a batch down to `room` bytes; answers whether that fills the room.
fn cut(batch: &mut Vec<Bytes>, mut room: u64) -> bool {
    for piece in batch.iter_mut() {
        piece.truncate(room.min(piece.len() as u64) as usize);
        room -= piece.len() as u64;
    }
    batch.retain(|piece| !piece.is_empty());
    room == 0
}

fn bounded(end: &AtomicU64) -> Option<u64> {
    Some(end.load(Ordering::Acquire)).filter(|end| *end != u64::MAX)
}

fn range_headers(start: u64, end: Option<u64>, validator: Option<&str>) -> HeaderMap {
    let mut headers =
        HeaderMap::from_iter([(ACCEPT_ENCODING, HeaderValue::from_static("identity"))]);
    let range = match end {
        Some(end) => format!("bytes={start}-{}", end.saturating_sub(1)),
        None if start > 0 => format!("bytes={start}-"),
        None => return headers,
    };
    if let Some(range) = value(&range) {
        headers.insert(RANGE, range);
    }
    if let Some(validator) = validator.and_then(value) {
        headers.insert(IF_RANGE, validator);
    }
    headers
}

fn head(response: &Response, range: Option<(u64, Option<u64>)>) -> Head {
    let headers = response.headers();
    let text = |name| {
        headers
            .get(name)
            .and_then(|v: &HeaderValue| v.to_str().ok())
    };
    let (start, len) = match range {
        Some((start, total)) => (start, total),
        None => (0, text(CONTENT_LENGTH).and_then(|len| len.parse().ok())),
    };
    Head {
        len,
        start,
        validator: text(ETAG)
            .filter(|etag| etag.starts_with('"'))
            .map(str::to_owned),
        last_modified: text(LAST_MODIFIED)
            .and_then(|date| httpdate::parse_http_date(date).ok())
            .and_then(|date| Timestamp::try_from(date).ok()),
        ranges: range.is_some()
            || text(ACCEPT_RANGES).is_some_and(|unit| unit.eq_ignore_ascii_case("bytes")),
    }
}

/// The first offset and the whole length of a `Content-Range: bytes a-b/len`.
pub(crate) fn content_range(response: &Response) -> Option<(u64, Option<u64>)> {
    let range = response.headers().get(CONTENT_RANGE)?.to_str().ok()?;
    let (span, total) = range.strip_prefix("bytes ")?.split_once('/')?;
    let (first, _) = span.split_once('-')?;
    Some((first.parse().ok()?, total.parse().ok()))
}

impl Remote {
    /// What upstream says of the file without sending it.
    pub(crate) async fn head(&self) -> Result<Head, Trouble> {
        let headers = range_headers(0, None, None);
        let response = self
            .client
            .send(Purpose::File, Method::HEAD, &self.url, headers)
            .await?;
        match response.status() {
            StatusCode::OK => Ok(head(&response, None)),
            status @ (StatusCode::NOT_FOUND | StatusCode::GONE | StatusCode::FORBIDDEN) => {
                Err(Trouble::Missing(status))
            }
            status => Err(Failure::wrong(format!("it answered {status}")).into()),
        }
    }

    /// The file's length if parts of it can be asked for.
    pub(crate) async fn len_if_ranged(&self) -> Result<Option<u64>, Trouble> {
        // A range request, not HEAD: it proves what HEAD only claims.
        let (head, response) = self.ask(0, Some(1), None).await?;
        Ok(head
            .len
            .filter(|_| response.status() == StatusCode::PARTIAL_CONTENT))
    }

    /// Reads one part of the file.
    pub(crate) async fn read(&self, start: u64, length: u64) -> Result<Vec<u8>, String> {
        let (_, response) =
            self.ask(start, Some(start + length), None)
                .await
                .map_err(|trouble| match trouble {
                    Trouble::Upstream(failure) => failure.cause().to_owned(),
                    Trouble::Missing(status) => format!("it answered {status}"),
                    Trouble::Here(error) => error.to_string(),
                })?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Err("it sent the whole file instead of a part".to_owned());
        }
        self.client
            .read(response, length as usize)
            .await
            .map_err(|failure| failure.cause().to_owned())
    }
}
