//! A worker: one thread, one single-threaded runtime, its share of the connections.
//!
//! A warm page is answered here and now. Everything else goes through the
//! router in a future of its own; a panic anywhere becomes a 500.

use std::convert::Infallible;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use axum::Router;
use axum::response::IntoResponse;
use futures_util::FutureExt;
use http::header::{ACCEPT, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use http::{HeaderName, HeaderValue, Method, Request, Response, StatusCode, Uri};
use http_body::Body as _;
use hyper::body::Incoming;
use hyper::ext::ReasonPhrase;
use hyper::service::Service;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use pyspec::ProjectName;
use tokio::net::TcpStream;
use tokio::sync::{mpsc, watch};
use tower::ServiceExt;

use crate::address::{Address, with_plain_plus};
use crate::app::App;
use crate::body::Body;
use crate::fault::Fault;
use crate::log::{Line, LogBuffer};
use crate::metrics::Tally;
use crate::origin;
use crate::page;
use crate::routes;
use crate::silence::Heard;
use crate::told::CacheState;

/// The client left before the answer: nginx's number, since no standard has one.
const CLIENT_LEFT: u16 = 499;

/// Without it devpi's client warns, with another value it gives up.
const DEVPI_API_VERSION: HeaderName = HeaderName::from_static("x-devpi-api-version");

/// A request's head may have so many bytes.
const LONGEST_HEAD: usize = 64 * 1024;

struct Worker {
    app: App,
    number: usize,
    router: Router,
    log: LogBuffer,
    http: auto::Builder<TokioExecutor>,
}

/// Runs a worker until `connections` closes and what is under way has ended,
/// or the time to drain is over. Blocks.
pub(crate) fn run(
    app: App,
    number: usize,
    connections: mpsc::UnboundedReceiver<std::net::TcpStream>,
    draining: watch::Receiver<bool>,
    runtime: &tokio::runtime::Runtime,
) {
    let drain = app.config().drain;
    let worker = Arc::new(Worker::new(app, number));
    runtime.block_on(async {
        let writer = worker.clone();
        tokio::spawn(async move { writer.log.keep_handing_on(writer.app.journal()).await });
        let mut all_gone = worker.clone().accept(connections, draining).await;
        // Nothing is ever sent: this waits for the last connection to end.
        if tokio::time::timeout(drain, all_gone.recv()).await.is_err() {
            tracing::warn!("some answers took longer than the time to drain and were cut");
        }
    });
    worker.log.hand_on(worker.app.journal());
}

impl Worker {
    fn new(app: App, number: usize) -> Self {
        let mut http = auto::Builder::new(TokioExecutor::new());
        // Never `pipeline_flush(true)`: it makes hyper copy whole bodies.
        http.http1()
            .timer(TokioTimer::new())
            .header_read_timeout(app.config().head_timeout)
            .max_buf_size(LONGEST_HEAD);
        http.http2()
            .timer(TokioTimer::new())
            .keep_alive_interval(app.config().head_timeout)
            .max_header_list_size(LONGEST_HEAD as u32)
            .max_concurrent_streams(256);
        Self {
            router: routes::router(app.clone()),
            log: LogBuffer::default(),
            app,
            number,
            http,
        }
    }

    /// Takes connections until there are no more to come. The receiver ends
    /// when the last one taken has ended.
    async fn accept(
        self: Arc<Self>,
        mut connections: mpsc::UnboundedReceiver<std::net::TcpStream>,
        draining: watch::Receiver<bool>,
    ) -> mpsc::Receiver<()> {
        let (alive, all_gone) = mpsc::channel(1);
        while let Some(stream) = connections.recv().await {
            match TcpStream::from_std(stream) {
                Ok(stream) => {
                    let serving = self.clone().serve(stream, draining.clone());
                    let alive = alive.clone();
                    tokio::spawn(async move {
                        serving.await;
                        drop(alive);
                    });
                }
                Err(error) => tracing::warn!("cannot take a connection: {error}"),
            }
        }
        all_gone
    }

    async fn serve(self: Arc<Self>, stream: TcpStream, mut draining: watch::Receiver<bool>) {
        let _open = self.tally().connections.hold();
        let spoken = Arc::new(AtomicBool::new(false));
        let service = Speaker {
            worker: self.clone(),
            spoken: spoken.clone(),
            draining: draining.clone(),
        };
        let mut connection = pin!(self.http.serve_connection(TokioIo::new(stream), service));
        let mut told_to_end = pin!(async { draining.wait_for(|draining| *draining).await.is_ok() });
        // hyper's own timeout begins only once it knows the version of HTTP.
        let mut first_request = pin!(tokio::time::sleep(self.app.config().head_timeout));
        let mut waiting = true;
        let ended = loop {
            tokio::select! {
                // A request that is here already is heard before the end is.
                biased;
                ended = connection.as_mut() => break ended,
                () = first_request.as_mut(), if waiting => {
                    if !spoken.load(Ordering::Relaxed) {
                        return;
                    }
                    waiting = false;
                }
                _ = told_to_end.as_mut() => {
                    if !spoken.load(Ordering::Relaxed) {
                        return;
                    }
                    connection.as_mut().graceful_shutdown();
                    break connection.await;
                }
            }
        };
        if let Err(error) = ended {
            tracing::debug!("connection ended: {error}");
        }
    }

    fn tally(&self) -> &Tally {
        &self.app.tallies()[self.number]
    }

    fn warm(&self, request: &Request<Incoming>, began: Instant) -> Option<Response<Body>> {
        let address = Address::parse(request.uri().path());
        let (response, cache) = page::warm(&self.app, address, request, began)?;
        self.tally().count_warm(cache);
        let head = request.method() == Method::HEAD;
        let bytes = if head {
            0
        } else {
            response.body().size_hint().lower()
        };
        let seen = Seen {
            method: request.method(),
            uri: request.uri(),
            client: request.headers().get(USER_AGENT),
        };
        let answered = Answered {
            status: response.status().as_u16(),
            bytes: Some(bytes),
            cache,
            project: None,
        };
        self.note(&seen, &answered, began.elapsed());
        Some(response)
    }

    async fn route(self: Arc<Self>, mut request: Request<Heard>, began: Instant) -> Response<Body> {
        if let Some(plain) = with_plain_plus(request.uri()) {
            *request.uri_mut() = plain;
        }
        let for_devpi = request
            .headers()
            .get(ACCEPT)
            .is_some_and(|accept| accept == "application/json");
        let mut leaving = Leaving {
            worker: self.clone(),
            method: request.method().clone(),
            uri: request.uri().clone(),
            client: request.headers().get(USER_AGENT).cloned(),
            began,
            answered: false,
        };
        let mut response = self.answer(request).await;
        if response.status() == StatusCode::NOT_MODIFIED {
            // The router announces the length of the empty body, which would
            // be taken for the length of what the client has.
            response.headers_mut().remove(CONTENT_LENGTH);
        }
        if let Some(fault) = response.extensions_mut().remove::<Fault>() {
            fault.report(leaving.uri.path());
            if for_devpi {
                // Its client shows a message only of exactly this type.
                let json = HeaderValue::from_static("application/json");
                response.headers_mut().insert(CONTENT_TYPE, json);
                // It would print the sentence twice.
                response.extensions_mut().remove::<ReasonPhrase>();
            }
        }
        let version = HeaderValue::from_static("2");
        response.headers_mut().insert(DEVPI_API_VERSION, version);
        let answered = Answered {
            status: response.status().as_u16(),
            bytes: announced(&response, &leaving.method),
            cache: response
                .extensions()
                .get()
                .copied()
                .unwrap_or(CacheState::None),
            project: response.extensions_mut().remove::<ProjectName>(),
        };
        leaving.answered = true;
        self.note(&leaving.seen(), &answered, began.elapsed());
        response.map(Body::Routed)
    }

    async fn answer(&self, request: Request<Heard>) -> Response<axum::body::Body> {
        if let Err(fault) = origin::check(&self.app, &request) {
            return fault.into_response();
        }
        let routed = self
            .router
            .clone()
            .oneshot(request.map(axum::body::Body::new));
        match AssertUnwindSafe(routed).catch_unwind().await {
            Ok(Ok(response)) => response,
            Ok(Err(never)) => match never {},
            Err(_) => Fault::broken().into_response(),
        }
    }

    /// Counts and logs one request.
    fn note(&self, seen: &Seen<'_>, answered: &Answered, took: Duration) {
        let address = Address::parse(seen.uri.path());
        let bytes = answered.bytes.unwrap_or_default();
        self.tally()
            .count(address.route, answered.status, answered.cache, bytes, took);
        let about_index = address.index.unwrap_or_else(|| {
            use crate::told::Route::{File, Listing, Metadata, Page, Provenance};
            match address.route {
                Page | Listing | File | Metadata | Provenance => self.app.default_index(),
                _ => "",
            }
        });
        let line = Line {
            method: seen.method.as_str(),
            path: seen.uri.path(),
            route: address.route,
            status: answered.status,
            bytes: answered.bytes,
            took,
            cache: answered.cache,
            index: about_index,
            project: answered
                .project
                .as_ref()
                .map(ProjectName::as_str)
                .or(address.project)
                .unwrap_or_default(),
            client: client(seen.client),
        };
        self.log.add(self.app.journal(), &line);
    }
}

/// The body's bytes as the client is told them.
fn announced(response: &Response<axum::body::Body>, method: &Method) -> Option<u64> {
    if method == Method::HEAD {
        return Some(0);
    }
    response.body().size_hint().exact()
}

/// `pip/26.3` of `pip/26.3 {"ci":null,…}`.
fn client(header: Option<&HeaderValue>) -> &str {
    let text = header
        .and_then(|value| value.to_str().ok())
        .unwrap_or_default();
    let word = text.split([' ', '{']).next().unwrap_or_default();
    word.get(..64).unwrap_or(word)
}

/// What of a request is noted.
struct Seen<'a> {
    method: &'a Method,
    uri: &'a Uri,
    client: Option<&'a HeaderValue>,
}

