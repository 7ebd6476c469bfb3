//! BuildKit's digest of one file (`cache/contenthash`): a tar header without name and
//! times, then the bytes.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};

use sha2::{Digest as _, Sha256};

use crate::entry::{Bytes, Digests, Entry, Kind};

/// Of this text.
pub(crate) fn of(parts: &[u8]) -> String {
    shown(Sha256::digest(parts).as_slice())
}

pub(crate) fn shown(digest: &[u8]) -> String {
    format!("sha256:{}", hex::encode(digest))
}

/// The digests of an entry; of a directory those of its header.
pub(crate) fn digests(entry: &Entry) -> io::Result<Digests> {
    if let Bytes::Known(digests) = &entry.bytes {
        return Ok(digests.clone());
    }
    let mut file = Sha256::new_with_prefix(header(entry));
    let mut bytes = Sha256::new();
    match &entry.bytes {
        Bytes::Held(text) => {
            file.update(text.as_bytes());
            bytes.update(text.as_bytes());
        }
        Bytes::At(path) if entry.kind == Kind::File => {
            let mut reader = File::open(path)?;
            let mut buffer = vec![0; 64 * 1024];
            loop {
                let len = reader.read(&mut buffer)?;
                if len == 0 {
                    break;
                }
                file.update(&buffer[..len]);
                bytes.update(&buffer[..len]);
            }
        }
        Bytes::At(_) | Bytes::Known(_) => {}
    }
    Ok(Digests {
        file: shown(file.finalize().as_slice()),
        bytes: shown(bytes.finalize().as_slice()),
    })
}

/// What stands before the bytes: names and values without anything between them.
fn header(entry: &Entry) -> Vec<u8> {
    let (kind, mode) = match entry.kind {
        Kind::File | Kind::Socket => ('0', entry.mode),
        Kind::Directory => ('5', entry.mode),
        Kind::Link => ('2', 0o777),
        Kind::Fifo => ('6', entry.mode),
        Kind::CharacterDevice => ('3', entry.mode),
        Kind::BlockDevice => ('4', entry.mode),
    };
    let size = if entry.kind == Kind::File {
        entry.size
    } else {
        0
    };
    let (major, minor) = entry.device;
    let mut header = String::new();
    // The one who sends them gives every file to root.
    write!(
        header,
        "namemode{mode}uid0gid0size{size}typeflag{kind}linkname{}unamegnamedevmajor{major}devminor{minor}",
        entry.link
    )
    .expect("a text takes all that is written to it");
    let mut header = header.into_bytes();
    for (name, value) in &entry.attributes {
        header.extend_from_slice(name.as_bytes());
        header.extend(hex::decode(value).unwrap_or_default());
    }
    header
}
