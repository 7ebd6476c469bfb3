//! One mirror: its table in the file, and what it comes to.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use index::IndexName;
use index::access::UserName;
use index::mirror::{Auth, Authorities, FileHosts, FilesFrom, MetadataFrom, RootListing, Upstream};
use url::Url;

use super::reader::Table;
use super::secret::secret;
use super::{Environment, Secrets, Setting};
use crate::units::Period;

/// The keys of a mirror's table.
pub(super) const KEYS: &[&str] = &[
    "upstream",
    "kind",
    "fresh-for",
    "missing-for",
    "missing",
    "file-hosts",
    "acl-pkg-read",
    "username",
    "password",
    "password-env",
    "password-file",
    "token",
    "token-env",
    "token-file",
    "ca-file",
    "connect-timeout",
    "read-timeout",
    "connections-per-file",
    "offline",
];

/// The index that is always there.
pub(super) const ROOT: &str = "root/pypi";

/// One mirror, with nothing left open.
#[derive(Debug)]
pub(crate) struct Mirror {
    pub(crate) name: IndexName,
    pub(crate) upstream: Setting<Upstream>,
    pub(crate) manners: Manners,
}

/// How a mirror behaves, wherever its upstream is.
#[derive(Debug)]
pub(crate) struct Manners {
    pub(crate) auth: Setting<Auth>,
    pub(crate) fresh_for: Setting<Period>,
    pub(crate) missing_for: Setting<Period>,
    pub(crate) missing: Setting<Vec<u16>>,
    pub(crate) file_hosts: Setting<FileHosts>,
    pub(crate) connect_timeout: Setting<Period>,
    pub(crate) read_timeout: Setting<Period>,
    pub(crate) connections_per_file: Setting<usize>,
    /// Who may read it; absent means everybody.
    pub(crate) readers: Option<Setting<Vec<String>>>,
    /// Absent means: whom the machine trusts, and nobody else.
    pub(crate) authorities: Option<Setting<AuthorityFile>>,
    /// Absent means: as the whole server.
    pub(crate) offline: Option<Setting<bool>>,
}

/// Whom else to trust, and in which file that is written.
#[derive(Debug)]
pub(crate) struct AuthorityFile {
    pub(crate) path: PathBuf,
    authorities: Authorities,
}

impl AuthorityFile {
    /// Like a secret, it is needed by whoever speaks to upstream, and by nobody else.
    fn open(path: &Path, environment: &Environment) -> Result<Self, String> {
        let authorities = match environment.secrets() {
            Secrets::Leave => Authorities::default(),
            Secrets::Read => {
                let shown = path.display();
                let pem = fs::read(path)
                    .map_err(|error| format!("`{shown}` cannot be read ({error})"))?;
                Authorities::from_pem(&pem).map_err(|error| format!("`{shown}` {error}"))?
            }
        };
        Ok(Self {
            path: path.to_owned(),
            authorities,
        })
    }
}

/// A mirror's table as it was written.
#[derive(Debug)]
pub(super) struct Written {
    pub(super) upstream: Option<Setting<Upstream>>,
    pub(super) manners: Manners,
}

impl Mirror {
    /// As the domain wants it.
    pub(crate) fn config(&self) -> index::mirror::Config {
        let manners = &self.manners;
        index::mirror::Config {
            name: self.name.clone(),
            upstream: self.upstream.value.clone(),
            auth: manners.auth.value.clone(),
            authorities: manners
                .authorities
                .as_ref()
                .map_or_else(Authorities::default, |file| file.value.authorities.clone()),
            file_hosts: manners.file_hosts.value.clone(),
            may_be_private: true,
            fresh_for: manners.fresh_for.value.0,
            missing_for: manners.missing_for.value.0,
            missing: manners.missing.value.clone(),
            offline: manners
                .offline
                .as_ref()
                .is_some_and(|offline| offline.value),
            connect_timeout: manners.connect_timeout.value.0,
            read_timeout: manners.read_timeout.value.0,
            connections_per_file: manners.connections_per_file.value,
            root_listing: RootListing::Upstream,
            files_from: FilesFrom::Here,
            metadata_from: MetadataFrom::Listed,
        }
    }
}

