//! A scripted upstream on loopback: it plays PyPI, or an index with every
//! fault that one can have.
//!
//! It is a small HTTP/1.1 server over plain sockets, one thread a connection,
//! because half of what it must do (cut a body, reset a connection, send one
//! byte a second) is what an HTTP library exists to prevent.

mod answer;
mod fault;
mod log;
mod page;
mod project;
mod settings;
mod tls;
mod wire;

use std::collections::BTreeMap;
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, Weak};
use std::thread::JoinHandle;

pub use fault::{Fault, Match};
pub use log::{Count, Request};
pub use project::Project;
pub use settings::{Auth, HashKind, Pages, Settings};
pub use tls::authority;

use project::Stocked;

use crate::content::Content;

/// A running upstream. Dropping it stops it.
#[derive(Debug)]
pub struct Upstream {
    address: SocketAddr,
    speech: Speech,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

/// What it speaks.
#[derive(Debug, Clone, Copy)]
enum Speech {
    /// HTTP/1.1.
    Plain,
    /// HTTP/2 over TLS.
    Tls,
}

#[derive(Debug, Default)]
struct Shared {
    stopping: AtomicBool,
    connections: Mutex<Vec<Weak<TcpStream>>>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    /// `http://host:port`, as pages write it.
    origin: String,
    settings: Settings,
    projects: BTreeMap<String, Stocked>,
    faults: Vec<(Match, Fault)>,
    log: Vec<Request>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state
            .lock()
            .expect("no thread of the upstream panics while it holds the state")
    }

    fn connections(&self) -> MutexGuard<'_, Vec<Weak<TcpStream>>> {
        self.connections
            .lock()
            .expect("no thread of the upstream panics while it holds the connections")
    }

    /// Keeps a connection in mind, and gives its number.
    fn note_connection(&self, connection: &Arc<TcpStream>) -> usize {
        let mut connections = self.connections();
        // Weak, so that the thread of the connection alone decides when it closes.
        connections.push(Arc::downgrade(connection));
        connections.len() - 1
    }
}

impl Upstream {
    /// Starts on a free port of loopback, with these projects.
    pub fn start(projects: impl IntoIterator<Item = Project>) -> Self {
        Self::start_speaking(Speech::Plain, projects)
    }

    /// The same behind TLS: it speaks HTTP/2 to whoever trusts the [`authority`].
    pub fn start_tls(projects: impl IntoIterator<Item = Project>) -> Self {
        Self::start_speaking(Speech::Tls, projects)
    }

    fn start_speaking(speech: Speech, projects: impl IntoIterator<Item = Project>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("a listener has an address");
        let shared = Arc::new(Shared::default());
        let mut upstream = Self {
            address,
            speech,
            shared,
            acceptor: None,
        };
        upstream.shared.state().origin = upstream.origin();
        for project in projects {
            upstream.put(project);
        }
        upstream.accept(listener);
        upstream
    }

    /// `http://127.0.0.1:{port}` or the same of `https`, without a slash at the end.
    pub fn origin(&self) -> String {
        match self.speech {
            Speech::Plain => format!("http://{}", self.address),
            Speech::Tls => format!("https://{}", self.address),
        }
    }

    /// The Simple API, with a slash at the end.
    pub fn simple(&self) -> String {
        format!("{}/simple/", self.origin())
    }

    /// One flat page with every file, for `find-links`.
    pub fn find_links(&self) -> String {
        format!("{}/links/", self.origin())
    }

    /// The port, for addresses under another name of this host.
    pub fn port(&self) -> u16 {
        self.address.port()
    }

    /// Adds a project, or replaces the one of the same name.
    pub fn put(&self, project: Project) {
        let stocked = project.stock();
        self.shared
            .state()
            .projects
            .insert(stocked.normal.clone(), stocked);
    }

    /// Takes a project away.
    pub fn remove(&self, name: &str) {
        self.shared.state().projects.remove(&project::normal(name));
    }

    /// Changes what sort of index this is.
    pub fn change(&self, change: impl FnOnce(&mut Settings)) {
        change(&mut self.shared.state().settings);
    }

    /// Lets matching requests go wrong. The latest fault that matches wins.
    pub fn fault(&self, on: impl Into<Match>, fault: Fault) {
        self.shared.state().faults.push((on.into(), fault));
    }

    /// Takes all faults away.
    pub fn heal(&self) {
        self.shared.state().faults.clear();
    }

    /// The path of a file, as the log and [`Match`] know it.
    pub fn path_of(&self, filename: &str) -> String {
        self.with_file(filename, |built| built.path.clone())
    }

    /// The bytes of a file.
    pub fn content_of(&self, filename: &str) -> Content {
        self.with_file(filename, |built| built.content.clone().into())
    }

    fn with_file<T>(&self, filename: &str, read: impl Fn(&crate::dist::Built) -> T) -> T {
        self.shared
            .state()
            .projects
            .values()
            .flat_map(|project| &project.files)
            .find(|(_, built)| built.filename == filename)
            .map_or_else(
                || panic!("the upstream has no file `{filename}`"),
                |(_, built)| read(built),
            )
    }

    /// Every request so far, in the order in which they came.
    pub fn requests(&self) -> Vec<Request> {
        self.shared.state().log.clone()
    }

    /// Sums over the requests whose path matches.
    pub fn count(&self, on: impl Into<Match>) -> Count {
        let on = on.into();
        Count::over(
            self.shared
                .state()
                .log
                .iter()
                .filter(|request| on.holds(&request.path)),
        )
    }

    /// Forgets the requests so far.
    pub fn forget_requests(&self) {
        self.shared.state().log.clear();
    }

    /// Waits until the requests so far satisfy the test. Panics after 20 s.
    pub fn wait_for(&self, what: &str, mut test: impl FnMut(&[Request]) -> bool) {
        crate::wait::wait_until(&format!("the upstream to see {what}"), || {
            test(&self.shared.state().log)
        });
    }

    /// Stops listening and cuts every connection.
    pub fn stop(&mut self) {
        let Some(acceptor) = self.acceptor.take() else {
            return;
        };
        self.shared.stopping.store(true, Ordering::SeqCst);
        // The acceptor sits in accept(); one last connection lets it see the flag.
        drop(TcpStream::connect(self.address));
        acceptor.join().expect("the acceptor ends by itself");
        for connection in self.shared.connections().iter() {
            if let Some(connection) = connection.upgrade() {
                // Already closed by the peer is as good.
                drop(connection.shutdown(Shutdown::Both));
            }
        }
    }

    /// Listens again on the same port, with the same projects and faults.
    pub fn start_again(&mut self) {
        assert!(self.acceptor.is_none(), "the upstream still runs");
        let listener = TcpListener::bind(self.address)
            .unwrap_or_else(|error| panic!("{} was taken meanwhile: {error}", self.address));
        self.accept(listener);
    }

    fn accept(&mut self, listener: TcpListener) {
        self.shared.stopping.store(false, Ordering::SeqCst);
        let (shared, speech) = (Arc::clone(&self.shared), self.speech);
        self.acceptor = Some(std::thread::spawn(move || {
            for connection in listener.incoming() {
                if shared.stopping.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(connection) = connection else { continue };
                let connection = Arc::new(connection);
                let number = shared.note_connection(&connection);
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || match speech {
                    Speech::Plain => answer::serve(&shared, &connection, number),
                    Speech::Tls => tls::serve(&shared, &connection, number),
                });
            }
        }));
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stop();
    }
}
