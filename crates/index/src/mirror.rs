//! A mirror: a source whose projects live upstream and whose answers we keep.
//!
//! Pages are kept with their validators and asked for again when stale. Files
//! never change under one digest, so they are kept until evicted. A mirror that
//! cannot reach upstream serves what it has, however old, and says so; it never
//! says that a project does not exist because upstream was silent.

mod authorities;
mod client;
mod config;
mod doubt;
mod fetch;
mod file;
mod flat;
mod flights;
mod freshness;
pub(crate) mod gate;
pub(crate) mod hosts;
pub(crate) mod known;
mod offline;
mod order;
mod pages;
mod queue;
mod read;
mod records;
mod refusals;
mod replaced;
mod root;
mod sidecar;
mod sink;
mod span;
mod transfer;
mod trouble;
mod zip_tail;

pub(crate) use fetch::Validators;

pub use authorities::{Authorities, InvalidAuthorities};
pub use config::{
    Auth, Config, FileHosts, FilesFrom, MetadataFrom, RootListing, Secret, Upstream, shown,
};

use std::sync::Arc;

use async_trait::async_trait;
use pyspec::ProjectName;
use tokio::runtime::Handle;

use crate::storage::Storage;
use crate::{Answer, Error, Listing, Open, Part, Source};

use client::Client;
use file::Files;
use flat::Flat;
use pages::Pages;
use records::Records;
use root::Root;
use sidecar::Sidecars;
use trouble::Trouble;

/// An index whose projects live upstream.
pub struct Mirror {
    pages: Arc<Pages>,
    files: Arc<Files>,
    sidecars: Arc<Sidecars>,
    root: Arc<Root>,
}

/// What all parts of one mirror share.
struct Shared {
    config: Config,
    name: String,
    client: Client,
    storage: Arc<Storage>,
    trouble: Arc<Trouble>,
    runtime: Handle,
}

impl Shared {
    /// Counts as under way, for whoever wants to stop, until the guard is dropped.
    fn busy(self: &Arc<Self>) -> Busy {
        self.client.stats().in_flight.add(1);
        Busy(self.clone())
    }
}

/// Work that a stopping server waits for.
struct Busy(Arc<Shared>);

impl Drop for Busy {
    fn drop(&mut self) {
        self.0.client.stats().in_flight.add(-1);
    }
}

impl Mirror {
    /// A mirror that runs its background work on the current runtime.
    ///
    /// Fails, in one sentence, when no HTTP client can be made or the store does not work.
    pub async fn open(
        config: Config,
        storage: Arc<Storage>,
        runtime: Handle,
    ) -> Result<Self, String> {
        let trouble = Arc::<Trouble>::default();
        let shared = Arc::new(Shared {
            name: config.name.to_string(),
            client: Client::new(&config, storage.stats().clone(), trouble.clone())?,
            trouble,
            config,
            storage,
            runtime,
        });
        let upstream = shared.config.upstream.to_string();
        let db = shared.storage.db();
        let changed = db.set_upstream(&shared.name, &upstream).await;
        if changed.map_err(|error| error.to_string())? {
            tracing::warn!(index = %shared.name, "the upstream was another one before: its pages are forgotten");
        }
        let flat = Flat::of(&shared);
        let records = Arc::new(Records::new(shared.clone()));
        let pages = Pages::new(shared.clone(), records.clone(), flat.clone());
        let pages = Arc::new(pages);
        let files = Arc::new(Files::new(shared.clone(), records, pages.clone()));
        let sidecars = Arc::new(Sidecars::new(shared.clone(), pages.clone(), files.clone()));
        let root = Arc::new(Root::new(shared, flat));
        Ok(Self {
            pages,
            files,
            sidecars,
            root,
        })
    }
}

#[async_trait]
impl Source for Mirror {
    async fn projects(&self) -> Result<Listing, Error> {
        self.root.projects().await
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Answer>, Error> {
        self.pages.project(name).await
    }

    async fn open(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        match part {
            Part::File => self.files.open(path).await,
            Part::Metadata | Part::Provenance => self.sidecars.open(path, part).await,
        }
    }

    async fn head(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        match part {
            Part::File => self.files.head(path).await,
            // Small, and wanted soon by whoever asks.
            Part::Metadata | Part::Provenance => self.sidecars.open(path, part).await,
        }
    }

    async fn project_at(&self, path: &str) -> Result<Option<ProjectName>, Error> {
        self.files.project_at(path).await
    }

    async fn refresh(&self, name: &ProjectName) -> Result<(), Error> {
        self.pages.refresh(name).await
    }
}
