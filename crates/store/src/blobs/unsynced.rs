//! Small blobs that do not wait for the disk: their bytes are kept by the change that names them.
//!
//! A file of two kilobytes costs five syncs to keep by itself: its bytes, two
//! directories, the one it is in, the record. The record's sync is enough if it holds
//! the bytes as well. The file is there at once, and synced later with many others;
//! until then a server that starts finds the bytes in the records.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use bytes::Bytes;
use pyspec::Digest;
use sha2::{Digest as _, Sha256};

use super::{Blobs, Syncing};
use crate::{Error, fail_point};

/// The most bytes that are kept in a record for a while: a few pages of the database.
pub const SMALL: usize = 32 * 1024;

/// A blob that everybody can read, and that a power cut may take unless its bytes are
/// saved by [`Db::save_uploaded`](crate::Db::save_uploaded).
#[derive(Debug, Clone)]
pub struct Unsynced {
    pub(crate) digest: Digest,
    pub(crate) bytes: Bytes,
}

impl Unsynced {
    /// The blob's name.
    pub fn digest(&self) -> Digest {
        self.digest
    }

    /// Its length in bytes.
    pub fn len(&self) -> u64 {
        self.bytes.len() as u64
    }

    /// Whether it has no bytes.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl Blobs {
    /// Makes bytes a blob without waiting for the disk. Blocks, though not for long.
    ///
    /// What is there already stays as it is: it may have been synced, and another file in its
    /// place would not be.
    pub fn put_unsynced(&self, bytes: Bytes) -> Result<Unsynced, Error> {
        let digest = <[u8; 32]>::from(Sha256::digest(&bytes)).into();
        if !self.holds(&digest, &bytes)? {
            self.place(&digest, &bytes)?;
        }
        Ok(Unsynced { digest, bytes })
    }

    /// Gives the blob a new file.
    fn place(&self, digest: &Digest, bytes: &[u8]) -> Result<(), Error> {
        let failed = |e| Error::io("writing a staged file", &self.0.staged, e);
        self.disk()?;
        let mut builder = tempfile::Builder::new();
        let staged = builder.prefix("").tempfile_in(&self.0.staged);
        let mut staged = staged.map_err(failed)?;
        staged.write_all(bytes).map_err(failed)?;
        self.make_directories(digest, Syncing::Later)?;
        fail_point("blob.before-rename");
        let path = self.path(digest);
        let renamed = staged.into_temp_path().persist(&path);
        renamed.map_err(|e| Error::io("publishing a blob", &path, e.error))
    }

    /// Whether the blob is there with these bytes.
    fn holds(&self, digest: &Digest, bytes: &[u8]) -> Result<bool, Error> {
        let path = self.path(digest);
        match fs::read(&path) {
            Ok(there) => Ok(there == bytes),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::io("reading a blob", &path, e)),
        }
    }

    /// Writes a blob again if the disk did not get it; blocks.
    pub(crate) fn mend(&self, unsynced: &Unsynced) -> Result<(), Error> {
        let (digest, bytes) = (&unsynced.digest, &unsynced.bytes);
        if self.holds(digest, bytes)? {
            return Ok(());
        }
        self.place(digest, bytes)
    }

    /// Writes a blob again whatever its file seems to hold; blocks.
    pub(crate) fn put_anew(&self, unsynced: &Unsynced) -> Result<(), Error> {
        self.place(&unsynced.digest, &unsynced.bytes)
    }

    /// The disk as it was opened before the first unsynced write: what fails from then on is told.
    fn disk(&self) -> Result<&fs::File, Error> {
        if self.0.disk.get().is_none() {
            let opened = fs::File::open(&self.0.staged);
            let opened = opened.map_err(|e| Error::io("opening a directory", &self.0.staged, e))?;
            // Another thread's is as good.
            let _ = self.0.disk.set(opened);
        }
        Ok(self.0.disk.get().expect("it was set just now"))
    }

    /// Brings blobs that were put unsynced to the disk, with the names of their directories; blocks.
    pub(crate) fn sync(&self, digests: &[Digest]) -> Result<(), Error> {
        let made = std::mem::take(&mut *self.unsynced_directories());
        let synced = self.sync_files(digests, &made);
        if synced.is_err() {
            self.unsynced_directories().extend(made);
        }
        synced
    }

    /// All at once: one wait for the disk, however many they are.
    #[cfg(target_os = "linux")]
    fn sync_files(&self, _digests: &[Digest], _made: &[PathBuf]) -> Result<(), Error> {
        let synced = rustix::fs::syncfs(self.disk()?);
        synced.map_err(|e| Error::io("syncing the blobs", &self.0.staged, e.into()))
    }

    #[cfg(not(target_os = "linux"))]
    fn sync_files(&self, digests: &[Digest], made: &[PathBuf]) -> Result<(), Error> {
        for digest in digests {
            let path = self.path(digest);
            match fs::File::open(&path) {
                Ok(file) => {
                    let synced = file.sync_all();
                    synced.map_err(|e| Error::io("syncing a blob", &path, e))?;
                }
                // It was removed since.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(Error::io("opening a blob", &path, e)),
            }
            path.parent().map_or(Ok(()), super::sync_dir)?;
        }
        made.iter()
            .filter_map(|directory| directory.parent())
            .try_for_each(super::sync_dir)
    }
}
