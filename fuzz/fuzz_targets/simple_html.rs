//! A project page or root listing in HTML, from any bytes.
//!
//! Run a target from the root of the repository with
//! `cargo +nightly fuzz run simple_html -- -max_total_time=60`, which needs
//! `cargo install cargo-fuzz` once. A finding lands in `fuzz/artifacts/`; the
//! same command with its path instead of the options shows it again.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pyspec::{render, simple_html};

fuzz_target!(|body: &[u8]| {
    let url = "https://h.example/simple/foo/".parse().expect("a good URL");
    let name = "foo".parse().expect("a good name");
    let _ = simple_html::parse_root(body);
    let Ok(page) = simple_html::parse_project(body, &url, &name) else {
        return;
    };

    // What was read can be written, and reads the same again.
    let html = render::project_html(
        &page.value,
        |file| file.url.clone(),
        |file| file.provenance.clone(),
    );
    let again = simple_html::parse_project(&html, &url, &name).expect("our own page");
    assert_eq!(again.dropped, []);
    assert_eq!(again.value.files.len(), page.value.files.len());
    for (left, right) in again.value.files.iter().zip(&page.value.files) {
        assert_eq!(
            (&left.filename, &left.url, &left.yanked),
            (&right.filename, &right.url, &right.yanked)
        );
    }
});
