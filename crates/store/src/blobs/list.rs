//! Walking all blobs without holding a list of them.

use std::fs::{self, DirEntry, ReadDir};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use pyspec::Digest;

use crate::Error;

/// A blob come upon.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) digest: Digest,
    pub(crate) len: u64,
    pub(crate) modified: SystemTime,
}

/// Goes through `ab/cd/`, one open directory per level.
///
/// What is not named like a blob is not ours to report, and what vanishes under
/// us was removed by somebody who may.
#[derive(Debug)]
pub(crate) struct Walk {
    pending: Option<PathBuf>,
    levels: Vec<ReadDir>,
}

impl Walk {
    pub(crate) fn new(root: PathBuf) -> Self {
        Self {
            pending: Some(root),
            levels: Vec::new(),
        }
    }

    fn enter(&mut self, directory: &Path) -> Result<(), Error> {
        match fs::read_dir(directory) {
            Ok(entries) => self.levels.push(entries),
            Err(e) if e.kind() == io::ErrorKind::NotFound => {}
            Err(e) => return Err(failed(directory, e)),
        }
        Ok(())
    }

    fn step(&mut self, entry: &DirEntry) -> Result<Option<Found>, Error> {
        let path = entry.path();
        if self.levels.len() < 3 {
            let is_dir = entry.file_type().map_err(|e| failed(&path, e))?.is_dir();
            return if is_dir {
                self.enter(&path).map(|()| None)
            } else {
                Ok(None)
            };
        }
        let Some(digest) = entry.file_name().to_str().and_then(digest_of) else {
            return Ok(None);
        };
        match entry.metadata().and_then(|m| Ok((m.len(), m.modified()?))) {
            Ok((len, modified)) => Ok(Some(Found {
                digest,
                len,
                modified,
            })),
            Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(e) => Err(failed(&path, e)),
        }
    }
}

impl Iterator for Walk {
    type Item = Result<Found, Error>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(root) = self.pending.take()
            && let Err(error) = self.enter(&root)
        {
            return Some(Err(error));
        }
        loop {
            let step = match self.levels.last_mut()?.next() {
                Some(Ok(entry)) => self.step(&entry),
                Some(Err(e)) => Err(failed(Path::new("blobs"), e)),
                None => {
                    self.levels.pop();
                    Ok(None)
                }
            };
            if let Some(item) = step.transpose() {
                return Some(item);
            }
        }
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::io("listing the blobs", path, source)
}

/// Our names are lower case; another spelling would not be found by its digest.
fn digest_of(name: &str) -> Option<Digest> {
    let digest: Digest = name.parse().ok()?;
    (digest.to_string() == name).then_some(digest)
}
