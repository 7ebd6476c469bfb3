//! `pilothouse docker explain`: which steps a build will repeat, and why.

mod cost;
mod graph;
mod history;
mod json;
mod log;
mod named;
mod record;
mod state;
mod text;
mod traps;

use std::fs;
use std::io::Write;
use std::path::PathBuf;

use ::context::Edit;
use anyhow::{Context as _, anyhow};
use clap::{Args, ValueEnum};
use dockerfile::Engine;
use dockerfile::cache::Verdict;

use crate::arguments::TEMPLATE;
use crate::config::Places;
use crate::failure::{Explained, Outcome};
use cost::{Cost, Costs};
use state::{Origin, State, Told};

/// Say which steps of a build are repeated after a change, and why, without building
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse docker explain --what-if 'touch app/main.py'\n\n", after_help = AFTER)]
pub(crate) struct Arguments {
    /// The folder that is built
    #[arg(value_name = "CONTEXT", default_value = ".", hide_default_value = true)]
    context: PathBuf,
    /// The Dockerfile [default: CONTEXT/Dockerfile]
    #[arg(short, long, value_name = "FILE")]
    file: Option<PathBuf>,
    /// Keep this state, for the next `explain` to compare with
    #[arg(long, conflicts_with_all = ["from", "to", "before", "after", "what_if"])]
    record: bool,
    /// With --record: what the build printed with --progress=plain, for how long its steps took
    #[arg(long, value_name = "FILE", requires = "record")]
    log: Option<PathBuf>,
    /// With --record: docker history --no-trunc --human=false --format '{{json .}}' of the image, for how many bytes its steps left
    #[arg(long, value_name = "FILE", requires = "record")]
    history: Option<PathBuf>,
    /// Compare with this git revision [default: what was recorded, else HEAD]
    #[arg(long, value_name = "REVISION")]
    from: Option<String>,
    /// Build this git revision [default: the files as they are]
    #[arg(long, value_name = "REVISION", requires = "from")]
    to: Option<String>,
    /// Compare with this folder
    #[arg(long, value_name = "DIR", conflicts_with = "from", requires = "after")]
    before: Option<PathBuf>,
    /// Build this folder
    #[arg(long, value_name = "DIR", requires = "before")]
    after: Option<PathBuf>,
    /// The Dockerfile of --before [default: the one in it]
    #[arg(long, value_name = "FILE", requires = "before")]
    before_file: Option<PathBuf>,
    /// Ask what a change would do that is not made: touch, rm, mv or chmod with paths; may be repeated
    #[arg(long, value_name = "CHANGE")]
    what_if: Vec<Edit>,
    /// Whose cache it is
    #[arg(long, value_name = "ENGINE", default_value = "buildkit")]
    engine: Whose,
    /// Whether the client sends what looks changed or everything
    #[arg(long, value_name = "HOW", default_value = "incremental")]
    transfer: Transfer,
    #[command(flatten)]
    told: state::Flags,
    /// Draw the stages, their steps and the causes into this file
    #[arg(long, value_name = "OUT.svg", conflicts_with = "record")]
    graph: Option<PathBuf>,
    /// Print JSON
    #[arg(long)]
    json: bool,
}