/// What of an answer is noted.
struct Answered {
    status: u16,
    bytes: Option<u64>,
    cache: CacheState,
    project: Option<ProjectName>,
}

/// Notes a request even if the client leaves before its answer.
struct Leaving {
    worker: Arc<Worker>,
    method: Method,
    uri: Uri,
    client: Option<HeaderValue>,
    began: Instant,
    answered: bool,
}

impl Leaving {
    fn seen(&self) -> Seen<'_> {
        Seen {
            method: &self.method,
            uri: &self.uri,
            client: self.client.as_ref(),
        }
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        if self.answered {
            return;
        }
        let left = Answered {
            status: CLIENT_LEFT,
            bytes: Some(0),
            cache: CacheState::None,
            project: None,
        };
        self.worker.note(&self.seen(), &left, self.began.elapsed());
    }
}

/// The worker as hyper sees it.
struct Speaker {
    worker: Arc<Worker>,
    /// Whether this connection has brought a request yet.
    spoken: Arc<AtomicBool>,
    draining: watch::Receiver<bool>,
}

impl Service<Request<Incoming>> for Speaker {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Answering;

    fn call(&self, request: Request<Incoming>) -> Answering {
        let began = Instant::now();
        self.spoken.store(true, Ordering::Relaxed);
        // A panic in here would take the connection along; the router's way is guarded.
        let warm = catch_unwind(AssertUnwindSafe(|| self.worker.warm(&request, began)));
        if let Ok(Some(response)) = warm {
            return Answering::Now(Some(response));
        }
        let patience = self.worker.app.config().body_timeout;
        let request = request.map(|body| Heard::new(body, patience, self.draining.clone()));
        Answering::Soon(Box::pin(self.worker.clone().route(request, began)))
    }
}

/// An answer, there already or on its way.
enum Answering {
    Now(Option<Response<Body>>),
    Soon(Pin<Box<dyn Future<Output = Response<Body>> + Send>>),
}

impl Future for Answering {
    type Output = Result<Response<Body>, Infallible>;

    fn poll(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Self::Output> {
        match self.get_mut() {
            Self::Now(response) => Poll::Ready(Ok(response
                .take()
                .expect("a future is polled to its end once"))),
            Self::Soon(response) => response.as_mut().poll(cx).map(Ok),
        }
    }
}
