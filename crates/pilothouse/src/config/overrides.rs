//! What flags and variables say; both can say the same things.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;

use index::mirror::Upstream;

use super::reader::nearest;
use super::{Fault, Log, MaxSize, Origin, Setting, file, mirror};
use crate::units::Period;

const PREFIX: &str = "PILOTHOUSE_";

/// The variables that say something of the configuration.
const NAMES: &[&str] = &[
    "PILOTHOUSE_CONFIG",
    "PILOTHOUSE_DATA_DIR",
    "PILOTHOUSE_LISTEN",
    "PILOTHOUSE_LOG",
    "PILOTHOUSE_MAX_SIZE",
    "PILOTHOUSE_UPSTREAM",
    "PILOTHOUSE_FRESH_FOR",
    "PILOTHOUSE_OFFLINE",
    "PILOTHOUSE_RESTRICT_MODIFY",
    "PILOTHOUSE_OPEN_TO_ANYONE",
    "PILOTHOUSE_OUTSIDE_URL",
];

/// What our own tests set.
const OF_TESTS: &[&str] = &["PILOTHOUSE_FAIL_POINT", "PILOTHOUSE_SKIPPED"];

/// The process's variables, as far as they are text.
#[derive(Debug, Clone, Default)]
pub(crate) struct Environment {
    variables: BTreeMap<String, String>,
    secrets: Secrets,
}

/// Whether the secrets that a file names are looked up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) enum Secrets {
    #[default]
    Read,
    /// They are the server's: who only asks where things are may not be able to read them.
    Leave,
}

/// What was said outside of the file.
#[derive(Debug, Default)]
pub(crate) struct Overrides {
    pub(crate) config: Option<PathBuf>,
    pub(crate) data_dir: Option<Setting<PathBuf>>,
    pub(crate) listen: Option<Setting<Vec<SocketAddr>>>,
    pub(crate) log: Option<Setting<Log>>,
    pub(crate) max_size: Option<Setting<MaxSize>>,
    /// Of `root/pypi`.
    pub(crate) upstream: Option<Setting<Upstream>>,
    /// Of every mirror.
    pub(crate) fresh_for: Option<Setting<Period>>,
    /// Of every mirror.
    pub(crate) offline: Option<Setting<bool>>,
    pub(crate) restrict_modify: Option<Setting<String>>,
    pub(crate) open_to_anyone: Option<Setting<bool>>,
    pub(crate) outside_url: Option<Setting<String>>,
}

impl Environment {
    /// Those of this process.
    pub(crate) fn of_process() -> Self {
        let texts = std::env::vars_os().filter_map(|(name, value)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        });
        Self {
            variables: texts.collect(),
            secrets: Secrets::Read,
        }
    }

    /// The same for somebody who has no use for secrets.
    pub(crate) fn leaving_secrets(self) -> Self {
        Self {
            secrets: Secrets::Leave,
            ..self
        }
    }

    /// Whether secrets are looked up.
    pub(crate) fn secrets(&self) -> Secrets {
        self.secrets
    }

    /// Variables that bear our name and that nothing of ours reads.
    pub(crate) fn unread(&self) -> impl Iterator<Item = &str> {
        let ours = self.variables.keys().map(String::as_str);
        ours.filter(|name| {
            name.starts_with(PREFIX) && !NAMES.contains(name) && !OF_TESTS.contains(name)
        })
    }

    pub(crate) fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str)
    }

    /// A variable that is set, and not to nothing.
    fn read<T, E: fmt::Display>(
        &self,
        name: &'static str,
        faults: &mut Vec<Fault>,
        parse: impl FnOnce(&str) -> Result<T, E>,
    ) -> Option<Setting<T>> {
        debug_assert!(NAMES.contains(&name), "`{name}` is not listed");
        let text = self.get(name).filter(|text| !text.is_empty())?;
        match parse(text) {
            Ok(value) => Some(Setting::new(value, Origin::Environment(name))),
            Err(error) => {
                faults.push(Fault {
                    line: None,
                    key: name.to_owned(),
                    what: error.to_string(),
                });
                None
            }
        }
    }
}

impl Overrides {
    /// What `PILOTHOUSE_*` say.
    pub(super) fn from_environment(environment: &Environment, faults: &mut Vec<Fault>) -> Self {
        let path = |text: &str| Ok::<_, String>(PathBuf::from(text));
        let text = |text: &str| Ok::<_, String>(text.to_owned());
        // Any name may hold a secret that the file asks for; one that is nearly ours was meant for us.
        faults.extend(environment.unread().filter_map(|name| {
            let near = nearest(name, NAMES)?;
            Some(Fault {
                line: None,
                key: name.to_owned(),
                what: format!("there is no such variable; did you mean `{near}`?"),
            })
        }));
        Self {
            config: environment
                .read("PILOTHOUSE_CONFIG", faults, path)
                .map(|setting| setting.value),
            data_dir: environment.read("PILOTHOUSE_DATA_DIR", faults, path),
            listen: environment.read("PILOTHOUSE_LISTEN", faults, addresses),
            log: environment.read("PILOTHOUSE_LOG", faults, file::log),
            max_size: environment.read("PILOTHOUSE_MAX_SIZE", faults, file::max_size),
            upstream: environment.read("PILOTHOUSE_UPSTREAM", faults, mirror::simple),
            fresh_for: environment.read("PILOTHOUSE_FRESH_FOR", faults, str::parse),
            offline: environment.read("PILOTHOUSE_OFFLINE", faults, truth),
            restrict_modify: environment.read("PILOTHOUSE_RESTRICT_MODIFY", faults, text),
            open_to_anyone: environment.read("PILOTHOUSE_OPEN_TO_ANYONE", faults, truth),
            outside_url: environment.read("PILOTHOUSE_OUTSIDE_URL", faults, file::outside_url),
        }
    }

    /// `self` where it speaks, otherwise `other`.
    pub(super) fn or(self, other: Self) -> Self {
        Self {
            config: self.config.or(other.config),
            data_dir: self.data_dir.or(other.data_dir),
            listen: self.listen.or(other.listen),
            log: self.log.or(other.log),
            max_size: self.max_size.or(other.max_size),
            upstream: self.upstream.or(other.upstream),
            fresh_for: self.fresh_for.or(other.fresh_for),
            offline: self.offline.or(other.offline),
            restrict_modify: self.restrict_modify.or(other.restrict_modify),
            open_to_anyone: self.open_to_anyone.or(other.open_to_anyone),
            outside_url: self.outside_url.or(other.outside_url),
        }
    }
}

/// Addresses with commas or spaces between them.
fn addresses(text: &str) -> Result<Vec<SocketAddr>, String> {
    let words = text.split([',', ' ']).filter(|word| !word.is_empty());
    words.map(file::address).collect()
}

fn truth(text: &str) -> Result<bool, String> {
    match text {
        "1" | "true" | "yes" | "on" => Ok(true),
        "0" | "false" | "no" | "off" => Ok(false),
        _ => Err(format!("`{text}` should be `true` or `false`")),
    }
}
