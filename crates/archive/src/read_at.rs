//! Bytes that can be read from any place.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;

/// Bytes that can be read from any place, by any number of readers at once.
pub trait ReadAt {
    /// How many there are.
    fn len(&self) -> io::Result<u64>;

    /// Reads some bytes; answers how many, none only at the end.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Whether there are none.
    fn is_empty(&self) -> io::Result<bool> {
        Ok(self.len()? == 0)
    }
}

impl<T: ReadAt + ?Sized> ReadAt for &T {
    fn len(&self) -> io::Result<u64> {
        (**self).len()
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, into)
    }
}

impl ReadAt for File {
    fn len(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        FileExt::read_at(self, into, offset)
    }
}

impl ReadAt for [u8] {
    fn len(&self) -> io::Result<u64> {
        Ok(<[u8]>::len(self) as u64)
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let from = usize::try_from(offset).ok().and_then(|at| self.get(at..));
        from.unwrap_or_default().read(into)
    }
}

/// Fills `into`, or says that the bytes end before.
pub(crate) fn read_exact_at<S: ReadAt + ?Sized>(
    source: &S,
    offset: u64,
    into: &mut [u8],
) -> io::Result<()> {
    Section::new(source, offset, u64::MAX).read_exact(into)
}

/// A part of the bytes, read from front to back.
#[derive(Debug)]
pub(crate) struct Section<S> {
    source: S,
    at: u64,
    end: u64,
}

impl<S: ReadAt> Section<S> {
    pub(crate) fn new(source: S, at: u64, len: u64) -> Self {
        let end = at.saturating_add(len);
        Self { source, at, end }
    }
}

impl<S: ReadAt> Read for Section<S> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end - self.at).unwrap_or(usize::MAX);
        let most = into.len().min(left);
        let read = self.source.read_at(self.at, &mut into[..most])?;
        self.at += read as u64;
        Ok(read)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_is_a_part_and_ends_with_the_bytes() {
        let bytes: &[u8] = b"0123456789";
        for (at, len, part) in [(2, 3, "234"), (8, 5, "89"), (10, 1, ""), (99, 1, "")] {
            let mut text = String::new();
            Section::new(bytes, at, len)
                .read_to_string(&mut text)
                .unwrap();
            assert_eq!(text, part);
        }
        let mut four = [0; 4];
        read_exact_at(bytes, 6, &mut four).unwrap();
        assert_eq!(&four, b"6789");
        let short = read_exact_at(bytes, 7, &mut four).unwrap_err();
        assert_eq!(short.kind(), io::ErrorKind::UnexpectedEof);
    }
}
