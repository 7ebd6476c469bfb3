//! `pilothouse cache`: what is stored, and making room; beside a running server or without one.

mod du;
mod ls;
mod pin;
mod prune;
mod verify;

use std::io::Write;

use anyhow::Context as _;
use clap::{Args, Subcommand};
use jiff::Timestamp;
use serde::Serialize;
use store::{Blobs, DataDir, Db, FileRow, Mode};

use crate::arguments::{TEMPLATE, Where};
use crate::failure::{Explained, Outcome};

/// The shape of every JSON answer of these commands.
const VERSION: u32 = 1;

/// See, prune, pin and verify what is stored
#[derive(Debug, Subcommand)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse cache du\n\n", disable_help_subcommand = true)]
#[command(
    after_help = "To remove a project's files: pilothouse cache prune --project PROJECT; to remove all: --older-than 0s"
)]
pub(crate) enum Command {
    Du(du::Arguments),
    Ls(ls::Arguments),
    Prune(prune::Arguments),
    Pin(pin::Pin),
    Unpin(pin::Unpin),
    Verify(verify::Arguments),
}

/// What every one of them takes.
#[derive(Debug, Args)]
struct Common {
    #[command(flatten)]
    place: Where,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
}

/// An open cache.
struct Cache {
    db: Db,
    blobs: Blobs,
}

/// A stored file, as `ls` and `prune` print it.
#[derive(Debug, Serialize)]
struct ListedFile {
    index: String,
    project: String,
    filename: String,
    path: String,
    sha256: String,
    size: u64,
    stored_at: Timestamp,
    last_used: Timestamp,
    pinned: bool,
}

pub(crate) fn run(command: Command, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    super::block_on(async {
        match command {
            Command::Du(arguments) => du::run(arguments, out).await,
            Command::Ls(arguments) => ls::run(arguments, out).await,
            Command::Prune(arguments) => prune::run(arguments, out).await,
            Command::Pin(arguments) => pin::run(arguments.into(), out).await,
            Command::Unpin(arguments) => pin::run(arguments.into(), out).await,
            Command::Verify(arguments) => verify::run(arguments, out).await,
        }
    })
}

/// Opens the cache that these flags mean.
async fn open(place: Where) -> anyhow::Result<Cache> {
    let path = super::whereabouts(place)?.data_dir.value;
    let hint = "name the server's data directory with `--data-dir DIR`; `pilothouse config show` says which one it takes";
    let data_dir = DataDir::open(&path, Mode::Visit).map_err(|error| match error {
        store::Error::NotFound { .. } => {
            Explained::new(format!("there is no cache in `{}`", path.display()), hint).into()
        }
        other => {
            let what = format!("the cache in `{}` cannot be opened", path.display());
            anyhow::Error::new(other).context(Explained::new(what, hint))
        }
    })?;
    let db = data_dir
        .db()
        .await
        .context("the records of the cache cannot be opened")?;
    Ok(Cache {
        db,
        blobs: data_dir.blobs(),
    })
}

impl From<&FileRow> for ListedFile {
    fn from(row: &FileRow) -> Self {
        Self {
            index: row.mirror.clone(),
            project: row.project.to_string(),
            filename: row.filename.to_string(),
            path: row.path.clone(),
            sha256: row.digest.to_string(),
            size: row.size,
            stored_at: row.stored_at,
            last_used: row.last_used,
            pinned: row.pinned,
        }
    }
}

/// The day of an instant, which is as much as a table needs.
fn day(at: Timestamp) -> String {
    at.to_string().chars().take(10).collect()
}
