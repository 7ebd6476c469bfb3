//! `pilothouse docker fix`: mends what the rules have found, where what is built stays the same.

use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use clap::Args;
use dockerfile::fix::{Done, Extent, Fixed, fix};
use dockerfile::lint::Surroundings;
use similar::TextDiff;

use super::put::put;
use super::source::Source;
use crate::arguments::{TEMPLATE, Verbosity};
use crate::failure::{Explained, Outcome};

/// Mend what `docker lint` finds, where that changes nothing of what is built
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse docker fix --write\n\n", after_help = AFTER)]
pub(crate) struct Arguments {
    /// Dockerfiles, or folders with one in them
    #[arg(value_name = "FILE", default_value = ".", hide_default_value = true)]
    files: Vec<PathBuf>,
    /// The folder that is built [default: that of the Dockerfile]
    #[arg(long, value_name = "DIR")]
    context: Option<PathBuf>,
    /// Mend also what may change something: the diff says what, and why it may
    #[arg(long = "unsafe")]
    is_unsafe: bool,
    /// Change the files [default: print what would be changed, and end with 1 if anything would]
    #[arg(long)]
    write: bool,
}

const AFTER: &str = "It copies dependency files before sources, adds cache mounts and a constant time for bytecode, and completes .dockerignore. With --unsafe it also moves variables below installs, takes out those that turn caches off, mounts the caches of other users, and hands on wheels in place of site-packages.";

pub(crate) fn run(
    arguments: &Arguments,
    verbosity: Verbosity,
    out: &mut dyn Write,
) -> anyhow::Result<Outcome> {
    let mut outcome = Outcome::Clean;
    for name in &arguments.files {
        if name == Path::new("-") {
            return Err(Explained::new(
                "stdin is no file that could be mended",
                "name a Dockerfile, or a folder with one in it",
            )
            .into());
        }
        let source = Source::read(name, arguments.context.as_deref())?;
        let extent = if arguments.is_unsafe {
            Extent::All
        } else {
            Extent::Safe
        };
        let fixed = source.fixed(extent)?;
        if !arguments.is_unsafe && verbosity.level() >= 0 {
            hint(&source, &fixed)?;
        }
        if fixed.done.is_empty() {
            continue;
        }
        if arguments.write {
            let told = write(&source, &fixed)?;
            if verbosity.level() >= 0 {
                out.write_all(told.as_bytes())?;
            }
        } else {
            show(&source, &fixed, out)?;
            outcome = Outcome::Findings;
        }
    }
    Ok(outcome)
}

impl Source {
    fn fixed(&self, extent: Extent) -> anyhow::Result<Fixed> {
        let around = Surroundings {
            ignore: self.ignore.as_ref().map(|text| text.text.as_str()),
            engine: self.engine,
            read: &|path| self.context_file(path),
            ..Surroundings::default()
        };
        let fixed = fix(self.dockerfile.text(), &around, extent);
        fixed.with_context(|| format!("`{}` cannot be mended", self.name))
    }

    /// Each file that changed: where it is, what it was, what it is to be.
    fn changes<'a>(&'a self, fixed: &'a Fixed) -> Vec<(PathBuf, &'a str, &'a str)> {
        let dockerfile = (
            PathBuf::from(&self.name),
            self.dockerfile.text(),
            fixed.dockerfile.as_str(),
        );
        let ignore = fixed.ignore.as_deref().map(|new| match &self.ignore {
            Some(old) => (PathBuf::from(&old.name), old.text.as_str(), new),
            None => (self.context.join(".dockerignore"), "", new),
        });
        let all = [Some(dockerfile), ignore].into_iter().flatten();
        all.filter(|(_, old, new)| old != new).collect()
    }
}

/// Says how many more could be mended.
fn hint(source: &Source, fixed: &Fixed) -> anyhow::Result<()> {
    let all = source.fixed(Extent::All)?;
    let risky = all.done.iter().filter(|done| done.risk.is_some()).count();
    if risky > 0 {
        let also = if fixed.done.is_empty() { "" } else { "also " };
        eprintln!("{}: `--unsafe` {also}mends {risky}", source.name);
    }
    Ok(())
}

/// What may be otherwise, before the diff: `patch` passes over it.
fn show(source: &Source, fixed: &Fixed, out: &mut dyn Write) -> anyhow::Result<()> {
    for done in &fixed.done {
        if let Some(risk) = risk(done) {
            writeln!(out, "# {risk}")?;
        }
    }
    for (path, old, new) in source.changes(fixed) {
        let name = path.display().to_string();
        let diff = TextDiff::from_lines(old, new);
        write!(out, "{}", diff.unified_diff().header(&name, &name))?;
    }
    Ok(())
}

/// Changes the files, and says what was done.
fn write(source: &Source, fixed: &Fixed) -> anyhow::Result<String> {
    let mut told = Vec::new();
    for (path, _, new) in source.changes(fixed) {
        put(&path, new.as_bytes())
            .with_context(|| format!("`{}` cannot be written", path.display()))?;
        told.push(format!("wrote {}\n", path.display()));
    }
    for done in &fixed.done {
        told.push(format!("mended {}: {}\n", done.rule.code, done.message));
        told.extend(risk(done).map(|risk| format!("  {risk}\n")));
    }
    Ok(told.concat())
}

fn risk(done: &Done) -> Option<String> {
    let risk = done.risk?;
    Some(format!("unsafe {}: {risk}", done.rule.code))
}
