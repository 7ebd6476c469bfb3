//! One of the two states that are compared: a Dockerfile, what the build is told, and its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use ::context::{Snapshot, checkout};
use anyhow::{Context as _, anyhow};
use clap::Args;
use dockerfile::cache::{self, Build, Content, Context, Options, Selection, Verdict};
use dockerfile::{Dockerfile, Engine, Ignore, Position};
use tempfile::TempDir;

use super::named::{self, Named, Names};
use crate::command::docker::source::{self, Text};
use crate::failure::Explained;

/// What a build is told, as `docker build` takes it; `--before-…` is for the earlier state alone.
#[derive(Debug, Args)]
pub(super) struct Flags {
    /// An argument of the build; may be repeated
    #[arg(long, value_name = "NAME=VALUE")]
    build_arg: Vec<String>,
    /// The same of the earlier state [default: as --build-arg]
    #[arg(long, value_name = "NAME=VALUE")]
    before_build_arg: Vec<String>,
    /// The stage that is built
    #[arg(long, value_name = "STAGE")]
    target: Option<String>,
    /// The same of the earlier state
    #[arg(long, value_name = "STAGE")]
    before_target: Option<String>,
    /// For which platform, like linux/arm64
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<String>,
    /// The same of the earlier state
    #[arg(long, value_name = "PLATFORM")]
    before_platform: Option<String>,
    /// A host that commands see, as name:address; may be repeated
    #[arg(long, value_name = "HOST")]
    add_host: Vec<String>,
    /// The same of the earlier state
    #[arg(long, value_name = "HOST")]
    before_add_host: Vec<String>,
    /// The network of commands
    #[arg(long, value_name = "MODE")]
    network: Option<String>,
    /// The same of the earlier state
    #[arg(long, value_name = "MODE")]
    before_network: Option<String>,
    /// A folder or an image under a name, as NAME=DIR or NAME=docker-image://IMAGE; may be repeated
    #[arg(long, value_name = "NAME=CONTEXT")]
    build_context: Vec<String>,
    /// The same of the earlier state [default: as --build-context]
    #[arg(long, value_name = "NAME=CONTEXT")]
    before_build_context: Vec<String>,
    /// A secret; it is no part of what is compared, and only taken so that a command line can be pasted
    #[arg(long, value_name = "SECRET")]
    secret: Vec<String>,
}

/// What one build is told.
pub(super) type Told = Options;

impl Flags {
    /// What the earlier and the later build are told.
    pub(super) fn told(&self) -> anyhow::Result<(Told, Told)> {
        let after = Options {
            build_args: arguments(&self.build_arg)?,
            target: self.target.clone(),
            platform: self.platform.clone(),
            hosts: self.add_host.clone(),
            network: self.network.clone(),
            images: BTreeMap::new(),
        };
        let mut before = after.clone();
        if !self.before_build_arg.is_empty() {
            before.build_args = arguments(&self.before_build_arg)?;
        }
        if !self.before_add_host.is_empty() {
            before.hosts.clone_from(&self.before_add_host);
        }
        let or = |one: &Option<String>, other: Option<String>| one.clone().or(other);
        before.target = or(&self.before_target, before.target);
        before.platform = or(&self.before_platform, before.platform);
        before.network = or(&self.before_network, before.network);
        Ok((before, after))
    }
}

impl Flags {
    /// What a build is given beside its context, before and after.
    pub(super) fn named(&self, engine: Engine) -> anyhow::Result<(Names, Names)> {
        let earlier = match self.before_build_context.as_slice() {
            [] => &self.build_context,
            other => other,
        };
        Ok((
            named::read(earlier, engine)?,
            named::read(&self.build_context, engine)?,
        ))
    }
}

/// `NAME=VALUE`; a name alone takes the value of the environment, as in `docker build`.
fn arguments(flags: &[String]) -> anyhow::Result<BTreeMap<String, String>> {
    let mut arguments = BTreeMap::new();
    for flag in flags {
        match flag.split_once('=') {
            Some(("", _)) => {
                return Err(anyhow!(Explained::new(
                    format!("`{flag}` is no build argument"),
                    "write NAME=VALUE",
                )));
            }
            Some((name, value)) => drop(arguments.insert(name.to_owned(), value.to_owned())),
            None => {
                if let Ok(value) = std::env::var(flag) {
                    arguments.insert(flag.clone(), value);
                }
            }
        }
    }
    Ok(arguments)
}

