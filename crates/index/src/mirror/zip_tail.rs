//! METADATA out of a wheel without reading all of it.
//!
//! A wheel is a zip file, whose directory is at its end; so are, by recommendation
//! (PEP 427), the `.dist-info` files. Two short reads are mostly enough.

use std::borrow::Cow;
use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};

use zip::ZipArchive;

/// Read first, from the end: the directory of nearly every wheel, and mostly METADATA too.
const TAIL: u64 = 64 * 1024;
/// Read at a time elsewhere, at first.
const STEP: u64 = 32 * 1024;
/// Each read that goes on where the last one ended is so many times as long: the
/// directory of a wheel of thousands of files must not cost a request for every step.
const GROWTH: u64 = 4;
const LONGEST_STEP: u64 = 2 * 1024 * 1024;
/// The largest METADATA believed; PyPI's largest are well below 1 MiB.
const LARGEST: u64 = 16 * 1024 * 1024;

/// Why a wheel's metadata cannot be had.
#[derive(Debug)]
pub(crate) enum Unreadable {
    /// The bytes cannot be read just now.
    Io(io::Error),
    /// The wheel itself has none that could be used; asking again is no help.
    Wheel(String),
}

/// Reads METADATA from a wheel of `len` bytes by `fetch(offset, length)`, which blocks.
pub(crate) fn metadata(
    len: u64,
    fetch: impl FnMut(u64, u64) -> io::Result<Vec<u8>>,
) -> Result<Vec<u8>, Unreadable> {
    let failure = RefCell::new(None);
    let broken = |error: io::Error| match failure.take() {
        Some(failure) => Unreadable::Io(failure),
        None => Unreadable::Wheel(format!("it is not a readable zip file ({error})")),
    };
    let reader = Windowed {
        fetch,
        len,
        at: 0,
        step: STEP,
        tail: Window::default(),
        window: Window::default(),
        failure: &failure,
    };
    let mut archive = ZipArchive::new(reader).map_err(|error| broken(error.into()))?;
    let name =
        metadata_name(archive.file_names().filter_map(Result::ok)).map_err(Unreadable::Wheel)?;
    let mut entry = archive
        .by_name(&name)
        .map_err(|error| broken(error.into()))?;
    let mut metadata = Vec::new();
    entry
        .by_ref()
        .take(LARGEST + 1)
        .read_to_end(&mut metadata)
        .map_err(broken)?;
    if metadata.len() as u64 > LARGEST {
        return Err(Unreadable::Wheel(format!(
            "its METADATA is longer than {LARGEST} bytes"
        )));
    }
    Ok(metadata)
}

fn metadata_name<'a>(names: impl Iterator<Item = Cow<'a, str>>) -> Result<String, String> {
    let is_metadata = |name: &Cow<'a, str>| {
        name.strip_suffix("/METADATA")
            .is_some_and(|dir| dir.ends_with(".dist-info") && !dir.contains('/'))
    };
    let mut found = names.filter(is_metadata);
    match (found.next(), found.next()) {
        (Some(name), None) => Ok(name.into_owned()),
        (None, _) => Err("it has no METADATA".to_owned()),
        (Some(_), Some(_)) => Err("it has more than one METADATA".to_owned()),
    }
}

/// Bytes of a file from some place on.
#[derive(Default)]
struct Window {
    start: u64,
    bytes: Vec<u8>,
}

impl Window {
    fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The bytes from here on; none if the window does not reach here.
    fn from(&self, at: u64) -> &[u8] {
        let offset = at.checked_sub(self.start).map(|offset| offset as usize);
        offset
            .and_then(|offset| self.bytes.get(offset..))
            .unwrap_or_default()
    }
}

/// A reader that holds the tail of a file and one window elsewhere, and fetches another when it must.
struct Windowed<'a, F> {
    fetch: F,
    len: u64,
    at: u64,
    step: u64,
    tail: Window,
    window: Window,
    /// Why `fetch` failed: the zip crate does not pass errors on as they are.
    failure: &'a RefCell<Option<io::Error>>,
}

