//! Reading a blob again to see whether its bytes still are what its name says.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use pyspec::Digest;
use sha2::{Digest as _, Sha256};

use crate::Error;

const STEP: usize = 1024 * 1024;

/// The length of the file at `path`, if its digest is `expected`.
pub(super) fn rehash(path: &Path, expected: &Digest) -> Result<u64, Error> {
    let (found, len) = match hash(path) {
        Ok(done) => done,
        Err(e) if e.kind() == io::ErrorKind::NotFound => return Err(Error::no_blob(expected)),
        Err(e) => return Err(Error::io("reading a blob", path, e)),
    };
    if found == *expected {
        return Ok(len);
    }
    Err(Error::Corrupt {
        digest: *expected,
        expected: format!("digest {expected}"),
        found: format!("digest {found}"),
    })
}

fn hash(path: &Path) -> io::Result<(Digest, u64)> {
    let mut file = File::open(path)?;
    let mut step = vec![0; STEP];
    let mut hasher = Sha256::new();
    let mut len = 0;
    loop {
        match file.read(&mut step) {
            Ok(0) => break,
            Ok(n) => {
                hasher.update(&step[..n]);
                len += n as u64;
            }
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(e) => return Err(e),
        }
    }
    let found: [u8; 32] = hasher.finalize().into();
    Ok((Digest::from(found), len))
}
