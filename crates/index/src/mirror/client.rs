//! How a mirror speaks to its upstream: who may be asked, how long, how often.
//!
//! Pages and files have a client each: pages are decompressed on the way in,
//! files never are, since their digests and ranges mean the bytes as stored.

use std::sync::Arc;
use std::time::{Duration, Instant};

use futures_util::StreamExt;
use reqwest::header::{HeaderMap, HeaderValue, RETRY_AFTER};
use reqwest::{Method, Response, StatusCode, redirect};
use url::Url;

use super::config::{Auth, Config, shown};
use super::hosts::{Hosts, Private, Resolver};
use super::trouble::Trouble;
use crate::Stats;

const MOST_REDIRECTS: usize = 10;
/// Waiting longer than this for upstream's `Retry-After` is left to the client.
const LONGEST_RETRY_AFTER: Duration = Duration::from_secs(2);
/// A body that nobody wants is read to its end if it is no longer than this, and here so soon.
const SHORT: usize = 64 * 1024;
const SOON: Duration = Duration::from_millis(250);
const BACK_OFF: [Duration; 4] = [
    Duration::from_millis(150),
    Duration::from_millis(400),
    Duration::from_secs(1),
    Duration::from_secs(2),
];

/// Why upstream was of no use. The texts name no credentials.
#[derive(Debug, Clone)]
pub(crate) enum Failure {
    /// It does not answer, or says that it cannot.
    Down {
        cause: String,
        retry_after: Option<Duration>,
    },
    /// It answers nonsense, or something that may not be followed.
    Wrong { cause: String },
}

impl Failure {
    pub(crate) fn down(cause: impl Into<String>) -> Self {
        Self::Down {
            cause: cause.into(),
            retry_after: None,
        }
    }

    pub(crate) fn wrong(cause: impl Into<String>) -> Self {
        Self::Wrong {
            cause: cause.into(),
        }
    }

    /// Whether asking again soon may help.
    pub(crate) fn is_passing(&self) -> bool {
        match self {
            Self::Down { retry_after, .. } => {
                retry_after.is_none_or(|wait| wait <= LONGEST_RETRY_AFTER)
            }
            Self::Wrong { .. } => false,
        }
    }

    pub(crate) fn cause(&self) -> &str {
        match self {
            Self::Down { cause, .. } | Self::Wrong { cause } => cause,
        }
    }

    /// As the domain's error for `what`.
    pub(crate) fn about(self, index: &str, what: &str) -> crate::Error {
        let (index, what) = (index.to_owned(), what.to_owned());
        match self {
            Self::Down { cause, retry_after } => crate::Error::UpstreamDown {
                index,
                what,
                cause,
                retry_after,
            },
            Self::Wrong { cause } => crate::Error::UpstreamWrong { index, what, cause },
        }
    }
}

/// What is fetched: decides about compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    Page,
    File,
}

/// A connection pool to one upstream, with its manners.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    pages: reqwest::Client,
    files: reqwest::Client,
    hosts: Arc<Hosts>,
    own: Option<Url>,
    auth: Auth,
    stats: Arc<Stats>,
    trouble: Arc<Trouble>,
}

impl Client {
    pub(crate) fn new(
        config: &Config,
        stats: Arc<Stats>,
        trouble: Arc<Trouble>,
    ) -> Result<Self, String> {
        let hosts = Arc::new(Hosts::of(config));
        Ok(Self {
            pages: build(config, &hosts, Purpose::Page)?,
            files: build(config, &hosts, Purpose::File)?,
            hosts,
            own: config.upstream.url().cloned(),
            auth: config.auth.clone(),
            stats,
            trouble,
        })
    }

    /// Whether this mirror may fetch `url`.
    pub(crate) fn check(&self, url: &Url) -> Result<(), Failure> {
        self.hosts.check(url).map_err(Failure::wrong)
    }

