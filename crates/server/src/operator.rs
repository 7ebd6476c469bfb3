//! What operators ask: does it live, can it work, what has it done.

use std::time::{Duration, Instant};

use axum::extract::{Request, State};
use bytes::Bytes;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, Response, StatusCode};

use crate::app::App;
use crate::body::Body;
use crate::fault::Fault;
use crate::{routes, scrape};

/// How long an outcome holds: whoever asks often must not wear out the disk.
const HOLDS: Duration = Duration::from_secs(1);

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
    let mut last = app.last_probe().lock().await;
    let outcome = match &*last {
        Some((at, outcome)) if at.elapsed() < HOLDS => outcome.clone(),
        _ => {
            let outcome = probe(&app).await;
            *last = Some((Instant::now(), outcome.clone()));
            outcome
        }
    };
    match outcome {
        Ok(()) => Ok(plain("application/json", r#"{"status":"ready"}"#)),
        Err(why) => Err(not_ready(&why)),
    }
}

async fn probe(app: &App) -> Result<(), String> {
    let probe = app.probe().clone();
    let probed = tokio::time::timeout(PATIENCE, app.main().spawn_blocking(move || probe())).await;
    match probed {
        Ok(Ok(outcome)) => outcome,
        Ok(Err(_)) => Err("the probe itself has a fault".to_owned()),
        Err(_) => Err("the data directory does not answer in time".to_owned()),
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
