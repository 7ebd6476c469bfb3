//! Project pages: the warm answer without a hop, and the way through the source.

use std::sync::Arc;
use std::time::Instant;

use axum::extract::{Request, State};
use http::header::{
    ACCEPT, ACCEPT_ENCODING, ACCEPT_RANGES, CACHE_CONTROL, CONTENT_ENCODING, CONTENT_LENGTH,
    CONTENT_TYPE, WARNING,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use index::Answer;
use pyspec::ProjectName;
use pyspec::negotiate::{self, Encoding, Format};

use crate::address::Address;
use crate::app::App;
use crate::asking::Asking;
use crate::at::{At, Audience};
use crate::body::Body;
use crate::conditional::not_modified;
use crate::fault::Fault;
use crate::range::{self, Wanted, mark, unsatisfiable};
use crate::rendered::Variant;
use crate::routes;
use crate::shelf::{KeyRef, Shelved};
use crate::told::{CacheState, Route};

/// Says where an answer came from.
pub(crate) const CACHE: HeaderName = HeaderName::from_static("x-pilothouse-cache");

/// The answer to a warm page, if this request is for one.
pub(crate) fn warm(
    app: &App,
    address: Address<'_>,
    request: &Request<impl Sized>,
    now: Instant,
) -> Option<(Response<Body>, CacheState)> {
    let project = address.project.filter(|_| address.route == Route::Page)?;
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return None;
    }
    let index = address.index.unwrap_or_else(|| app.default_index());
    let shelved = app.shelf().get(&KeyRef { index, project })?;
    let is_current = shelved.changes == app.catalog().changes().count();
    if now >= shelved.fresh_until || !is_current {
        return None;
    }
    if !is_for(app, &shelved.audience, index, project, request.headers()) {
        return None;
    }
    let (format, encoding) = wanted(request.headers(), request.uri().query()).ok()?;
    let variant = shelved.rendered.ready(format, encoding)?;
    let answer = Page {
        variant,
        shelved: &shelved,
        state: shelved.state,
    };
    // What cannot be answered well is said further on.
    let response = answer.respond(project, request.method(), request.headers());
    Some((response.ok()?, shelved.state))
}

/// Whether the caller is one of those whom a page was made for, as far as that can be told at once.
fn is_for(app: &App, audience: &Audience, index: &str, project: &str, headers: &HeaderMap) -> bool {
    let parts = match audience {
        Audience::All => return true,
        Audience::ReadersOf(parts) => parts,
        Audience::Some => return false,
    };
    let (Some(asking), Ok(index)) = (Asking::known(app, headers), index.parse()) else {
        return false;
    };
    let only = asking
        .caller
        .limits()
        .and_then(|limits| limits.project.as_ref());
    if only.is_some_and(|only| only.as_str() != project) {
        return false;
    }
    let reading = asking.reading_through(&index);
    parts.iter().all(|part| reading.may_read(app, part, None))
}

/// `/simple/{project}` and its like: the slash is missing.
pub(crate) async fn without_slash(at: At, request: Request) -> Result<Response<Body>, Fault> {
    let name = at.project()?;
    Ok(routes::moved(&format!("{name}/"), request.uri().query()))
}

/// `/simple/{project}/` and its like, when the page is not warm.
pub(crate) async fn project(
    State(app): State<App>,
    at: At,
    request: Request,
) -> Result<Response<Body>, Fault> {
    let name = at.project()?;
    if name.as_str() != at.project_as_written() {
        return Ok(routes::moved(&format!("../{name}/"), request.uri().query()));
    }
    let (parts, _) = request.into_parts();
    let (format, encoding) = wanted(&parts.headers, parts.uri.query())?;
    let answer = ask(&app, &at, &name).await?;
    let state = CacheState::from(&answer.cache);
    let shelved = app.shelf().place(&app, &at, &name, &answer);
    let variant = form(&app, &at, &name, &shelved, format, encoding).await?;
    let page = Page {
        variant,
        shelved: &shelved,
        state,
    };
    let response = page.respond(name.as_str(), &parts.method, &parts.headers)?;
    Ok(told(response, state))
}

/// `POST …/{project}/refresh`: upstream is asked again, however fresh the page is.
pub(crate) async fn refresh(State(app): State<App>, at: At) -> Result<Response<Body>, Fault> {
    let (source, name) = (at.source.clone(), at.project()?);
    app.domain(async move { source.refresh(&name).await })
        .await?;
    let mut response = routes::moved("./", None);
    // For this once: the next refresh must come here again.
    *response.status_mut() = StatusCode::FOUND;
    response.headers_mut().remove(CACHE_CONTROL);
    Ok(response)
}

