//! `pilothouse audit`: what people did, from the log of changes.

use std::io::Write;

use clap::Args;
use index::IndexName;
use jiff::Timestamp;
use pyspec::ProjectName;
use serde::Serialize;
use serde_json::Value;
use store::{EventFilter, EventRow};

use super::print_json;
use crate::arguments::{TEMPLATE, Where};
use crate::failure::Outcome;
use crate::table::{Side, Table};
use crate::units::Period;

/// The shape of the JSON answer.
const VERSION: u32 = 1;

/// Events that are read at a time.
const BATCH: u32 = 1000;

/// Show what people did: uploads, removals, logins, changes of users, indexes and tokens
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse audit --index alice/dev --since 7d\n\n")]
pub(crate) struct Arguments {
    /// Only what this user did
    #[arg(long, value_name = "USER")]
    who: Option<String>,
    /// Only what was done to this index
    #[arg(long, value_name = "USER/INDEX")]
    index: Option<IndexName>,
    /// Only what was done to this project
    #[arg(long, value_name = "NAME")]
    project: Option<ProjectName>,
    /// Only what happened so long ago at most, like "24h" or "30d"
    #[arg(long, value_name = "TIME", conflicts_with = "after")]
    since: Option<Period>,
    /// Only what happened after this serial number: for scripts that read on
    #[arg(long, value_name = "SERIAL")]
    after: Option<u64>,
    /// At most so many; without --since and --after the last ones
    #[arg(long, value_name = "COUNT", default_value_t = 100)]
    limit: u32,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    events: Vec<Listed>,
}

/// An event, as it is printed.
#[derive(Debug, Serialize)]
struct Listed {
    serial: u64,
    at: Timestamp,
    who: Option<String>,
    what: String,
    index: Option<String>,
    project: Option<String>,
    version: Option<String>,
    file: Option<String>,
    detail: Value,
}

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let Arguments { json, .. } = arguments;
    let rows = super::block_on(read(arguments))?;
    let events = rows.into_iter().map(Listed::from).collect();
    let answer = Answer {
        version: VERSION,
        events,
    };
    if json {
        print_json(out, &answer)?;
    } else {
        print(&answer.events, out)?;
    }
    Ok(Outcome::Clean)
}

async fn read(arguments: Arguments) -> anyhow::Result<Vec<EventRow>> {
    let db = super::records(arguments.place).await?;
    let mut filter = EventFilter {
        after: arguments.after,
        who: arguments.who,
        stage: arguments.index.map(|index| index.to_string()),
        project: arguments.project,
        limit: arguments.limit,
    };
    let Some(since) = arguments.since else {
        return Ok(db.events(&filter).await?);
    };
    // The log is kept in order of serials, which is nearly, but not quite, that of times.
    let since = since.before(Timestamp::now());
    let (mut found, mut after) = (Vec::new(), 0);
    loop {
        filter.after = Some(after);
        filter.limit = BATCH;
        let batch = db.events(&filter).await?;
        let Some(last) = batch.last() else {
            return Ok(found);
        };
        after = last.serial;
        found.extend(batch.into_iter().filter(|row| row.event.at >= since));
        let surplus = found.len().saturating_sub(arguments.limit as usize);
        found.drain(..surplus);
    }
}

impl From<EventRow> for Listed {
    fn from(row: EventRow) -> Self {
        let event = row.event;
        Self {
            serial: row.serial,
            at: event.at,
            who: event.who,
            what: event.what,
            index: event.stage,
            project: event.project.map(|project| project.to_string()),
            version: event.version,
            file: event.file,
            detail: serde_json::from_str(&event.detail).unwrap_or_default(),
        }
    }
}

impl Listed {
    /// What it is about: the narrowest name that there is.
    fn about(&self) -> String {
        if let Some(file) = &self.file {
            return file.clone();
        }
        match (&self.project, &self.version) {
            (Some(project), Some(version)) => format!("{project} {version}"),
            (Some(project), None) => project.clone(),
            _ => String::new(),
        }
    }

    /// The rest, as `key=value`.
    fn rest(&self) -> String {
        let members = self.detail.as_object().into_iter().flatten();
        let words = members.map(|(key, value)| match value {
            Value::String(text) => format!("{key}={text}"),
            other => format!("{key}={other}"),
        });
        words.collect::<Vec<_>>().join(" ")
    }
}

fn print(events: &[Listed], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = Table::new([
        ("serial", Side::Right),
        ("when", Side::Left),
        ("who", Side::Left),
        ("what", Side::Left),
        ("index", Side::Left),
        ("about", Side::Left),
        ("", Side::Left),
    ]);
    for event in events {
        let or_dash = |text: &Option<String>| text.clone().unwrap_or_else(|| "-".to_owned());
        table.row([
            event.serial.to_string(),
            event.at.strftime("%Y-%m-%d %H:%M:%SZ").to_string(),
            or_dash(&event.who),
            event.what.clone(),
            or_dash(&event.index),
            event.about(),
            event.rest(),
        ]);
    }
    table.print(out)?;
    Ok(())
}
