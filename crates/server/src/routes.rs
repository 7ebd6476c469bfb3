//! Every route but the warm pages, grouped by who calls.

use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, RawPathParams, Request, State};
use axum::response::{IntoResponse, Response as AnyResponse};
use axum::routing::{MethodRouter, delete, get, post};
use http::header::{CACHE_CONTROL, LOCATION};
use http::request::Parts;
use http::{HeaderValue, Method, Response, StatusCode};
use index::{Entry, IndexName};
use percent_encoding::percent_decode_str;
use pyspec::ProjectName;

use crate::app::App;
use crate::asking::Asking;
use crate::body::Body;
use crate::devpi::{api, files, indexes, projects, push, users};
use crate::fault::Fault;
use crate::{docs, file, listing, oidc, operator, page, tokens, upload, yank};

/// The route list.
pub(crate) fn router(app: App) -> Router {
    let files = || {
        get(file::open)
            .post(files::add_result)
            .delete(files::remove)
    };
    let project = || get(projects::show).delete(projects::remove);
    let release = || get(projects::release).delete(projects::remove_release);
    Router::new()
        // installers
        .route("/simple", get(listing::without_slash))
        .route("/simple/", get(listing::names))
        .route("/simple/{project}", get(page::without_slash))
        .route("/simple/{project}/", get(page::project))
        .route("/+f/{*tail}", get(file::open))
        .route("/views/{view}/simple", get(listing::without_slash))
        .route("/views/{view}/simple/", get(listing::names))
        .route("/views/{view}/simple/{project}", get(page::without_slash))
        .route("/views/{view}/simple/{project}/", get(page::project))
        .route("/views/{view}/+f/{*tail}", get(file::open))
        .route("/{user}/{index}/+simple", get(listing::without_slash))
        .route("/{user}/{index}/+simple/", get(listing::names))
        .route(
            "/{user}/{index}/+simple/{project}",
            get(page::without_slash),
        )
        .route("/{user}/{index}/+simple/{project}/", get(page::project))
        .route(
            "/{user}/{index}/+simple/{project}/refresh",
            post(page::refresh),
        )
        .route("/{user}/{index}/+f/{*tail}", files())
        // uploaders, and devpi's client
        .route("/{user}/{index}", index())
        .route("/{user}/{index}/", index())
        .route("/_/oidc/audience", get(oidc::audience))
        .route("/_/oidc/mint-token", post(oidc::mint))
        .route("/+api", get(api::of_server))
        .route("/+login", post(api::login))
        .route("/+logout", post(api::logout))
        .route("/+status", get(api::status))
        .route("/+tokens", get(tokens::list).post(tokens::create))
        .route("/+tokens/{id}", delete(tokens::revoke))
        .route("/{user}/+api", get(api::of_user))
        .route("/{user}", user())
        .route("/{user}/", user())
        .route("/{user}/{index}/+api", get(api::of_index))
        .route("/{user}/{index}/{project}", project())
        .route("/{user}/{index}/{project}/", project())
        .route("/{user}/{index}/{project}/{version}", release())
        .route("/{user}/{index}/{project}/{version}/", release())
        .route(
            "/{user}/{index}/{project}/{version}/+yank",
            post(yank::yank).delete(yank::unyank),
        )
        // people
        .route("/", get(users::list))
        .route("/{user}/{index}/{project}/{version}/+doc/", get(docs::page))
        .route(
            "/{user}/{index}/{project}/{version}/+doc/{*tail}",
            get(docs::page),
        )
        // operators
        .route("/+health", get(operator::health))
        .route("/+ready", get(operator::ready))
        .route("/+metrics", get(operator::metrics))
        .fallback(async || Fault::not_found())
        .method_not_allowed_fallback(async |method: Method| not_allowed(&method))
        .with_state(app)
}

fn user() -> MethodRouter<App> {
    get(users::show)
        .put(users::create)
        .patch(users::modify)
        .delete(users::remove)
}

fn index() -> MethodRouter<App> {
    get(indexes::show)
        .put(indexes::create)
        .patch(indexes::modify)
        .delete(indexes::remove)
        .post(upload::submit)
        .fallback(pushed)
}

/// devpi's own method, which no list of methods has.
async fn pushed(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> AnyResponse {
    if request.method().as_str() != "PUSH" {
        return not_allowed(request.method()).into_response();
    }
    push::push(State(app), named, asking, request)
        .await
        .into_response()
}

fn not_allowed(method: &Method) -> Fault {
    let line = if method == Method::POST {
        "uploads go to the address of an index, like /alice/dev/"
    } else {
        "this address does not take that method"
    };
    Fault::new(StatusCode::METHOD_NOT_ALLOWED, "method-not-allowed", line)
}

/// What a path names, whether or not it exists.
pub(crate) struct Named(Vec<(String, String)>);

impl Named {
    fn part(&self, wanted: &str) -> Option<&str> {
        let found = self.0.iter().find(|(name, _)| name == wanted);
        found.map(|(_, value)| value.as_str())
    }

    /// The view, if the path is below one.
    pub(crate) fn view(&self) -> Option<&str> {
        self.part("view")
    }

    /// Whether no index is named.
    pub(crate) fn is_default(&self) -> bool {
        self.part("index").is_none()
    }

    /// The index.
    pub(crate) fn name(&self) -> Result<IndexName, Fault> {
        let part = |name| self.part(name).unwrap_or_default();
        let text = format!("{}/{}", part("user"), part("index"));
        text.parse().map_err(|_| no_such(&text))
    }

    /// The index, which must be one that the caller may do something with.
    pub(crate) fn entry(&self, app: &App, asking: &Asking) -> Result<Arc<Entry>, Fault> {
        let name = self.name()?;
        let entry = app.catalog().now().get(&name).cloned();
        let concerned = entry.filter(|entry| asking.concerns(app, entry));
        concerned.ok_or_else(|| asking.unseen(&name))
    }

    /// The project, whichever way it is written.
    pub(crate) fn project(&self) -> Result<ProjectName, Fault> {
        let written = self.project_as_written();
        written.parse().map_err(|_| {
            let line = format!("no project '{}'", written.escape_debug());
            Fault::new(StatusCode::NOT_FOUND, "no-such-project", line)
        })
    }

    /// The project, percent-decoded only.
    pub(crate) fn project_as_written(&self) -> &str {
        self.part("project").unwrap_or_default()
    }

    /// The version as written.
    pub(crate) fn version(&self) -> &str {
        self.part("version").unwrap_or_default()
    }

    /// What follows `+f/` or `+doc/`, percent-decoded.
    pub(crate) fn tail(&self) -> &str {
        self.part("tail").unwrap_or_default()
    }
}

impl FromRequestParts<App> for Named {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let path = RawPathParams::from_request_parts(parts, app)
            .await
            .map_err(|_| Fault::not_found())?;
        let parts = path.iter();
        Ok(Self(
            parts
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
                .collect(),
        ))
    }
}

pub(crate) fn no_such(index: &str) -> Fault {
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
        HeaderValue::from_static("private, max-age=600"),
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