async fn ask(app: &App, at: &At, name: &ProjectName) -> Result<Answer, Fault> {
    let (source, wanted) = (at.source.clone(), name.clone());
    let answer = app
        .domain(async move { source.project(&wanted).await })
        .await?;
    answer.ok_or_else(|| {
        Fault::from(index::Error::NoSuchProject {
            index: at.name.to_string(),
            project: name.to_string(),
        })
    })
}

async fn form<'a>(
    app: &App,
    at: &At,
    name: &ProjectName,
    shelved: &'a Arc<Shelved>,
    format: Format,
    encoding: Encoding,
) -> Result<&'a Variant, Fault> {
    if let Some(ready) = shelved.rendered.ready(format, encoding) {
        return Ok(ready);
    }
    let made = shelved
        .rendered
        .variant(format, encoding, app.main())
        .await?;
    app.shelf().reweigh(&at.name, name, shelved);
    make_ahead(app, at, name, shelved, format);
    Ok(made)
}

/// Makes the page's other codings in the background, one page at a time.
fn make_ahead(app: &App, at: &At, name: &ProjectName, shelved: &Arc<Shelved>, format: Format) {
    if !shelved.rendered.wants_ahead(format) {
        return;
    }
    let (app, index) = (app.clone(), at.name.clone());
    let (name, shelved) = (name.clone(), shelved.clone());
    app.clone().main().spawn(async move {
        let _turn = app.ahead().lock().await;
        shelved.rendered.make_ahead(format, app.main()).await;
        app.shelf().reweigh(&index, &name, &shelved);
    });
}

/// One form of one page at one moment.
struct Page<'a> {
    variant: &'a Variant,
    shelved: &'a Shelved,
    state: CacheState,
}

impl Page<'_> {
    fn respond(
        &self,
        project: &str,
        method: &Method,
        asked: &HeaderMap,
    ) -> Result<Response<Body>, Fault> {
        let Variant { etag, body, .. } = self.variant;
        let mut response = Response::new(Body::empty());
        *response.headers_mut() = self.headers();
        if not_modified(asked, etag, None) {
            for of_a_body in [
                CONTENT_LENGTH,
                CONTENT_TYPE,
                CONTENT_ENCODING,
                ACCEPT_RANGES,
            ] {
                response.headers_mut().remove(of_a_body);
            }
            *response.status_mut() = StatusCode::NOT_MODIFIED;
        } else if *method != Method::HEAD {
            let len = body.len() as u64;
            *response.body_mut() = Body::full(match range::wanted(asked, len, etag, None) {
                Wanted::Whole => body.clone(),
                Wanted::Part { start, end } => {
                    mark(&mut response, (start, end), len);
                    body.slice(start as usize..end as usize)
                }
                Wanted::Unsatisfiable => {
                    return Err(unsatisfiable(&format!("the page of `{project}`"), len));
                }
            });
        }
        Ok(response)
    }

    /// What is said with or without a body.
    fn headers(&self) -> HeaderMap {
        let mut headers = self.variant.headers.clone();
        headers.insert(CACHE_CONTROL, self.shelved.cache_control.clone());
        headers.insert(CACHE, HeaderValue::from_static(self.state.name()));
        if let (CacheState::Stale, Some(warning)) = (self.state, &self.shelved.warning) {
            headers.insert(WARNING, warning.clone());
        }
        headers
    }
}

/// Which form the client wants.
fn wanted(headers: &HeaderMap, query: Option<&str>) -> Result<(Format, Encoding), Fault> {
    let format = format(headers, query)?;
    let encoding = negotiate::encoding(one(headers, &ACCEPT_ENCODING).as_deref());
    Ok((format, encoding))
}

/// Which of the three media types the client wants.
pub(crate) fn format(headers: &HeaderMap, query: Option<&str>) -> Result<Format, Fault> {
    let named = query.and_then(|query| routes::parameter(query, "format"));
    negotiate::format(one(headers, &ACCEPT).as_deref(), named.as_deref()).map_err(|refused| {
        Fault::new(
            StatusCode::NOT_ACCEPTABLE,
            "not-acceptable",
            refused.to_string(),
        )
    })
}

/// A header's value; several lines of it are one list (RFC 9110, 5.3).
fn one<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<std::borrow::Cow<'a, str>> {
    let mut lines = headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok());
    let first = lines.next()?;
    match lines.next() {
        None => Some(first.into()),
        Some(second) => Some(
            lines
                .fold(format!("{first}, {second}"), |all, line| all + ", " + line)
                .into(),
        ),
    }
}

/// The response with a note for the log of where it came from.
pub(crate) fn told<B>(mut response: Response<B>, state: CacheState) -> Response<B> {
    response.extensions_mut().insert(state);
    response
}
