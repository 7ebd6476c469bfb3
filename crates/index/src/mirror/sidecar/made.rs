//! Metadata that upstream does not have: read out of the wheel, stored or upstream's.

use std::io;
use std::panic::resume_unwind;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;

use bytes::Bytes;
use url::Url;

use super::{Beside, Sidecars};
use crate::mirror::client::Failure;
use crate::mirror::file::Started;
use crate::mirror::sink::Sink;
use crate::mirror::span::{Remote, Trouble};
use crate::mirror::zip_tail::{self, Unreadable};
use crate::{Error, Growing};

const GONE: &str = "it lists the wheel but does not have it";

impl Sidecars {
    /// METADATA out of the wheel: the stored one, or range reads of upstream's.
    pub(super) async fn made(&self, beside: &Beside) -> Result<Vec<u8>, Error> {
        let outcome = match self.files.stored(&beside.path).await? {
            Some((row, blob)) => {
                from_blob(row.size, move |start, length| blob.slice(start, length)).await
            }
            None => self.read_upstream(beside).await?,
        };
        match outcome {
            Ok(metadata) => Ok(metadata),
            Err(Unreadable::Wheel(why)) => {
                tracing::warn!(index = %self.shared.name, "no metadata can be made for `{}`: {why}", beside.file.filename);
                // From the next page on it is no longer advertised.
                let db = self.shared.storage.db();
                db.note_made_metadata(&self.shared.name, &beside.project, &beside.path, None)
                    .await?;
                self.pages.reread(&beside.project);
                Err(self.about(beside, Failure::wrong(why)))
            }
            Err(Unreadable::Io(error)) => Err(self.about(beside, Failure::down(error.to_string()))),
        }
    }

    async fn read_upstream(&self, beside: &Beside) -> Result<Result<Vec<u8>, Unreadable>, Error> {
        if self.shared.config.offline {
            return Err(self.offline(beside));
        }
        let about = |failure| self.about(beside, failure);
        let url = beside
            .file
            .url
            .parse::<Url>()
            .map_err(|error| about(Failure::wrong(error.to_string())))?;
        if url.scheme() == "file" {
            return self.read_whole(&beside.path).await;
        }
        let client = self.shared.client.clone();
        let remote = Remote { client, url };
        match remote.len_if_ranged().await {
            Ok(Some(len)) => {
                let runtime = self.shared.runtime.clone();
                let fetch = move |start, length| {
                    runtime
                        .block_on(remote.read(start, length))
                        .map_err(io::Error::other)
                };
                let reading = tokio::task::spawn_blocking(move || zip_tail::metadata(len, fetch));
                Ok(reading
                    .await
                    .unwrap_or_else(|panic| resume_unwind(panic.into_panic())))
            }
            Ok(None) if self.files.is_upstreams() => {
                let read = self.read_and_drop(beside, &remote).await;
                read.map_err(|trouble| match trouble {
                    Trouble::Upstream(failure) => about(failure),
                    Trouble::Missing(_) => about(Failure::wrong(GONE)),
                    Trouble::Here(error) => error,
                })
            }
            // No ranges: the wheel will be wanted soon anyway.
            Ok(None) => self.read_whole(&beside.path).await,
            Err(Trouble::Upstream(failure)) => Err(about(failure)),
            Err(Trouble::Missing(_)) => Err(about(Failure::wrong(GONE))),
            Err(Trouble::Here(error)) => Err(error),
        }
    }

    /// The whole wheel, of which nothing stays: clients get it from upstream.
    async fn read_and_drop(
        &self,
        beside: &Beside,
        remote: &Remote,
    ) -> Result<Result<Vec<u8>, Unreadable>, Trouble> {
        let (head, response) = remote.ask(0, None, None).await?;
        let staged = self.shared.storage.blobs().begin();
        let staged = Arc::new(staged.map_err(|error| Trouble::Here(error.into()))?);
        let growing = Arc::new(Growing::new(staged.blob()));
        let what = beside.what();
        let sink = Sink::new(self.shared.clone(), staged, growing.clone(), what);
        let end = AtomicU64::new(head.len.unwrap_or(u64::MAX));
        remote.fetch(&sink, &head, Some(response), 0, &end).await?;
        let arrived = growing.arrived();
        let slice = move |start, length| growing.slice(start, length);
        Ok(from_blob(arrived, slice).await)
    }

    async fn read_whole(&self, path: &str) -> Result<Result<Vec<u8>, Unreadable>, Error> {
        let running = match self.files.running(path).await? {
            Some(Started::Running(running)) => running,
            Some(Started::Arrived) => {
                let kept = self.files.stored(path).await?;
                let Some((row, blob)) = kept else {
                    return Ok(Err(Unreadable::Wheel("it was evicted at once".to_owned())));
                };
                let slice = move |start, length| blob.slice(start, length);
                return Ok(from_blob(row.size, slice).await);
            }
            None => return Ok(Err(Unreadable::Wheel("it is no longer listed".to_owned()))),
        };
        let growing = running.growing.clone();
        growing.finished().await.map_err(|error| (*error).clone())?;
        Ok(from_blob(growing.arrived(), move |start, length| {
            growing.slice(start, length)
        })
        .await)
    }
}

async fn from_blob<E: Into<Error> + 'static>(
    len: u64,
    slice: impl Fn(u64, usize) -> Result<Bytes, E> + Send + 'static,
) -> Result<Vec<u8>, Unreadable> {
    let fetch = move |start, length| {
        let window =
            slice(start, length as usize).map_err(|error| io::Error::other(error.into()))?;
        Ok(window.into())
    };
    let reading = tokio::task::spawn_blocking(move || zip_tail::metadata(len, fetch));
    reading
        .await
        .unwrap_or_else(|panic| resume_unwind(panic.into_panic()))
}