    /// Sends one request; a 5xx, a 429 or no answer is a [`Failure`], every other status is the caller's.
    pub(crate) async fn send(
        &self,
        purpose: Purpose,
        method: Method,
        url: &Url,
        headers: HeaderMap,
    ) -> Result<Response, Failure> {
        self.check(url)?;
        let client = match purpose {
            Purpose::Page => &self.pages,
            Purpose::File => &self.files,
        };
        let mut request = client.request(method, bare(url)).headers(headers);
        if let Some(own) = self.own.as_ref().filter(|own| own.origin() == url.origin()) {
            request = self.authorize(request, own);
        }
        self.stats.upstream_requests.add(1);
        let began = Instant::now();
        let outcome = request.send().await;
        self.stats.upstream_answered(began.elapsed());
        let result = outcome.map_err(|error| describe(&error)).and_then(usable);
        if result.is_err() {
            self.stats.upstream_failures.add(1);
        }
        result
    }

    /// As [`Self::send`], again after passing failures while `until` lies ahead.
    pub(crate) async fn send_patiently(
        &self,
        purpose: Purpose,
        url: &Url,
        headers: HeaderMap,
        until: Instant,
    ) -> Result<Response, Failure> {
        self.patiently(until, || {
            self.send(purpose, Method::GET, url, headers.clone())
        })
        .await
    }

    /// Tries again after passing failures while `until` lies ahead.
    pub(crate) async fn patiently<T, F>(
        &self,
        until: Instant,
        mut attempt: impl FnMut() -> F,
    ) -> Result<T, Failure>
    where
        F: Future<Output = Result<T, Failure>>,
    {
        // Who found the trouble has waited already: others ask once, and hear of it at once.
        let is_known = self.trouble.cause(Instant::now()).is_some();
        let mut pauses = BACK_OFF
            .iter()
            .take(if is_known { 0 } else { BACK_OFF.len() });
        loop {
            let failure = match attempt().await {
                Ok(outcome) => return Ok(outcome),
                Err(failure) => failure,
            };
            let Some(pause) = pauses
                .next()
                .map(|pause| Self::pause_before_retry(*pause, &failure))
            else {
                return Err(failure);
            };
            if !failure.is_passing() || Instant::now() + pause >= until {
                return Err(failure);
            }
            self.stats.upstream_retries.add(1);
            tokio::time::sleep(pause).await;
        }
    }

    fn pause_before_retry(pause: Duration, failure: &Failure) -> Duration {
        match failure {
            Failure::Down {
                retry_after: Some(wait),
                ..
            } => pause.max(*wait),
            _ => pause,
        }
    }

