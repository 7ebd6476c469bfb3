//! One entry of a zip file, and its content.

use std::io::{self, BufReader, Read};

use flate2::Crc;
use flate2::bufread::DeflateDecoder;

use super::central::Central;
use crate::entry_path::EntryPath;
use crate::read_at::{ReadAt, Section};

/// One entry of a zip file.
#[derive(Debug, Clone)]
pub(crate) struct Entry {
    pub(crate) path: EntryPath,
    /// Bytes when unpacked.
    pub(crate) size: u64,
    crc: u32,
    compressed: u64,
    content_at: u64,
    is_deflated: bool,
}

impl Entry {
    pub(super) fn new(path: EntryPath, central: &Central, content_at: u64) -> Self {
        Self {
            path,
            size: central.size,
            crc: central.crc,
            compressed: central.compressed,
            content_at,
            is_deflated: central.method == 8,
        }
    }

    /// The content. Reading it fails unless it is exactly what the entry promises.
    pub(crate) fn contents<S: ReadAt>(&self, source: S) -> Contents<S> {
        let section = Section::new(source, self.content_at, self.compressed);
        Contents {
            decoder: if self.is_deflated {
                let buffered = BufReader::with_capacity(32 * 1024, section);
                Decoder::Deflated(Box::new(DeflateDecoder::new(buffered)))
            } else {
                Decoder::Stored(section)
            },
            left: self.size,
            crc: Crc::new(),
            expected: self.crc,
        }
    }
}

/// The content of an entry, unpacked while it is read.
#[derive(Debug)]
pub struct Contents<S> {
    decoder: Decoder<S>,
    left: u64,
    crc: Crc,
    expected: u32,
}

#[derive(Debug)]
enum Decoder<S> {
    Stored(Section<S>),
    Deflated(Box<DeflateDecoder<BufReader<Section<S>>>>),
}

impl<S: ReadAt> Read for Decoder<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Stored(section) => section.read(into),
            Self::Deflated(decoder) => decoder.read(into),
        }
    }
}

impl<S: ReadAt> Read for Contents<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let wrong = || {
            io::Error::new(
                io::ErrorKind::InvalidData,
                "an entry is not what it promises",
            )
        };
        if into.is_empty() {
            return Ok(0);
        }
        if self.left == 0 {
            let is_done = self.decoder.read(&mut [0])? == 0 && self.crc.sum() == self.expected;
            return if is_done { Ok(0) } else { Err(wrong()) };
        }
        let most = usize::try_from(self.left).map_or(into.len(), |left| left.min(into.len()));
        let read = self.decoder.read(&mut into[..most])?;
        if read == 0 {
            return Err(wrong());
        }
        self.crc.update(&into[..read]);
        self.left -= read as u64;
        Ok(read)
    }
}
