//! The settings of an index, from any JSON, and changes of them.

#![no_main]

use index::IndexSettings;
use index::settings::Patch;
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|text: &str| {
    let (made, sent) = text.split_once('\n').unwrap_or((text, "[]"));
    let fields: Map<String, Value> = serde_json::from_str(made).unwrap_or_default();
    let Ok(settings) = IndexSettings::create("alice", &fields) else {
        return;
    };
    // What goes out is understood when it comes back; only passwords in URLs do not go out.
    let shown = settings.to_json();
    let again = IndexSettings::create("alice", &shown).expect("our own JSON");
    assert_eq!(again.to_json(), shown);
    let sent: Value = serde_json::from_str(sent).unwrap_or_default();
    if let Ok(patch) = Patch::read(&sent) {
        let _ = settings.patched(&patch);
    }
});
