//! A wheel of any size, which takes up neither memory nor disk: most of it is a hole.

use std::fs::File;
use std::io::{self, Read as _, Seek, SeekFrom, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Dist, archive};

/// Writes a wheel with so many zeros in it, not compressed, to a new file.
pub(crate) fn wheel(path: &Path, project: &str, version: &str, zeros: u64) {
    let file = File::create(path).expect("the temporary directory takes a file");
    let mut zip = ZipWriter::new(WithHoles(file));
    let options = SimpleFileOptions::default()
        .compression_method(CompressionMethod::Stored)
        .large_file(zeros > u32::MAX.into());
    zip.start_file(format!("{}/zeros.bin", super::module(project)), options)
        .expect("a zip takes entries");
    io::copy(&mut io::repeat(0).take(zeros), &mut zip).expect("a zip takes entries");
    for (name, content) in archive::entries(project, &Dist::wheel(version)) {
        zip.start_file(name, SimpleFileOptions::default())
            .and_then(|()| Ok(zip.write_all(&content)?))
            .expect("a zip takes entries");
    }
    zip.finish().expect("a zip can be closed");
}

/// A file in which longer runs of zeros are skipped and not written.
struct WithHoles(File);

/// What a file system gives a file at once.
const BLOCK: usize = 4096;

impl Write for WithHoles {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if bytes.len() < BLOCK || bytes.iter().any(|byte| *byte != 0) {
            return self.0.write(bytes);
        }
        let len = i64::try_from(bytes.len()).map_err(io::Error::other)?;
        self.0.seek(SeekFrom::Current(len))?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Seek for WithHoles {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.0.seek(to)
    }
}
