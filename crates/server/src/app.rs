//! What all requests share.

use std::fmt;
use std::io::Write;
use std::sync::Arc;
use std::time::Instant;

use http::HeaderValue;
use index::accounts::Accounts;
use index::publisher::Publishers;
use index::{Catalog, Indexes, Stats, Storage};
use tokio::runtime::Handle;

use crate::config::Config;
use crate::fault::Fault;
use crate::log::Journal;
use crate::metrics::Tally;
use crate::shelf::Shelf;

/// Says whether the server can do its work, or why not. May block.
pub type Probe = Arc<dyn Fn() -> Result<(), String> + Send + Sync>;

/// When the store was last probed, and what came of it; held while it is probed.
pub(crate) type LastProbe = tokio::sync::Mutex<Option<(Instant, Result<(), String>)>>;

/// The indexes of this server, who may use them, and what they are kept in.
#[derive(Clone)]
pub struct House {
    /// Makes, changes and removes indexes; knows which there are.
    pub indexes: Arc<Indexes>,
    /// Who may log in.
    pub accounts: Arc<Accounts>,
    /// Whose CI jobs may upload.
    pub publishers: Arc<Publishers>,
    /// What all of it is kept in.
    pub storage: Arc<Storage>,
}

/// What all requests share; a clone is a reference.
#[derive(Clone)]
pub struct App(Arc<Shared>);

struct Shared {
    config: Config,
    house: House,
    stats: Arc<Stats>,
    probe: Probe,
    last_probe: LastProbe,
    main: Handle,
    shelf: Shelf,
    /// Held by whoever compresses a page that nobody waits for.
    ahead: tokio::sync::Mutex<()>,
    journal: Journal,
    tallies: Box<[Tally]>,
    page_cache_control: HeaderValue,
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("config", &self.0.config)
            .finish_non_exhaustive()
    }
}

impl App {
    /// A server for these indexes that logs to stderr.
    ///
    /// Domain calls run on `main`, the multi-threaded runtime.
    pub fn new(
        config: Config,
        house: House,
        stats: Arc<Stats>,
        probe: Probe,
        main: Handle,
    ) -> Self {
        Self::with_log(
            config,
            house,
            stats,
            (probe, main),
            Box::new(std::io::stderr()),
        )
    }

    /// The same with the request log going elsewhere.
    pub fn with_log(
        config: Config,
        house: House,
        stats: Arc<Stats>,
        (probe, main): (Probe, Handle),
        log: Box<dyn Write + Send>,
    ) -> Self {
        let workers = config.workers.max(1);
        let max_age = format!("public, max-age={}", config.page_max_age.as_secs());
        Self(Arc::new(Shared {
            house,
            stats,
            probe,
            last_probe: LastProbe::default(),
            main,
            shelf: Shelf::new(config.page_cache),
            ahead: tokio::sync::Mutex::default(),
            journal: Journal::new(config.log, log),
            tallies: (0..workers).map(|_| Tally::default()).collect(),
            page_cache_control: HeaderValue::try_from(max_age)
                .unwrap_or(HeaderValue::from_static("public, max-age=60")),
            config,
        }))
    }

    /// Runs what may ask upstream, or block, away from the worker.
    ///
    /// It goes on when the client leaves, and a panic in it is a fault.
    pub(crate) async fn domain<T, E>(
        &self,
        call: impl Future<Output = Result<T, E>> + Send + 'static,
    ) -> Result<T, Fault>
    where
        T: Send + 'static,
        E: Into<Fault> + Send + 'static,
    {
        // A `JoinError` is a panic, or a runtime that shuts down.
        let outcome = self.0.main.spawn(call).await.map_err(|_| Fault::broken())?;
        outcome.map_err(Into::into)
    }

    pub(crate) fn config(&self) -> &Config {
        &self.0.config
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        self.0.house.indexes.catalog()
    }

    pub(crate) fn indexes(&self) -> &Arc<Indexes> {
        &self.0.house.indexes
    }

    pub(crate) fn accounts(&self) -> &Arc<Accounts> {
        &self.0.house.accounts
    }

    pub(crate) fn publishers(&self) -> &Arc<Publishers> {
        &self.0.house.publishers
    }

    pub(crate) fn storage(&self) -> &Arc<Storage> {
        &self.0.house.storage
    }

    pub(crate) fn default_index(&self) -> &str {
        self.catalog().default_name().as_str()
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.0.stats
    }

    pub(crate) fn probe(&self) -> &Probe {
        &self.0.probe
    }

    pub(crate) fn last_probe(&self) -> &LastProbe {
        &self.0.last_probe
    }

    pub(crate) fn main(&self) -> &Handle {
        &self.0.main
    }

    pub(crate) fn shelf(&self) -> &Shelf {
        &self.0.shelf
    }

    pub(crate) fn ahead(&self) -> &tokio::sync::Mutex<()> {
        &self.0.ahead
    }

    pub(crate) fn journal(&self) -> &Journal {
        &self.0.journal
    }

    /// What each worker has counted.
    pub(crate) fn tallies(&self) -> &[Tally] {
        &self.0.tallies
    }

    pub(crate) fn page_cache_control(&self) -> &HeaderValue {
        &self.0.page_cache_control
    }
}
