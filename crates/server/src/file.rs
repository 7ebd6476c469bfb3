//! Files and what stands beside them: whole, in part, or not at all because the
//! client has them.
//!
//! Files are sent as they are, never under a `Content-Encoding`: pip hashes what
//! it receives.

use std::sync::Arc;

use axum::extract::{Request, State};
use bytes::Bytes;
use http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, ETAG, LAST_MODIFIED, LOCATION,
    WARNING,
};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use index::{Cache, Growing, Open, Part, Source};
use pyspec::ProjectName;
use store::Blob;
use url::Url;

use crate::app::App;
use crate::at::At;
use crate::body::{Body, Following, Stored};
use crate::conditional::not_modified;
use crate::fault::Fault;
use crate::page::{CACHE, told};
use crate::range::{Wanted, mark, unsatisfiable, wanted};
use crate::shelf::warning;
use crate::told::CacheState;

/// Files up to this are read, not mapped: a mapping costs more than the copy.
const SMALL: u64 = 64 * 1024;

/// What a file's bytes are taken from.
enum Content {
    Small(Bytes),
    Stored(Blob),
    Growing(Arc<Growing>),
    /// Only asked about: so many bytes, if that is known.
    Unopened(Option<u64>),
}

/// What came of looking for a file.
enum Found {
    Here(Open, Content),
    /// Whoever asks gets it there.
    Elsewhere(Url),
}

/// `/+f/{tail}` and its like.
pub(crate) async fn open(
    State(app): State<App>,
    at: At,
    request: Request,
) -> Result<Response<Body>, Fault> {
    let (head, _) = request.into_parts();
    let (path, part) = part(at.tail());
    if let Some(only) = at.only.clone()
        && !app
            .domain(is_of(at.source.clone(), only, path.to_owned()))
            .await?
    {
        return Err(missing(&at, path));
    }
    let found = app
        .domain(find(
            at.source.clone(),
            path.to_owned(),
            part,
            head.method == Method::HEAD,
        ))
        .await?;
    let (open, content) = match found.ok_or_else(|| missing(&at, path))? {
        Found::Here(open, content) => (open, content),
        Found::Elsewhere(url) => return Ok(elsewhere(&url)),
    };
    let state = CacheState::from(&open.cache);
    let common = common(&open, state, at.file_cache_control());
    let mut response = if not_modified(&head.headers, &open.etag, open.last_modified) {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        send(&app, &open, content, &head).await?
    };
    response.headers_mut().extend(common);
    if let Some((project, _)) = open.filename.project_and_version() {
        response.extensions_mut().insert(project);
    }
    Ok(told(response, state))
}

/// A redirect for the moment: tomorrow upstream may have the file at another address, or we may
/// have it here.
fn elsewhere(url: &Url) -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::FOUND;
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_str(url.as_str()) {
        headers.insert(LOCATION, location);
    }
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    response
}

/// Whether a file is of the one project that the caller may see.
async fn is_of(
    source: Arc<dyn Source>,
    only: ProjectName,
    path: String,
) -> Result<bool, index::Error> {
    if let Some(project) = source.project_at(&path).await? {
        return Ok(project == only);
    }
    let answer = source.project(&only).await?;
    Ok(answer.is_some_and(|answer| answer.project.file_at(&path).is_some()))
}

fn missing(at: &At, path: &str) -> Fault {
    Fault::from(index::Error::NoSuchFile {
        index: at.name.to_string(),
        file: path.rsplit('/').next().unwrap_or(path).to_owned(),
    })
}

/// Takes the suffix of what stands beside a file off its path.
fn part(tail: &str) -> (&str, Part) {
    if let Some(file) = tail.strip_suffix(".metadata") {
        (file, Part::Metadata)
    } else if let Some(file) = tail.strip_suffix(".provenance") {
        (file, Part::Provenance)
    } else {
        (tail, Part::File)
    }
}

/// Opens a file, and reads it at once where it is small. Runs on the main runtime.
async fn find(
    source: Arc<dyn Source>,
    path: String,
    part: Part,
    is_head: bool,
) -> Result<Option<Found>, index::Error> {
    let found = if is_head {
        source.head(&path, part).await?
    } else {
        source.open(&path, part).await?
    };
    let Some(open) = found else {
        return Ok(None);
    };
    let content = match &open.body {
        index::Body::Growing(growing) => Content::Growing(growing.clone()),
        index::Body::Unopened => Content::Unopened(open.len),
        index::Body::Elsewhere(url) => return Ok(Some(Found::Elsewhere(url.clone()))),
        index::Body::Stored(blob) if blob.len() > SMALL => Content::Stored(blob.clone()),
        index::Body::Stored(blob) => Content::Small(read(blob.clone()).await?),
    };
    Ok(Some(Found::Here(open, content)))
}

