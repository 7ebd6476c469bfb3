//! The configuration: what was said where, checked, with nothing left open.
//!
//! Four voices, the first to speak wins: flags, `PILOTHOUSE_*` variables, the
//! file, our defaults. Each keeps its values as [`Setting`]s, which remember
//! who spoke; [`merge`] makes one [`Config`] of them. Faults are collected, so
//! that a person mends all of them at once.

mod docker;
mod fault;
mod file;
mod installer;
mod merge;
mod mirror;
mod overrides;
mod people;
mod places;
mod reader;
mod secret;
mod setting;
mod show;
mod webhook;

use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use index::IndexName;

pub(crate) use docker::Lint;
pub(crate) use fault::{Fault, Faulty};
pub(crate) use mirror::Mirror;
pub(crate) use overrides::{Environment, Overrides, Secrets};
pub(crate) use places::Places;
pub(crate) use setting::{Origin, Setting};
pub(crate) use show::show;

use crate::failure::Explained;
use crate::units::ByteSize;
use file::File;

/// What a flag's text is read by: the same as the file's.
pub(crate) mod flag {
    pub(crate) use super::docker::{rule, severity};
    pub(crate) use super::file::{address, host, max_size, outside_url};
    pub(crate) use super::mirror::simple as upstream;
}

/// The file we ship: every key, with its default.
pub(crate) const EXAMPLE: &str = include_str!("../../../docs/pilothouse.toml");

/// Everything a command may need to know.
#[derive(Debug)]
pub(crate) struct Config {
    /// The file that was read.
    pub(crate) file: Option<PathBuf>,
    pub(crate) listen: Setting<Vec<SocketAddr>>,
    pub(crate) data_dir: Setting<PathBuf>,
    pub(crate) log: Setting<Log>,
    /// The index behind `/simple/`.
    pub(crate) default: Setting<IndexName>,
    pub(crate) max_size: Setting<MaxSize>,
    /// Who looks after users and indexes; everybody after their own if not said.
    pub(crate) restrict_modify: Option<Setting<String>>,
    /// Whether the network may have a server that anybody can take over.
    pub(crate) open_to_anyone: Setting<bool>,
    /// Where clients find this server, if its own address is not that.
    pub(crate) outside_url: Option<Setting<String>>,
    pub(crate) people: people::People,
    /// Whom to tell of what happens.
    pub(crate) webhooks: Vec<index::webhook::Webhook>,
    /// What a flag or variable says about every mirror.
    pub(crate) every_mirror: EveryMirror,
    /// At least `root/pypi`; sorted by name.
    pub(crate) mirrors: Vec<Mirror>,
    /// What a person should know about how this came about.
    pub(crate) notes: Vec<String>,
}

/// What a flag or variable says about every mirror, those that people make included.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct EveryMirror {
    pub(crate) fresh_for: Option<std::time::Duration>,
    pub(crate) offline: bool,
}

/// How requests and events are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Log {
    /// Lines for people.
    Text,
    /// One JSON object a line.
    Json,
    /// Warnings and errors alone.
    Off,
}

/// How much disk the cache may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum MaxSize {
    /// A share of what is free at the start.
    Auto,
    /// All there is.
    Unlimited,
    /// So many bytes.
    Bytes(ByteSize),
}

/// Reads and merges everything.
pub(crate) fn load(
    flags: Overrides,
    environment: &Environment,
    places: &Places,
) -> anyhow::Result<Config> {
    let mut faults = Vec::new();
    let overrides = flags.or(Overrides::from_environment(environment, &mut faults));
    let path = match &overrides.config {
        Some(path) => Some(path.clone()),
        None => places.config_file().filter(|path| path.is_file()),
    };
    let file = match &path {
        Some(path) => read(path, environment, &mut faults)?,
        None => File::default(),
    };
    let config = merge::merge(overrides, file, path.as_deref(), places, &mut faults);
    match config {
        Some(config) if faults.is_empty() => Ok(config),
        _ => {
            faults.sort_by_key(|fault| (fault.line.is_none(), fault.line));
            Err(Faulty { file: path, faults }.into())
        }
    }
}

