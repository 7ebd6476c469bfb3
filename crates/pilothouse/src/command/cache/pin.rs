//! `pilothouse cache pin` and `unpin`: which files are never evicted or pruned.

use std::io::Write;
use std::str::FromStr;

use clap::Args;
use pyspec::{FileKind, Filename, ProjectName, Version};
use serde::Serialize;
use store::{FileRow, Filter};

use super::{Cache, Common, VERSION};
use crate::arguments::TEMPLATE;
use crate::failure::{Explained, Outcome};

/// Keep stored files from ever being evicted or pruned
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse cache pin numpy==2.3.1 torch\n\n")]
pub(crate) struct Pin {
    /// A project, `project==version`, or a file's name
    #[arg(value_name = "WHAT", required = true)]
    what: Vec<Target>,
    #[command(flatten)]
    common: Common,
}

/// Let pinned files be evicted and pruned again
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse cache unpin numpy\n\n")]
pub(crate) struct Unpin {
    /// A project, `project==version`, or a file's name
    #[arg(value_name = "WHAT", required = true)]
    what: Vec<Target>,
    #[command(flatten)]
    common: Common,
}

/// Either of them.
pub(super) struct Arguments {
    what: Vec<Target>,
    common: Common,
    pinned: bool,
}

/// What is to be pinned.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Project(ProjectName),
    Release(ProjectName, Version),
    File(Filename),
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    pinned: bool,
    /// How many files are so now and were not before.
    changed: usize,
    files: Vec<String>,
}

pub(super) async fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let cache = super::open(arguments.common.place).await?;
    let mut files = Vec::new();
    for target in &arguments.what {
        let found = find(&cache, target).await?;
        if found.is_empty() {
            let hint = "`pilothouse cache ls` lists what is stored; a file can be pinned once somebody has fetched it";
            return Err(
                Explained::new(format!("nothing that is stored matches `{target}`"), hint).into(),
            );
        }
        files.extend(found);
    }
    let mut changed = 0;
    for file in files.iter().filter(|file| file.pinned != arguments.pinned) {
        let (mirror, path) = (&file.mirror, &file.path);
        cache
            .db
            .set_file_pinned(mirror, path, arguments.pinned)
            .await?;
        changed += 1;
    }
    let answer = Answer {
        version: VERSION,
        pinned: arguments.pinned,
        changed,
        files: files.iter().map(|file| file.filename.to_string()).collect(),
    };
    if arguments.common.json {
        crate::command::print_json(out, &answer)?;
    } else {
        let done = if arguments.pinned {
            "pinned"
        } else {
            "unpinned"
        };
        writeln!(out, "{done} {changed} of {} files", files.len())?;
    }
    Ok(Outcome::Clean)
}

async fn find(cache: &Cache, target: &Target) -> anyhow::Result<Vec<FileRow>> {
    let project = match target {
        Target::Project(project) | Target::Release(project, _) => Some(project.clone()),
        Target::File(_) => None,
    };
    let filter = Filter {
        project,
        ..Filter::default()
    };
    let mut files = cache.db.files(&filter).await?;
    files.retain(|file| match target {
        Target::Project(_) => true,
        Target::Release(project, version) => {
            file.filename.version_of(project).as_ref() == Some(version)
        }
        Target::File(filename) => file.filename == *filename,
    });
    Ok(files)
}

impl From<Pin> for Arguments {
    fn from(Pin { what, common }: Pin) -> Self {
        Self {
            what,
            common,
            pinned: true,
        }
    }
}

impl From<Unpin> for Arguments {
    fn from(Unpin { what, common }: Unpin) -> Self {
        Self {
            what,
            common,
            pinned: false,
        }
    }
}

impl FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        if let Some((project, version)) = text.split_once("==") {
            let project = project.trim().parse().map_err(|error| format!("{error}"))?;
            let version = version.trim().parse().map_err(|error| format!("{error}"))?;
            return Ok(Self::Release(project, version));
        }
        match text.parse::<Filename>() {
            Ok(filename) if filename.kind() != FileKind::Other => Ok(Self::File(filename)),
            _ => text
                .parse()
                .map(Self::Project)
                .map_err(|_: pyspec::InvalidName| {
                    format!(
                        "`{text}` is neither a project, nor `project==version`, nor a file's name"
                    )
                }),
        }
    }
}

impl std::fmt::Display for Target {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Project(project) => project.fmt(f),
            Self::Release(project, version) => write!(f, "{project}=={version}"),
            Self::File(filename) => filename.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_is_told_by_its_form() {
        let project = || "foo-bar".parse::<ProjectName>().unwrap();
        for (text, target) in [
            ("Foo_Bar", Target::Project(project())),
            (
                "foo.bar==1.0",
                Target::Release(project(), "1.0".parse().unwrap()),
            ),
            (
                "foo_bar-1.0-py3-none-any.whl",
                Target::File("foo_bar-1.0-py3-none-any.whl".parse().unwrap()),
            ),
            (
                "foo_bar-1.0.tar.gz",
                Target::File("foo_bar-1.0.tar.gz".parse().unwrap()),
            ),
        ] {
            assert_eq!(text.parse(), Ok(target), "{text}");
        }
        for bad in ["", "foo bar", "foo==", "==1", "a/b.whl"] {
            assert!(bad.parse::<Target>().is_err(), "{bad}");
        }
    }
}
