//! A filename and what it says, from any text.

#![no_main]

use libfuzzer_sys::fuzz_target;
use pyspec::Filename;

fuzz_target!(|text: &str| {
    let Ok(filename) = text.parse::<Filename>() else {
        return;
    };
    assert_eq!(filename.as_str(), text);
    let _ = filename.kind();
    let candidates = filename.candidates();
    for name in &candidates {
        let _ = filename.version_of(name);
    }
    if let Some((name, version)) = filename.project_and_version() {
        assert_eq!(candidates.first(), Some(&name));
        assert_eq!(filename.version_of(&name), Some(version));
    }
});
