//! `pilothouse serve`: opens everything, says what it assumed, serves until it is told to stop.

mod bind;
mod door;
pub(super) mod house;
mod orphans;
mod stop;

use std::fs;
use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use clap::Args;
use index::Stats;
use store::{Blobs, DataDir, Db, Mode};
use tokio::runtime::{Handle, Runtime};

use crate::arguments::{Settings, TEMPLATE, Verbosity};
use crate::config::{Config, Log, MaxSize, Places};
use crate::failure::{Explained, Outcome};
use crate::units::ByteSize;
use crate::{advice, container};
use house::House;
use stop::Signals;

/// How long transfers that no client waits for any more may take to end, after the
/// answers had their time to drain.
const LAST_TRANSFERS: Duration = Duration::from_secs(2);

/// Serve a caching mirror of PyPI, and private indexes
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse serve --fresh-for 30m\n\n")]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
    /// Write the server's URL to this file once it listens
    #[arg(long, value_name = "FILE", hide = true)]
    ready_file: Option<PathBuf>,
}

pub(crate) fn run(arguments: Arguments, verbosity: Verbosity) -> anyhow::Result<Outcome> {
    let config = super::configured(arguments.settings)?;
    crate::log::start(config.log.value, verbosity.level());
    let runtime = Runtime::new().context("the system gives no event loop")?;
    runtime.block_on(async {
        let signals = Signals::receive();
        let listeners = bind::all(&config.listen.value).await?;
        let addresses = listeners
            .iter()
            .map(TcpListener::local_addr)
            .collect::<Result<Vec<_>, _>>()?;
        door::asks_others(&config, &addresses)?;
        door::check_new(&config, &addresses)?;
        let data_dir = open(&config.data_dir.value)?;
        let house = House::open(&config, &data_dir).await?;
        door::check(&config, &addresses, &house.rooms.accounts).await?;
        if verbosity.level() >= 0 {
            eprint!("{}", greeting(&config, &addresses, &house.limit_in_words));
        }
        if let Some(file) = &arguments.ready_file {
            announce(file, &addresses)?;
        }
        house.serve(&config, listeners, signals).await
    })?;
    Ok(Outcome::Clean)
}

impl House {
    async fn serve(
        self,
        config: &Config,
        listeners: Vec<TcpListener>,
        signals: Signals,
    ) -> anyhow::Result<()> {
        let server = server::Config {
            listen: config.listen.value.clone(),
            log: match config.log.value {
                Log::Text => server::LogFormat::Text,
                Log::Json => server::LogFormat::Json,
                Log::Off => server::LogFormat::Off,
            },
            pushes_inside: house::is_of_trusted(config),
            outside_url: config.outside_url.clone().map(|setting| setting.value),
            ..server::Config::default()
        };
        let storage = self.rooms.storage.clone();
        let keepers = [
            tokio::spawn(storage.clone().keep()),
            tokio::spawn(self.rooms.accounts.clone().keep()),
            tokio::spawn(self.webhooks.keep()),
        ];
        let collector = tokio::spawn(orphans::collect(
            self.db,
            self.blobs.clone(),
            orphans::FIRST,
        ));
        let probe = probe(self.blobs);
        let accounts = self.rooms.accounts.clone();
        let app = server::App::new(
            server,
            self.rooms,
            self.stats.clone(),
            probe,
            Handle::current(),
        );
        server::serve_all(listeners, app, signals.asked()).await?;
        // What is nearly here need not be fetched again after the next start.
        let _ = tokio::time::timeout(LAST_TRANSFERS, arrived(&self.stats)).await;
        keepers.iter().for_each(tokio::task::JoinHandle::abort);
        collector.abort();
        storage.note_uses().await?;
        storage.sync_blobs().await;
        accounts.note_uses().await?;
        Ok(())
    }
}

/// Waits until no transfer from upstream is under way.
async fn arrived(stats: &Stats) {
    let mut look = tokio::time::interval(Duration::from_millis(10));
    while stats.in_flight.value() > 0 {
        look.tick().await;
    }
}

fn open(path: &Path) -> anyhow::Result<DataDir> {
    DataDir::open(path, Mode::Serve).with_context(|| {
        Explained::new(
            format!("the data directory `{}` cannot be opened", path.display()),
            "`--data-dir DIR` names another one",
        )
    })
}

/// How many bytes the cache may take, and the same in words.
async fn limit(max_size: MaxSize, db: &Db, blobs: &Blobs) -> anyhow::Result<(Option<u64>, String)> {
    Ok(match max_size {
        MaxSize::Unlimited => (None, "as much disk as there is".to_owned()),
        MaxSize::Bytes(size) => (Some(size.0), format!("at most {size}")),
        MaxSize::Auto => {
            let ours = blobs.free_space()?.free + db.usage().await?.bytes;
            (
                Some(ours / 2),
                format!(
                    "at most {}, half of what the disk has for us",
                    ByteSize(ours / 2).rounded()
                ),
            )
        }
    })
}

/// Whether we can do our work: something can be written, and the disk is not full to the brim.
fn probe(blobs: Blobs) -> server::Probe {
    Arc::new(move || match blobs.free_space() {
        Ok(space) if space.free == 0 => Err("the data directory's disk is full".to_owned()),
        Ok(_) => write(&blobs).map_err(|error| error.to_string()),
        Err(error) => Err(error.to_string()),
    })
}

/// Begins a file as a transfer would, and drops it.
fn write(blobs: &Blobs) -> Result<(), store::Error> {
    blobs.begin()?.write_at(0, b"can this be written?")
}

fn greeting(config: &Config, addresses: &[SocketAddr], limit: &str) -> String {
    let urls: Vec<String> = addresses
        .iter()
        .map(|address| format!("http://{address}"))
        .collect();
    format!(
        "pilothouse {} listens on {}\n{}\n{}\n",
        env!("CARGO_PKG_VERSION"),
        urls.join(" and "),
        advice::assumptions(config, limit, &Places::of_user()),
        advice::lines_to_paste(addresses, &container::way()),
    )
}

/// Tells whoever waits for it that we listen, and where; never half a line.
fn announce(file: &Path, addresses: &[SocketAddr]) -> anyhow::Result<()> {
    let Some(address) = addresses.first() else {
        return Ok(());
    };
    let url = format!(
        "http://{}\n",
        SocketAddr::new(advice::reachable(address.ip()), address.port())
    );
    let mut staged = file.as_os_str().to_owned();
    staged.push(".staged");
    fs::write(&staged, url)
        .and_then(|()| fs::rename(&staged, file))
        .with_context(|| format!("the ready file `{}` cannot be written", file.display()))
}
