//! `Accept`, `?format=` and `Accept-Encoding`, from any text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pyspec::negotiate;

fuzz_target!(|header: &str| {
    let _ = negotiate::format(Some(header), None);
    let _ = negotiate::format(None, Some(header));
    let _ = negotiate::encoding(Some(header));
});
