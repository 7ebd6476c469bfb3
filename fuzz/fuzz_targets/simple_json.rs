//! A project page or root listing in JSON, from any bytes.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pyspec::{render, simple_json};

fuzz_target!(|body: &[u8]| {
    let url = "https://h.example/simple/foo/".parse().expect("a good URL");
    let name = "foo".parse().expect("a good name");
    let _ = simple_json::parse_root(body);
    let Ok(page) = simple_json::parse_project(body, &url, &name) else {
        return;
    };

    // What was read can be written, and reads the same again.
    let json = render::project_json(
        &page.value,
        |file| file.url.clone(),
        |file| file.provenance.clone(),
    );
    let again = simple_json::parse_project(&json, &url, &name).expect("our own page");
    assert_eq!(again.dropped, []);
    let json_again = render::project_json(
        &again.value,
        |file| file.url.clone(),
        |file| file.provenance.clone(),
    );
    assert_eq!(json, json_again);
});