impl<F: FnMut(u64, u64) -> io::Result<Vec<u8>>> Windowed<'_, F> {
    fn load(&mut self) -> io::Result<()> {
        let tail = self.len.saturating_sub(TAIL);
        if self.at >= tail {
            self.tail = self.fetched(tail, self.len)?;
            return Ok(());
        }
        let goes_on = !self.window.bytes.is_empty() && self.at == self.window.end();
        self.step = if goes_on {
            (self.step * GROWTH).min(LONGEST_STEP)
        } else {
            STEP
        };
        self.window = self.fetched(self.at, (self.at + self.step).min(tail))?;
        Ok(())
    }

    fn fetched(&mut self, start: u64, end: u64) -> io::Result<Window> {
        match (self.fetch)(start, end - start) {
            Ok(bytes) if bytes.len() as u64 == end - start => Ok(Window { start, bytes }),
            Ok(bytes) => Err(self.fail(io::Error::other(format!(
                "{} bytes came instead of {}",
                bytes.len(),
                end - start
            )))),
            Err(error) => Err(self.fail(error)),
        }
    }

    /// What is held from the place on where the reader is.
    fn here(&self) -> &[u8] {
        let tail = self.tail.from(self.at);
        if tail.is_empty() {
            self.window.from(self.at)
        } else {
            tail
        }
    }

    fn fail(&self, error: io::Error) -> io::Error {
        let told = io::Error::other(error.to_string());
        self.failure.replace(Some(error));
        told
    }
}

impl<F: FnMut(u64, u64) -> io::Result<Vec<u8>>> Read for Windowed<'_, F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if self.at >= self.len || into.is_empty() {
            return Ok(0);
        }
        if self.here().is_empty() {
            self.load()?;
        }
        let here = self.here();
        let count = here.len().min(into.len());
        into[..count].copy_from_slice(&here[..count]);
        self.at += count as u64;
        Ok(count)
    }
}

impl<F> Seek for Windowed<'_, F> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let at = match to {
            SeekFrom::Start(at) => Some(at),
            SeekFrom::End(by) => self.len.checked_add_signed(by),
            SeekFrom::Current(by) => self.at.checked_add_signed(by),
        };
        self.at = at.ok_or_else(|| {
            io::Error::new(io::ErrorKind::InvalidInput, "a seek before the start")
        })?;
        Ok(self.at)
    }
}

#[cfg(test)]
mod tests {
    use std::io::{Cursor, Write};

    use zip::write::{SimpleFileOptions, ZipWriter};

    use super::*;

    fn wheel(members: &[(&str, &[u8])]) -> Vec<u8> {
        let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
        for (name, body) in members {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(body).unwrap();
        }
        zip.finish().unwrap().into_inner()
    }

    fn read(bytes: &[u8]) -> (Result<Vec<u8>, Unreadable>, u64) {
        let mut fetched = 0;
        let outcome = metadata(bytes.len() as u64, |start, len| {
            fetched += len;
            Ok(bytes[start as usize..(start + len) as usize].to_vec())
        });
        (outcome, fetched)
    }

    #[test]
    fn metadata_is_read_from_the_tail_of_a_large_wheel() {
        let noise: Vec<u8> = (0..3_000_000_u32)
            .map(|n| (n.wrapping_mul(2_654_435_761) >> 13) as u8)
            .collect();
        let bytes = wheel(&[
            ("a/data.bin", &noise),
            ("a-1.dist-info/METADATA", b"Name: a\n"),
        ]);
        let (outcome, fetched) = read(&bytes);
        assert_eq!(outcome.unwrap(), b"Name: a\n");
        assert!(fetched < 200_000, "{fetched}");
    }

    /// Django 2.2.3 is of this shape: 3,371 files, whose directory takes 320 KiB.
    #[test]
    fn the_directory_of_thousands_of_files_takes_few_reads() {
        let names: Vec<String> = (0..4000)
            .map(|n| format!("a/locale/a_name_that_is_rather_long/{n}.mo"))
            .collect();
        let mut members: Vec<(&str, &[u8])> = vec![("a-1.dist-info/METADATA", b"Name: a\n")];
        members.extend(names.iter().map(|name| (name.as_str(), &b"x"[..])));
        let bytes = wheel(&members);
        let mut reads = Vec::new();
        let outcome = metadata(bytes.len() as u64, |start, len| {
            reads.push(len);
            Ok(bytes[start as usize..(start + len) as usize].to_vec())
        });
        assert_eq!(outcome.unwrap(), b"Name: a\n");
        assert!(reads.len() <= 5, "{reads:?}");
    }

    #[test]
    fn a_wheel_without_one_clear_metadata_is_the_wheels_fault() {
        let two: &[(&str, &[u8])] = &[
            ("a-1.dist-info/METADATA", b""),
            ("b-1.dist-info/METADATA", b""),
        ];
        for bytes in [
            wheel(&[("a/b", b"")]),
            wheel(two),
            b"no zip at all".to_vec(),
            Vec::new(),
        ] {
            assert!(matches!(read(&bytes).0, Err(Unreadable::Wheel(_))));
        }
    }

    #[test]
    fn a_failed_fetch_is_not_the_wheels_fault() {
        let outcome = metadata(1000, |_, _| Err(io::Error::other("cut")));
        assert!(matches!(outcome, Err(Unreadable::Io(_))));
    }
}
