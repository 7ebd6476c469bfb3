//! devpi's envelope: what its client reads.
//!
//! An object with any of `type`, `result` and `message`, indented, as exactly
//! `application/json`: with a charset behind it the client no longer shows the
//! message. Success is 200 or 201 and nothing else.

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE};
use http::{HeaderValue, StatusCode};
use serde_json::{Map, Value};

/// An answer for devpi's client.
#[derive(Debug)]
pub(crate) struct Reply {
    status: StatusCode,
    members: Map<String, Value>,
}

impl Reply {
    /// 200 with a result of this type.
    pub(crate) fn result(kind: &str, result: impl Into<Value>) -> Self {
        let mut members = Map::new();
        members.insert("type".to_owned(), kind.into());
        members.insert("result".to_owned(), result.into());
        Self {
            status: StatusCode::OK,
            members,
        }
    }

    /// 200 with a line for the person.
    pub(crate) fn message(line: impl Into<String>) -> Self {
        Self {
            status: StatusCode::OK,
            members: Map::from_iter([("message".to_owned(), line.into().into())]),
        }
    }

    /// The same with a line for the person.
    pub(crate) fn saying(mut self, line: impl Into<String>) -> Self {
        self.members
            .insert("message".to_owned(), line.into().into());
        self
    }

    /// The same as 201.
    pub(crate) fn created(mut self) -> Self {
        self.status = StatusCode::CREATED;
        self
    }
}

impl IntoResponse for Reply {
    fn into_response(self) -> Response {
        let mut body = serde_json::to_vec_pretty(&self.members)
            .expect("a map of JSON values can be written as JSON");
        body.push(b'\n');
        let mut response = Response::new(body.into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}
