//! The config file as it was written: every value may be absent.

use std::collections::BTreeMap;
use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};

use index::IndexName;
use index::webhook::Webhook;

use super::docker::{self, Lint};
use super::mirror::{self, Written};
use super::people::{self, People};
use super::reader::{Document, Table};
use super::{Environment, Fault, Log, MaxSize, Setting, webhook};

/// The keys outside of any table.
pub(super) const KEYS: &[&str] = &[
    "listen",
    "data-dir",
    "log",
    "default",
    "offline",
    "restrict-modify",
    "open-to-anyone",
    "outside-url",
    "cache",
    "mirror",
    "group",
    "view",
    "publisher",
    "webhook",
    "docker",
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
    pub(super) restrict_modify: Option<Setting<String>>,
    pub(super) open_to_anyone: Option<Setting<bool>>,
    pub(super) outside_url: Option<Setting<String>>,
    pub(super) people: People,
    pub(super) webhooks: Vec<Webhook>,
    pub(super) lint: Lint,
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
        restrict_modify: root.text("restrict-modify", |text| Ok::<_, String>(text.to_owned())),
        open_to_anyone: root.flag("open-to-anyone"),
        outside_url: root.text("outside-url", outside_url),
        people: people::read(root),
        webhooks: webhook::read(root, directory, environment),
        lint: docker::read(root),
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

/// A host to listen on, by address.
pub(crate) fn host(text: &str) -> Result<IpAddr, String> {
    if text == "localhost" {
        return Ok(IpAddr::from([127, 0, 0, 1]));
    }
    text.parse().map_err(|_| {
        format!("`{text}` is not an address: write one like `127.0.0.1`, `0.0.0.0` or `::1`")
    })
}

/// Where clients find this server.
pub(crate) fn outside_url(text: &str) -> Result<String, String> {
    match text.parse::<url::Url>() {
        Ok(url) if matches!(url.scheme(), "http" | "https") && url.has_host() => {
            Ok(text.trim_end_matches('/').to_owned())
        }
        _ => Err(format!(
            "`{text}` is not the URL of this server: write it like `https://pypi.example.org`"
        )),
    }
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
