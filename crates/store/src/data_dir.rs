//! The data directory: its layout, its format number and the lock on it.
//!
//! ```text
//! VERSION         the format's number, "1"
//! LOCK            locked by the one server; its process id
//! pilothouse.db   the records (SQLite)
//! blobs/sha256/   the bytes
//! staged/         bytes on their way in; cleared when a server starts
//! ```

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::blobs::sync_dir;
use crate::{Blobs, Db, Error};

/// The format this program writes.
const FORMAT: u64 = 1;

/// What may lie in a directory that has no VERSION yet: what a first start that
/// died may have left, and what file systems put there.
const MAY_BE_THERE: [&str; 2] = ["LOCK", "lost+found"];

/// The directory that holds everything which must survive.
#[derive(Debug)]
pub struct DataDir {
    path: PathBuf,
    mode: Mode,
    blobs: Blobs,
}

/// What a process wants with the data directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// To be the one server: makes what is missing and keeps others from serving.
    Serve,
    /// To look and mend beside a server, or without one: finds what is there.
    Visit,
}

impl DataDir {
    /// Opens the directory; a server makes it if it is not there or empty.
    ///
    /// A server keeps it locked until this, every [`Blobs`] and every [`Db`] from it are gone.
    pub fn open(path: &Path, mode: Mode) -> Result<Self, Error> {
        let (path, lock) = match mode {
            Mode::Serve => {
                let path = make(path)?;
                let lock = lock(&path)?;
                if found_format(&path)?.is_none() {
                    write_format(&path)?;
                }
                (path, Some(Arc::new(lock)))
            }
            Mode::Visit => (existing(path)?, None),
        };
        match found_format(&path)? {
            Some(FORMAT) => {}
            Some(found) => {
                return Err(Error::Newer {
                    found,
                    supported: FORMAT,
                });
            }
            None => return Err(absent(&path)),
        }
        if mode == Mode::Serve {
            make_inside(&path)?;
        }
        let blobs = Blobs::new(&path, lock);
        Ok(Self { path, mode, blobs })
    }

    /// Where it is, absolute.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The bytes.
    pub fn blobs(&self) -> Blobs {
        self.blobs.clone()
    }

    /// The records; brought up to date if this is a server.
    pub async fn db(&self) -> Result<Db, Error> {
        Db::open(
            &self.path.join("pilothouse.db"),
            self.mode,
            self.blobs.clone(),
        )
        .await
    }
}

/// Makes one directory for our eyes only; whether it was not there before.
pub(crate) fn make_private_dir(path: &Path) -> Result<bool, Error> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(e) => Err(Error::io("making a directory", path, e)),
    }
}

fn make(path: &Path) -> Result<PathBuf, Error> {
    let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
    made.map_err(|e| Error::io("making the data directory", path, e))?;
    let path = canonical(path)?;
    if found_format(&path)?.is_none() {
        refuse_foreign(&path)?;
    }
    Ok(path)
}

fn existing(path: &Path) -> Result<PathBuf, Error> {
    if path.is_dir() {
        canonical(path)
    } else {
        Err(absent(path))
    }
}

fn canonical(path: &Path) -> Result<PathBuf, Error> {
    path.canonicalize()
        .map_err(|e| Error::io("opening the data directory", path, e))
}

fn absent(path: &Path) -> Error {
    Error::NotFound {
        what: format!("a data directory at `{}`", path.display()),
    }
}

/// Keeps us from making ourselves at home in somebody's files.
fn refuse_foreign(path: &Path) -> Result<(), Error> {
    let failed = |e| Error::io("opening the data directory", path, e);
    for entry in fs::read_dir(path).map_err(failed)? {
        let entry = entry
            .map_err(failed)?
            .file_name()
            .to_string_lossy()
            .into_owned();
        if !MAY_BE_THERE.contains(&entry.as_str()) && !entry.starts_with("VERSION") {
            return Err(Error::Foreign { entry });
        }
    }
    Ok(())
}

fn lock(path: &Path) -> Result<File, Error> {
    let path = path.join("LOCK");
    let failed = |e| Error::io("locking the data directory", &path, e);
    let mut options = File::options();
    options
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600);
    let mut file = options.open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(TryLockError::WouldBlock) => {
            let mut pid = String::new();
            let read = file.read_to_string(&mut pid);
            let by_pid = read.ok().and_then(|_| pid.trim().parse().ok());
            return Err(Error::Locked { by_pid });
        }
        Err(TryLockError::Error(e)) => return Err(failed(e)),
    }
    let write_pid = |file: &mut File| {
        file.set_len(0)?;
        file.rewind()?;
        writeln!(file, "{}", std::process::id())
    };
    write_pid(&mut file).map_err(failed)?;
    Ok(file)
}

fn found_format(path: &Path) -> Result<Option<u64>, Error> {
    let path = path.join("VERSION");
    match fs::read_to_string(&path) {
        Ok(text) => match text.trim().parse() {
            Ok(found) => Ok(Some(found)),
            Err(e) => Err(Error::io(
                "reading VERSION",
                &path,
                io::Error::new(io::ErrorKind::InvalidData, e),
            )),
        },
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(e) => Err(Error::io("reading VERSION", &path, e)),
    }
}

fn write_format(path: &Path) -> Result<(), Error> {
    let version = path.join("VERSION");
    let write = || {
        let mut staged = tempfile::Builder::new()
            .prefix("VERSION.")
            .tempfile_in(path)?;
        writeln!(staged, "{FORMAT}")?;
        staged.as_file().sync_all()?;
        staged.persist(&version).map_err(io::Error::from)
    };
    write().map_err(|e| Error::io("writing VERSION", &version, e))?;
    sync_dir(path)
}

/// Makes the directories, and clears what a process that died has left.
fn make_inside(path: &Path) -> Result<(), Error> {
    for directory in ["blobs", "blobs/sha256", "staged"] {
        make_private_dir(&path.join(directory))?;
    }
    sync_dir(&path.join("blobs"))?;
    sync_dir(path)?;
    let staged = path.join("staged");
    let clear = || {
        for entry in fs::read_dir(&staged)? {
            fs::remove_file(entry?.path())?;
        }
        Ok(())
    };
    clear().map_err(|e| Error::io("clearing what was left half-written", &staged, e))
}
