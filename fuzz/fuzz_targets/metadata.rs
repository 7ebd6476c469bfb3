//! METADATA, from any bytes, and all that it can be turned into.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pyspec::Metadata;

fuzz_target!(|bytes: &[u8]| {
    let Ok(metadata) = Metadata::parse(bytes) else {
        return;
    };
    let again = Metadata::from_verdata(&metadata.to_verdata()).expect("our own JSON");
    assert_eq!(again, metadata);
    let form = Metadata::from_form(metadata.to_form()).expect("our own form");
    assert_eq!(form.project(), metadata.project());
    assert_eq!(form.version(), metadata.version());
});
