//! Small files to upload.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

/// A file and the form that describes it.
#[derive(Clone)]
pub(crate) struct Dist {
    pub(crate) filename: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) fields: Vec<(String, String)>,
}

impl Dist {
    fn new(filename: String, bytes: Vec<u8>, name: &str, version: &str) -> Self {
        Self {
            filename,
            bytes,
            fields: Vec::new(),
        }
        .with(":action", "file_upload")
        .with("protocol_version", "1")
        .with("name", name)
        .with("version", version)
    }

    /// With one more field.
    pub(crate) fn with(mut self, name: &str, value: &str) -> Self {
        self.fields.push((name.to_owned(), value.to_owned()));
        self
    }

    /// With another value in a field.
    pub(crate) fn but(mut self, name: &str, value: &str) -> Self {
        self.fields.retain(|(known, _)| known != name);
        self.with(name, value)
    }
}

pub(crate) fn metadata(name: &str, version: &str) -> String {
    format!(
        "Metadata-Version: 2.1\nName: {name}\nVersion: {version}\nSummary: from the file\nRequires-Python: >=3.8\n"
    )
}

/// A wheel whose module holds `content`.
pub(crate) fn wheel(name: &str, version: &str, content: &[u8]) -> Dist {
    wheel_with(name, version, content, CompressionMethod::Deflated)
}

/// A wheel of so many bytes and a little more.
pub(crate) fn large_wheel(name: &str, version: &str, bytes: usize) -> Dist {
    wheel_with(name, version, &vec![b'a'; bytes], CompressionMethod::Stored)
}

fn wheel_with(name: &str, version: &str, content: &[u8], method: CompressionMethod) -> Dist {
    let stem = format!("{}-{version}", name.replace('-', "_"));
    let metadata = metadata(name, version);
    let info = |file: &str| format!("{stem}.dist-info/{file}");
    let members: [(&str, &[u8]); 4] = [
        ("module.py", content),
        (&info("METADATA"), metadata.as_bytes()),
        (&info("WHEEL"), b"Wheel-Version: 1.0\n"),
        (&info("RECORD"), b""),
    ];
    let bytes = zip_with(&members, method);
    Dist::new(format!("{stem}-py3-none-any.whl"), bytes, name, version)
}

pub(crate) fn sdist(name: &str, version: &str) -> Dist {
    let stem = format!("{}-{version}", name.replace('-', "_"));
    let metadata = metadata(name, version);
    let bytes = gzip(&tar_entry(&format!("{stem}/PKG-INFO"), metadata.as_bytes()));
    Dist::new(format!("{stem}.tar.gz"), bytes, name, version)
}

pub(crate) fn docs(name: &str, version: &str, pages: &[(&str, &[u8])]) -> Dist {
    Dist::new(format!("{name}.doc.zip"), zip(pages), name, version).but(":action", "doc_upload")
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(members, CompressionMethod::Deflated)
}

fn zip_with(members: &[(&str, &[u8])], method: CompressionMethod) -> Vec<u8> {
    let options = SimpleFileOptions::default().compression_method(method);
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, body) in members {
        zip.start_file(*name, options).unwrap();
        zip.write_all(body).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::fast());
    gzip.write_all(bytes).unwrap();
    gzip.finish().unwrap()
}

/// A tar file of one small file.
fn tar_entry(name: &str, content: &[u8]) -> Vec<u8> {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    header[148..156].fill(b' ');
    header[156] = b'0';
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let mut tar = header.to_vec();
    tar.extend(content);
    tar.resize(tar.len().next_multiple_of(512) + 1024, 0);
    tar
}