/// Where a state comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Origin {
    Folder,
    Revision,
    Record,
}

/// A Dockerfile, what the build is told, and its files.
pub(super) struct State {
    /// For people.
    pub(super) what: String,
    pub(super) dockerfile: Dockerfile,
    pub(super) told: Told,
    pub(super) files: Snapshot,
    /// What it is given beside them.
    pub(super) named: Names,
    pub(super) origin: Origin,
    /// Where the files are, if they are there only for this.
    _checkout: Option<TempDir>,
}

impl State {
    pub(super) fn new(
        what: String,
        text: &str,
        told: Told,
        files: Snapshot,
    ) -> anyhow::Result<Self> {
        let read = Dockerfile::parse(text).and_then(|file| file.check().map(|()| file));
        let dockerfile = read.map_err(|error| {
            let at = Position::of(text, error.span.start);
            Explained::new(
                format!(
                    "the Dockerfile of {what} is none: line {}: {error}",
                    at.line
                ),
                "an engine would refuse to build it, too",
            )
        })?;
        Ok(Self {
            what,
            dockerfile,
            told,
            files,
            named: Names::new(),
            origin: Origin::Folder,
            _checkout: None,
        })
    }

    /// The files of a folder as they are.
    pub(super) fn of_folder(
        folder: &Path,
        file: Option<&Path>,
        told: Told,
        engine: Engine,
    ) -> anyhow::Result<Self> {
        let path = file.map_or_else(|| source::found(folder), Path::to_owned);
        let text = std::fs::read_to_string(&path).with_context(|| {
            Explained::new(
                format!("`{}` cannot be read", path.display()),
                "name the Dockerfile with `-f`",
            )
        })?;
        // The builder before BuildKit knows only one name.
        let own = (engine != Engine::Legacy).then_some(path.as_path());
        let ignore = source::ignore(folder, own)?;
        let files = files(folder, ignore.as_ref(), engine)?;
        Self::new(format!("`{}`", folder.display()), &text, told, files)
    }

    /// The files of a folder as they were at a git revision.
    pub(super) fn of_revision(
        folder: &Path,
        revision: &str,
        file: Option<&Path>,
        told: Told,
        engine: Engine,
    ) -> anyhow::Result<Self> {
        let place = TempDir::with_prefix("pilothouse-explain-")
            .context("there is no place for a checkout")?;
        checkout(folder, revision, place.path())?;
        let file = file.map(|file| inside(folder, file, place.path()));
        let state = Self::of_folder(place.path(), file.as_deref(), told, engine)?;
        Ok(Self {
            what: format!("revision `{revision}`"),
            origin: Origin::Revision,
            _checkout: Some(place),
            ..state
        })
    }

    /// What is done of this after that was built.
    pub(super) fn explained(&self, before: &Self, engine: Engine) -> anyhow::Result<Vec<Verdict>> {
        let steps = cache::explain(engine, &before.build(), &self.build());
        let steps = steps.map_err(|error| {
            Explained::new(
                format!("this cannot be built: {error}"),
                "an engine would say the same",
            )
        })?;
        Ok(steps)
    }

    fn build(&self) -> Build<'_> {
        Build {
            dockerfile: &self.dockerfile,
            options: &self.told,
            context: self,
        }
    }
}

impl Context for State {
    fn content(&self, selection: &Selection) -> Result<Content, String> {
        self.files.content(selection)
    }

    fn named(&self, name: &str) -> Option<cache::Named<'_>> {
        Some(match self.named.get(name)? {
            Named::Files(files) => cache::Named::Files(files),
            Named::Image(image) => cache::Named::Image(image),
        })
    }
}

/// A Dockerfile within the folder is taken from the checkout, any other as it is.
fn inside(folder: &Path, file: &Path, checkout: &Path) -> PathBuf {
    let absolute = |path: &Path| std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    match absolute(file).strip_prefix(absolute(folder)) {
        Ok(inner) => checkout.join(inner),
        Err(_) => file.to_owned(),
    }
}

pub(super) fn files(
    folder: &Path,
    ignore: Option<&Text>,
    engine: Engine,
) -> anyhow::Result<Snapshot> {
    let ignore = match ignore {
        Some(text) => Ignore::parse(&text.text).map_err(|error| {
            Explained::new(
                format!("`{}`: {error}", text.name),
                "an engine would refuse it, too",
            )
        })?,
        None => Ignore::default(),
    };
    Ok(Snapshot::of_directory(folder, &ignore, engine)?)
}
