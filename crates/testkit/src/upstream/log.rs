//! What the upstream was asked.

/// One request as it came, and what became of it.
#[derive(Debug, Clone)]
pub struct Request {
    /// `GET`, `HEAD`.
    pub method: String,
    /// The path, percent-encoding kept.
    pub path: String,
    /// What follows the question mark.
    pub query: Option<String>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    /// `HTTP/1.1` or `HTTP/2`.
    pub version: &'static str,
    /// On which of this upstream's connections, counted from 0.
    pub connection: usize,
    /// The status answered; 0 while there is none.
    pub status: u16,
    /// Body bytes sent so far.
    pub bytes: u64,
}

impl Request {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers
            .iter()
            .find(|(key, _)| key.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }
}

/// Sums over some requests.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Count {
    /// All of them.
    pub requests: usize,
    /// Body bytes sent.
    pub bytes: u64,
    /// With `If-None-Match` or `If-Modified-Since`.
    pub conditional: usize,
    /// Answered 304.
    pub not_modified: usize,
    /// With `Range`.
    pub ranged: usize,
    /// `HEAD` requests.
    pub head: usize,
    /// Answered 200 with a body.
    pub whole: usize,
}

impl Count {
    pub(super) fn over<'a>(requests: impl Iterator<Item = &'a Request>) -> Self {
        let mut count = Self::default();
        for request in requests {
            let asks = |name| usize::from(request.header(name).is_some());
            count.requests += 1;
            count.bytes += request.bytes;
            count.conditional += asks("if-none-match").max(asks("if-modified-since"));
            count.not_modified += usize::from(request.status == 304);
            count.ranged += asks("range");
            count.head += usize::from(request.method == "HEAD");
            count.whole += usize::from(request.status == 200 && request.method == "GET");
        }
        count
    }
}
