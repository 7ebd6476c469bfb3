//! What a mirror has to be told.

use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use url::Url;

use super::Authorities;
use crate::IndexName;

/// One mirror, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The index it appears as.
    pub name: IndexName,
    /// Where its projects live.
    pub upstream: Upstream,
    /// How to prove who we are.
    pub auth: Auth,
    /// Who may vouch for it, besides whom the machine trusts.
    pub authorities: Authorities,
    /// From which hosts files may be fetched, besides upstream's own.
    pub file_hosts: FileHosts,
    /// Whether upstream may be inside our own network: true if the operator named it.
    pub may_be_private: bool,
    /// How long a page is fresh. Upstream's `Cache-Control: max-age` can only shorten it.
    pub fresh_for: Duration,
    /// How long "no such project" is believed.
    pub missing_for: Duration,
    /// The statuses by which upstream says "no such project".
    pub missing: Vec<u16>,
    /// Never ask upstream; list only what is stored.
    pub offline: bool,
    /// How long a connection may take to come about.
    pub connect_timeout: Duration,
    /// How long upstream may be silent, before the first byte and between two.
    pub read_timeout: Duration,
    /// How many connections may fetch one large file at a time; 1 turns parallel ranges off.
    pub connections_per_file: usize,
    /// Which names the root listing has.
    pub root_listing: RootListing,
    /// Who gives clients the files that are not stored.
    pub files_from: FilesFrom,
    /// Where the metadata of wheels comes from.
    pub metadata_from: MetadataFrom,
}

impl Config {
    /// A mirror of `upstream` with the defaults for everything else.
    pub fn new(name: IndexName, upstream: Upstream) -> Self {
        Self {
            name,
            upstream,
            auth: Auth::None,
            authorities: Authorities::default(),
            file_hosts: FileHosts::Listed(Vec::new()),
            may_be_private: true,
            fresh_for: Duration::from_mins(10),
            missing_for: Duration::from_mins(1),
            missing: vec![404, 410],
            offline: false,
            connect_timeout: Duration::from_secs(5),
            read_timeout: Duration::from_secs(10),
            connections_per_file: 4,
            root_listing: RootListing::Upstream,
            files_from: FilesFrom::Here,
            metadata_from: MetadataFrom::Listed,
        }
    }
}

/// Which names the root listing of a mirror has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RootListing {
    /// All that upstream lists.
    Upstream,
    /// Those that were asked for here, for an upstream that has no list or a very
    /// long one. Any project can be asked for all the same.
    Known,
}

/// Who gives clients the files that are not stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilesFrom {
    /// We do, and keep them.
    Here,
    /// Upstream does: clients are told where.
    Upstream,
}

/// Where the metadata of wheels comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetadataFrom {
    /// From upstream where its page lists it, else out of the wheel.
    Listed,
    /// From upstream, and out of the wheel where upstream turns out to have none.
    Upstream,
    /// Out of the wheel: upstream is not asked.
    Wheel,
}

/// Where a mirror's projects live.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Upstream {
    /// A Simple index (PEP 503, PEP 691): this URL, a project's name, a slash.
    Simple(Url),
    /// One page of links for all projects, as for pip's `--find-links`.
    FindLinks(Url),
    /// A directory of files on this machine, as for pip's `--find-links`.
    Directory(PathBuf),
}

impl Upstream {
    /// Its URL, if it has one.
    pub fn url(&self) -> Option<&Url> {
        match self {
            Self::Simple(url) | Self::FindLinks(url) => Some(url),
            Self::Directory(_) => None,
        }
    }
}

impl fmt::Display for Upstream {
    /// Without user info.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simple(url) | Self::FindLinks(url) => f.write_str(&shown(url)),
            Self::Directory(path) => path.display().fmt(f),
        }
    }
}

/// How to prove who we are to an upstream, sent to its own origin only.
#[derive(Debug, Clone, Default)]
pub enum Auth {
    /// Not at all.
    #[default]
    None,
    /// HTTP Basic.
    Basic {
        /// Also `__token__` and the like.
        username: String,
        /// Kept out of every output.
        password: Secret,
    },
    /// `Authorization: Bearer`.
    Bearer(Secret),
}

/// From which hosts, besides upstream's own, files may be fetched.
///
/// Whatever stands here, loopback and private addresses are refused unless the
/// mirror itself is there or the host is listed by name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FileHosts {
    /// These alone. `*.example.org` means every host below it.
    Listed(Vec<String>),
    /// Any public one, and these.
    AnyPublic(Vec<String>),
}

/// A text that no output shows.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Hides `text` from now on.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// A URL as it may be shown: without user info and query.
pub fn shown(url: &Url) -> String {
    let mut url = url.clone();
    // Both fail only for URLs that cannot have user info in the first place.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url.set_query(None);
    url.set_fragment(None);
    url.into()
}
