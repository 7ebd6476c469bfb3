//! A blob that is open for reading, or the part of one that has arrived.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;

use crate::{Error, window};

/// An open file of the store: an immutable blob, or a staged one that still grows.
///
/// Cheap to clone. Stays readable when the blob is removed.
#[derive(Debug, Clone)]
pub struct Blob(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    file: Arc<File>,
    /// For operators' messages.
    path: PathBuf,
    /// Known and fixed, or the file still grows.
    len: Option<u64>,
}

impl Blob {
    pub(crate) fn immutable(file: File, path: PathBuf, len: u64) -> Self {
        Self(Arc::new(Inner {
            file: Arc::new(file),
            path,
            len: Some(len),
        }))
    }

    pub(crate) fn growing(file: Arc<File>, path: PathBuf) -> Self {
        Self(Arc::new(Inner {
            file,
            path,
            len: None,
        }))
    }

    /// Bytes there are; of a growing file, by now.
    pub fn len(&self) -> u64 {
        let now = || self.0.file.metadata().map_or(0, |metadata| metadata.len());
        self.0.len.unwrap_or_else(now)
    }

    /// Whether there are no bytes.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How many clones of this there are, itself included; windows do not count.
    pub fn holders(&self) -> usize {
        Arc::strong_count(&self.0)
    }

    /// Bytes by reference: a mapping of just this window, gone when dropped. Windows
    /// below 128 KiB are copies, which are cheaper; 1 MiB is a good size.
    ///
    /// Waits for the disk if the bytes are not [resident](Self::resident).
    /// A window that ends beyond the file is an error.
    pub fn slice(&self, offset: u64, len: usize) -> Result<Bytes, Error> {
        window::bytes(&self.0.file, offset, len)
            .map_err(|e| Error::io("reading a blob", &self.0.path, e))
    }

    /// Whether [`Self::slice`] would not wait for the disk, as far as a few probes can tell.
    ///
    /// Where the file system cannot tell, the answer is no.
    pub fn resident(&self, offset: u64, len: usize) -> bool {
        const STRIDE: usize = 256 * 1024;
        if len == 0 {
            return true;
        }
        let probes = (0..len).step_by(STRIDE).chain([len - 1]);
        probes
            .into_iter()
            .all(|at| is_cached(&self.0.file, offset + at as u64))
    }

    /// Brings a window, and what follows it, into memory. Blocks; for a thread that may.
    pub fn populate(&self, offset: u64, len: usize) -> Result<(), Error> {
        window::populate(&self.0.file, offset, len)
            .map_err(|e| Error::io("reading a blob", &self.0.path, e))
    }

    /// Copies bytes out; answers how many, less than asked for only at the end.
    pub fn read_at(&self, offset: u64, into: &mut [u8]) -> Result<usize, Error> {
        let mut done = 0;
        while done < into.len() {
            match self.0.file.read_at(&mut into[done..], offset + done as u64) {
                Ok(0) => break,
                Ok(n) => done += n,
                Err(e) if e.kind() == std::io::ErrorKind::Interrupted => {}
                Err(e) => return Err(Error::io("reading a blob", &self.0.path, e)),
            }
        }
        Ok(done)
    }
}

/// Whether the byte at `offset` can be read without waiting.
#[cfg(target_os = "linux")]
fn is_cached(file: &File, offset: u64) -> bool {
    let mut probe = [0];
    let into = &mut [std::io::IoSliceMut::new(&mut probe)];
    rustix::io::preadv2(file, into, offset, rustix::io::ReadWriteFlags::NOWAIT) == Ok(1)
}

#[cfg(not(target_os = "linux"))]
fn is_cached(_file: &File, _offset: u64) -> bool {
    false
}
