//! Bytes named by their SHA-256, one file each: `blobs/sha256/ab/cd/<hex>`.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::SystemTime;

use pyspec::Digest;
use tempfile::TempPath;

use crate::data_dir::make_private_dir;
use crate::{Blob, Error, Staged, fail_point};

mod list;
mod rehash;
mod unsynced;

pub use unsynced::{SMALL, Unsynced};

/// All blobs of a data directory. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Blobs(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    root: PathBuf,
    staged: PathBuf,
    /// Held while a directory is made, so that whoever finds one there finds it synced, or
    /// finds it here: those that were made and whose names a power cut may take.
    making: Mutex<HashSet<PathBuf>>,
    /// By which everything is synced at once.
    disk: OnceLock<File>,
    /// Kept locked as long as anybody can still write.
    _lock: Option<Arc<File>>,
}

/// When a new directory's name has to be on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syncing {
    Now,
    Later,
}

/// Room on the disk, for what is not root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Space {
    /// Bytes that can still be written.
    pub free: u64,
    /// Bytes of the whole file system.
    pub total: u64,
}

impl Blobs {
    pub(crate) fn new(data_dir: &Path, lock: Option<Arc<File>>) -> Self {
        Self(Arc::new(Inner {
            root: data_dir.join("blobs").join("sha256"),
            staged: data_dir.join("staged"),
            making: Mutex::default(),
            disk: OnceLock::new(),
            _lock: lock,
        }))
    }

    /// A new blob, to be written and committed.
    pub fn begin(&self) -> Result<Staged, Error> {
        Staged::new(self.clone(), &self.0.staged)
    }

    /// Opens a blob; `None` if it is not there, `Corrupt` if its length is another.
    pub fn open(&self, digest: &Digest, expected_len: Option<u64>) -> Result<Option<Blob>, Error> {
        let path = self.path(digest);
        let failed = |e| Error::io("opening a blob", &path, e);
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(e)),
        };
        let len = file.metadata().map_err(failed)?.len();
        match expected_len {
            Some(expected) if expected != len => Err(Error::Corrupt {
                digest: *digest,
                expected: format!("{expected} bytes"),
                found: format!("{len} bytes"),
            }),
            _ => Ok(Some(Blob::immutable(file, path, len))),
        }
    }

    /// Whether the blob is there.
    pub fn contains(&self, digest: &Digest) -> bool {
        self.path(digest).is_file()
    }

    /// Removes a blob; whether it was there. Those who have it open keep it.
    ///
    /// Does not ask who names it: see [`crate::evict`].
    pub fn remove(&self, digest: &Digest) -> Result<bool, Error> {
        let path = self.path(digest);
        match fs::remove_file(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(e) => Err(Error::io("removing a blob", &path, e)),
        }
    }

    /// Every blob with its length, in no order, as it is come upon.
    pub fn list(&self) -> impl Iterator<Item = Result<(Digest, u64), Error>> + use<> {
        self.walk()
            .map(|found| found.map(|found| (found.digest, found.len)))
    }

    /// Reads the whole blob and compares; answers its length. Blocks.
    pub fn verify(&self, digest: &Digest) -> Result<u64, Error> {
        rehash::rehash(&self.path(digest), digest)
    }

    /// Gives the bytes of a blob a second name, which must not be there yet; whether the disk does so.
    ///
    /// Whoever writes to that name writes to the blob.
    pub fn link(&self, digest: &Digest, to: &Path) -> bool {
        fs::hard_link(self.path(digest), to).is_ok()
    }

    /// How many files are on their way in, or were when a process died.
    pub fn staged_count(&self) -> usize {
        fs::read_dir(&self.0.staged).map_or(0, Iterator::count)
    }

    /// Room on the disk.
    pub fn free_space(&self) -> Result<Space, Error> {
        let failed =
            |e: rustix::io::Errno| Error::io("asking for free space", &self.0.staged, e.into());
        let disk = rustix::fs::statvfs(&self.0.staged).map_err(failed)?;
        Ok(Space {
            free: disk.f_bavail * disk.f_frsize,
            total: disk.f_blocks * disk.f_frsize,
        })
    }

    pub(crate) fn walk(&self) -> list::Walk {
        list::Walk::new(self.0.root.clone())
    }

    /// When the bytes were last written, by the disk's clock.
    pub(crate) fn modified(&self, digest: &Digest) -> Option<SystemTime> {
        fs::metadata(self.path(digest)).ok()?.modified().ok()
    }

    /// Gives synced bytes their final name.
    pub(crate) fn publish(&self, staged: TempPath, digest: &Digest) -> Result<(), Error> {
        let path = self.path(digest);
        let directory = self.make_directories(digest, Syncing::Now)?;
        fail_point("blob.before-rename");
        let renamed = staged.persist(&path);
        renamed.map_err(|e| Error::io("publishing a blob", &path, e.error))?;
        fail_point("blob.after-rename");
        sync_dir(&directory)
    }

    /// Takes a blob out of sight at once; the slow part, freeing its bytes, is the drop.
    pub(crate) fn set_aside(&self, digest: &Digest) -> Result<Option<Aside>, Error> {
        let path = self.path(digest);
        let failed = |e| Error::io("removing a blob", &path, e);
        let aside = self.0.staged.join(format!("removed-{digest}"));
        match fs::rename(&path, &aside) {
            Ok(()) => {}
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(failed(e)),
        }
        let len = fs::metadata(&aside).map_err(failed)?.len();
        Ok(Some(Aside { path: aside, len }))
    }

    fn unsynced_directories(&self) -> MutexGuard<'_, HashSet<PathBuf>> {
        self.0.making.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn make_directories(&self, digest: &Digest, syncing: Syncing) -> Result<PathBuf, Error> {
        let mut unsynced = self.unsynced_directories();
        let mut directory = self.0.root.clone();
        let hex = digest.to_string();
        for part in [&hex[..2], &hex[2..4]] {
            let parent = directory.clone();
            directory.push(part);
            let is_new = make_private_dir(&directory)?;
            match syncing {
                Syncing::Later if is_new => drop(unsynced.insert(directory.clone())),
                Syncing::Later => {}
                Syncing::Now => {
                    if is_new || unsynced.contains(&directory) {
                        sync_dir(&parent)?;
                        unsynced.remove(&directory);
                    }
                }
            }
        }
        Ok(directory)
    }

    fn path(&self, digest: &Digest) -> PathBuf {
        let hex = digest.to_string();
        let mut path = self.0.root.join(&hex[..2]);
        path.push(&hex[2..4]);
        path.push(&hex);
        path
    }
}

/// A blob that nobody can open any more.
#[derive(Debug)]
pub(crate) struct Aside {
    path: PathBuf,
    pub(crate) len: u64,
}

impl Drop for Aside {
    fn drop(&mut self) {
        // What stays is cleared when a server starts.
        let _ = fs::remove_file(&self.path);
    }
}

/// Makes the names in a directory survive a power cut.
pub(crate) fn sync_dir(directory: &Path) -> Result<(), Error> {
    let synced = File::open(directory).and_then(|directory| directory.sync_all());
    synced.map_err(|e| Error::io("syncing a directory", directory, e))
}
