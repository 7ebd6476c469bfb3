//! What operators ask: does it live, can it work, what has it done.

use std::time::Duration;

use axum::extract::{Request, State};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::app::App;
use crate::body::Body;
use crate::fault::Fault;
use crate::{routes, scrape};

/// A data directory that takes longer than this is not ready.
const PATIENCE: Duration = Duration::from_secs(5);

/// `/+health`: the process answers.
pub(crate) async fn health() -> Response<Body> {
    plain("application/json", r#"{"status":"ok"}"#)
}

/// `/+ready`: it has indexes and can write to its data directory.
pub(crate) async fn ready(State(app): State<App>) -> Result<Response<Body>, Fault> {
    if app.catalog().now().names().next().is_none() {
        return Err(not_ready("there is no index"));
    }
    let probe = app.probe().clone();
    let probed = tokio::time::timeout(PATIENCE, app.main().spawn_blocking(move || probe())).await;
    match probed {
        Ok(Ok(Ok(()))) => Ok(plain("application/json", r#"{"status":"ready"}"#)),
        Ok(Ok(Err(why))) => Err(not_ready(&why)),
        Ok(Err(_)) => Err(Fault::broken()),
        Err(_) => Err(not_ready("the data directory does not answer in time")),
    }
}

fn not_ready(why: &str) -> Fault {
    Fault::new(
        StatusCode::SERVICE_UNAVAILABLE,
        "not-ready",
        format!("not ready: {why}"),
    )
    .with(RETRY_AFTER, HeaderValue::from_static("5"))
}

/// `/+metrics`: for Prometheus, or with `?format=json` for `pilothouse stats`.
pub(crate) async fn metrics(
    State(app): State<App>,
    request: Request,
) -> Result<Response<Body>, Fault> {
    let query = request.uri().query().unwrap_or_default();
    if routes::parameter(query, "format").as_deref() == Some("json") {
        return Ok(plain("application/json", scrape::json(&app)));
    }
    let text = scrape::prometheus(&app).map_err(|_| Fault::broken())?;
    Ok(plain(scrape::OPENMETRICS, text))
}

/// A small answer that is never kept.
pub(crate) fn plain(content_type: &'static str, body: impl Into<Bytes>) -> Response<Body> {
    let mut response = Response::new(Body::full(body.into()));
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}
