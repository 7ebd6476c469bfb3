//! Documentation that people uploaded, page by page.
//!
//! It is somebody's HTML under our address. A sandboxing policy keeps its scripts
//! from acting as the person who reads it: they run, but as if from nowhere.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use axum::extract::{Request, State};
use bytes::Bytes;
use http::header::{
    CACHE_CONTROL, CONTENT_LENGTH, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{HeaderMap, HeaderValue, Method, Response, StatusCode};
use index::hosted::DocPage;

use crate::app::App;
use crate::asking::Asking;
use crate::conditional::not_modified;
use crate::fault::Fault;
use crate::routes::{self, Named};

/// No `allow-same-origin`: to the browser these pages are nobody's.
const SANDBOX: HeaderValue = HeaderValue::from_static(
    "sandbox allow-scripts allow-forms allow-popups; default-src 'self' 'unsafe-inline' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'self'",
);

/// `GET /{user}/{index}/{project}/{version}/+doc/{path}`
pub(crate) async fn page(
    State(app): State<App>,
    named: Named,
    asking: Asking,
    request: Request,
) -> Result<Response<axum::body::Body>, Fault> {
    let entry = named.entry(&app, &asking)?;
    let project = named.project()?;
    if !asking.may_read(&app, &entry, Some(&project)) {
        return Err(asking.hidden(&entry.name));
    }
    let missing = || {
        let line = format!("there is no such page in the documentation of `{project}`");
        Fault::new(StatusCode::NOT_FOUND, "no-such-page", line)
    };
    let Some(hosted) = entry.hosted.clone() else {
        return Err(missing());
    };
    let path = named.tail();
    let path = if path.is_empty() || path.ends_with('/') {
        format!("{path}index.html")
    } else {
        path.to_owned()
    };
    let (name, version) = (project.clone(), named.version().to_owned());
    let found = app
        .domain(async move { hosted.documentation(&name, &version).await })
        .await?;
    let documentation = found.ok_or_else(missing)?;
    let Some(page) = documentation.page(&path) else {
        // A directory written without its slash.
        if documentation.page(&format!("{path}/index.html")).is_some() {
            let last = path.rsplit('/').next().unwrap_or_default();
            // A name with a colon would be read as a scheme.
            let relative = format!("./{}/", super::devpi::encoded(last));
            return Ok(routes::moved(&relative, None).map(axum::body::Body::new));
        }
        return Err(missing());
    };
    let headers = headers(&path, &documentation.etag());
    let mut response = Response::new(axum::body::Body::empty());
    if not_modified(request.headers(), &documentation.etag(), None) {
        *response.status_mut() = StatusCode::NOT_MODIFIED;
    } else if request.method() != Method::HEAD {
        *response.body_mut() = axum::body::Body::new(Pages::new(page));
    }
    if response.status() == StatusCode::OK {
        let len = HeaderValue::from(documentation.page(&path).map_or(0, |page| page.len()));
        response.headers_mut().insert(CONTENT_LENGTH, len);
    }
    response.headers_mut().extend(headers);
    Ok(response)
}

fn headers(path: &str, etag: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let media_type = mime_guess::from_path(path).first_raw();
    let media_type = match media_type {
        Some("text/html") => "text/html; charset=utf-8",
        Some("text/plain") => "text/plain; charset=utf-8",
        Some(other) => other,
        None => "application/octet-stream",
    };
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
    headers.insert(CONTENT_SECURITY_POLICY, SANDBOX);
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("private, no-cache"));
    if let Ok(etag) = HeaderValue::from_str(etag) {
        headers.insert(ETAG, etag);
    }
    headers
}

type Reading = Pin<Box<dyn Future<Output = (DocPage, Result<Option<Bytes>, index::Error>)> + Send>>;

/// A page on its way out, unpacked part by part.
struct Pages(Option<Reading>);

impl Pages {
    fn new(page: DocPage) -> Self {
        Self(Some(next(page)))
    }
}

fn next(mut page: DocPage) -> Reading {
    Box::pin(async move {
        let part = page.next().await;
        (page, part)
    })
}

impl http_body::Body for Pages {
    type Data = Bytes;
    type Error = index::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, index::Error>>> {
        let this = self.get_mut();
        let Some(reading) = &mut this.0 else {
            return Poll::Ready(None);
        };
        let (page, part) = ready!(reading.as_mut().poll(cx));
        this.0 = None;
        Poll::Ready(match part {
            Ok(Some(bytes)) => {
                this.0 = Some(next(page));
                Some(Ok(http_body::Frame::data(bytes)))
            }
            Ok(None) => None,
            Err(error) => Some(Err(error)),
        })
    }
}
