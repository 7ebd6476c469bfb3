//! `pilothouse cache ls`: the stored files.

use std::cmp::Reverse;
use std::io::Write;

use clap::{Args, ValueEnum};
use index::IndexName;
use pyspec::ProjectName;
use serde::Serialize;
use store::{FileRow, Filter};

use super::{Common, ListedFile, VERSION, day};
use crate::arguments::TEMPLATE;
use crate::failure::Outcome;
use crate::table::{Side, Table};
use crate::units::ByteSize;

/// List the stored files
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse cache ls numpy --sort size\n\n")]
pub(crate) struct Arguments {
    /// Only this project
    #[arg(value_name = "PROJECT")]
    project: Option<ProjectName>,
    /// Only this index
    #[arg(long, value_name = "USER/INDEX")]
    index: Option<IndexName>,
    /// Only pinned files
    #[arg(long)]
    pinned: bool,
    /// What comes first: by name, the biggest, or the least recently used
    #[arg(long, value_name = "ORDER", default_value = "name")]
    sort: Order,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Order {
    Name,
    Size,
    Used,
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    files: Vec<ListedFile>,
}

pub(super) async fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let cache = super::open(arguments.common.place).await?;
    let filter = Filter {
        project: arguments.project,
        mirror: arguments.index.map(|index| index.to_string()),
        pinned: arguments.pinned.then_some(true),
        older_than: None,
    };
    let mut files = cache.db.files(&filter).await?;
    sort(&mut files, arguments.sort);
    let answer = Answer {
        version: VERSION,
        files: files.iter().map(ListedFile::from).collect(),
    };
    if arguments.common.json {
        crate::command::print_json(out, &answer)?;
    } else if answer.files.is_empty() {
        writeln!(out, "no such file is stored")?;
    } else {
        print(&answer.files, out)?;
    }
    Ok(Outcome::Clean)
}

fn sort(files: &mut [FileRow], order: Order) {
    match order {
        // As the store lists them.
        Order::Name => {}
        Order::Size => files.sort_by_key(|file| Reverse(file.size)),
        Order::Used => files.sort_by_key(|file| file.last_used),
    }
}

/// As a table; also for `prune`.
pub(super) fn print(files: &[ListedFile], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = Table::new([
        ("index", Side::Left),
        ("last used", Side::Left),
        ("size", Side::Right),
        ("", Side::Left),
        ("file", Side::Left),
    ]);
    for file in files {
        table.row([
            file.index.clone(),
            day(file.last_used),
            ByteSize(file.size).rounded(),
            if file.pinned { "pinned" } else { "" }.to_owned(),
            file.filename.clone(),
        ]);
    }
    table.print(out)?;
    Ok(())
}
