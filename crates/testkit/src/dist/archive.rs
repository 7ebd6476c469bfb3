//! The archives themselves: zip for wheels, tar.gz for sdists.
//!
//! The sdist carries its own build backend (PEP 517 `backend-path`), so that
//! building it needs no other project and no network.

use std::io::{Cursor, Write};

use flate2::{Compression, GzBuilder};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

use super::{Dist, Metadata, module, sha256};

/// Builds a wheel: module, padding, then the dist-info directory last, where
/// every builder puts it and where range readers look.
pub(super) fn wheel(project: &str, dist: &Dist) -> Vec<u8> {
    zip(&entries(project, dist))
}

/// The names of a wheel's files and what is in them.
pub(super) fn entries(project: &str, dist: &Dist) -> Vec<(String, Vec<u8>)> {
    let module = module(project);
    let info = format!("{module}-{}.dist-info", dist.version);
    let mut entries = vec![(
        format!("{module}/__init__.py"),
        format!("VERSION = \"{}\"\n", dist.version).into_bytes(),
    )];
    if dist.padding > 0 {
        entries.push((
            format!("{module}/padding.bin"),
            noise(project, dist.padding),
        ));
    }
    if dist.metadata != Metadata::Missing {
        entries.push((
            format!("{info}/METADATA"),
            dist.metadata_text(project).into_bytes(),
        ));
    }
    entries.push((
        format!("{info}/WHEEL"),
        b"Wheel-Version: 1.0\nGenerator: testkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
            .to_vec(),
    ));
    entries.push((format!("{info}/RECORD"), record(&info, &entries)));
    entries
}

fn record(info: &str, entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    use base64::Engine as _;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;
    let mut lines = Vec::new();
    for (name, content) in entries {
        let digest = hex::decode(sha256(content)).expect("our own hex decodes");
        let digest = URL_SAFE_NO_PAD.encode(digest);
        writeln!(lines, "{name},sha256={digest},{}", content.len()).expect("a Vec takes bytes");
    }
    writeln!(lines, "{info}/RECORD,,").expect("a Vec takes bytes");
    lines
}

pub(super) fn zip(entries: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in entries {
        // Only padding is this long, and noise does not get smaller.
        let method = if content.len() > 0x10000 {
            CompressionMethod::Stored
        } else {
            CompressionMethod::Deflated
        };
        let options = SimpleFileOptions::default()
            .compression_method(method)
            .unix_permissions(0o644);
        zip.start_file(name, options)
            .expect("a zip in memory takes entries");
        zip.write_all(content)
            .expect("a zip in memory takes entries");
    }
    zip.finish()
        .expect("a zip in memory can be closed")
        .into_inner()
}

/// Builds an sdist around the backend below.
pub(super) fn sdist(project: &str, dist: &Dist) -> Vec<u8> {
    let module = module(project);
    let top = format!("{module}-{}", dist.version);
    let metadata = dist.metadata_text(project);
    let backend = backend(project, dist);
    let mut entries = vec![
        (format!("{top}/PKG-INFO"), metadata.into_bytes()),
        (
            format!("{top}/pyproject.toml"),
            PYPROJECT.as_bytes().to_vec(),
        ),
        (format!("{top}/backend.py"), backend.into_bytes()),
        (
            format!("{top}/{module}/__init__.py"),
            format!("VERSION = \"{}\"\n", dist.version).into_bytes(),
        ),
    ];
    if dist.padding > 0 {
        entries.push((format!("{top}/padding.bin"), noise(project, dist.padding)));
    }
    let mut gzip = GzBuilder::new()
        .mtime(0)
        .write(Vec::new(), Compression::fast());
    for (name, content) in &entries {
        tar_entry(&mut gzip, name, content);
    }
    gzip.write_all(&[0; 1024]).expect("a Vec takes bytes");
    gzip.finish().expect("a Vec takes bytes")
}

/// The backend's text.
pub(super) fn backend(project: &str, dist: &Dist) -> String {
    BACKEND
        .replace("@MODULE@", &module(project))
        .replace("@VERSION@", &dist.version)
        .replace("@METADATA@", &dist.metadata_text(project))
}

/// One ustar entry: a regular file, owner root, one fixed time.
fn tar_entry(out: &mut impl Write, name: &str, content: &[u8]) {
    let mut header = [0_u8; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[100..108].copy_from_slice(b"0000644\0");
    header[108..116].copy_from_slice(b"0000000\0");
    header[116..124].copy_from_slice(b"0000000\0");
    header[124..136].copy_from_slice(format!("{:011o}\0", content.len()).as_bytes());
    // Zip knows no time before 1980, and backends copy this one.
    header[136..148].copy_from_slice(format!("{:011o}\0", 1_704_164_645).as_bytes());
    header[148..156].copy_from_slice(b"        ");
    header[156] = b'0';
    header[257..265].copy_from_slice(b"ustar\x0000");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
    let filler = content.len().next_multiple_of(512) - content.len();
    out.write_all(&header)
        .and_then(|()| out.write_all(content))
        .and_then(|()| out.write_all(&vec![0; filler]))
        .expect("a Vec takes bytes");
}

/// Bytes that do not compress: splitmix64, seeded by the project's name.
fn noise(seed: &str, length: usize) -> Vec<u8> {
    let mut state = seed.bytes().fold(0x9e37_79b9_u64, |sum, byte| {
        sum.wrapping_mul(31).wrapping_add(u64::from(byte))
    });
    let mut bytes = Vec::with_capacity(length + 8);
    while bytes.len() < length {
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = state;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bytes.extend_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

const PYPROJECT: &str = r#"[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"#;

const BACKEND: &str = r#"import io
import os
import tarfile
import zipfile

MODULE = "@MODULE@"
VERSION = "@VERSION@"
METADATA = """@METADATA@"""


def build_wheel(wheel_directory, config_settings=None, metadata_directory=None):
    name = "%s-%s-py3-none-any.whl" % (MODULE, VERSION)
    info = "%s-%s.dist-info/" % (MODULE, VERSION)
    with zipfile.ZipFile(os.path.join(wheel_directory, name), "w") as wheel:
        wheel.write(MODULE + "/__init__.py")
        wheel.writestr(info + "METADATA", METADATA)
        wheel.writestr(info + "WHEEL", "Wheel-Version: 1.0\nGenerator: testkit\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr(info + "RECORD", "%s/__init__.py,,\n%sMETADATA,,\n%sWHEEL,,\n%sRECORD,,\n" % (MODULE, info, info, info))
    return name


def build_sdist(sdist_directory, config_settings=None):
    top = "%s-%s" % (MODULE, VERSION)
    with tarfile.open(os.path.join(sdist_directory, top + ".tar.gz"), "w:gz") as sdist:
        info = tarfile.TarInfo(top + "/PKG-INFO")
        info.size = len(METADATA)
        info.mtime = 1704164645
        sdist.addfile(info, io.BytesIO(METADATA.encode()))
        for name in ("pyproject.toml", "backend.py", "tox.ini", MODULE):
            if os.path.exists(name):
                sdist.add(name, top + "/" + name)
    return top + ".tar.gz"
"#;
