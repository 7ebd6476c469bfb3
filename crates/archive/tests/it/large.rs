//! As large as wheels get: nothing of it is held in memory but what was asked for.

use std::cell::Cell;
use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write};
use std::os::unix::fs::FileExt;

use archive::{Limits, ReadAt};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

use crate::make::{METADATA, WHEEL, wheel_with};

/// A file that counts what is read of it.
struct Counted {
    file: File,
    bytes: Cell<u64>,
    largest: Cell<usize>,
}

impl ReadAt for Counted {
    fn len(&self) -> io::Result<u64> {
        Ok(self.file.metadata()?.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.bytes.set(self.bytes.get() + into.len() as u64);
        self.largest.set(self.largest.get().max(into.len()));
        FileExt::read_at(&self.file, into, offset)
    }
}

const MIB: usize = 1 << 20;

/// Takes zeros, a megabyte at a time, without writing them: they are a hole in the file.
struct Sparse(File);

impl Write for Sparse {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() == MIB {
            self.0.seek(SeekFrom::Current(bytes.len() as i64))?;
            return Ok(bytes.len());
        }
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for Sparse {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}

/// A wheel of a few stored gigabytes and a hundred thousand entries, written to a hole.
fn large_wheel(into: &File, gigabytes: u64, entries: u32) {
    let stored = SimpleFileOptions::default()
        .compression_method(zip::CompressionMethod::Stored)
        .large_file(true);
    let mut zip = ZipWriter::new(Sparse(into.try_clone().unwrap()));
    for n in 0..entries {
        let name = format!("foo_bar/some/folder/or/other/module_{n}.py");
        zip.start_file(name, stored).unwrap();
    }
    zip.start_file("foo_bar/weights.bin", stored).unwrap();
    let zeros = vec![0; MIB];
    for _ in 0..gigabytes * 1024 {
        zip.write_all(&zeros).unwrap();
    }
    for (name, body) in wheel_with(&[]) {
        zip.start_file(name, stored).unwrap();
        zip.write_all(body).unwrap();
    }
    zip.finish().unwrap();
}

#[test]
fn a_wheel_beyond_four_gigabytes_costs_its_directory() {
    let file = tempfile::tempfile().unwrap();
    large_wheel(&file, 5, 20_000);
    let counted = Counted {
        file,
        bytes: Cell::default(),
        largest: Cell::default(),
    };
    let opened = archive::wheel(&counted, &WHEEL.parse().unwrap(), &Limits::default()).unwrap();
    assert_eq!(opened.metadata_bytes, METADATA);
    assert_eq!(opened.entries, 20_005);
    assert!(opened.unpacked > 5 << 30);
    assert!(counted.bytes.get() < 10 << 20, "{}", counted.bytes.get());
    assert!(
        counted.largest.get() <= 128 << 10,
        "{}",
        counted.largest.get()
    );
}

#[test]
fn a_hundred_thousand_entries_are_within_the_limits() {
    let mut file = tempfile::tempfile().unwrap();
    let stored = SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
    let mut zip = ZipWriter::new(BufWriter::new(&mut file));
    for n in 0..100_000 {
        zip.start_file(format!("foo_bar/{n}"), stored).unwrap();
    }
    for (name, body) in wheel_with(&[]) {
        zip.start_file(name, stored).unwrap();
        zip.write_all(body).unwrap();
    }
    zip.finish().unwrap().flush().unwrap();
    let opened = archive::wheel(&file, &WHEEL.parse().unwrap(), &Limits::default()).unwrap();
    assert_eq!(opened.entries, 100_004);
}
