//! The content of an upload on its way in: to the disk and through the hashes, a
//! megabyte at a time, off the threads that serve.
//!
//! At most one batch is being written while the next one fills; whoever sends
//! faster than the disk writes has to wait. So a file of any size costs the same memory.

use std::io;

use archive::ReadAt;
use blake2::Blake2b;
use blake2::digest::consts::U32;
use bytes::Bytes;
use md5::Md5;
use sha2::{Digest as _, Sha256};
use store::{Blob, Blobs, SMALL, Staged};
use tokio::task::JoinHandle;

use super::form::bad;
use super::inspect::blocking;
use crate::{Error, Storage};

/// What is written and hashed in one go.
const BATCH: usize = 1 << 20;

/// The content of an upload, on its way in. Dropped before its end, it leaves nothing.
pub struct Incoming {
    state: State,
    batch: Vec<Bytes>,
    batched: usize,
    /// Bytes of the batch that is being written.
    passed_on: usize,
}

enum State {
    Idle(Box<Writer>),
    Busy(JoinHandle<Result<Box<Writer>, Error>>),
    Broken,
}

/// The content of an upload that is all here, though nobody can see it yet.
pub struct Received {
    content: Content,
    blobs: Blobs,
    pub(super) size: u64,
    pub(super) sha256: pyspec::Digest,
    sums: Sums,
}

/// Hashes that some uploaders state besides SHA-256. Each costs as much as the upload itself,
/// so it is computed only if somebody states it.
#[derive(Default)]
pub(super) struct Sums {
    md5: Option<Md5>,
    blake2: Option<Blake2b<U32>>,
}

/// Where the bytes are.
enum Content {
    /// In a file that nobody can see yet.
    Staged(Staged),
    /// In memory, few as they are.
    Small(Bytes),
}

/// The bytes, to be read from any place.
#[derive(Debug, Clone)]
pub(super) enum Reader {
    Stored(Blob),
    Small(Bytes),
}

impl ReadAt for Reader {
    fn len(&self) -> io::Result<u64> {
        match self {
            Self::Stored(blob) => Ok(blob.len()),
            Self::Small(bytes) => ReadAt::len(&**bytes),
        }
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(blob) => blob.read_at(offset, into).map_err(io::Error::other),
            Self::Small(bytes) => ReadAt::read_at(&**bytes, offset, into),
        }
    }
}

struct Writer {
    /// Opened when it is known that the content is not small.
    staged: Option<Staged>,
    blobs: Blobs,
    at: u64,
    sha256: Sha256,
    sums: Sums,
}

impl Storage {
    /// Begins to take the content of an upload; `fields` are those of the form that came before it.
    pub fn receive(&self, fields: &[(String, String)]) -> Result<Incoming, Error> {
        let writer = Writer {
            staged: None,
            blobs: self.blobs().clone(),
            at: 0,
            sha256: Sha256::new(),
            sums: Sums::stated(fields),
        };
        Ok(Incoming {
            state: State::Idle(Box::new(writer)),
            batch: Vec::new(),
            batched: 0,
            passed_on: 0,
        })
    }
}

impl Incoming {
    /// Takes the next bytes; waits if the disk is behind.
    pub async fn write(&mut self, bytes: Bytes) -> Result<(), Error> {
        self.batched += bytes.len();
        self.batch.push(bytes);
        if self.batched >= BATCH {
            self.pass_on().await?;
        }
        Ok(())
    }

    /// Bytes that are in memory at most, right now.
    pub fn held(&self) -> usize {
        self.batched + self.passed_on
    }

    /// Ends the content.
    pub async fn finish(mut self) -> Result<Received, Error> {
        let writer = self.writer().await?;
        if writer.at == 0 && self.batched <= SMALL {
            return Ok(writer.small(self.batch));
        }
        self.state = State::Idle(writer);
        self.pass_on().await?;
        self.writer().await?.received()
    }

    async fn pass_on(&mut self) -> Result<(), Error> {
        let mut writer = self.writer().await?;
        let batch = std::mem::take(&mut self.batch);
        self.passed_on = std::mem::take(&mut self.batched);
        self.state = State::Busy(tokio::task::spawn_blocking(move || {
            for bytes in batch {
                writer.write(&bytes)?;
            }
            Ok(writer)
        }));
        Ok(())
    }

    /// The writer, when it has written what it was given.
    async fn writer(&mut self) -> Result<Box<Writer>, Error> {
        match std::mem::replace(&mut self.state, State::Broken) {
            State::Idle(writer) => Ok(writer),
            State::Busy(writing) => writing.await.unwrap_or(Err(broken())),
            State::Broken => Err(broken()),
        }
    }
}

impl Received {
    /// Bytes of it.
    pub fn len(&self) -> u64 {
        self.size
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.size == 0
    }

    /// Its SHA-256.
    pub fn digest(&self) -> &pyspec::Digest {
        &self.sha256
    }

    /// Publishes it as a blob; after this it survives a power cut.
    pub(crate) async fn commit(&self) -> Result<(), Error> {
        match &self.content {
            Content::Staged(staged) => Ok(staged.commit(&self.sha256).await?),
            Content::Small(bytes) => {
                let (blobs, bytes) = (self.blobs.clone(), bytes.clone());
                let written = blocking(move || {
                    let staged = blobs.begin()?;
                    staged.write_at(0, &bytes).map(|()| staged)
                });
                Ok(written.await?.commit(&self.sha256).await?)
            }
        }
    }

