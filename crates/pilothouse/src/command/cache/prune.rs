//! `pilothouse cache prune`: removes stored files, never pinned ones.

use std::collections::HashSet;
use std::io::Write;

use clap::{ArgGroup, Args};
use jiff::Timestamp;
use pyspec::{Digest, ProjectName};
use serde::Serialize;
use store::{FileRow, Filter};

use super::{Cache, Common, ListedFile, VERSION};
use crate::arguments::TEMPLATE;
use crate::failure::Outcome;
use crate::progress;
use crate::units::{ByteSize, Period};

/// Remove stored files, but never pinned ones
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse cache prune --older-than 30d --dry-run\n\n")]
#[command(group = ArgGroup::new("what").required(true).multiple(true))]
pub(crate) struct Arguments {
    /// Only files that nobody used for so long
    #[arg(long, value_name = "TIME", group = "what")]
    older_than: Option<Period>,
    /// Only as many as it takes to get down to this size, the least recently used first
    #[arg(long, value_name = "SIZE", group = "what")]
    max_size: Option<ByteSize>,
    /// Only files of this project
    #[arg(long, value_name = "NAME", group = "what")]
    project: Option<ProjectName>,
    /// Say what would go, and remove nothing
    #[arg(long)]
    dry_run: bool,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    dry_run: bool,
    files: Vec<ListedFile>,
    /// On disk; files may share their bytes, and metadata goes with its file.
    freed_bytes: u64,
    /// Why no file goes, if none does.
    why_nothing: Option<String>,
}

pub(super) async fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let Arguments {
        common, dry_run, ..
    } = arguments;
    let cache = super::open(common.place).await?;
    let filter = Filter {
        project: arguments.project,
        older_than: arguments
            .older_than
            .map(|period| period.before(Timestamp::now())),
        mirror: None,
        pinned: Some(false),
    };
    let mut files = cache.db.files(&filter).await?;
    let found = files.len();
    files.sort_by_key(|file| file.last_used);
    let used = cache.db.usage().await?.bytes;
    let surplus = arguments.max_size.map(|size| used.saturating_sub(size.0));
    let (files, freed_bytes) = if dry_run {
        foresee(files, surplus)
    } else {
        remove(&cache, files, surplus).await?
    };
    let mut answer = Answer {
        version: VERSION,
        dry_run,
        files: files.iter().map(ListedFile::from).collect(),
        freed_bytes,
        why_nothing: None,
    };
    if answer.files.is_empty() {
        let why = why_nothing(&cache, filter, found, used).await?;
        answer.why_nothing = Some(why);
    }
    if common.json {
        crate::command::print_json(out, &answer)?;
    } else {
        print(&answer, out)?;
    }
    Ok(Outcome::Clean)
}

/// Why nothing goes: the first of the reasons that holds.
async fn why_nothing(
    cache: &Cache,
    filter: Filter,
    found: usize,
    used: u64,
) -> anyhow::Result<String> {
    if found > 0 {
        let used = ByteSize(used).rounded();
        return Ok(format!("all files together take {used}, which is not more"));
    }
    let of = match &filter.project {
        Some(project) => format!("of `{project}`"),
        None => "at all".to_owned(),
    };
    let any_age = Filter {
        older_than: None,
        pinned: None,
        ..filter
    };
    let all = cache.db.files(&any_age).await?;
    let unpinned = all.iter().filter(|file| !file.pinned);
    Ok(match unpinned.map(|file| file.last_used).min() {
        None if all.is_empty() => format!("no file {of} is stored"),
        None => format!("every file {of} is pinned"),
        Some(last) => format!("the least recently used was used on {}", super::day(last)),
    })
}

/// The files that would go, and about how much that frees.
fn foresee(files: Vec<FileRow>, surplus: Option<u64>) -> (Vec<FileRow>, u64) {
    let (mut gone, mut freed) = (Vec::new(), 0);
    let mut counted: HashSet<Digest> = HashSet::new();
    for file in files {
        if surplus.is_some_and(|surplus| freed >= surplus) {
            break;
        }
        if counted.insert(file.digest) {
            freed += file.size;
        }
        gone.push(file);
    }
    (gone, freed)
}

async fn remove(
    cache: &Cache,
    files: Vec<FileRow>,
    surplus: Option<u64>,
) -> anyhow::Result<(Vec<FileRow>, u64)> {
    let bar = progress::bar(files.len() as u64, "removing");
    let (mut gone, mut freed) = (Vec::new(), 0);
    for file in files {
        if surplus.is_some_and(|surplus| freed >= surplus) {
            break;
        }
        freed += store::evict(&cache.db, &cache.blobs, &file).await?;
        bar.inc(1);
        gone.push(file);
    }
    bar.finish_and_clear();
    Ok((gone, freed))
}

fn print(answer: &Answer, out: &mut dyn Write) -> anyhow::Result<()> {
    if answer.dry_run && !answer.files.is_empty() {
        super::ls::print(&answer.files, out)?;
        writeln!(out)?;
    }
    let done = if answer.dry_run {
        "would remove"
    } else {
        "removed"
    };
    writeln!(
        out,
        "{done} {} files, {}",
        answer.files.len(),
        ByteSize(answer.freed_bytes).rounded()
    )?;
    if let Some(why) = &answer.why_nothing {
        writeln!(out, "{why}")?;
    }
    Ok(())
}
