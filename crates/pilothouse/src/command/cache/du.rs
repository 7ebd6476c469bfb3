//! `pilothouse cache du`: how much is stored, by project.

use std::io::Write;

use clap::Args;
use serde::Serialize;
use store::ProjectUsage;

use super::{Common, VERSION, day};
use crate::arguments::TEMPLATE;
use crate::failure::Outcome;
use crate::table::{Side, Table};
use crate::units::ByteSize;

/// Say how much is stored, by project
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse cache du\n\n")]
pub(crate) struct Arguments {
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    projects: Vec<Project>,
    /// Files may share their bytes, and metadata takes some too: not the sum of the above.
    files: u64,
    bytes: u64,
    pinned_bytes: u64,
    metadata_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Project {
    index: String,
    #[serde(rename = "project")]
    name: String,
    files: u64,
    bytes: u64,
    pinned_files: u64,
    last_used: jiff::Timestamp,
}

pub(super) async fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let cache = super::open(arguments.common.place).await?;
    let projects = cache.db.usage_by_project().await?;
    let usage = cache.db.usage().await?;
    let answer = Answer {
        version: VERSION,
        projects: projects.into_iter().map(Project::from).collect(),
        files: usage.files,
        bytes: usage.bytes,
        pinned_bytes: usage.pinned_bytes,
        metadata_bytes: usage.sidecar_bytes,
    };
    if arguments.common.json {
        crate::command::print_json(out, &answer)?;
    } else {
        print(&answer, out)?;
    }
    Ok(Outcome::Clean)
}

fn print(answer: &Answer, out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = Table::new([
        ("index", Side::Left),
        ("project", Side::Left),
        ("files", Side::Right),
        ("pinned", Side::Right),
        ("last used", Side::Left),
        ("size", Side::Right),
    ]);
    for project in &answer.projects {
        table.row([
            project.index.clone(),
            project.name.clone(),
            project.files.to_string(),
            project.pinned_files.to_string(),
            day(project.last_used),
            ByteSize(project.bytes).rounded(),
        ]);
    }
    table.print(out)?;
    writeln!(
        out,
        "\n{} files, {}; of these {} pinned and {} metadata",
        answer.files,
        ByteSize(answer.bytes).rounded(),
        ByteSize(answer.pinned_bytes).rounded(),
        ByteSize(answer.metadata_bytes).rounded(),
    )?;
    Ok(())
}

impl From<ProjectUsage> for Project {
    fn from(usage: ProjectUsage) -> Self {
        Self {
            index: usage.mirror,
            name: usage.project.to_string(),
            files: usage.files,
            bytes: usage.bytes,
            pinned_files: usage.pinned,
            last_used: usage.last_used,
        }
    }
}
