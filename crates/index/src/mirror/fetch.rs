//! Asking upstream for a page: conditional, bounded, and typed.

use std::time::{Duration, Instant};

use reqwest::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_TYPE, ETAG, HeaderMap, HeaderValue, IF_MODIFIED_SINCE,
    IF_NONE_MATCH, LAST_MODIFIED,
};
use reqwest::{Method, Response, StatusCode};
use url::Url;

use super::Shared;
use super::client::{Failure, Purpose, value};

/// Until upstream's response head, retries included. Shorter than pip's patience
/// of 15 s, so that our own answer is the one that is heard.
const HEAD_DEADLINE: Duration = Duration::from_secs(12);
/// For the body of a page on a slow line; silence is cut off much earlier.
pub(crate) const BODY_DEADLINE: Duration = Duration::from_mins(2);
/// The largest project page known is 7 MB, the largest listing 40 MB.
const LARGEST_PAGE: usize = 256 * 1024 * 1024;

const ANY_PAGE: &str = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01";

/// What upstream gives us to recognise a page by.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Validators {
    pub(crate) etag: Option<String>,
    pub(crate) last_modified: Option<String>,
}

impl Validators {
    fn of(headers: &HeaderMap) -> Self {
        let text = |name| {
            headers
                .get(name)
                .and_then(|v: &HeaderValue| v.to_str().ok())
                .map(str::to_owned)
        };
        Self {
            etag: text(ETAG),
            last_modified: text(LAST_MODIFIED),
        }
    }
}

/// How a page is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Language {
    Json,
    Html,
}

/// Upstream's answer about a page.
pub(crate) enum Fetched {
    /// The page we have still holds.
    Unchanged { cache_control: Option<String> },
    /// Upstream has no such page.
    Missing,
    /// A page.
    Page(Page),
}

/// A page as upstream sent it.
pub(crate) struct Page {
    pub(crate) body: Vec<u8>,
    pub(crate) language: Language,
    /// Where it really came from: relative links start here.
    pub(crate) url: Url,
    pub(crate) validators: Validators,
    pub(crate) cache_control: Option<String>,
    pub(crate) last_serial: Option<u64>,
}

/// Asks upstream for the page at `url`, unless it is still the one with these validators.
pub(crate) async fn page(
    shared: &Shared,
    url: &Url,
    known: Option<&Validators>,
) -> Result<Fetched, Failure> {
    let outcome = fetch(shared, url, known).await;
    note_trouble(shared, outcome.as_ref().err());
    outcome
}

async fn fetch(shared: &Shared, url: &Url, known: Option<&Validators>) -> Result<Fetched, Failure> {
    let began = Instant::now();
    let until = began + HEAD_DEADLINE / 2;
    let attempt = || attempt(shared, url, known, began);
    shared.client.patiently(until, attempt).await
}

/// One request, with its whole body: a page that breaks off is as passing as a refused connection.
async fn attempt(
    shared: &Shared,
    url: &Url,
    known: Option<&Validators>,
    began: Instant,
) -> Result<Fetched, Failure> {
    let asking = shared
        .client
        .send(Purpose::Page, Method::GET, url, conditional(known));
    let response = within(HEAD_DEADLINE.saturating_sub(began.elapsed()), asking).await?;
    let status = response.status();
    let cache_control = header(&response, CACHE_CONTROL.as_str());
    if status == StatusCode::NOT_MODIFIED && known.is_some() {
        return Ok(Fetched::Unchanged { cache_control });
    }
    if shared.config.missing.contains(&status.as_u16()) {
        shared.client.discard(response).await;
        return Ok(Fetched::Missing);
    }
    if status != StatusCode::OK {
        return Err(Failure::wrong(format!(
            "it answered {status}; if that is how this index says \"no such project\", add {} to `missing` of this mirror",
            status.as_u16()
        )));
    }
    let page = Page {
        language: language(&response)?,
        url: response.url().clone(),
        validators: Validators::of(response.headers()),
        cache_control,
        last_serial: header(&response, "x-pypi-last-serial").and_then(|serial| serial.parse().ok()),
        body: within(BODY_DEADLINE, shared.client.read(response, LARGEST_PAGE)).await?,
    };
    Ok(Fetched::Page(page))
}

pub(crate) async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, Failure>>,
) -> Result<T, Failure> {
    tokio::time::timeout(limit, work).await.unwrap_or_else(|_| {
        Err(Failure::Down {
            cause: format!("no complete answer within {} s", limit.as_secs()),
            retry_after: None,
        })
    })
}

fn conditional(known: Option<&Validators>) -> HeaderMap {
    let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static(ANY_PAGE))]);
    let Some(known) = known else { return headers };
    if let Some(etag) = known.etag.as_deref().and_then(value) {
        headers.insert(IF_NONE_MATCH, etag);
    } else if let Some(date) = known.last_modified.as_deref().and_then(value) {
        headers.insert(IF_MODIFIED_SINCE, date);
    }
    headers
}

fn language(response: &Response) -> Result<Language, Failure> {
    let full = header(response, CONTENT_TYPE.as_str()).unwrap_or_default();
    let essence = full
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase();
    match essence.as_str() {
        "application/vnd.pypi.simple.v1+json" => Ok(Language::Json),
        "application/vnd.pypi.simple.v1+html" | "text/html" | "application/xhtml+xml" => {
            Ok(Language::Html)
        }
        "" => Err(Failure::wrong("its page has no Content-Type")),
        other => Err(Failure::wrong(format!(
            "its page has the type `{other}`, which is none of the Simple API's"
        ))),
    }
}

fn header(response: &Response, name: &str) -> Option<String> {
    response
        .headers()
        .get(name)?
        .to_str()
        .ok()
        .map(str::to_owned)
}

/// Keeps the mirror's trouble up to date; a spell is logged when it begins and when it ends.
pub(crate) fn note_trouble(shared: &Shared, failure: Option<&Failure>) {
    match failure {
        Some(Failure::Down { cause, .. }) => {
            if shared.trouble.began(Instant::now(), cause) {
                tracing::warn!(index = %shared.name, "upstream {} is in trouble: {cause}", shared.config.upstream);
            }
        }
        Some(Failure::Wrong { .. }) => {}
        None => {
            if shared.trouble.ended() {
                tracing::info!(index = %shared.name, "upstream {} answers again", shared.config.upstream);
            }
        }
    }
}