impl Manners {
    /// Where nothing is said, the domain's own defaults.
    pub(super) fn default_for(name: &IndexName) -> Self {
        let defaults =
            index::mirror::Config::new(name.clone(), Upstream::Directory(PathBuf::new()));
        // PyPI keeps its files on another host than its pages.
        let file_hosts = if name.as_str() == ROOT {
            FileHosts::AnyPublic(Vec::new())
        } else {
            defaults.file_hosts
        };
        Self {
            auth: Setting::default(defaults.auth),
            fresh_for: Setting::default(Period(defaults.fresh_for)),
            missing_for: Setting::default(Period(defaults.missing_for)),
            missing: Setting::default(defaults.missing),
            file_hosts: Setting::default(file_hosts),
            connect_timeout: Setting::default(Period(defaults.connect_timeout)),
            read_timeout: Setting::default(Period(defaults.read_timeout)),
            connections_per_file: Setting::default(defaults.connections_per_file),
            readers: None,
            authorities: None,
            offline: None,
        }
    }
}

/// Reads the table of mirror `name`.
pub(super) fn read(
    name: &IndexName,
    table: &Table,
    directory: &Path,
    environment: &Environment,
) -> Written {
    let defaults = Manners::default_for(name);
    let find_links = table.text("kind", kind).is_some_and(|kind| kind.value);
    let upstream = table.text("upstream", |text| upstream(text, find_links, directory));
    if upstream.is_none() && !table.has("upstream") && (find_links || name.as_str() != ROOT) {
        table.fault(
            "",
            "has no upstream: add `upstream = \"https://…/simple/\"`".to_owned(),
        );
    }
    let manners = Manners {
        auth: auth(table, upstream.as_ref(), directory, environment).unwrap_or(defaults.auth),
        fresh_for: table
            .text("fresh-for", str::parse)
            .unwrap_or(defaults.fresh_for),
        missing_for: table
            .text("missing-for", str::parse)
            .unwrap_or(defaults.missing_for),
        missing: statuses(table).unwrap_or(defaults.missing),
        file_hosts: file_hosts(table).unwrap_or(defaults.file_hosts),
        connect_timeout: table
            .text("connect-timeout", timeout)
            .unwrap_or(defaults.connect_timeout),
        read_timeout: table
            .text("read-timeout", timeout)
            .unwrap_or(defaults.read_timeout),
        connections_per_file: table
            .number("connections-per-file", 1..=16)
            .map_or(defaults.connections_per_file, |number| {
                number.map(|number| number as usize)
            }),
        readers: table.texts("acl-pkg-read", reader),
        authorities: table.text("ca-file", |path| {
            AuthorityFile::open(&directory.join(path), environment)
        }),
        offline: table.flag("offline"),
    };
    Written { upstream, manners }
}

/// Whether the mirror is a flat page of links.
fn kind(text: &str) -> Result<bool, String> {
    match text {
        "simple" => Ok(false),
        "find-links" => Ok(true),
        _ => Err(format!(
            "`{text}` is not a kind of mirror: write `simple` or `find-links`"
        )),
    }
}

fn upstream(text: &str, find_links: bool, directory: &Path) -> Result<Upstream, String> {
    match (find_links, text.contains("://")) {
        (false, _) => simple(text),
        (true, true) => match web(text)? {
            Web::Http(url) => Ok(Upstream::FindLinks(url)),
            Web::File(path) => Ok(Upstream::Directory(path)),
        },
        (true, false) => Ok(Upstream::Directory(directory.join(text))),
    }
}

/// The address of a Simple index.
pub(crate) fn simple(text: &str) -> Result<Upstream, String> {
    match web(text)? {
        Web::Http(mut url) => {
            if !url.path().ends_with('/') {
                url.set_path(&format!("{}/", url.path()));
            }
            Ok(Upstream::Simple(url))
        }
        Web::File(_) => Err("a directory is no Simple index: in the config file, set `kind = \"find-links\"` beside it".to_owned()),
    }
}

enum Web {
    Http(Url),
    File(PathBuf),
}

