//! The root listing, which may name a million projects: written in chunks, from
//! the shared names, while it is sent. How long it is nobody knows before its end,
//! so there are no parts of it to ask for.

use axum::extract::{Request, State};
use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_TYPE, ETAG, VARY, WARNING};
use http::{HeaderValue, Response, StatusCode};
use index::{Cache, Listing};
use pyspec::negotiate::Format;
use pyspec::render;

use crate::app::App;
use crate::at::At;
use crate::body::Body;
use crate::conditional::not_modified;
use crate::fault::Fault;
use crate::page::{CACHE, format, told};
use crate::routes::{moved, no_such};
use crate::shelf::warning;
use crate::told::CacheState;

/// How much is written at once.
const CHUNK: usize = 64 * 1024;

/// Longer than any entry with its markup, so that a chunk never grows.
const ENTRY: usize = 1024;

/// `/simple` and its like.
pub(crate) async fn without_slash(at: At, request: Request) -> Response<Body> {
    let last = if request.uri().path().ends_with("+simple") {
        "+simple/"
    } else {
        "simple/"
    };
    drop(at);
    moved(last, request.uri().query())
}

/// `/simple/` and its like.
pub(crate) async fn names(
    State(app): State<App>,
    at: At,
    request: Request,
) -> Result<Response<Body>, Fault> {
    // A token for one project is no key to the names of all others.
    if at.only.is_some() {
        return Err(no_such(at.name.as_str()));
    }
    let format = format(request.headers(), request.uri().query())?;
    let source = at.source.clone();
    let listing = app.domain(async move { source.projects().await }).await?;
    let etag = format!("\"{}-{}\"", listing.digest, letter(format));
    let fresh = not_modified(request.headers(), &etag, None);
    let mut response = if fresh {
        let mut response = Response::new(Body::empty());
        *response.status_mut() = StatusCode::NOT_MODIFIED;
        response
    } else {
        let mut response = Response::new(Body::Names(Names::new(&listing.names, format)));
        let media = HeaderValue::from_static(format.content_type());
        response.headers_mut().insert(CONTENT_TYPE, media);
        response
            .headers_mut()
            .insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
        response
    };
    let headers = response.headers_mut();
    headers.insert(VARY, HeaderValue::from_static("Accept"));
    headers.insert(CACHE_CONTROL, at.page_cache_control(&app));
    if let Ok(etag) = HeaderValue::try_from(etag) {
        headers.insert(ETAG, etag);
    }
    let state = state(headers, &listing);
    Ok(told(response, state))
}

fn state(headers: &mut http::HeaderMap, listing: &Listing) -> CacheState {
    let state = CacheState::from(&listing.cache);
    headers.insert(CACHE, HeaderValue::from_static(state.name()));
    if let Cache::Stale { why } = &listing.cache {
        headers.insert(WARNING, warning(why));
    }
    state
}

fn letter(format: Format) -> char {
    match format {
        Format::Json => 'j',
        Format::Html => 'h',
        Format::LegacyHtml => 't',
    }
}

/// The root listing on its way out.
pub(crate) struct Names {
    walk: index::Walk,
    json: bool,
    stage: Stage,
}

#[derive(PartialEq)]
enum Stage {
    Head,
    First,
    Others,
    Done,
}

impl Names {
    fn new(all: &index::Names, format: Format) -> Self {
        Self {
            walk: all.walk(),
            json: format == Format::Json,
            stage: Stage::Head,
        }
    }

    /// The next chunk.
    pub(crate) fn next(&mut self) -> Option<Bytes> {
        if self.stage == Stage::Done {
            return None;
        }
        let mut chunk = Vec::with_capacity(CHUNK);
        if self.stage == Stage::Head {
            chunk.extend_from_slice(if self.json {
                render::root_json_head()
            } else {
                render::root_html_head()
            });
            self.stage = Stage::First;
        }
        while chunk.len() + ENTRY < CHUNK {
            let Some(name) = self.walk.step() else {
                chunk.extend_from_slice(if self.json {
                    render::root_json_tail()
                } else {
                    render::root_html_tail()
                });
                self.stage = Stage::Done;
                break;
            };
            let first = self.stage == Stage::First;
            if self.json {
                render::root_json_entry(&mut chunk, name, first);
            } else {
                render::root_html_entry(&mut chunk, name, first);
            }
            self.stage = Stage::Others;
        }
        Some(chunk.into())
    }
}
