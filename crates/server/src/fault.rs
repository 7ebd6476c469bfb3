//! A failure as the client hears it: the only table of status codes.
//!
//! A fault goes out twice, as `application/problem+json` for uv and as the
//! HTTP/1 reason phrase for pip and twine, which print nothing else. The body
//! has no `title`, because uv would print it before the detail, and carries the
//! detail once more as `message`, where devpi's client looks.

use std::error::Error as StdError;
use std::sync::Arc;
use std::time::Duration;

use axum::response::{IntoResponse, Response};
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use hyper::ext::ReasonPhrase;

/// Upstream's "come back later" is passed on up to this; a client would not wait longer.
const LONGEST_RETRY: Duration = Duration::from_secs(30);

/// HTTP/1 clients cut or choke on endless status lines.
const LONGEST_REASON: usize = 200;

/// A failure as the client hears it.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) status: StatusCode,
    /// A word for programs: the tail of the problem's `type`.
    pub(crate) kind: &'static str,
    /// One line for people.
    pub(crate) line: String,
    /// For the log alone.
    pub(crate) cause: Option<Arc<dyn StdError + Send + Sync>>,
    /// Boxed, since faults travel in `Result`s of hot functions.
    pub(crate) headers: Box<HeaderMap>,
}

impl Fault {
    /// A fault without a cause.
    pub(crate) fn new(status: StatusCode, kind: &'static str, line: impl Into<String>) -> Self {
        Self {
            status,
            kind,
            line: line.into(),
            cause: None,
            headers: Box::default(),
        }
    }

