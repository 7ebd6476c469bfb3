//! A docs zip, from any bytes, with all its pages.

#![no_main]

use std::io::{self, Read};

use archive::{Docs, Limits};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(docs) = Docs::open(bytes, &Limits::default()) else {
        return;
    };
    for path in docs.paths() {
        assert!(!path.starts_with('/') && !path.split('/').any(|part| part == ".."));
        let page = docs.page(path).expect("it is listed");
        let mut contents = page.contents(bytes).take(1 << 20);
        if let Ok(read) = io::copy(&mut contents, &mut io::sink()) {
            assert_eq!(read, page.len().min(1 << 20));
        }
    }
});