    /// Its bytes, if they are few enough to be kept in a record for a while.
    pub(super) fn small(&self) -> Option<&Bytes> {
        match &self.content {
            Content::Small(bytes) => Some(bytes),
            Content::Staged(_) => None,
        }
    }

    pub(super) fn reader(&self) -> Reader {
        match &self.content {
            Content::Staged(staged) => Reader::Stored(staged.blob()),
            Content::Small(bytes) => Reader::Small(bytes.clone()),
        }
    }
}

impl Writer {
    fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        let staged = match &mut self.staged {
            Some(staged) => staged,
            none => none.insert(self.blobs.begin()?),
        };
        staged.write_at(self.at, bytes)?;
        self.digest(bytes);
        Ok(())
    }

    fn digest(&mut self, bytes: &[u8]) {
        self.at += bytes.len() as u64;
        self.sha256.update(bytes);
        self.sums.update(bytes);
    }

    /// What was never written: it is hashed here and now, sooner than another thread would wake.
    fn small(mut self, batch: Vec<Bytes>) -> Received {
        let bytes = match <[Bytes; 1]>::try_from(batch) {
            // A copy of its own: a slice would keep the whole of what the connection has read.
            Ok([bytes]) => Bytes::copy_from_slice(&bytes),
            Err(batch) => batch.concat().into(),
        };
        self.digest(&bytes);
        self.ended(Content::Small(bytes))
    }

    fn received(mut self) -> Result<Received, Error> {
        let staged = match self.staged.take() {
            Some(staged) => staged,
            None => self.blobs.begin()?,
        };
        Ok(self.ended(Content::Staged(staged)))
    }

    fn ended(self, content: Content) -> Received {
        Received {
            content,
            blobs: self.blobs,
            size: self.at,
            sha256: <[u8; 32]>::from(self.sha256.finalize()).into(),
            sums: self.sums,
        }
    }
}

/// The fields of a form that state a hash, and what people call it.
const MD5: (&str, &str) = ("md5_digest", "MD5");
const BLAKE2: (&str, &str) = ("blake2_256_digest", "BLAKE2b-256");
const SHA256: (&str, &str) = ("sha256_digest", "SHA-256");

impl Sums {
    /// For what the fields state.
    fn stated(fields: &[(String, String)]) -> Self {
        let states = |wanted: (&str, _)| fields.iter().any(|(name, _)| name == wanted.0);
        Self {
            md5: states(MD5).then(Md5::new),
            blake2: states(BLAKE2).then(Blake2b::new),
        }
    }

    fn update(&mut self, bytes: &[u8]) {
        if let Some(md5) = &mut self.md5 {
            md5.update(bytes);
        }
        if let Some(blake2) = &mut self.blake2 {
            blake2.update(bytes);
        }
    }

    /// Whether this has every hash that `other` has.
    fn covers(&self, other: &Self) -> bool {
        self.md5.is_some() >= other.md5.is_some() && self.blake2.is_some() >= other.blake2.is_some()
    }
}

impl Received {
    /// Compares the hashes that the form states with those of what came.
    pub(super) async fn check(
        &mut self,
        filename: &str,
        fields: &[(String, String)],
    ) -> Result<(), Error> {
        let stated = Sums::stated(fields);
        if !self.sums.covers(&stated) {
            // They were stated after the file.
            self.sums = blocking(reread(self.reader(), stated)).await?;
        }
        let sums = std::mem::take(&mut self.sums);
        let found = [
            (SHA256, Some(self.sha256.to_string())),
            (MD5, sums.md5.map(|md5| hex::encode(md5.finalize()))),
            (
                BLAKE2,
                sums.blake2.map(|blake2| hex::encode(blake2.finalize())),
            ),
        ];
        for ((field, kind), found) in found {
            let Some(found) = found else { continue };
            let values = fields.iter().filter(|(name, _)| name == field);
            let mut values = values
                .map(|(_, value)| value.trim())
                .filter(|value| !value.is_empty());
            if let Some(other) = values.find(|value| !value.eq_ignore_ascii_case(&found)) {
                return Err(bad(format!(
                    "{filename} is not what was sent: the form states {kind} {other}, but it came with {found}"
                )));
            }
        }
        Ok(())
    }
}

fn reread(reader: Reader, mut sums: Sums) -> impl FnOnce() -> Result<Sums, Error> {
    move || {
        let mut batch = vec![0; BATCH];
        let mut at = 0;
        loop {
            let read = reader.read_at(at, &mut batch).map_err(unread)?;
            if read == 0 {
                return Ok(sums);
            }
            sums.update(&batch[..read]);
            at += read as u64;
        }
    }
}

/// Our own files fail with an error of the store.
fn unread(error: io::Error) -> Error {
    error
        .downcast::<store::Error>()
        .map_or_else(|_| broken(), Error::from)
}

/// After a failed write, or if the runtime stops.
fn broken() -> Error {
    store::Error::NotFound {
        what: "the rest of an upload that failed before".to_owned(),
    }
    .into()
}
