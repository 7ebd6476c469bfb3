//! A blob on its way in: written under a name nobody reads, then published whole.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyspec::Digest;
use tempfile::TempPath;

use crate::{Blob, Blobs, Error, fail_point};

/// A blob on its way in. Dropped without [`commit`](Self::commit), it leaves nothing.
#[derive(Debug)]
pub struct Staged {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    file: Arc<File>,
    blobs: Blobs,
    path: std::path::PathBuf,
    state: Mutex<State>,
    /// Held while syncing, and taken before `state`: the system tells of a failure only
    /// once, and a commit must not overtake the sync that was told.
    syncing: Mutex<()>,
}

#[derive(Debug)]
enum State {
    /// The file is removed when this is dropped.
    Open(TempPath),
    Committed(Digest),
    /// A sync or a commit failed; after a failed sync the system may have lost bytes for good.
    Broken,
}

impl Staged {
    pub(crate) fn new(blobs: Blobs, directory: &Path) -> Result<Self, Error> {
        let (file, path) = tempfile::Builder::new()
            .prefix("")
            .tempfile_in(directory)
            .map_err(|e| Error::io("opening a staged file", directory, e))?
            .into_parts();
        Ok(Self {
            inner: Arc::new(Inner {
                file: Arc::new(file),
                blobs,
                path: path.to_path_buf(),
                state: Mutex::new(State::Open(path)),
                syncing: Mutex::new(()),
            }),
        })
    }

    /// Writes all of `bytes` at `offset`. Must not be called after a commit.
    pub fn write_at(&self, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        debug_assert!(
            !matches!(*self.inner.state(), State::Committed(_)),
            "a committed blob is immutable"
        );
        let written = self.inner.file.write_all_at(bytes, offset);
        written.map_err(|e| Error::io("writing a staged file", &self.inner.path, e))
    }

    /// Lengthens the file to `len`, with a hole; never shortens it, since a reader may
    /// hold a mapping of what would be cut off.
    pub fn set_len(&self, len: u64) -> Result<(), Error> {
        let grow = || match self.inner.file.metadata()?.len() {
            now if now < len => self.inner.file.set_len(len),
            _ => Ok(()),
        };
        grow().map_err(|e| Error::io("lengthening a staged file", &self.inner.path, e))
    }

    /// Reserves room for `len` bytes, so that a full disk shows before the transfer.
    ///
    /// The length does not change. Does nothing where the file system cannot do it.
    pub fn reserve(&self, len: u64) -> Result<(), Error> {
        #[cfg(target_os = "linux")]
        if len > 0 {
            use rustix::fs::{FallocateFlags, fallocate};
            match fallocate(&self.inner.file, FallocateFlags::KEEP_SIZE, 0, len) {
                Ok(())
                | Err(
                    rustix::io::Errno::OPNOTSUPP
                    | rustix::io::Errno::NOSYS
                    | rustix::io::Errno::INTR,
                ) => {}
                Err(e) => {
                    return Err(Error::io(
                        "reserving room for a staged file",
                        &self.inner.path,
                        e.into(),
                    ));
                }
            }
        }
        #[cfg(not(target_os = "linux"))]
        let _ = len;
        Ok(())
    }

    /// The same bytes for readers: grows as this is written, and stays readable after
    /// commit, abort and removal.
    pub fn blob(&self) -> Blob {
        Blob::growing(self.inner.file.clone(), self.inner.path.clone())
    }

    /// Brings to the disk what is written so far, so that the commit has less to wait
    /// for. Blocks; for a thread that may. Once it failed, a commit fails too.
    pub fn sync(&self) -> Result<(), Error> {
        self.inner.sync()
    }

    /// Publishes the bytes under their digest, which the caller has checked.
    ///
    /// After this returns the bytes survive a power cut. A blob of this digest that is
    /// there already is replaced by these same bytes, which mends a damaged one; its
    /// readers do not notice. Committing once more is success. Once begun, a commit
    /// is completed even if nobody waits for it.
    pub async fn commit(&self, digest: &Digest) -> Result<(), Error> {
        let inner = self.inner.clone();
        let digest = *digest;
        let commit = tokio::task::spawn_blocking(move || inner.commit(&digest));
        commit.await.unwrap_or_else(|e| match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(e) => Err(Error::io("publishing a blob", &self.inner.path, e.into())),
        })
    }
}

impl Staged {
    /// The same on this thread, which may wait.
    pub(crate) fn commit_here(&self, digest: &Digest) -> Result<(), Error> {
        self.inner.commit(digest)
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change is one assignment, so a poisoned state is a whole one.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn sync(&self) -> Result<(), Error> {
        let _syncing = self.syncing();
        let synced = self.file.sync_data();
        synced.map_err(|e| {
            let mut state = self.state();
            if let State::Open(_) = *state {
                *state = State::Broken;
            }
            Error::io("syncing a staged file", &self.path, e)
        })
    }

    fn syncing(&self) -> MutexGuard<'_, ()> {
        self.syncing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn commit(&self, digest: &Digest) -> Result<(), Error> {
        let _syncing = self.syncing();
        let mut state = self.state();
        match std::mem::replace(&mut *state, State::Broken) {
            State::Open(path) => {
                fail_point("blob.written");
                let synced = self.file.sync_data();
                synced.map_err(|e| Error::io("syncing a staged file", &self.path, e))?;
                self.blobs.publish(path, digest)?;
                *state = State::Committed(*digest);
                Ok(())
            }
            State::Committed(before) => {
                *state = State::Committed(before);
                if before == *digest {
                    return Ok(());
                }
                Err(Error::Corrupt {
                    digest: *digest,
                    expected: digest.to_string(),
                    found: before.to_string(),
                })
            }
            State::Broken => Err(Error::NotFound {
                what: "a staged file whose sync or commit failed before".to_owned(),
            }),
        }
    }
}
