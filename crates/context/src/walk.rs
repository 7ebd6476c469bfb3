//! A directory, as a client goes through it before it sends it.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::Path;

use dockerfile::{Engine, Ignore};

use crate::entry::{Bytes, Entry, Kind};
use crate::{Error, Snapshot};

impl Snapshot {
    /// What of a directory would be sent.
    ///
    /// A directory that is left out is gone into where something in it may be kept: by
    /// BuildKit's clients of today wherever anything could match, and then it is sent if they
    /// find something; by others if it is the beginning of what is kept, and then it is sent
    /// but for the legacy builder.
    pub fn of_directory(root: &Path, ignore: &Ignore, engine: Engine) -> Result<Self, Error> {
        let mut walk = Walk {
            root,
            ignore,
            engine,
            entries: BTreeMap::new(),
        };
        walk.directory("")?;
        Ok(walk.entries.into_iter().collect())
    }
}

struct Walk<'a> {
    root: &'a Path,
    ignore: &'a Ignore,
    engine: Engine,
    entries: BTreeMap<String, Entry>,
}

impl Walk<'_> {
    fn directory(&mut self, inside: &str) -> Result<(), Error> {
        let directory = self.root.join(inside);
        let children = fs::read_dir(&directory).map_err(Error::read(&directory))?;
        for child in children {
            let child = child.map_err(Error::read(&directory))?;
            // A name that is no text cannot be written in a Dockerfile either.
            let name = child.file_name().to_string_lossy().into_owned();
            let path = format!("{inside}/{name}");
            self.one(path.trim_start_matches('/'))?;
        }
        Ok(())
    }

    fn one(&mut self, path: &str) -> Result<(), Error> {
        let full = self.root.join(path);
        let entry = entry(&full)?;
        let is_directory = entry.kind == Kind::Directory;
        if !self.ignore.leaves_out_by(self.engine, path) {
            self.entries.insert(path.to_owned(), entry);
            if is_directory {
                self.directory(path)?;
            }
            return Ok(());
        }
        if !is_directory || !self.may_keep_inside(path) {
            return Ok(());
        }
        let before = self.entries.len();
        self.directory(path)?;
        let has_found = self.entries.len() > before;
        let is_sent = match self.engine {
            Engine::BuildKit => has_found,
            Engine::BuildKit08 | Engine::Buildah => true,
            Engine::Legacy => false,
        };
        if is_sent {
            self.entries.insert(path.to_owned(), entry);
        }
        Ok(())
    }

    fn may_keep_inside(&self, path: &str) -> bool {
        let inside = format!("{path}/");
        let mut kept = self.ignore.patterns.iter().filter(|pattern| pattern.keeps);
        kept.any(|pattern| {
            let is_prefix = format!("{}/", pattern.text).starts_with(&inside);
            let has_stars = pattern.text.contains(['*', '?', '[', '\\']);
            is_prefix || (self.engine == Engine::BuildKit && has_stars)
        })
    }
}

fn entry(path: &Path) -> Result<Entry, Error> {
    let metadata = fs::symlink_metadata(path).map_err(Error::read(path))?;
    let kind = metadata.file_type();
    let kind = match () {
        () if kind.is_dir() => Kind::Directory,
        () if kind.is_symlink() => Kind::Link,
        () if kind.is_fifo() => Kind::Fifo,
        () if kind.is_char_device() => Kind::CharacterDevice,
        () if kind.is_block_device() => Kind::BlockDevice,
        () if kind.is_socket() => Kind::Socket,
        () => Kind::File,
    };
    let link = match kind {
        Kind::Link => fs::read_link(path).map_err(Error::read(path))?,
        _ => std::path::PathBuf::new(),
    };
    let device = match kind {
        Kind::CharacterDevice | Kind::BlockDevice => {
            let number = metadata.rdev();
            (rustix::fs::major(number), rustix::fs::minor(number))
        }
        _ => (0, 0),
    };
    Ok(Entry {
        kind,
        mode: metadata.mode() & 0o7777,
        owner: (metadata.uid(), metadata.gid()),
        size: if kind == Kind::File {
            metadata.len()
        } else {
            0
        },
        modified: Some(metadata.mtime() * 1_000_000_000 + metadata.mtime_nsec()),
        link: link.to_string_lossy().into_owned(),
        attributes: attributes(path)?,
        device,
        inode: (kind == Kind::File && metadata.nlink() > 1)
            .then(|| (metadata.dev(), metadata.ino())),
        bytes: Bytes::At(path.to_owned()),
    })
}

/// Those that count: all but what the system keeps for itself.
fn attributes(path: &Path) -> Result<BTreeMap<String, String>, Error> {
    let failed = |error: rustix::io::Errno| Error::read(path)(error.into());
    let mut names = vec![0; 64 * 1024];
    let len = match rustix::fs::llistxattr(path, &mut names) {
        Ok(len) => len,
        // Not every file system has them.
        Err(rustix::io::Errno::NOTSUP) => 0,
        Err(error) => return Err(failed(error)),
    };
    let mut attributes = BTreeMap::new();
    for name in names[..len].split(|byte| *byte == 0) {
        let name = String::from_utf8_lossy(name).into_owned();
        let is_own = name.starts_with("security.") || name.starts_with("system.");
        if name.is_empty() || name.starts_with("com.apple.") {
            continue;
        }
        if is_own && name != "security.capability" {
            continue;
        }
        let mut value = vec![0; 64 * 1024];
        let len = rustix::fs::lgetxattr(path, &name, &mut value).map_err(failed)?;
        attributes.insert(name, hex::encode(&value[..len]));
    }
    Ok(attributes)
}
