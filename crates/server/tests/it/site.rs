//! A running server on a port of its own.

use std::io::Write;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex};

use index::settings::MirrorSettings;
use index::{Catalog, Changes, Entry, IndexName, Stats, Views};
use server::{App, Config, LogFormat};
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

impl Site {
    pub(crate) async fn start() -> Self {
        Self::with(config(), Ok(())).await
    }

    pub(crate) async fn with(config: Config, ready: Result<(), String>) -> Self {
        let source = Arc::new(Fake::default());
        let name: IndexName = "root/pypi".parse().unwrap();
        let entry = Entry::fixed(name.clone(), MirrorSettings::default(), source.clone());
        let catalog = Catalog::new(name, [entry], Views::new(), Changes::default());
        Self::of(config, catalog, source, ready).await
    }

    pub(crate) async fn of(
        config: Config,
        catalog: Catalog,
        source: Arc<Fake>,
        ready: Result<(), String>,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::open(folder.path(), Mode::Serve).unwrap();
        let log = Written::default();
        let probe: server::Probe = Arc::new(move || ready.clone());
        let stats = Arc::new(Stats::default());
        let app = App::with_log(
            config,
            catalog,
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
