//! `pilothouse export`: moves out to devpi, or to another pilothouse.

use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use index::IndexSettings;
use index::dump::{Export, Manner, Written};
use index::settings::MirrorSettings;
use serde::Serialize;

use crate::arguments::{TEMPLATE, Where};
use crate::failure::Outcome;
use crate::progress;
use crate::units::ByteSize;

/// The shape of the JSON answer.
const VERSION: u32 = 1;

const AFTER: &str = "\
Users go with the hashes of their passwords, and mirrors that people made with the passwords of
their upstreams (those of the settings without): keep the folder to yourself. What mirrors have
fetched stays here, unless it is asked for. An export that was interrupted goes on where it
stopped when it is run again. A file whose bytes are not what they were is left out and told,
and the exit code is 1. Mirrors of the settings are known from the file and the variables, not
from flags of `serve`. Whoever changes a linked file changes it here, too.";

/// Move out: write what `devpi-import` and `pilothouse import` read
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, after_help = AFTER, before_help = "Example: pilothouse export dump; devpi-import --serverdir ~/.devpi/server dump\n\n")]
pub(crate) struct Arguments {
    /// The folder to write: empty, or not there yet
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// Link files instead of copying them, where the disk allows it
    #[arg(long)]
    hard_links: bool,
    /// Write what mirrors have fetched as well, as `devpi-export` does
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
    report: &'a Written,
}

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let config = super::whereabouts(arguments.place)?;
    let data_dir = super::visited(&config)?;
    let fixed = config.mirrors.iter().map(|mirror| {
        let mut settings = MirrorSettings::of_config(&mirror.config());
        if let Some(readers) = &mirror.manners.readers {
            settings = settings.read_by(&readers.value);
        }
        let settings = IndexSettings::Mirror(settings);
        (mirror.name.clone(), settings.to_json())
    });
    let fixed = fixed.collect();
    let written = super::block_on(async {
        let db = data_dir.db().await?;
        let export = Export {
            db: &db,
            blobs: &data_dir.blobs(),
            fixed,
            folder: arguments.directory,
            manner: if arguments.hard_links {
                Manner::HardLinks
            } else {
                Manner::Copies
            },
            mirrored: super::mirrored(arguments.include_mirrored_files),
        };
        let plan = export.plan().await?;
        let bar = progress::bar(plan.len() as u64, "exporting");
        let written = export.run(&plan, || bar.inc(1)).await;
        bar.finish_and_clear();
        Ok(written?)
    })?;
    if arguments.json {
        let version = VERSION;
        let report = &written;
        super::print_json(out, &Answer { version, report })?;
    } else {
        print(&written, out)?;
    }
    Ok(if written.problems.is_empty() {
        Outcome::Clean
    } else {
        Outcome::Findings
    })
}

fn print(written: &Written, out: &mut dyn Write) -> anyhow::Result<()> {
    writeln!(
        out,
        "exported {} users, {} indexes, {} releases and {} files ({})",
        written.users,
        written.indexes,
        written.releases,
        written.files,
        ByteSize(written.bytes).rounded()
    )?;
    for note in &written.notes {
        writeln!(out, "note: {note}")?;
    }
    for problem in &written.problems {
        writeln!(out, "problem: {problem}")?;
    }
    Ok(())
}
