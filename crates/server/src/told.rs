//! What an answer says about itself, for the log and the metrics.

use index::Cache;

/// Which kind of thing was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Route {
    /// A project's page.
    Page,
    /// The root listing.
    Listing,
    /// A file.
    File,
    /// A file's metadata.
    Metadata,
    /// A file's provenance.
    Provenance,
    /// The page that says how to use this server.
    Home,
    /// Health, readiness and metrics.
    Operator,
    /// Nothing we know.
    Other,
}

impl Route {
    /// Every route, in the order of their numbers.
    pub(crate) const ALL: [Self; 8] = [
        Self::Page,
        Self::Listing,
        Self::File,
        Self::Metadata,
        Self::Provenance,
        Self::Home,
        Self::Operator,
        Self::Other,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Page => "page",
            Self::Listing => "listing",
            Self::File => "file",
            Self::Metadata => "metadata",
            Self::Provenance => "provenance",
            Self::Home => "home",
            Self::Operator => "operator",
            Self::Other => "other",
        }
    }
}

/// Where the answer came from, as a word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CacheState {
    /// The question does not arise.
    None,
    /// Kept and fresh.
    Hit,
    /// Kept and no longer fresh.
    Stale,
    /// Fetched for this answer.
    Miss,
    /// Kept and confirmed for this answer.
    Revalidated,
    /// Kept, and upstream is not to be asked.
    Offline,
}

impl CacheState {
    /// Every state, in the order of their numbers.
    pub(crate) const ALL: [Self; 6] = [
        Self::None,
        Self::Hit,
        Self::Stale,
        Self::Miss,
        Self::Revalidated,
        Self::Offline,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "-",
            Self::Hit => "hit",
            Self::Stale => "stale",
            Self::Miss => "miss",
            Self::Revalidated => "revalidated",
            Self::Offline => "offline",
        }
    }
}

impl From<&Cache> for CacheState {
    fn from(cache: &Cache) -> Self {
        match cache {
            Cache::Hit => Self::Hit,
            Cache::Stale { .. } => Self::Stale,
            Cache::Miss => Self::Miss,
            Cache::Revalidated => Self::Revalidated,
            Cache::Offline => Self::Offline,
        }
    }
}
