//! `pilothouse docker init`: a Dockerfile for the project that is here.

use std::fs::{self, File};
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, anyhow};
use clap::Args;
use dockerfile::draft::{Draft, Folder, draft};

use super::context;
use crate::arguments::TEMPLATE;
use crate::failure::{Explained, Outcome};

/// Write a Dockerfile, a .dockerignore and, for what serves the web, a compose.yaml
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse docker init\n\n", after_help = AFTER)]
pub(crate) struct Arguments {
    /// The folder of the project
    #[arg(value_name = "DIR", default_value = ".", hide_default_value = true)]
    folder: PathBuf,
    /// Print what would be written
    #[arg(long, conflicts_with = "force")]
    print: bool,
    /// Write over files that are there
    #[arg(long)]
    force: bool,
}

const AFTER: &str = "Dependencies are found in requirements.txt, uv.lock, poetry.lock, pdm.lock, Pipfile.lock or pyproject.toml.";

/// What a project keeps beside its sources and no draft looks into.
const PASSED_OVER: &str = ".git\n**/.venv\n**/venv\n**/node_modules\n**/__pycache__\n.tox\n.nox\n";

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let folder = &arguments.folder;
    if !folder.is_dir() {
        return Err(anyhow!(Explained::new(
            format!("`{}` is no folder", folder.display()),
            "name the folder of a project",
        )));
    }
    let draft = drafted(folder)?;
    if arguments.print {
        for (name, text) in &draft.files {
            writeln!(out, "# {name}\n{text}")?;
        }
    } else {
        write(folder, &draft, arguments.force)?;
        for (name, _) in &draft.files {
            writeln!(out, "wrote {}", folder.join(name).display())?;
        }
    }
    for note in &draft.notes {
        writeln!(out, "note: {note}")?;
    }
    Ok(Outcome::Clean)
}

fn drafted(folder: &Path) -> anyhow::Result<Draft> {
    let files = context::files(folder, Some(PASSED_OVER));
    let paths: Vec<String> = files.into_iter().map(|file| file.path).collect();
    let read = |path: &str| fs::read_to_string(folder.join(path)).ok();
    let draft = draft(&Folder {
        paths: &paths,
        read: &read,
    });
    draft.with_context(|| {
        Explained::new(
            format!("`{}` cannot be drafted for", folder.display()),
            "name the folder that the project's requirements or pyproject.toml are in",
        )
    })
}

/// Writes all files, or none if one is there already.
fn write(folder: &Path, draft: &Draft, force: bool) -> anyhow::Result<()> {
    let paths = draft.files.iter().map(|(name, _)| folder.join(name));
    let there = paths.filter(|path| path.symlink_metadata().is_ok());
    let there: Vec<String> = there.map(|path| format!("`{}`", path.display())).collect();
    if !there.is_empty() && !force {
        return Err(anyhow!(Explained::new(
            format!("{} would be written over", there.join(", ")),
            "see what would be written with `--print`, or write it with `--force`",
        )));
    }
    for (name, text) in &draft.files {
        let path = folder.join(name);
        let written = File::options()
            .write(true)
            .create(force)
            .create_new(!force)
            .truncate(force)
            .open(&path)
            .and_then(|mut file| file.write_all(text.as_bytes()));
        written.with_context(|| format!("`{}` cannot be written", path.display()))?;
    }
    Ok(())
}
