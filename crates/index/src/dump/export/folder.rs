//! The folder of an export: ours alone while we write, every file in it whole or not there.
//!
//! A marker tells an unfinished export, which goes on where it stopped, from somebody else's
//! folder. It is locked as long as somebody writes.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use pyspec::Digest;
use sha2::{Digest as _, Sha256};
use store::{Blob, Blobs, fail_point};

use super::bad;
use crate::Error;

/// Lies in the folder until all is there.
const MARKER: &str = ".pilothouse-export";

/// What is being written; in the folder itself, since a name that is as long as names can be
/// leaves no room for more.
const STAGED: &str = ".pilothouse-export-staged";

/// Bytes that are copied at a time.
const STEP: usize = 1 << 20;

const CHANGED: &str = "its bytes are not what they were";

/// How files get into the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// As copies.
    Copies,
    /// As second names of the same bytes, or as copies where the disk has no such thing.
    HardLinks,
}

/// The folder of an export.
#[derive(Debug, Clone)]
pub(super) struct Folder {
    path: PathBuf,
}

/// Keeps others from writing to the folder.
#[derive(Debug)]
pub(super) struct Held(#[expect(dead_code, reason = "it is held, not read")] File);

/// Why a file is not in the folder.
pub(super) enum Trouble {
    /// Its bytes cannot be had; others may.
    Bytes(String),
    /// The folder takes nothing.
    Folder(Error),
}

impl Folder {
    /// Takes a folder that is empty, not there yet, or an unfinished export. What is in it is
    /// for nobody else to read: it holds the hashes of passwords.
    pub(super) fn take(path: &Path) -> Result<(Self, Held), Error> {
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(|error| failed("made", path, &error))?;
        let marker = path.join(MARKER);
        if !marker.exists() {
            refuse_others(path)?;
        }
        let held = private(&marker).map_err(|error| failed("written", &marker, &error))?;
        match held.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(bad(format!(
                    "another export writes to `{}`: wait for it, or name another folder",
                    path.display()
                )));
            }
            Err(TryLockError::Error(error)) => return Err(failed("locked", &marker, &error)),
        }
        let path = path.to_owned();
        Ok((Self { path }, Held(held)))
    }

    /// Gets a blob to its place, unless it is there from an earlier run. Blocks.
    pub(super) fn file(
        &self,
        relative: &str,
        (blobs, digest, len): (&Blobs, Digest, u64),
        manner: Manner,
    ) -> Result<(), Trouble> {
        let to = self.path.join(relative);
        if is_there(&to, len, digest) {
            return Ok(());
        }
        let blob = match blobs.open(&digest, Some(len)) {
            Ok(Some(blob)) => blob,
            Ok(None) => return Err(Trouble::Bytes("its bytes are not here".to_owned())),
            Err(store::Error::Corrupt { .. }) => return Err(Trouble::Bytes(CHANGED.to_owned())),
            Err(error) => return Err(Trouble::Bytes(error.to_string())),
        };
        let staged = self.staged().map_err(|error| self.refused(&to, &error))?;
        let linked = manner == Manner::HardLinks && blobs.link(&digest, &staged);
        if linked {
            verify(&blob, digest, |_| Ok(()))
        } else {
            let file = private(&staged).map_err(|error| self.refused(&to, &error))?;
            verify(&blob, digest, |bytes| (&file).write_all(bytes))
                .and_then(|()| file.sync_all().map_err(Failure::Target))
        }
        .map_err(|failure| match failure {
            Failure::Source(why) => Trouble::Bytes(why),
            Failure::Target(error) => self.refused(&to, &error),
        })?;
        publish(&staged, &to).map_err(|error| self.refused(&to, &error))
    }

    /// Writes the last file, and lets go of the folder.
    pub(super) fn finish(&self, name: &str, text: &str, held: Held) -> Result<(), Error> {
        let to = self.path.join(name);
        let written = self.staged().and_then(|staged| {
            let mut file = private(&staged)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            publish(&staged, &to)
        });
        written.map_err(|error| failed("written", &to, &error))?;
        let marker = self.path.join(MARKER);
        let removed = fs::remove_file(&marker).and_then(|()| File::open(&self.path)?.sync_all());
        drop(held);
        removed.map_err(|error| failed("removed", &marker, &error))
    }

    /// Where to write, with what an earlier run left there gone.
    fn staged(&self) -> io::Result<PathBuf> {
        let staged = self.path.join(STAGED);
        match fs::remove_file(&staged) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
            _ => Ok(staged),
        }
    }

    fn refused(&self, to: &Path, error: &io::Error) -> Trouble {
        let _ = self.staged();
        Trouble::Folder(failed("written", to, error))
    }
}

fn publish(staged: &Path, to: &Path) -> io::Result<()> {
    if let Some(parent) = to.parent() {
        DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(parent)?;
    }
    fail_point("export.before-rename");
    fs::rename(staged, to)
}

/// Keeps us from writing into somebody's files.
fn refuse_others(path: &Path) -> Result<(), Error> {
    let failed = |error| failed("read", path, &error);
    for entry in fs::read_dir(path).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        // What file systems put there.
        if name != "lost+found" {
            return Err(bad(format!(
                "`{}` has something in it that is no unfinished export, `{}`: \
                 name a folder that is empty or not there yet",
                path.display(),
                name.display()
            )));
        }
    }
    Ok(())
}

/// Why bytes did not get from here to there.
enum Failure {
    Source(String),
    Target(io::Error),
}

/// Hands on the bytes of a blob, and fails at the end if they are not those of its digest.
fn verify(
    blob: &Blob,
    digest: Digest,
    mut take: impl FnMut(&[u8]) -> io::Result<()>,
) -> Result<(), Failure> {
    let (mut sum, mut step, mut at) = (Sha256::new(), vec![0; STEP], 0);
    loop {
        let read = blob.read_at(at, &mut step);
        let read = read.map_err(|error| Failure::Source(error.to_string()))?;
        if read == 0 {
            break;
        }
        sum.update(&step[..read]);
        take(&step[..read]).map_err(Failure::Target)?;
        at += read as u64;
    }
    if Digest::from(<[u8; 32]>::from(sum.finalize())) == digest {
        Ok(())
    } else {
        Err(Failure::Source(CHANGED.to_owned()))
    }
}

fn is_there(path: &Path, len: u64, digest: Digest) -> bool {
    let Ok(file) = File::open(path) else {
        return false;
    };
    let is_as_long = file.metadata().is_ok_and(|found| found.len() == len);
    is_as_long && digest_of(file).is_ok_and(|found| found == digest)
}

fn digest_of(mut file: File) -> io::Result<Digest> {
    let (mut sum, mut step) = (Sha256::new(), vec![0; STEP]);
    loop {
        match file.read(&mut step)? {
            0 => return Ok(<[u8; 32]>::from(sum.finalize()).into()),
            read => sum.update(&step[..read]),
        }
    }
}

/// Opens a file that only its owner reads, empty if it is new.
fn private(path: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.write(true).create(true).truncate(false).mode(0o600);
    options.open(path)
}

fn failed(doing: &str, path: &Path, error: &io::Error) -> Error {
    bad(format!("`{}` cannot be {doing}: {error}", path.display()))
}
