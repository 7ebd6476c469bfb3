//! One file, directory or link of a context.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};

/// What is known of one path.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// What it is.
    pub kind: Kind,
    /// Permissions, with setuid, setgid and sticky.
    pub mode: u32,
    /// User and group.
    #[serde(default)]
    pub owner: (u32, u32),
    /// Bytes; 0 of all but files.
    pub size: u64,
    /// Nanoseconds since 1970; none if nobody knows.
    pub modified: Option<i64>,
    /// Where a link points.
    pub link: String,
    /// Extended attributes, in hexadecimal.
    pub attributes: BTreeMap<String, String>,
    /// Of a device: its numbers.
    pub device: (u32, u32),
    /// Of a file with several names: what they have in common.
    pub inode: Option<(u64, u64)>,
    /// Of a file: where its bytes are.
    pub bytes: Bytes,
}

/// What a path is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[expect(missing_docs, reason = "the kinds of files that POSIX knows")]
pub enum Kind {
    File,
    Directory,
    Link,
    Fifo,
    CharacterDevice,
    BlockDevice,
    Socket,
}

/// Where the bytes of a file are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bytes {
    /// On disk.
    At(PathBuf),
    /// Here.
    Held(String),
    /// Nowhere any more: their digests are known.
    Known(Digests),
}

/// The digests of a file, `sha256:…`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Digests {
    /// As BuildKit makes it, with mode, size and attributes.
    pub file: String,
    /// Of the bytes alone.
    pub bytes: String,
}

impl Entry {
    /// A file with these bytes.
    pub fn file(text: &str, mode: u32) -> Self {
        Self {
            kind: Kind::File,
            mode,
            owner: (0, 0),
            size: text.len() as u64,
            modified: None,
            link: String::new(),
            attributes: BTreeMap::new(),
            device: (0, 0),
            inode: None,
            bytes: Bytes::Held(text.to_owned()),
        }
    }

    /// A directory.
    pub fn directory(mode: u32) -> Self {
        Self {
            kind: Kind::Directory,
            ..Self::file("", mode)
        }
    }
}
