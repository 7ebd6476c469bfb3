//! A wheel, from any bytes.

#![no_main]

use archive::Limits;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let filename = "foo_bar-1.0-py3-none-any.whl".parse().expect("a good name");
    let Ok(opened) = archive::wheel(bytes, &filename, &Limits::default()) else {
        return;
    };
    assert_eq!(opened.metadata.project().as_str(), "foo-bar");
    assert_eq!(*opened.metadata.version(), "1.0".parse().expect("a good version"));
});
