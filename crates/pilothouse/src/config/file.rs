//! The config file as it was written: every value may be absent.

use std::collections::BTreeMap;
use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use index::IndexName;

use super::mirror::{self, Written};
use super::reader::{Document, Table};
use super::{Environment, Fault, Log, MaxSize, Setting};

/// The keys outside of any table.
pub(super) const KEYS: &[&str] = &[
    "listen", "data-dir", "log", "default", "offline", "cache", "mirror",
];
pub(super) const CACHE_KEYS: &[&str] = &["max-size"];

/// What the file says.
#[derive(Debug, Default)]
pub(super) struct File {
    pub(super) listen: Option<Setting<Vec<SocketAddr>>>,
    pub(super) data_dir: Option<Setting<PathBuf>>,
    pub(super) log: Option<Setting<Log>>,
    pub(super) default: Option<Setting<IndexName>>,
    pub(super) offline: Option<Setting<bool>>,
    pub(super) max_size: Option<Setting<MaxSize>>,
    pub(super) mirrors: BTreeMap<IndexName, Written>,
}

/// Reads the text of the file at `path`; paths in it are relative to its directory.
pub(super) fn read(
    text: &str,
    path: &Path,
    environment: &Environment,
    faults: &mut Vec<Fault>,
) -> File {
    let directory = path.parent().unwrap_or(Path::new(""));
    let document = Document::new(text, path);
    let (file, found) = document.walk(KEYS, |root| File {
        listen: root.texts("listen", address),
        data_dir: root.text("data-dir", |text| Ok::<_, String>(directory.join(text))),
        log: root.text("log", log),
        default: root.text("default", str::parse),
        offline: root.flag("offline"),
        max_size: root
            .table("cache", CACHE_KEYS, |cache| {
                cache.text("max-size", max_size)
            })
            .flatten(),
        mirrors: mirrors(root, directory, environment),
    });
    faults.extend(found);
    file
}

fn mirrors(
    root: &Table,
    directory: &Path,
    environment: &Environment,
) -> BTreeMap<IndexName, Written> {
    let mut mirrors = BTreeMap::new();
    root.named_tables("mirror", mirror::KEYS, |name, table| {
        match name.parse::<IndexName>() {
            Ok(name) => {
                let written = mirror::read(&name, table, directory, environment);
                mirrors.insert(name, written);
            }
            Err(error) => table.fault("", error.to_string()),
        }
    });
    mirrors
}

/// An address to listen on.
pub(crate) fn address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| {
        format!("`{text}` is not an address: write ADDRESS:PORT, like `127.0.0.1:3141`, `0.0.0.0:3141` or `[::1]:3141`")
    })
}

/// A kind of log.
pub(super) fn log(text: &str) -> Result<Log, String> {
    <Log as clap::ValueEnum>::from_str(text, false)
        .map_err(|_| format!("`{text}` is not a kind of log: write `text`, `json` or `off`"))
}

/// A bound for the cache.
pub(crate) fn max_size(text: &str) -> Result<MaxSize, String> {
    match text {
        "auto" => Ok(MaxSize::Auto),
        "unlimited" => Ok(MaxSize::Unlimited),
        _ => match text.parse::<crate::units::ByteSize>() {
            Ok(size) if size.0 > 0 => Ok(MaxSize::Bytes(size)),
            Ok(_) => Err(
                "a cache of size 0 can hold nothing: write a size, `auto` or `unlimited`"
                    .to_owned(),
            ),
            Err(error) => Err(format!("{error}, or `auto` or `unlimited`")),
        },
    }
}

impl fmt::Display for MaxSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Auto => f.write_str("auto"),
            Self::Unlimited => f.write_str("unlimited"),
            Self::Bytes(size) => size.fmt(f),
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text => "text",
            Self::Json => "json",
            Self::Off => "off",
        })
    }
}
