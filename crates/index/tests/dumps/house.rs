//! A server that dumps are imported to, without anybody who is served.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use index::accounts::Options;
use index::dump::import::Report;
use index::dump::{Dump, Export, Import, Manner, Mirrored};
use index::hosted::Hosted;
use index::indexes::{Factory, Opened, Plan};
use index::mirror::Mirror;
use index::settings::MirrorSettings;
use index::{Accounts, Changes, Cost, IndexName, Indexes, Stats, Storage, Views};
use jiff::Timestamp;
use serde_json::Value;
use store::{Blobs, DataDir, Db, Mode};
use tempfile::TempDir;
use tokio::runtime::Handle;

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

/// A server in a directory of its own.
pub(crate) struct House {
    _dir: TempDir,
    _data: DataDir,
    db: Db,
    blobs: Blobs,
    storage: Arc<Storage>,
    accounts: Arc<Accounts>,
    indexes: Indexes,
}

struct Workshop(Arc<Storage>, Changes);

#[async_trait]
impl Factory for Workshop {
    async fn stage(&self, name: &IndexName) -> Result<Opened, String> {
        let hosted = Hosted::new(name.clone(), self.0.clone(), self.1.clone());
        Ok(Opened::hosted(Arc::new(hosted)))
    }

    async fn mirror(&self, name: &IndexName, settings: &MirrorSettings) -> Result<Opened, String> {
        let config = settings.config(name.clone()).ok_or("it has no address")?;
        let mirror = Mirror::open(config, self.0.clone(), Handle::current()).await?;
        Ok(Opened::source(Arc::new(mirror)))
    }
}

impl House {
    pub(crate) async fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let data = DataDir::open(dir.path(), Mode::Serve).unwrap();
        let (db, blobs) = (data.db().await.unwrap(), data.blobs());
        let (stats, changes) = (Arc::new(Stats::default()), Changes::default());
        let storage = Storage::open(db.clone(), blobs.clone(), stats, None);
        let storage = storage.await.unwrap();
        let options = Options {
            cost: Cost {
                memory: 64,
                passes: 1,
                lanes: 1,
            },
            ..Options::default()
        };
        let accounts = Accounts::open(db.clone(), options, NOW).await.unwrap();
        let workshop = Workshop(storage.clone(), changes.clone());
        let plan = Plan {
            default: "root/pypi".parse().unwrap(),
            fixed: Vec::new(),
            views: Views::new(),
        };
        let indexes = Indexes::open(plan, db.clone(), Arc::new(workshop), changes);
        Self {
            indexes: indexes.await.unwrap(),
            _dir: dir,
            _data: data,
            db,
            blobs,
            storage,
            accounts,
        }
    }

    /// Imports a folder with all that is in it; an error is what a person would read.
    pub(crate) async fn import(&self, folder: &Path) -> Result<Report, String> {
        self.import_watched(folder, || {}).await
    }

    /// The same; `done` hears of every file that was dealt with.
    pub(crate) async fn import_watched(
        &self,
        folder: &Path,
        done: impl FnMut(),
    ) -> Result<Report, String> {
        let told = |error: &dyn std::error::Error| error.to_string();
        let text = Dump::text(folder).map_err(|error| told(&error))?;
        let dump = Dump::read(folder, &text).map_err(|error| told(&error))?;
        let import = Import {
            accounts: &self.accounts,
            indexes: &self.indexes,
            skip_types: &[],
            storage: &self.storage,
            mirrored: Mirrored::Included,
            now: NOW,
        };
        let report = import.run(&dump, done).await;
        report.map_err(|error| told(&error))
    }

    /// The bases of an index, as whoever is served now would see them.
    pub(crate) fn bases(&self, index: &str) -> Vec<String> {
        let now = self.indexes.catalog().now();
        let entry = now.get(&index.parse().unwrap()).unwrap();
        let bases = entry.settings.bases().iter();
        bases.map(ToString::to_string).collect()
    }

    /// All that is here, as an export tells it; its files are whole.
    pub(crate) async fn contents(&self) -> Value {
        let home = tempfile::tempdir().unwrap();
        let export = Export {
            db: &self.db,
            blobs: &self.blobs,
            fixed: Vec::new(),
            folder: home.path().join("dump"),
            manner: Manner::Copies,
            mirrored: Mirrored::Included,
        };
        let plan = export.plan().await.unwrap();
        export.run(&plan, || {}).await.unwrap();
        let text = fs::read_to_string(home.path().join("dump/dataindex.json")).unwrap();
        serde_json::from_str(&text).unwrap()
    }

    /// What is on the disk that should not be, or is not what it should be.
    pub(crate) async fn disorder(&self) -> Option<String> {
        let verified = store::verify_with(&self.db, &self.blobs, Duration::ZERO, |_| {});
        let report = verified.await.unwrap();
        let is_fine = report.is_clean() && report.staged == 0;
        (!is_fine).then(|| format!("{report:#?}"))
    }
}
