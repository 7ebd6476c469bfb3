//! `pilothouse import`: moves in from devpi, with users, passwords, indexes and files.

use std::io::Write;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::Args;
use index::dump::{Dump, Import, Report};
use jiff::Timestamp;
use serde::Serialize;
use store::{DataDir, Mode};

use super::serve::house::House;
use crate::arguments::{TEMPLATE, Where};
use crate::failure::{Explained, Outcome};
use crate::progress;
use crate::units::ByteSize;

/// The shape of the JSON answer.
const VERSION: u32 = 1;

const AFTER: &str = "\
Users keep their passwords, files their history. An import that was interrupted goes on where
it stopped when it is run again. What does not match its digest, or cannot be kept here, is
left out and told, and the exit code is 1.";

/// Move in from devpi: read what `devpi-export` wrote
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, after_help = AFTER, before_help = "Example: devpi-export --serverdir ~/.devpi/server dump; pilothouse import dump\n\n")]
pub(crate) struct Arguments {
    /// The folder that `devpi-export` wrote, with `dataindex.json` in it
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Leave out indexes of this type, as `devpi-import` does; may be given more than once
    #[arg(long, value_name = "TYPE")]
    skip_import_type: Vec<String>,
    /// Take in what mirrors had fetched, where `devpi-export` was given the same flag
    #[arg(long)]
    include_mirrored_files: bool,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, Serialize)]
struct Answer<'a> {
    version: u32,
    report: &'a Report,
}

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let text = Dump::text(&arguments.directory)?;
    let dump = Dump::read(&arguments.directory, &text)?;
    let config = super::configured(arguments.place)?;
    let path = &config.data_dir.value;
    let data_dir = DataDir::open(path, Mode::Serve).with_context(|| {
        Explained::new(
            format!("the data directory `{}` cannot be opened", path.display()),
            "an import needs it for itself: stop the server first, or name another with `--data-dir DIR`",
        )
    })?;
    let runtime = tokio::runtime::Runtime::new().context("the system gives no event loop")?;
    let report = runtime.block_on(async {
        let house = House::open(&config, &data_dir).await?;
        let import = Import {
            accounts: &house.rooms.accounts,
            indexes: &house.rooms.indexes,
            skip_types: &arguments.skip_import_type,
            storage: &house.rooms.storage,
            mirrored: super::mirrored(arguments.include_mirrored_files),
            now: Timestamp::now(),
        };
        let bar = progress::bar(dump.len() as u64, "importing");
        let report = import.run(&dump, || bar.inc(1)).await;
        bar.finish_and_clear();
        anyhow::Ok(report?)
    })?;
    if arguments.json {
        let version = VERSION;
        super::print_json(
            out,
            &Answer {
                version,
                report: &report,
            },
        )?;
    } else {
        print(&report, out)?;
    }
    Ok(if report.problems.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Findings
    })
}

fn print(report: &Report, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "imported {} users, {} indexes and {} files ({}) of {} releases; {} were here already",
        report.users,
        report.indexes,
        report.files,
        ByteSize(report.bytes).rounded(),
        report.releases,
        report.known
    )?;
    for note in &report.notes {
        writeln!(out, "note: {note}")?;
    }
    for problem in &report.problems {
        writeln!(out, "problem: {problem}")?;
    }
    Ok(())
}
