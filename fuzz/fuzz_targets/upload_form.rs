//! The fields of an upload form, from any text: a line is a name, the next its value.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pyspec::Metadata;

fuzz_target!(|text: &str| {
    let mut lines = text.lines();
    let fields = std::iter::from_fn(|| Some((lines.next()?, lines.next()?)));
    let Ok(metadata) = Metadata::from_form(fields) else {
        return;
    };
    let again = Metadata::from_form(metadata.to_form()).expect("our own form");
    assert_eq!(again, metadata);
    let again = Metadata::from_verdata(&metadata.to_verdata()).expect("our own JSON");
    assert_eq!(again, metadata);
});
