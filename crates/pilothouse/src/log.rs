//! Where events go: to stderr, as text or JSON.
//!
//! The line for each request is written by `server`; here is all else that the
//! crates report through `tracing`.

use std::io::{self, IsTerminal as _};

use tracing_subscriber::filter::{LevelFilter, Targets};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;
use tracing_subscriber::{Layer as _, fmt};

use crate::config::Log;

/// Starts reporting; `level` 0 is normal, more is louder.
pub(crate) fn start(log: Log, level: i16) {
    let colored = io::stderr().is_terminal()
        && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let lines = match log {
        Log::Text | Log::Off => fmt::layer()
            .with_writer(io::stderr)
            .with_ansi(colored)
            .with_target(level > 0)
            .boxed(),
        Log::Json => fmt::layer()
            .with_writer(io::stderr)
            .json()
            .flatten_event(true)
            .boxed(),
    };
    // Fails only when started twice, as two commands in one process would.
    let _ = tracing_subscriber::registry()
        .with(lines)
        .with(filter(log, level))
        .try_init();
}

fn filter(log: Log, level: i16) -> Targets {
    let usual = match log {
        Log::Off => 1,
        Log::Text | Log::Json => 2,
    };
    let (ours, theirs) = match usual + level {
        ..=0 => (LevelFilter::ERROR, LevelFilter::ERROR),
        1 => (LevelFilter::WARN, LevelFilter::WARN),
        2 => (LevelFilter::INFO, LevelFilter::WARN),
        3 => (LevelFilter::DEBUG, LevelFilter::INFO),
        _ => (LevelFilter::TRACE, LevelFilter::DEBUG),
    };
    let crates = ["pilothouse", "server", "index", "store", "pyspec"];
    Targets::new()
        .with_default(theirs)
        .with_targets(crates.map(|name| (name, ours)))
}