/// What the file says to `pilothouse docker lint`, and where a server listens: it needs no more.
pub(crate) fn lint(
    flags: Overrides,
    environment: &Environment,
    places: &Places,
) -> anyhow::Result<(Lint, SocketAddr)> {
    let mut faults = Vec::new();
    let overrides = flags.or(Overrides::from_environment(environment, &mut faults));
    let path = overrides
        .config
        .or_else(|| places.config_file().filter(|path| path.is_file()));
    let file = match &path {
        Some(path) => read(path, environment, &mut faults)?,
        None => File::default(),
    };
    let listen = overrides.listen.or(file.listen);
    let listen = listen.and_then(|listen| listen.value.first().copied());
    if faults.is_empty() {
        return Ok((file.lint, listen.unwrap_or(merge::LISTEN.into())));
    }
    Err(Faulty { file: path, faults }.into())
}

fn read(path: &Path, environment: &Environment, faults: &mut Vec<Fault>) -> anyhow::Result<File> {
    let text = std::fs::read_to_string(path).with_context(|| {
        Explained::new(
            format!("the config file `{}` cannot be read", path.display()),
            "`pilothouse config example` prints one to start from",
        )
    })?;
    Ok(file::read(&text, path, environment, faults))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The file we ship says what happens without a file; commented keys are those without a fixed default.
    #[test]
    fn the_example_equals_the_defaults() {
        let places = Places::within(Path::new("/home/someone"));
        let mut faults = Vec::new();
        let path = Path::new("docs/pilothouse.toml");
        let example = file::read(EXAMPLE, path, &Environment::default(), &mut faults);
        assert_eq!(faults, []);
        let from_example = merge::merge(
            Overrides::default(),
            example,
            Some(path),
            &places,
            &mut faults,
        )
        .unwrap();
        let from_nothing = merge::merge(
            Overrides::default(),
            File::default(),
            None,
            &places,
            &mut faults,
        )
        .unwrap();
        assert_eq!(faults, []);
        assert_eq!(show::values(&from_example), show::values(&from_nothing));
    }

    /// Every key that the reader knows stands in the example, commented or not.
    #[test]
    fn the_example_names_every_key() {
        for key in file::KEYS
            .iter()
            .chain(file::CACHE_KEYS)
            .chain(mirror::KEYS)
            .chain(people::GROUP_KEYS)
            .chain(people::VIEW_KEYS)
            .chain(people::PUBLISHER_KEYS)
            .chain(webhook::KEYS)
            .chain(docker::KEYS)
            .chain(docker::LINT_KEYS)
        {
            let shown = EXAMPLE.lines().any(|line| {
                let line = line.trim_start_matches(['#', ' ', '[']);
                let rest = line.strip_prefix(key);
                rest.is_some_and(|rest| rest.starts_with([' ', ']', '.']))
                    || line.ends_with(&format!(".{key}]"))
            });
            assert!(shown, "`{key}` is missing");
        }
    }

    proptest::proptest! {
        /// Whatever stands in a file, it is read or told to be wrong, with lines that the file has.
        #[test]
        fn no_file_makes_the_reader_stumble(
            at in 0..EXAMPLE.len(),
            cut in 0..40_usize,
            put in "[\\PC\n\"\\[\\]=.#]{0,12}",
        ) {
            let uncommented = EXAMPLE.replace("# ", "");
            let start = uncommented.floor_char_boundary(at);
            let end = uncommented.floor_char_boundary(start + cut);
            let text = format!("{}{put}{}", &uncommented[..start], &uncommented[end..]);
            let mut faults = Vec::new();
            file::read(&text, Path::new("f.toml"), &Environment::default(), &mut faults);
            let lines = text.lines().count() + 1;
            proptest::prop_assert!(faults.iter().all(|fault| fault.line.is_none_or(|line| line <= lines)));
        }
    }
}
