//! An sdist, from any bytes: as a zip file, and as a tar file before it is compressed.

#![no_main]

use std::io::Write;

use archive::Limits;
use flate2::Compression;
use flate2::write::GzEncoder;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let limits = Limits::default();
    let zip = "foo_bar-1.0.zip".parse().expect("a good name");
    let _ = archive::sdist(bytes, &zip, &limits);
    let tar = "foo_bar-1.0.tar.gz".parse().expect("a good name");
    let _ = archive::sdist(bytes, &tar, &limits);
    let mut gzip = GzEncoder::new(Vec::new(), Compression::none());
    gzip.write_all(bytes).expect("a Vec takes bytes");
    let packed = gzip.finish().expect("a Vec takes bytes");
    if let Ok(Some(opened)) = archive::sdist(&packed[..], &tar, &limits) {
        assert_eq!(opened.metadata.project().as_str(), "foo-bar");
    }
});