    /// Reads a whole body of at most `limit` bytes.
    pub(crate) async fn read(&self, response: Response, limit: usize) -> Result<Vec<u8>, Failure> {
        let mut body =
            Vec::with_capacity(response.content_length().unwrap_or(0).min(limit as u64) as usize);
        let mut chunks = response.bytes_stream();
        while let Some(chunk) = chunks.next().await {
            let chunk = chunk.map_err(|error| describe(&error))?;
            self.stats.upstream_bytes.add(chunk.len() as u64);
            if body.len() + chunk.len() > limit {
                return Err(Failure::wrong(format!(
                    "the answer is longer than {limit} bytes"
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    /// Reads a body that nobody wants, if it is short and here: its connection serves the next
    /// request then, and is closed otherwise.
    pub(crate) async fn discard(&self, response: Response) {
        let reading = self.read(response, SHORT);
        drop(tokio::time::timeout(SOON, reading).await);
    }

    pub(crate) fn stats(&self) -> &Stats {
        &self.stats
    }

    fn authorize(&self, request: reqwest::RequestBuilder, own: &Url) -> reqwest::RequestBuilder {
        match &self.auth {
            Auth::Basic { username, password } => {
                request.basic_auth(username, Some(password.reveal()))
            }
            Auth::Bearer(token) => request.bearer_auth(token.reveal()),
            Auth::None if !own.username().is_empty() => {
                request.basic_auth(own.username(), own.password())
            }
            Auth::None => request,
        }
    }
}

fn build(config: &Config, hosts: &Arc<Hosts>, purpose: Purpose) -> Result<reqwest::Client, String> {
    let checked = hosts.clone();
    let follow = redirect::Policy::custom(move |attempt| {
        if attempt.previous().len() > MOST_REDIRECTS {
            return attempt.error(format!("more than {MOST_REDIRECTS} redirects"));
        }
        match checked.check(attempt.url()) {
            Ok(()) => attempt.follow(),
            Err(why) => attempt.error(format!("a redirect that may not be followed: {why}")),
        }
    });
    let is_page = purpose == Purpose::Page;
    reqwest::Client::builder()
        .user_agent(concat!("pilothouse/", env!("CARGO_PKG_VERSION")))
        .tls_certs_merge(config.authorities.certificates())
        .redirect(follow)
        .dns_resolver(Arc::new(Resolver::new(hosts.clone())))
        .connect_timeout(config.connect_timeout)
        .read_timeout(config.read_timeout)
        .pool_idle_timeout(Duration::from_mins(1))
        .referer(false)
        .gzip(is_page)
        .zstd(is_page)
        .build()
        .map_err(|error| describe(&error).cause().to_owned())
}

/// Credentials go into a header, never into a request line or an error text.
fn bare(url: &Url) -> Url {
    let mut url = url.clone();
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

fn usable(response: Response) -> Result<Response, Failure> {
    let status = response.status();
    if status.is_server_error()
        || status == StatusCode::TOO_MANY_REQUESTS
        || status == StatusCode::REQUEST_TIMEOUT
    {
        return Err(Failure::Down {
            cause: format!("it answered {status}"),
            retry_after: retry_after(response.headers()),
        });
    }
    if matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::PROXY_AUTHENTICATION_REQUIRED
    ) {
        return Err(Failure::wrong(format!(
            "it answered {status} for {}: check this mirror's username, password or token",
            shown(response.url())
        )));
    }
    if status.is_redirection() && status != StatusCode::NOT_MODIFIED {
        return Err(Failure::wrong(format!(
            "it answered {status} with a redirect that may not be followed"
        )));
    }
    Ok(response)
}

fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let seconds = headers
        .get(RETRY_AFTER)?
        .to_str()
        .ok()?
        .trim()
        .parse()
        .ok()?;
    Some(Duration::from_secs(seconds))
}

/// A reqwest error in one line without its URL, which may hold a token.
pub(crate) fn describe(error: &reqwest::Error) -> Failure {
    let mut innermost: &(dyn std::error::Error + 'static) = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let detail = innermost.to_string();
    if error.is_redirect() || innermost.is::<Private>() {
        Failure::wrong(detail)
    } else if error.is_timeout() {
        Failure::down("it was silent for too long")
    } else if detail.starts_with(BAD_CERTIFICATE) {
        distrusted(&detail)
    } else if error.is_connect() {
        Failure::down(format!("no connection ({detail})"))
    } else if error.is_builder() {
        Failure::wrong(format!("its address cannot be used ({detail})"))
    } else {
        Failure::down(format!("the connection broke ({detail})"))
    }
}

/// How rustls begins to say so; its type is nobody's to see here.
const BAD_CERTIFICATE: &str = "invalid peer certificate";

/// Asking again would show the same certificate.
fn distrusted(detail: &str) -> Failure {
    let hint = if detail.contains("UnknownIssuer") {
        ": if an authority of your own vouches for it, name its certificate in `ca-file`"
    } else {
        ""
    };
    Failure::wrong(format!("its host cannot be trusted ({detail}){hint}"))
}

/// A header value from text that we made or checked ourselves.
pub(crate) fn value(text: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(text).ok()
}
