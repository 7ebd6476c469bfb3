//! Tests that cannot run here say so, and the command that ran them counts it.

use std::fs::OpenOptions;
use std::io::Write as _;

/// Says that `what` was not tested, and why: on stderr, and in the file that
/// `PILOTHOUSE_SKIPPED` names, which `cargo xtask test` reads at its end.
pub fn skipped(what: &str, why: &str) {
    eprintln!("SKIPPED {what}: {why}");
    let Some(path) = std::env::var_os("PILOTHOUSE_SKIPPED") else {
        return;
    };
    let file = OpenOptions::new().create(true).append(true).open(path);
    // One write: tests of several processes append to the file.
    let noted = file.and_then(|mut file| file.write_all(format!("{what}: {why}\n").as_bytes()));
    noted.expect("what was skipped can be written down");
}