const AFTER: &str = "Nothing is built and no engine is asked: this is a model of its cache keys.";

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Whose {
    /// BuildKit from 0.13 on: Docker 25 and later, buildx
    #[value(name = "buildkit")]
    BuildKit,
    /// BuildKit 0.8, inside Docker 20.10
    #[value(name = "buildkit-0.8")]
    BuildKit08,
    /// Docker's builder before BuildKit
    Legacy,
    /// buildah and podman
    Buildah,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Transfer {
    /// Files whose size, time and mode are as before are not sent, whatever is in them
    Incremental,
    /// All is sent, as to a new builder or from a new folder
    Full,
}

impl Whose {
    fn engine(self) -> Engine {
        match self {
            Self::BuildKit => Engine::BuildKit,
            Self::BuildKit08 => Engine::BuildKit08,
            Self::Legacy => Engine::Legacy,
            Self::Buildah => Engine::Buildah,
        }
    }
}

/// What is printed.
struct Report {
    engine: &'static str,
    before: String,
    after: String,
    steps: Vec<Verdict>,
    /// Of each step, the last time that it was done.
    costs: Vec<Cost>,
    warnings: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let (before, after) = arguments.told.told()?;
    let (old_names, new_names) = arguments.told.named(arguments.engine.engine())?;
    if arguments.record {
        let mut state = arguments.now(after)?;
        state.named = new_names;
        let costs = arguments.costs(&state)?;
        let path = record::save(&Places::of_user(), &arguments.context, &state, costs)?;
        writeln!(out, "recorded {} in {}", state.what, path.display())?;
        return Ok(Outcome::Clean);
    }
    let (mut before, mut after) = arguments.states(before, after)?;
    after.named = new_names;
    if before.origin != Origin::Record {
        before.named = old_names;
    }
    for edit in &arguments.what_if {
        if !edit.apply(&mut after.files) {
            return Err(anyhow!(Explained::new(
                format!(
                    "`{}` changes nothing of what is sent to the engine",
                    shown(edit)
                ),
                "name a path within the context that its ignore file does not leave out",
            )));
        }
    }
    if !arguments.what_if.is_empty() {
        let edits: Vec<String> = arguments.what_if.iter().map(shown).collect();
        after.what = format!("{} after `{}`", after.what, edits.join("; "));
    }
    let mut report = arguments.report(&mut before, &mut after)?;
    report.warnings.sort();
    if let Some(path) = &arguments.graph {
        graph::save(&report, path)?;
    }
    if arguments.json {
        json::print(&report, out)?;
    } else {
        text::print(&report, out)?;
    }
    Ok(Outcome::Clean)
}

impl Arguments {
    /// The files as they are.
    fn now(&self, told: Told) -> anyhow::Result<State> {
        State::of_folder(
            &self.context,
            self.file.as_deref(),
            told,
            self.engine.engine(),
        )
    }

    /// What the steps of a build cost that has just been, or the last time.
    fn costs(&self, state: &State) -> anyhow::Result<Costs> {
        let engine = self.engine.engine();
        let steps = state.explained(state, engine)?;
        let read = |path: &PathBuf| {
            fs::read_to_string(path).with_context(|| {
                Explained::new(
                    format!("`{}` cannot be read", path.display()),
                    "name a file that the output of docker was written to",
                )
            })
        };
        let mut seconds = vec![None; steps.len()];
        if let Some(path) = &self.log {
            seconds = log::seconds(&read(path)?, &steps).ok_or_else(|| {
                Explained::new(
                    format!("`{}` tells of no step", path.display()),
                    "write it with `docker build --progress=plain … 2> FILE`; only BuildKit tells how long steps take",
                )
            })?;
        }
        let mut bytes = vec![None; steps.len()];
        if let Some(path) = &self.history {
            bytes = history::bytes(&read(path)?, &steps).map_err(|what| {
                Explained::new(
                    format!("`{}` is no history of the image: {what}", path.display()),
                    "write it with `docker history --no-trunc --human=false --format '{{json .}}' IMAGE > FILE`, of what BuildKit has built",
                )
            })?;
        }
        let old = record::costs(&Places::of_user(), &self.context);
        Ok(old.renewed(&steps, |at| Cost {
            seconds: seconds[at],
            bytes: bytes[at],
        }))
    }

    fn states(&self, before: Told, after: Told) -> anyhow::Result<(State, State)> {
        if let (Some(old), Some(new)) = (&self.before, &self.after) {
            let before_file = self.before_file.as_deref().or(self.file.as_deref());
            let old = State::of_folder(old, before_file, before, self.engine.engine())?;
            let new = State::of_folder(new, self.file.as_deref(), after, self.engine.engine())?;
            return Ok((old, new));
        }
        let revision = |revision: &str, told| {
            let file = self.file.as_deref();
            State::of_revision(&self.context, revision, file, told, self.engine.engine())
        };
        if let Some(from) = &self.from {
            let new = match &self.to {
                Some(to) => revision(to, after)?,
                None => self.now(after)?,
            };
            return Ok((revision(from, before)?, new));
        }
        let new = self.now(after)?;
        if !self.what_if.is_empty() {
            return Ok((self.now(before)?, new));
        }
        if let Some(old) = record::load(&Places::of_user(), &self.context)? {
            return Ok((old, new));
        }
        let old = revision("HEAD", before).with_context(|| {
            Explained::new(
                "there is nothing to compare with: no state was recorded, and there is no git revision",
                "record one with `--record`, or name two with `--before` and `--after`, or ask with `--what-if`",
            )
        })?;
        Ok((old, new))
    }

    fn report(&self, before: &mut State, after: &mut State) -> anyhow::Result<Report> {
        let mut warnings = Vec::new();
        let is_revision = |state: &State| state.origin == Origin::Revision;
        if is_revision(before) != is_revision(after) {
            warnings.extend(traps::git(before, after));
        }
        let engine = self.engine.engine();
        if engine.is_buildkit() && self.transfer == Transfer::Incremental {
            if engine == Engine::BuildKit {
                let folder = self.after.as_deref().unwrap_or(&self.context);
                let others = record::namesakes(&Places::of_user(), folder)?;
                warnings.extend(traps::namesakes(after, &others)?);
            }
            warnings.extend(traps::stale(before, after)?);
        }
        let steps = after.explained(before, engine)?;
        let costs = record::costs(&Places::of_user(), &self.context);
        let costs = steps.iter().map(|step| costs.of(step)).collect();
        warnings.extend(traps::unseen(&steps));
        warnings.extend(traps::bytecode(&after.dockerfile, &steps));
        Ok(Report {
            engine: engine.as_str(),
            before: before.what.clone(),
            after: after.what.clone(),
            steps,
            costs,
            warnings,
        })
    }
}

/// As it was asked for.
fn shown(edit: &Edit) -> String {
    match edit {
        Edit::Touch(path) => format!("touch {path}"),
        Edit::Remove(path) => format!("rm {path}"),
        Edit::Mode(mode, path) => format!("chmod {mode:o} {path}"),
        Edit::Move(from, to) => format!("mv {from} {to}"),
    }
}
