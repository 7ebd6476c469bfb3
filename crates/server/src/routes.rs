//! Every route but the warm pages, grouped by who calls.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams};
use axum::routing::get;
use http::header::{CACHE_CONTROL, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Response, StatusCode};
use index::{IndexName, Source};
use percent_encoding::percent_decode_str;
use pyspec::ProjectName;

use crate::app::App;
use crate::body::Body;
use crate::fault::Fault;
use crate::{file, home, listing, operator, page};

/// The route list.
pub(crate) fn router(app: App) -> Router {
    Router::new()
        // installers
        .route("/simple", get(listing::without_slash))
        .route("/simple/", get(listing::names))
        .route("/simple/{project}", get(page::without_slash))
        .route("/simple/{project}/", get(page::project))
        .route("/+f/{*tail}", get(file::open))
        .route("/{user}/{index}/+simple", get(listing::without_slash))
        .route("/{user}/{index}/+simple/", get(listing::names))
        .route(
            "/{user}/{index}/+simple/{project}",
            get(page::without_slash),
        )
        .route("/{user}/{index}/+simple/{project}/", get(page::project))
        .route("/{user}/{index}/+f/{*tail}", get(file::open))
        // people
        .route("/", get(home::page))
        // operators
        .route("/+health", get(operator::health))
        .route("/+ready", get(operator::ready))
        .route("/+metrics", get(operator::metrics))
        .fallback(async || Fault::not_found())
        .method_not_allowed_fallback(async || {
            let line = "this address is only for reading: use GET or HEAD";
            Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", line)
        })
        .with_state(app)
}

/// What a path is about: an index that exists, and what is named within it.
pub(crate) struct At {
    pub(crate) name: IndexName,
    pub(crate) source: Arc<dyn Source>,
    project: Option<String>,
    tail: Option<String>,
}

impl At {
    /// The project, whichever way it is written.
    pub(crate) fn project(&self) -> Result<ProjectName, Fault> {
        self.project_as_written().parse().map_err(|_| {
            Fault::from(index::Error::NoSuchProject {
                index: self.name.to_string(),
                project: self.project_as_written().to_owned(),
            })
        })
    }

    /// The project, percent-decoded only.
    pub(crate) fn project_as_written(&self) -> &str {
        self.project.as_deref().unwrap_or_default()
    }

    /// What follows `+f/`, percent-decoded.
    pub(crate) fn tail(&self) -> &str {
        self.tail.as_deref().unwrap_or_default()
    }
}

impl FromRequestParts<App> for At {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let path = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Fault::not_found())?;
        let part = |wanted| {
            path.iter()
                .find(|(name, _)| *name == wanted)
                .map(|(_, value)| value)
        };
        let name = match (part("user"), part("index")) {
            (Some(user), Some(index)) => named(user, index)?,
            _ => app.catalog().default_name().clone(),
        };
        let now = app.catalog().now();
        let anyone = |entry: &index::Entry| entry.settings.readers().is_for_anyone();
        let source = now
            .seen(&name, anyone)
            .ok_or_else(|| no_such(name.as_str()))?;
        Ok(Self {
            source,
            project: part("project").map(str::to_owned),
            tail: part("tail").map(str::to_owned),
            name,
        })
    }
}

fn named(user: &str, index: &str) -> Result<IndexName, Fault> {
    let text = format!("{user}/{index}");
    text.parse().map_err(|_| no_such(&text))
}

fn no_such(index: &str) -> Fault {
    index::Error::NoSuchIndex {
        index: index.chars().take(140).collect(),
    }
    .into()
}

/// A lasting redirect. The location is relative, so that it holds behind a
/// proxy that adds a prefix or ends TLS.
pub(crate) fn moved(relative: &str, query: Option<&str>) -> Response<Body> {
    let mut location = relative.to_owned();
    if let Some(query) = query {
        location.push('?');
        location.push_str(query);
    }
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::MOVED_PERMANENTLY;
    let headers = response.headers_mut();
    if let Ok(location) = HeaderValue::from_bytes(location.as_bytes()) {
        headers.insert(LOCATION, location);
    }
    headers.insert(
        CACHE_CONTROL,
        HeaderValue::from_static("public, max-age=600"),
    );
    response
}

/// One parameter of a query string, decoded.
pub(crate) fn parameter(query: &str, name: &str) -> Option<String> {
    query.split('&').find_map(|pair| {
        let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
        (key == name).then(|| {
            let spaced = value.replace('+', " ");
            // `application/vnd.pypi.simple.v1+json` is often written with a bare plus.
            let text = if value.contains("+json") || value.contains("+html") {
                value
            } else {
                &spaced
            };
            percent_decode_str(text).decode_utf8_lossy().into_owned()
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_is_found_and_decoded() {
        assert_eq!(
            parameter("a=1&format=json", "format").as_deref(),
            Some("json")
        );
        assert_eq!(
            parameter("format=x%2Fy%2Bjson", "format").as_deref(),
            Some("x/y+json")
        );
        assert_eq!(
            parameter("format=x/y+json", "format").as_deref(),
            Some("x/y+json")
        );
        assert_eq!(parameter("format", "format").as_deref(), Some(""));
        assert_eq!(parameter("reformat=json", "format"), None);
    }
}
