//! Small blobs that do not wait for the disk: their bytes are kept by the change that names them.
//!
//! A file of two kilobytes costs five syncs to keep by itself: its bytes, two
//! directories, the one it is in, the record. The record's sync is enough if it holds
//! the bytes as well. The file is there at once, and synced later with many others;
//! until then a server that starts finds the bytes in the records.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use bytes::Bytes;
use pyspec::Digest;
use sha2::{Digest as _, Sha256};

use super::{Blobs, Syncing};
use crate::orphans::now;
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

/// What lies in a blob's place.
enum There {
    Nothing,
    /// The bytes.
    Same,
    /// Others, or none that can be read.
    Damaged,
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
    /// A file that is there already is never replaced by an unsynced one: it may have been
    /// synced, and be what somebody relies on.
    pub fn put_unsynced(&self, bytes: Bytes) -> Result<Unsynced, Error> {
        let digest = <[u8; 32]>::from(Sha256::digest(&bytes)).into();
        let unsynced = Unsynced { digest, bytes };
        match self.there(&unsynced) {
            There::Nothing if self.place(&unsynced)? => {}
            // Or somebody else was quicker.
            There::Nothing | There::Damaged => self.mend(&unsynced)?,
            There::Same => self.touch(&digest),
        }
        Ok(unsynced)
    }

    /// Gives the blob a file, unsynced; whether it had none.
    fn place(&self, unsynced: &Unsynced) -> Result<bool, Error> {
        let failed = |e| Error::io("writing a staged file", &self.0.staged, e);
        self.disk()?;
        let mut builder = tempfile::Builder::new();
        let staged = builder.prefix("").tempfile_in(&self.0.staged);
        let mut staged = staged.map_err(failed)?;
        staged.write_all(&unsynced.bytes).map_err(failed)?;
        self.make_directories(&unsynced.digest, Syncing::Later)?;
        fail_point("blob.before-rename");
        let path = self.path(&unsynced.digest);
        match staged.into_temp_path().persist_noclobber(&path) {
            Ok(()) => Ok(true),
            Err(e) if e.error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
            Err(e) => Err(Error::io("publishing a blob", &path, e.error)),
        }
    }

    fn there(&self, unsynced: &Unsynced) -> There {
        match fs::read(self.path(&unsynced.digest)) {
            Ok(bytes) if bytes == unsynced.bytes => There::Same,
            Err(e) if e.kind() == io::ErrorKind::NotFound => There::Nothing,
            _ => There::Damaged,
        }
    }

    /// Lets who looks for orphans see that it is wanted; what that prevents is only an upload
    /// that has to be sent once more.
    fn touch(&self, digest: &Digest) {
        if let Ok(file) = File::open(self.path(digest)) {
            let _ = file.set_modified(now());
        }
    }

    /// Writes a blob again, and syncs it, unless its file is as it should be; blocks.
    pub(crate) fn mend(&self, unsynced: &Unsynced) -> Result<(), Error> {
        match self.there(unsynced) {
            There::Same => Ok(()),
            There::Nothing | There::Damaged => self.put_anew(unsynced),
        }
    }

    /// Writes a blob again, and syncs it, whatever its file seems to hold; blocks.
    pub(crate) fn put_anew(&self, unsynced: &Unsynced) -> Result<(), Error> {
        let staged = self.begin()?;
        staged.write_at(0, &unsynced.bytes)?;
        staged.commit_here(&unsynced.digest)
    }

    /// The disk as it was opened before the first unsynced write: what fails from then on is told.
    fn disk(&self) -> Result<&File, Error> {
        if self.0.disk.get().is_none() {
            let opened = File::open(&self.0.staged);
            let opened = opened.map_err(|e| Error::io("opening a directory", &self.0.staged, e))?;
            // Another thread's is as good.
            let _ = self.0.disk.set(opened);
        }
        Ok(self.0.disk.get().expect("it was set just now"))
    }

    /// Brings blobs that were put unsynced to the disk, with the names of their directories; blocks.
    pub(crate) fn sync(&self, digests: &[Digest]) -> Result<(), Error> {
        // They stay listed meanwhile: who commits into one of them must not rely on us yet.
        let made = self.unsynced_directories().clone();
        let disk = self.disk()?;
        if syncs_as_a_whole(disk) {
            sync_whole(disk).map_err(|e| Error::io("syncing the blobs", &self.0.staged, e))?;
        } else {
            self.sync_each(digests)?;
            made.iter()
                .filter_map(|directory| directory.parent())
                .try_for_each(super::sync_dir)?;
        }
        self.unsynced_directories()
            .retain(|directory| !made.contains(directory));
        Ok(())
    }

    fn sync_each(&self, digests: &[Digest]) -> Result<(), Error> {
        for digest in digests {
            let path = self.path(digest);
            match File::open(&path).and_then(|file| file.sync_all()) {
                Ok(()) => {}
                // It was removed since.
                Err(e) if e.kind() == io::ErrorKind::NotFound => continue,
                Err(e) => return Err(Error::io("syncing a blob", &path, e)),
            }
            super::sync_dir(path.parent().unwrap_or(Path::new(".")))?;
        }
        Ok(())
    }
}

/// Whether one call syncs all of a file system, and tells what failed: Linux does since 5.8
/// (`syncfs(2)`), but not what a process of a user keeps (FUSE).
#[cfg(target_os = "linux")]
fn syncs_as_a_whole(disk: &File) -> bool {
    const FUSE: u64 = 0x6573_5546;
    let system = rustix::system::uname();
    let release = system.release().to_string_lossy();
    let mut numbers = release
        .split('.')
        .map_while(|part| part.parse::<u32>().ok());
    let is_new = (numbers.next(), numbers.next()) >= (Some(5), Some(8));
    is_new && rustix::fs::fstatfs(disk).is_ok_and(|about| about.f_type as u64 != FUSE)
}

#[cfg(target_os = "linux")]
fn sync_whole(disk: &File) -> io::Result<()> {
    Ok(rustix::fs::syncfs(disk)?)
}

#[cfg(not(target_os = "linux"))]
fn syncs_as_a_whole(_disk: &File) -> bool {
    false
}

#[cfg(not(target_os = "linux"))]
fn sync_whole(disk: &File) -> io::Result<()> {
    disk.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DataDir, Mode};

    #[test]
    fn blobs_are_synced_one_by_one_where_that_is_the_only_way() {
        let dir = tempfile::tempdir().unwrap();
        let blobs = DataDir::open(dir.path(), Mode::Serve).unwrap().blobs();
        let [one, two] = [b"one", b"two"].map(|bytes| {
            let put = blobs.put_unsynced(Bytes::from_static(bytes));
            put.unwrap().digest
        });
        blobs.remove(&one).unwrap();
        blobs.sync_each(&[one, two]).unwrap();
        assert!(!blobs.unsynced_directories().is_empty());
        blobs.sync(&[one, two]).unwrap();
        assert!(blobs.unsynced_directories().is_empty());
    }
}
