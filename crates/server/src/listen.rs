//! Listening, and handing connections to the workers in turn.
//!
//! One acceptor deals them out round robin. The workers do not each listen with
//! `SO_REUSEPORT`, because then a second server on the same port would not be an
//! error but would silently take half of the clients.

use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::net::{TcpListener, TcpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;

use crate::app::App;
use crate::worker;

/// Connections that may wait to be accepted.
const BACKLOG: u32 = 1024;

/// Why the server cannot run.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Somebody else listens there.
    #[error(
        "`{address}` is taken: stop what listens there, or choose another address with `--listen`"
    )]
    Taken {
        /// Where we wanted to listen.
        address: SocketAddr,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Bind {
        /// Where we wanted to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// A listener or a worker cannot be set up.
    #[error("cannot start serving")]
    Start(#[source] io::Error),
}

/// Listens on every address, or on none.
pub async fn bind(addresses: &[SocketAddr]) -> Result<Vec<std::net::TcpListener>, Error> {
    addresses
        .iter()
        .map(|address| {
            bind_one(*address).map_err(|source| match source.kind() {
                io::ErrorKind::AddrInUse => Error::Taken { address: *address },
                _ => Error::Bind {
                    address: *address,
                    source,
                },
            })
        })
        .collect()
}

fn bind_one(address: SocketAddr) -> io::Result<std::net::TcpListener> {
    let socket = if address.is_ipv4() {
        TcpSocket::new_v4()?
    } else {
        TcpSocket::new_v6()?
    };
    // Only past connections in TIME_WAIT are overlooked by this, not a listener.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)?.into_std()
}

/// Serves one listener until `shutdown`, then drains.
pub async fn serve(
    listener: std::net::TcpListener,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    serve_all(vec![listener], app, shutdown).await
}

/// Serves all listeners until `shutdown`, then drains: no new connection is
/// taken, answers under way may end within [`crate::Config::drain`].
pub async fn serve_all(
    listeners: Vec<std::net::TcpListener>,
    app: App,
    shutdown: impl Future<Output = ()>,
) -> Result<(), Error> {
    let (drain, draining) = watch::channel(false);
    let (dealer, threads) = start_workers(&app, &draining).map_err(Error::Start)?;
    let mut acceptors = JoinSet::new();
    for listener in listeners {
        listener.set_nonblocking(true).map_err(Error::Start)?;
        let listener = TcpListener::from_std(listener).map_err(Error::Start)?;
        acceptors.spawn(accept(listener, dealer.clone()));
    }
    shutdown.await;
    acceptors.shutdown().await;
    drop(dealer);
    drain.send_replace(true);
    let ended = tokio::task::spawn_blocking(move || {
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a worker has panicked");
            }
        }
        app.journal().flush();
    });
    // Cancelled only with the runtime itself.
    let _ = ended.await;
    Ok(())
}

type Threads = Vec<std::thread::JoinHandle<()>>;

fn start_workers(app: &App, draining: &watch::Receiver<bool>) -> io::Result<(Dealer, Threads)> {
    let mut workers = Vec::new();
    let mut threads = Vec::new();
    for number in 0..app.tallies().len() {
        let (sender, connections) = mpsc::unbounded_channel();
        let (app, draining) = (app.clone(), draining.clone());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()?;
        let thread = std::thread::Builder::new()
            .name(format!("worker-{number}"))
            .spawn(move || worker::run(app, number, connections, draining, &runtime))?;
        workers.push(sender);
        threads.push(thread);
    }
    let next = std::sync::Arc::default();
    Ok((Dealer { workers, next }, threads))
}

/// Deals connections to the workers in turn.
#[derive(Clone)]
struct Dealer {
    workers: Vec<mpsc::UnboundedSender<std::net::TcpStream>>,
    next: std::sync::Arc<AtomicUsize>,
}

impl Dealer {
    fn deal(&self, mut stream: std::net::TcpStream) {
        // A worker that has panicked takes nothing any more: the next one does.
        for _ in 0..self.workers.len() {
            let next = self.next.fetch_add(1, Ordering::Relaxed) % self.workers.len();
            match self.workers[next].send(stream) {
                Ok(()) => return,
                Err(back) => stream = back.0,
            }
        }
    }
}

async fn accept(listener: TcpListener, dealer: Dealer) {
    loop {
        let accepted = listener.accept().await.and_then(|(stream, _)| {
            stream.set_nodelay(true)?;
            stream.into_std()
        });
        match accepted {
            Ok(stream) => dealer.deal(stream),
            Err(error) if is_the_clients(&error) => {}
            Err(error) => {
                // Out of file descriptors, mostly: some will come free.
                tracing::warn!("cannot accept a connection: {error}");
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

/// The client was gone again before we took it.
fn is_the_clients(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, InvalidInput, NotConnected};
    matches!(
        error.kind(),
        ConnectionAborted | ConnectionReset | InvalidInput | NotConnected
    )
}