    /// The path leads nowhere.
    pub(crate) fn not_found() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "no-such-page",
            "there is nothing at this address",
        )
    }

    /// A handler, a renderer or a domain call panicked.
    pub(crate) fn broken() -> Self {
        let line = "pilothouse has a fault of its own here; its log says more";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", line)
    }

    /// The same with one more header.
    pub(crate) fn with(mut self, name: HeaderName, value: HeaderValue) -> Self {
        self.headers.insert(name, value);
        self
    }

    /// Logs a fault of ours or of upstream with its chain, once.
    pub(crate) fn report(&self, path: &str) {
        let status = self.status.as_u16();
        let mut causes = String::new();
        let mut cause = self
            .cause
            .as_deref()
            .map(|error| error as &(dyn StdError + 'static));
        while let Some(error) = cause {
            causes.push_str(": ");
            causes.push_str(&error.to_string());
            cause = error.source();
        }
        if self.status.is_server_error() {
            tracing::error!(status, path, "{}{causes}", self.line);
        } else {
            tracing::debug!(status, path, "{}{causes}", self.line);
        }
    }
}

impl From<index::Error> for Fault {
    fn from(error: index::Error) -> Self {
        use index::Error as E;
        let (status, kind) = match &error {
            E::NoSuchIndex { .. } => (StatusCode::NOT_FOUND, "no-such-index"),
            E::NoSuchProject { .. } => (StatusCode::NOT_FOUND, "no-such-project"),
            E::NoSuchFile { .. } => (StatusCode::NOT_FOUND, "no-such-file"),
            E::NoSuchRelease { .. } => (StatusCode::NOT_FOUND, "no-such-release"),
            E::BadUpload { .. } => (StatusCode::BAD_REQUEST, "bad-upload"),
            // 413 is what uploaders take for "too large, and no use to try again".
            E::OverQuota { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "over-quota"),
            E::NoSuchUser { .. } => (StatusCode::NOT_FOUND, "no-such-user"),
            E::NoSuchToken { .. } => (StatusCode::NOT_FOUND, "no-such-token"),
            E::Exists { .. } => (StatusCode::CONFLICT, "exists"),
            E::BadRequest { .. } => (StatusCode::BAD_REQUEST, "bad-request"),
            E::Denied { .. } => (StatusCode::UNAUTHORIZED, "denied"),
            E::Busy { .. } => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
            E::Forbidden { .. } => (StatusCode::FORBIDDEN, "forbidden"),
            E::Blocked { .. } => (StatusCode::FORBIDDEN, "blocked"),
            E::UpstreamDown { retry_after, .. } => (down(*retry_after), "upstream-down"),
            // pip repeats 502 for eight seconds and then prints none of our words.
            E::UpstreamWrong { .. } => (StatusCode::GATEWAY_TIMEOUT, "upstream-wrong"),
            // pip repeats 502 for 40 s and then blames the network; what a person
            // must read is refused at the file, with 403.
            E::Refused { .. } => (StatusCode::FORBIDDEN, "refused"),
            E::Full { .. } => (StatusCode::INSUFFICIENT_STORAGE, "full"),
            E::Offline { .. } => (StatusCode::GATEWAY_TIMEOUT, "offline"),
            E::Store(source) if matches!(**source, store::Error::Full { .. }) => {
                (StatusCode::INSUFFICIENT_STORAGE, "full")
            }
            E::Store(_) => (StatusCode::INTERNAL_SERVER_ERROR, "store"),
        };
        let mut fault = Self::new(status, kind, error.to_string());
        if let E::UpstreamDown {
            retry_after: Some(after),
            ..
        } = &error
            && status == StatusCode::SERVICE_UNAVAILABLE
        {
            let seconds = after.as_secs().max(1);
            fault
                .headers
                .insert(RETRY_AFTER, HeaderValue::from(seconds));
        }
        if let E::Busy { .. } = &error {
            fault.headers.insert(RETRY_AFTER, HeaderValue::from(1));
        }
        if let E::Denied { .. } = &error {
            let basic = HeaderValue::from_static("Basic realm=\"pypi\"");
            fault.headers.insert(WWW_AUTHENTICATE, basic);
        }
        if let E::Store(source) = error {
            if fault.status == StatusCode::INSUFFICIENT_STORAGE {
                // Its text names no path and says how to mend it.
                fault.line = source.to_string();
            }
            fault.cause = Some(source);
        }
        fault
    }
}

/// 503 only for "come back in seconds"; pip repeats it silently. 504 is said at once.
fn down(retry_after: Option<Duration>) -> StatusCode {
    match retry_after {
        Some(after) if after <= LONGEST_RETRY => StatusCode::SERVICE_UNAVAILABLE,
        _ => StatusCode::GATEWAY_TIMEOUT,
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let problem = serde_json::json!({
            "status": self.status.as_u16(),
            "type": format!("urn:pilothouse:{}", self.kind),
            "detail": self.line,
            "message": self.line,
        });
        let mut response = Response::new(problem.to_string().into());
        *response.status_mut() = self.status;
        let headers = response.headers_mut();
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers.extend(*self.headers.clone());
        if let Ok(reason) = ReasonPhrase::try_from(printable(&self.line, LONGEST_REASON)) {
            // pip and twine print the reason phrase and never read the body.
            response.extensions_mut().insert(reason);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// The text in printable ASCII and at most `longest` bytes.
///
/// What is too much goes from the middle: a sentence begins with what happened
/// and ends with how to mend it.
pub(crate) fn printable(text: &str, longest: usize) -> Vec<u8> {
    const GAP: &[u8] = b" ... ";
    let ascii = |c| match c {
        ' '..='~' => c as u8,
        '\t' | '\n' | '\r' => b' ',
        _ => b'?',
    };
    let mut all: Vec<u8> = text.chars().map(ascii).collect();
    if all.len() > longest {
        let kept = longest.saturating_sub(GAP.len());
        let (head, tail) = (kept - kept / 2, kept / 2);
        all.splice(head..all.len() - tail, GAP.iter().copied());
        all.truncate(longest);
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(s: &str) -> String {
        s.to_owned()
    }

    fn upstream_down(retry_after: Option<u64>) -> index::Error {
        index::Error::UpstreamDown {
            index: text("root/pypi"),
            what: text("project `foo`"),
            cause: text("connection refused"),
            retry_after: retry_after.map(Duration::from_secs),
        }
    }

    #[test]
    fn every_domain_error_has_its_row() {
        use index::Error as E;
        let (index, file) = (text("root/pypi"), text("foo-1.0.tar.gz"));
        let (what, cause) = (text("project `foo`"), text("not HTML"));
        let rows = [
            (404, "no-such-index", E::NoSuchIndex { index: text("a/b") }),
            (
                404,
                "no-such-project",
                E::NoSuchProject {
                    index: index.clone(),
                    project: text("foo"),
                },
            ),
            (
                404,
                "no-such-file",
                E::NoSuchFile {
                    index: index.clone(),
                    file: file.clone(),
                },
            ),
            (
                404,
                "no-such-release",
                E::NoSuchRelease {
                    index: index.clone(),
                    project: text("foo"),
                    version: text("1.0"),
                },
            ),
            (400, "bad-upload", E::BadUpload { why: text("no") }),
            (
                413,
                "over-quota",
                E::OverQuota {
                    index: index.clone(),
                    used: 1,
                    quota: 2,
                },
            ),
            (404, "no-such-user", E::NoSuchUser { user: text("al") }),
            (404, "no-such-token", E::NoSuchToken { id: text("x") }),
            (409, "exists", E::Exists { what: text("it") }),
            (400, "bad-request", E::BadRequest { why: text("no") }),
            (401, "denied", E::Denied { why: text("wrong") }),
            (503, "busy", E::Busy { why: text("many") }),
            (
                403,
                "forbidden",
                E::Forbidden {
                    why: text("not yours"),
                },
            ),
            (
                403,
                "blocked",
                E::Blocked {
                    file: file.clone(),
                    by: text("rule 1"),
                },
            ),
            (504, "upstream-down", upstream_down(None)),
            (503, "upstream-down", upstream_down(Some(30))),
            (504, "upstream-down", upstream_down(Some(31))),
            (
                504,
                "upstream-wrong",
                E::UpstreamWrong {
                    index: index.clone(),
                    what: what.clone(),
                    cause,
                },
            ),
            (
                403,
                "refused",
                E::Refused {
                    file: file.clone(),
                    expected: text("aa"),
                    found: text("bb"),
                },
            ),
            (507, "full", E::Full { what: file }),
            (504, "offline", E::Offline { index, what }),
            (
                500,
                "store",
                E::Store(Arc::new(store::Error::NotFound { what: text("it") })),
            ),
        ];
        for (status, kind, error) in rows {
            let line = error.to_string();
            let fault = Fault::from(error);
            assert_eq!(
                (fault.status.as_u16(), fault.kind),
                (status, kind),
                "{line}"
            );
            assert_eq!(fault.line, line);
            assert_eq!(
                fault.headers.contains_key(RETRY_AFTER),
                status == 503,
                "{line}"
            );
            assert_eq!(
                fault.headers.contains_key(WWW_AUTHENTICATE),
                status == 401,
                "{line}"
            );
        }
    }

    #[test]
    fn a_full_disk_is_said_as_such() {
        let full = store::Error::Full {
            doing: "writing a file",
        };
        let fault = Fault::from(index::Error::from(full));
        assert_eq!((fault.status.as_u16(), fault.kind), (507, "full"));
        assert!(fault.line.starts_with("no room left"), "{}", fault.line);
    }

    #[test]
    fn a_reason_phrase_is_printable_and_short() {
        assert_eq!(printable("a\r\nb: ü\u{1b}", 200), b"a  b: ??");
        assert_eq!(
            printable("it is too long, so do that", 16),
            b"it is  ...  that"
        );
        assert_eq!(printable(&"x".repeat(500), 200).len(), 200);
        assert_eq!(printable("long", 3), b" ..");
        let response = Fault::from(index::Error::Forbidden {
            why: "ü\r\nX: y".repeat(100),
        })
        .into_response();
        let reason = response.extensions().get::<ReasonPhrase>().unwrap();
        assert_eq!(reason.as_bytes().len(), 200);
    }
}
