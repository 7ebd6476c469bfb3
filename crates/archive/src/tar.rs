//! Tar files, read from front to back.
//!
//! Python writes two kinds: POSIX with `x` records before an entry, and GNU with
//! `L` and `K` entries; both are ways to say what 100 bytes are too short for.
//! Where they and the plain header could be read in two ways, we refuse.

mod header;
mod longer;

use std::io::{self, Read};

use crate::entry_path::EntryPath;
use crate::limits::Tally;
use crate::refused::{Error, Refused, Shown};
use header::{BLOCK, Header};
use longer::Longer;

/// What an entry of a tar file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Kind {
    File,
    Folder,
    /// The same file as an earlier entry.
    HardLink(Vec<u8>),
    Symlink(Vec<u8>),
}

/// One entry of a tar file.
#[derive(Debug)]
pub(crate) struct Entry {
    pub(crate) path: EntryPath,
    pub(crate) kind: Kind,
}

/// A tar file, and how far it is read.
pub(crate) struct Tar<R> {
    from: R,
    tally: Tally,
    /// Bytes of the last entry that nobody read.
    left: u64,
    /// Zeros that fill its last block.
    padding: u64,
}

impl<R: Read> Tar<R> {
    pub(crate) fn new(from: R, tally: Tally) -> Self {
        Self {
            from,
            tally,
            left: 0,
            padding: 0,
        }
    }

    pub(crate) fn tally(&self) -> Tally {
        self.tally
    }

    /// The next entry; its content is what reading gives until the next call.
    pub(crate) fn next(&mut self) -> Result<Option<Entry>, Error> {
        let mut longer = Longer::default();
        loop {
            self.skip()?;
            let Some(header) = self.header()? else {
                return if longer == Longer::default() {
                    Ok(None)
                } else {
                    Err(Refused::Truncated.into())
                };
            };
            self.left = header.size;
            self.padding = header.size.wrapping_neg() % BLOCK as u64;
            if longer::is_for(header.kind) {
                let value = self.value(header.size)?;
                longer.take(header.kind, &value)?;
                continue;
            }
            self.tally.entry()?;
            return entry(&header, longer).map(Some);
        }
    }

    /// The next header; `None` at the end.
    fn header(&mut self) -> Result<Option<Header>, Error> {
        let mut block = [0; BLOCK];
        let mut read = 0;
        while read < BLOCK {
            match self.from.read(&mut block[read..]) {
                // Some tools leave out the zeros at the end.
                Ok(0) if read == 0 => return Ok(None),
                Ok(0) => return Err(Refused::Truncated.into()),
                Ok(more) => read += more,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(failed(error)),
            }
        }
        self.tally.bytes(BLOCK as u64)?;
        if block == [0; BLOCK] {
            return Ok(None);
        }
        Ok(Some(Header::read(&block)?))
    }

    /// A whole value that stands for something longer than a header has room for.
    fn value(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > longer::LONGEST {
            return Err(Refused::Damaged("a name in it is too long").into());
        }
        let mut value = Vec::new();
        self.by_ref()
            .take(size)
            .read_to_end(&mut value)
            .map_err(failed)?;
        Ok(value)
    }

    /// Passes over what is left of the last entry.
    fn skip(&mut self) -> Result<(), Error> {
        io::copy(self, &mut io::sink()).map_err(failed)?;
        let mut padding = [0; BLOCK];
        let padding = &mut padding[..std::mem::take(&mut self.padding) as usize];
        self.tally.bytes(padding.len() as u64)?;
        self.from.read_exact(padding).map_err(failed)
    }
}

/// An entry by its header and by what stood before that.
fn entry(header: &Header, longer: Longer) -> Result<Entry, Error> {
    let name = longer.path.unwrap_or_else(|| header.name.clone());
    let link = longer.link.unwrap_or_else(|| header.link.clone());
    let refused = |what| {
        let entry = Shown::of_bytes(&name);
        Err(Refused::Kind { entry, what }.into())
    };
    if longer.size.is_some_and(|size| size != header.size) {
        return Err(Refused::Damaged("an entry has two sizes").into());
    }
    let path = EntryPath::loose(&name)?;
    let kind = match header.kind {
        b'0' | 0 | b'7' if path.is_folder => Kind::Folder,
        b'0' | 0 | b'7' => Kind::File,
        b'5' => Kind::Folder,
        b'1' => Kind::HardLink(link),
        b'2' => Kind::Symlink(link),
        b'3' | b'4' | b'6' => return refused("a device"),
        b'S' => return refused("a sparse file"),
        _ => return refused("of a kind that nobody knows"),
    };
    if kind != Kind::File && header.size != 0 {
        let why = "it has content though it is no file";
        return Err(Refused::DamagedEntry {
            entry: path.shown(),
            why,
        }
        .into());
    }
    Ok(Entry { path, kind })
}

/// The content of the entry that came last.
impl<R: Read> Read for Tar<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        if most == 0 {
            return Ok(0);
        }
        let read = self.from.read(&mut into[..most])?;
        if read == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        self.left -= read as u64;
        self.tally.bytes(read as u64).map_err(too_much)?;
        Ok(read)
    }
}

/// Carries a refusal through `Read`.
fn too_much(refused: Refused) -> io::Error {
    io::Error::other(refused)
}

pub(crate) fn failed(error: io::Error) -> Error {
    let carried = error
        .get_ref()
        .and_then(|inner| inner.downcast_ref::<Refused>());
    match carried {
        Some(refused) => refused.clone().into(),
        None => Error::reading(error, "it cannot be unpacked"),
    }
}
