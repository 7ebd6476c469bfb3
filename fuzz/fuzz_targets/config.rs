//! The config file's reader, and sizes and times in it, from any text.

#![no_main]
#![expect(
    dead_code,
    reason = "the reader is a part of the binary, included here as it is"
)]

#[path = "../../crates/pilothouse/src/config/fault.rs"]
mod fault;
#[path = "../../crates/pilothouse/src/config/reader.rs"]
mod reader;
#[path = "../../crates/pilothouse/src/config/setting.rs"]
mod setting;

use std::path::Path;

use fault::Fault;
use index::units;
use libfuzzer_sys::fuzz_target;
use reader::{Document, Table};
use setting::{Origin, Setting};

const KEYS: &[&str] = &["listen", "data-dir", "offline", "cache", "mirror"];
const MIRROR_KEYS: &[&str] = &["fresh-for", "missing", "connections-per-file"];

fuzz_target!(|text: &str| {
    let (_, faults) = Document::new(text, Path::new("pilothouse.toml")).walk(KEYS, read);
    let lines = text.matches('\n').count() + 1;
    for fault in faults {
        assert!(fault.line.is_none_or(|line| (1..=lines).contains(&line)));
        let _ = fault.to_string();
    }
    if let Ok(size) = text.parse::<units::ByteSize>() {
        assert_eq!(size.to_string().parse(), Ok(size));
    }
    if let Ok(period) = text.parse::<units::Period>() {
        assert_eq!(period.to_string().parse(), Ok(period));
    }
});

/// One key of each kind.
fn read(root: &Table) {
    root.texts("listen", str::parse::<std::net::SocketAddr>);
    root.text("data-dir", str::parse::<std::path::PathBuf>);
    root.flag("offline");
    root.table("cache", &["max-size"], |cache| {
        cache.text("max-size", str::parse::<units::ByteSize>);
    });
    root.named_tables("mirror", MIRROR_KEYS, |_, mirror| {
        mirror.text("fresh-for", str::parse::<units::Period>);
        mirror.numbers("missing", 400..=499);
        mirror.number("connections-per-file", 1..=16);
    });
}