async fn read(blob: Blob) -> Result<Bytes, index::Error> {
    let len = blob.len() as usize;
    if len > 0 && !blob.resident(0, len) {
        let cold = blob.clone();
        // A failure here shows again, with its reason, when the bytes are read.
        let _ = tokio::task::spawn_blocking(move || cold.populate(0, len)).await;
    }
    let mut bytes = vec![0; len];
    let mut filled = 0;
    while filled < len {
        match blob.read_at(filled as u64, &mut bytes[filled..])? {
            0 => break,
            more => filled += more,
        }
    }
    bytes.truncate(filled);
    Ok(bytes.into())
}

/// The headers of every good answer, 304 included.
fn common(open: &Open, state: CacheState, cache_control: HeaderValue) -> HeaderMap {
    let mut headers = HeaderMap::with_capacity(12);
    if let Ok(etag) = HeaderValue::from_str(&open.etag) {
        headers.insert(ETAG, etag);
    }
    if let Some(date) = open.last_modified.and_then(|at| http_date(at).ok()) {
        headers.insert(LAST_MODIFIED, date);
    }
    headers.insert(CACHE_CONTROL, cache_control);
    headers.insert(CACHE, HeaderValue::from_static(state.name()));
    if let Cache::Stale { why } = &open.cache {
        headers.insert(WARNING, warning(why));
    }
    headers
}

fn http_date(at: jiff::Timestamp) -> Result<HeaderValue, http::header::InvalidHeaderValue> {
    HeaderValue::try_from(httpdate::fmt_http_date(at.into()))
}

/// The whole file or a part of it.
async fn send(
    app: &App,
    open: &Open,
    content: Content,
    head: &Parts,
) -> Result<Response<Body>, Fault> {
    let len = match &content {
        Content::Small(bytes) => Some(bytes.len() as u64),
        Content::Stored(blob) => Some(blob.len()),
        Content::Growing(growing) => known_len(open, growing).await?,
        Content::Unopened(len) => *len,
    };
    // Ranges are defined for GET alone, and need a length to be cut from.
    let wanted = match len {
        Some(len) if head.method == Method::GET => {
            wanted(&head.headers, len, &open.etag, open.last_modified)
        }
        _ => Wanted::Whole,
    };
    let (start, end) = match wanted {
        Wanted::Whole => (0, len),
        Wanted::Part { start, end } => (start, Some(end)),
        Wanted::Unsatisfiable => {
            let what = format!("`{}`", open.filename);
            return Err(unsatisfiable(&what, len.unwrap_or_default()));
        }
    };
    let is_here = matches!(content, Content::Small(_) | Content::Stored(_));
    if let Some(end) = end.filter(|_| is_here && head.method == Method::GET) {
        app.stats().bytes_saved.add(end - start);
    }
    let body = body(app, content, (start, end), head).await?;
    let mut response = Response::new(body);
    let headers = response.headers_mut();
    headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(open.content_type));
    if let Some(end) = end {
        headers.insert(CONTENT_LENGTH, HeaderValue::from(end - start));
    }
    if let (Wanted::Part { start, end }, Some(len)) = (wanted, len) {
        mark(&mut response, (start, end), len);
    }
    Ok(response)
}

/// An arriving file's length; where upstream has not said it yet, its first
/// byte is waited for.
async fn known_len(open: &Open, growing: &Growing) -> Result<Option<u64>, Fault> {
    if let Some(len) = growing.len().or(open.len) {
        return Ok(Some(len));
    }
    growing.wait(0).await.map_err(failed)?;
    Ok(growing.len())
}

async fn body(
    app: &App,
    content: Content,
    (start, end): (u64, Option<u64>),
    head: &Parts,
) -> Result<Body, Fault> {
    let path = || Arc::from(head.uri.path());
    Ok(match (content, end) {
        (Content::Small(bytes), Some(end)) => Body::full(bytes.slice(start as usize..end as usize)),
        (Content::Stored(blob), Some(end)) => {
            Body::Stored(Stored::new(blob, (start, end), path(), app.main().clone()))
        }
        (Content::Growing(growing), end) if head.method == Method::HEAD => {
            Body::Following(Following::new(growing, (start, end), 0, path()))
        }
        (Content::Growing(growing), end) => {
            // As long as no byte was sent, a failure can still be said in words.
            let readable = growing.wait(start).await.map_err(failed)?;
            Body::Following(Following::new(growing, (start, end), readable, path()))
        }
        // A stored file's length is always known; a HEAD has no body anyway.
        (Content::Unopened(_), _) | (Content::Small(_) | Content::Stored(_), None) => Body::empty(),
    })
}

fn failed(error: Arc<index::Error>) -> Fault {
    Fault::from(Arc::unwrap_or_clone(error))
}