/// Never repeats `text`, which may hold a password.
fn web(text: &str) -> Result<Web, String> {
    let url: Url = text.parse().map_err(|error| match error {
        url::ParseError::RelativeUrlWithoutBase => {
            "has no scheme: write it like `https://pypi.example/simple/`".to_owned()
        }
        error => format!("is not a URL ({error}): write it like `https://pypi.example/simple/`"),
    })?;
    if url.query().is_some() || url.fragment().is_some() {
        return Err("may have no `?` and no `#`: projects' names are put at its end".to_owned());
    }
    match url.scheme() {
        "http" | "https" => Ok(Web::Http(url)),
        "file" => url
            .to_file_path()
            .map(Web::File)
            .map_err(|()| "is not a path on this machine".to_owned()),
        other => Err(format!(
            "`{other}:` cannot be mirrored: write an http or https address"
        )),
    }
}

fn timeout(text: &str) -> Result<Period, String> {
    let period: Period = text
        .parse()
        .map_err(|error: crate::units::InvalidPeriod| error.to_string())?;
    if period.0 < Duration::from_millis(10) {
        return Err("is too short for any answer".to_owned());
    }
    Ok(period)
}

fn statuses(table: &Table) -> Option<Setting<Vec<u16>>> {
    let statuses = table.numbers("missing", 400..=499)?;
    Some(statuses.map(|statuses| statuses.into_iter().map(|status| status as u16).collect()))
}

fn file_hosts(table: &Table) -> Option<Setting<FileHosts>> {
    let hosts = table.texts("file-hosts", host)?;
    Some(hosts.map(|hosts| {
        if hosts.iter().any(|host| host == "*") {
            FileHosts::AnyPublic(hosts.into_iter().filter(|host| host != "*").collect())
        } else {
            FileHosts::Listed(hosts)
        }
    }))
}

fn host(text: &str) -> Result<String, String> {
    let name = text.strip_prefix("*.").unwrap_or(text);
    if text == "*"
        || url::Host::parse(name).is_ok_and(|host| host.to_string() == name.to_ascii_lowercase())
    {
        Ok(text.to_ascii_lowercase())
    } else {
        Err(format!(
            "`{text}` is not a host: write `files.example.org`, `*.example.org`, or `*` for any public host"
        ))
    }
}

/// A user, a `:group`, or one of devpi's special names.
fn reader(text: &str) -> Result<String, String> {
    let name = text.trim_matches(':');
    match name.parse::<UserName>() {
        Ok(_) => Ok(text.to_owned()),
        Err(_) => Err(format!(
            "`{text}` is no user and no `:group`; everybody is `:ANONYMOUS:`, whoever logs in `:AUTHENTICATED:`"
        )),
    }
}

/// Puts username, password and token together.
fn auth(
    table: &Table,
    upstream: Option<&Setting<Upstream>>,
    directory: &Path,
    environment: &Environment,
) -> Option<Setting<Auth>> {
    let username = table.text("username", |text| Ok::<_, String>(text.to_owned()));
    let password = secret(
        table,
        ["password", "password-env", "password-file"],
        directory,
        environment,
    )
    .ok()?;
    let token = secret(
        table,
        ["token", "token-env", "token-file"],
        directory,
        environment,
    )
    .ok()?;
    let in_url = upstream
        .and_then(|upstream| upstream.value.url())
        .is_some_and(|url| !url.username().is_empty());
    let key = [
        "username",
        "password",
        "password-env",
        "password-file",
        "token",
        "token-env",
        "token-file",
    ]
    .into_iter()
    .find(|key| table.has(key))?;
    let wrong = match (username, password, token) {
        _ if in_url => "the upstream's URL has a username already: write it in one place",
        (Some(username), Some(password), None) => {
            return Some(password.map(|password| Auth::Basic {
                username: username.value,
                password,
            }));
        }
        (None, None, Some(token)) => return Some(token.map(Auth::Bearer)),
        (Some(_), None, None) => "needs `password`, `password-env` or `password-file` beside it",
        (None, Some(_), None) => "needs `username` beside it",
        _ => "there is a token too: write either a token, or a username and a password",
    };
    table.fault(key, wrong.to_owned());
    None
}
