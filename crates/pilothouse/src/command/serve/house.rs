//! What is open while we serve: the store, the indexes, and who may use them.

use std::sync::Arc;

use anyhow::Context as _;
use async_trait::async_trait;
use index::access::Admins;
use index::accounts::{Accounts, Options};
use index::hosted::Hosted;
use index::indexes::{Factory, Indexes, Opened, Plan};
use index::mirror::Mirror;
use index::publisher::Publishers;
use index::settings::MirrorSettings;
use index::webhook::Webhooks;
use index::{Changes, Entry, IndexName, Stats, Storage};
use jiff::Timestamp;
use store::{Blobs, DataDir, Db};
use tokio::runtime::Handle;

use super::limit;
use crate::config::{Config, EveryMirror};

/// For whom CI platforms make their tokens, as long as nobody has said where this server is.
const AUDIENCE: &str = "pilothouse";

/// Everything that is open while we serve.
pub(in crate::command) struct House {
    pub(in crate::command) rooms: server::House,
    pub(super) stats: Arc<Stats>,
    pub(super) db: Db,
    pub(super) blobs: Blobs,
    pub(super) webhooks: Arc<Webhooks>,
    pub(super) limit_in_words: String,
}

impl House {
    pub(in crate::command) async fn open(
        config: &Config,
        data_dir: &DataDir,
    ) -> anyhow::Result<Self> {
        let blobs = data_dir.blobs();
        let db = data_dir
            .db()
            .await
            .context("the database cannot be opened")?;
        let (limit, limit_in_words) = limit(config.max_size.value, &db, &blobs).await?;
        let stats = Arc::new(Stats::default());
        let storage = Storage::open(db.clone(), blobs.clone(), stats.clone(), limit).await?;
        let accounts = Accounts::open(db.clone(), options(config), Timestamp::now()).await?;
        let workshop = Workshop {
            storage: storage.clone(),
            changes: Changes::default(),
            every_mirror: config.every_mirror,
            may_be_private: is_of_trusted(config),
        };
        let plan = Plan {
            default: config.default.value.clone(),
            fixed: fixed(config, &storage).await?,
            views: config.people.views.clone(),
        };
        let changes = workshop.changes.clone();
        let indexes = Indexes::open(plan, db.clone(), Arc::new(workshop), changes)
            .await
            .map_err(anyhow::Error::msg)?;
        let webhooks = config.webhooks.clone();
        let webhooks =
            Webhooks::open(db.clone(), webhooks, stats.clone(), Timestamp::now()).await?;
        let publishers = config.people.publishers.clone();
        let publishers = Publishers::new(audience(config), publishers)?;
        Ok(Self {
            rooms: server::House {
                indexes: Arc::new(indexes),
                accounts,
                publishers: Arc::new(publishers),
                storage,
            },
            stats,
            webhooks,
            db,
            blobs,
            limit_in_words,
        })
    }
}

/// Whether only people who are trusted may make mirrors and push: those that the operator named, or
/// those on this machine.
pub(super) fn is_of_trusted(config: &Config) -> bool {
    let mut listen = config.listen.value.iter();
    config.restrict_modify.is_some() || listen.all(|at| at.ip().is_loopback())
}

/// This server's own name: a token made for another server is none for this one.
fn audience(config: &Config) -> String {
    let url = config.outside_url.as_ref();
    let url = url.and_then(|url| url.value.parse::<url::Url>().ok());
    let host = url.as_ref().and_then(|url| url.host_str());
    host.unwrap_or(AUDIENCE).to_owned()
}

/// What the settings say about accounts.
pub(super) fn options(config: &Config) -> Options {
    let admins = config.restrict_modify.as_ref();
    Options {
        groups: config.people.groups.clone(),
        admins: admins.map_or(Admins::Owners, |list| Admins::only(&list.value)),
        ..Options::default()
    }
}

/// The mirrors that the config file describes, `root/pypi` among them.
async fn fixed(config: &Config, storage: &Arc<Storage>) -> anyhow::Result<Vec<Entry>> {
    let mut mirrors = Vec::new();
    for mirror in &config.mirrors {
        let mut settings = MirrorSettings::of_config(&mirror.config());
        if let Some(readers) = &mirror.manners.readers {
            settings = settings.read_by(&readers.value);
        }
        let opened = Mirror::open(mirror.config(), storage.clone(), Handle::current()).await;
        let opened = opened
            .map_err(anyhow::Error::msg)
            .with_context(|| format!("the mirror `{}` cannot be opened", mirror.name))?;
        let name = mirror.name.clone();
        mirrors.push(Entry::fixed(name, settings, Arc::new(opened)));
    }
    Ok(mirrors)
}

/// Opens the indexes that people make.
struct Workshop {
    storage: Arc<Storage>,
    changes: Changes,
    every_mirror: EveryMirror,
    /// Whether the mirrors that people make may be of upstreams within our network.
    may_be_private: bool,
}

#[async_trait]
impl Factory for Workshop {
    async fn stage(&self, name: &IndexName) -> Result<Opened, String> {
        let (storage, changes) = (self.storage.clone(), self.changes.clone());
        let hosted = Arc::new(Hosted::new(name.clone(), storage, changes));
        Ok(Opened::hosted(hosted))
    }

    async fn mirror(&self, name: &IndexName, settings: &MirrorSettings) -> Result<Opened, String> {
        let config = settings.config(name.clone());
        let mut config = config.ok_or_else(|| "it has no `mirror_url`".to_owned())?;
        config.may_be_private = self.may_be_private;
        if let Some(fresh_for) = self.every_mirror.fresh_for {
            config.fresh_for = fresh_for;
        }
        config.offline |= self.every_mirror.offline;
        let mirror = Mirror::open(config, self.storage.clone(), Handle::current()).await?;
        Ok(Opened::source(Arc::new(mirror)))
    }
}
