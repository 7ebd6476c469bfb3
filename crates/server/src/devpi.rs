//! What devpi's client speaks: users, indexes, projects and files as JSON.
//!
//! The addresses, the words and the status codes are devpi's, seen on the wire
//! and kept to the letter, because its client compares them. Each handler makes
//! one call on the domain and names the answer.

pub(crate) mod api;
pub(crate) mod files;
pub(crate) mod indexes;
pub(crate) mod projects;
pub(crate) mod push;
pub(crate) mod users;

use axum::extract::Request;
use http::StatusCode;
use serde_json::{Map, Value};

use crate::fault::Fault;
use crate::outside::Outside;
use crate::upload::whole;

/// No user and no index needs more words; as JSON they take twenty times this in memory.
const LONGEST: usize = 256 * 1024;

/// The JSON object in a request's body.
pub(crate) async fn object(request: Request) -> Result<Map<String, Value>, Fault> {
    match json(request).await? {
        Value::Object(members) => Ok(members),
        _ => Err(bad("the request's body should be a JSON object")),
    }
}

/// The JSON in a request's body.
pub(crate) async fn json(request: Request) -> Result<Value, Fault> {
    let body = whole(request, LONGEST).await?;
    serde_json::from_slice(&body)
        .map_err(|error| bad(format!("the request's body is not JSON: {error}")))
}

pub(crate) fn bad(line: impl Into<String>) -> Fault {
    Fault::new(StatusCode::BAD_REQUEST, "bad-request", line)
}

/// Whether a word stands in the query, with or without a value.
pub(crate) fn asks(request: &Request, word: &str) -> bool {
    let query = request.uri().query().unwrap_or_default();
    crate::routes::parameter(query, word).is_some()
}

/// The URL of a file as devpi's client compares it: absolute, with `+` and `!` as they are.
pub(crate) fn href(outside: &Outside, index: &index::IndexName, path: &str) -> String {
    let index = encoded(index.as_str());
    let path = encoded(path);
    outside.url(&format!("/{index}/+f/{path}"))
}

/// A path with what may not stand in a URL encoded, slashes and pluses left alone.
pub(crate) fn encoded(path: &str) -> String {
    use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
    const UNSAFE: &AsciiSet = &CONTROLS
        .add(b' ')
        .add(b'"')
        .add(b'#')
        .add(b'%')
        .add(b'<')
        .add(b'>')
        .add(b'?')
        .add(b'`')
        .add(b'{')
        .add(b'}');
    utf8_percent_encode(path, UNSAFE).to_string()
}
