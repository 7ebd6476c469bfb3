//! A running server on a port of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use index::accounts::{Accounts, Options};
use index::hosted::Hosted;
use index::indexes::{Factory, Indexes, Opened, Plan};
use index::publisher::Publishers;
use index::settings::MirrorSettings;
use index::{Changes, Cost, Entry, IndexName, Stats, Storage, Views};
use jiff::Timestamp;
use server::{App, Config, House, LogFormat};
use store::{Blobs, DataDir, Mode};
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

use crate::client::Client;
use crate::source::Fake;

pub(crate) struct Site {
    pub(crate) source: Arc<Fake>,
    pub(crate) blobs: Blobs,
    pub(crate) address: SocketAddr,
    pub(crate) house: House,
    log: Written,
    stop: oneshot::Sender<()>,
    served: JoinHandle<Result<(), server::Error>>,
    _data: (DataDir, tempfile::TempDir),
}

/// Where the log goes.
#[derive(Clone, Default)]
struct Written(Arc<Mutex<Vec<u8>>>);

impl Write for Written {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// How a test's server is set up.
pub(crate) fn config() -> Config {
    Config {
        log: LogFormat::Text,
        workers: 2,
        ..Config::default()
    }
}

/// Opens stages; nobody makes mirrors in these tests.
struct Stages(Arc<Storage>, Changes);

#[async_trait::async_trait]
impl Factory for Stages {
    async fn stage(&self, name: &IndexName) -> Result<Opened, String> {
        let hosted = Hosted::new(name.clone(), self.0.clone(), self.1.clone());
        Ok(Opened::hosted(Arc::new(hosted)))
    }

    async fn mirror(&self, _: &IndexName, _: &MirrorSettings) -> Result<Opened, String> {
        Err("there are no mirrors here".to_owned())
    }
}

/// Quick: nobody guesses passwords here.
const CHEAP: Cost = Cost {
    memory: 64,
    passes: 1,
    lanes: 1,
};

async fn house(plan: Plan, data: &DataDir, stats: Arc<Stats>) -> House {
    let db = data.db().await.unwrap();
    let storage = Storage::open(db.clone(), data.blobs(), stats, None);
    let storage = storage.await.unwrap();
    let options = Options {
        cost: CHEAP,
        ..Options::default()
    };
    let accounts = Accounts::open(db.clone(), options, Timestamp::now());
    let changes = Changes::default();
    let factory = Arc::new(Stages(storage.clone(), changes.clone()));
    let indexes = Indexes::open(plan, db, factory, changes);
    House {
        indexes: Arc::new(indexes.await.unwrap()),
        accounts: accounts.await.unwrap(),
        publishers: Arc::new(Publishers::new("pilothouse".to_owned(), Vec::new()).unwrap()),
        storage,
    }
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(config(), Ok(())).await
    }

    pub(crate) async fn with(config: Config, ready: Result<(), String>) -> Self {
        let source = Arc::new(Fake::default());
        let name: IndexName = "root/pypi".parse().unwrap();
        let entry = Entry::fixed(name.clone(), MirrorSettings::default(), source.clone());
        Self::of(config, name, vec![entry], source, ready).await
    }

    pub(crate) async fn of(
        config: Config,
        default: IndexName,
        fixed: Vec<Entry>,
        source: Arc<Fake>,
        ready: Result<(), String>,
    ) -> Self {
        let plan = Plan {
            default,
            fixed,
            views: Views::new(),
        };
        Self::planned(config, plan, source, ready).await
    }

    pub(crate) async fn planned(
        config: Config,
        plan: Plan,
        source: Arc<Fake>,
        ready: Result<(), String>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path(), Mode::Serve).unwrap();
        let log = Written::default();
        let probe: server::Probe = Arc::new(move || ready.clone());
        let stats = Arc::new(Stats::default());
        let house = house(plan, &data, stats.clone()).await;
        let app = App::with_log(
            config,
            house.clone(),
            stats,
            (probe, Handle::current()),
            Box::new(log.clone()),
        );
        let listener = server::bind(&[SocketAddr::from(([127, 0, 0, 1], 0))])
            .await
            .unwrap()
            .remove(0);
        let address = listener.local_addr().unwrap();
        let (stop, stopped) = oneshot::channel();
        let served = tokio::spawn(server::serve(listener, app, async {
            let _ = stopped.await;
        }));
        Self {
            source,
            blobs: data.blobs(),
            address,
            house,
            log,
            stop,
            served,
            _data: (data, folder),
        }
    }

    pub(crate) async fn client(&self) -> Client {
        Client::connect(self.address).await
    }

    /// Begins to stop; the answer ends once the server has.
    pub(crate) fn stop(self) -> impl Future<Output = String> {
        self.stop.send(()).unwrap();
        async move {
            self.served.await.unwrap().unwrap();
            let log = self.log.0.lock().unwrap();
            String::from_utf8(log.clone()).unwrap()
        }
    }
}
