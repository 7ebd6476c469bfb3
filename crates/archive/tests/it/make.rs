//! Archives made by the libraries that everybody uses.

use std::io::{Cursor, Write};

use archive::{Error, Limits, Opened, Refused};
use flate2::Compression;
use flate2::write::GzEncoder;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

pub(crate) const WHEEL: &str = "foo_bar-1.0-py3-none-any.whl";
pub(crate) const METADATA: &[u8] =
    b"Metadata-Version: 2.1\nName: Foo-Bar\nVersion: 1.0\nRequires-Python: >=3.8\n\nbody\n";

pub(crate) fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in members {
        if name.ends_with('/') {
            zip.add_directory(*name, SimpleFileOptions::default())
                .unwrap();
        } else {
            zip.start_file(*name, SimpleFileOptions::default()).unwrap();
            zip.write_all(body).unwrap();
        }
    }
    zip.finish().unwrap().into_inner()
}

/// What every wheel has, and more.
pub(crate) fn wheel_with<'a>(more: &[(&'a str, &'a [u8])]) -> Vec<(&'a str, &'a [u8])> {
    let mut members: Vec<(&str, &[u8])> = vec![
        ("foo_bar/__init__.py", b""),
        ("foo_bar-1.0.dist-info/METADATA", METADATA),
        ("foo_bar-1.0.dist-info/WHEEL", b"Wheel-Version: 1.0\n"),
        ("foo_bar-1.0.dist-info/RECORD", b""),
    ];
    members.extend(more);
    members
}

pub(crate) fn open_wheel(filename: &str, bytes: &[u8]) -> Result<Opened, Refused> {
    refused(archive::wheel(
        bytes,
        &filename.parse().unwrap(),
        &Limits::default(),
    ))
}

pub(crate) fn open_sdist(filename: &str, bytes: &[u8]) -> Result<Opened, Refused> {
    refused(archive::sdist(
        bytes,
        &filename.parse().unwrap(),
        &Limits::default(),
    ))
    .map(Option::unwrap)
}

/// Bytes in memory can always be read.
pub(crate) fn refused<T>(outcome: Result<T, Error>) -> Result<T, Refused> {
    outcome.map_err(|error| match error {
        Error::Refused(refused) => refused,
        Error::Io(error) => panic!("{error}"),
    })
}

/// A tar file with these files in it.
pub(crate) fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for (name, body) in members {
        let mut header = tar::Header::new_ustar();
        header.set_size(body.len() as u64);
        header.set_mode(0o644);
        if name.ends_with('/') {
            header.set_entry_type(tar::EntryType::Directory);
        }
        tar.append_data(&mut header, name, *body).unwrap();
    }
    tar.into_inner().unwrap()
}

pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::best());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}
