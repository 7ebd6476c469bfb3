//! A tiny HTTP/1.1 client that shows what really came: status, reason phrase,
//! headers, and whether the body was whole.
//!
//! It follows no redirects, decompresses nothing and keeps no connection.

use std::fmt::Write as _;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use bytes::Bytes;

use crate::content::Content;

/// A request before it is sent.
#[derive(Debug, Clone)]
pub struct Request {
    method: String,
    url: String,
    headers: Vec<(String, String)>,
    body: Bytes,
    timeout: Duration,
}

/// An answer, read to its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reply {
    /// The status code.
    pub status: u16,
    /// The reason phrase, which is what pip and twine print.
    pub reason: String,
    /// In the order in which they came.
    pub headers: Vec<(String, String)>,
    /// Without the transfer coding; as much as came.
    pub body: Content,
    /// Whether the body ended where the head said it would.
    pub whole: bool,
}

/// An answer whose body is still to be read.
#[derive(Debug)]
pub struct Open {
    /// The status code.
    pub status: u16,
    /// The reason phrase.
    pub reason: String,
    /// In the order in which they came.
    pub headers: Vec<(String, String)>,
    head_only: bool,
    reader: BufReader<TcpStream>,
}

/// Sends a GET.
pub fn get(url: &str) -> Reply {
    Request::get(url).send()
}

/// Sends a HEAD.
pub fn head(url: &str) -> Reply {
    Request::new("HEAD", url).send()
}

impl Request {
    /// A request with this method, to an `http://` URL.
    pub fn new(method: &str, url: &str) -> Self {
        Self {
            method: method.to_owned(),
            url: without_dots(url),
            headers: Vec::new(),
            body: Bytes::new(),
            timeout: Duration::from_secs(40),
        }
    }

    /// A GET.
    pub fn get(url: &str) -> Self {
        Self::new("GET", url)
    }

    /// Adds a header.
    #[must_use]
    pub fn header(mut self, name: &str, value: &str) -> Self {
        self.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Sends this after the head, with its length.
    #[must_use]
    pub fn body(mut self, body: impl Into<Bytes>) -> Self {
        self.body = body.into();
        let length = self.body.len().to_string();
        self.header("Content-Length", &length)
    }

    /// Shows a name and a password.
    #[must_use]
    pub fn basic(self, user: &str, password: &str) -> Self {
        use base64::Engine as _;
        let both = format!("{user}:{password}");
        let encoded = base64::engine::general_purpose::STANDARD.encode(both);
        self.header("Authorization", &format!("Basic {encoded}"))
    }

    /// Asks for JSON pages.
    #[must_use]
    pub fn json(self) -> Self {
        self.header("Accept", "application/vnd.pypi.simple.v1+json")
    }

    /// Asks for these bytes, as `Range` writes them after `bytes=`.
    #[must_use]
    pub fn range(self, range: &str) -> Self {
        self.header("Range", &format!("bytes={range}"))
    }

    /// Sends it and reads the whole answer. Panics if there is none.
    pub fn send(self) -> Reply {
        let url = self.url.clone();
        self.try_open()
            .unwrap_or_else(|error| panic!("no answer from {url}: {error}"))
            .finish()
    }

    /// Sends it and reads the head. Panics if there is none.
    pub fn open(self) -> Open {
        let url = self.url.clone();
        self.try_open()
            .unwrap_or_else(|error| panic!("no answer from {url}: {error}"))
    }

    /// Sends it and reads the head.
    pub fn try_open(self) -> io::Result<Open> {
        let rest = self
            .url
            .strip_prefix("http://")
            .unwrap_or_else(|| panic!("`{}` is not an http:// URL", self.url));
        let (host, path) = match rest.find('/') {
            Some(at) => rest.split_at(at),
            None => (rest, "/"),
        };
        let mut stream = TcpStream::connect(host)?;
        stream.set_read_timeout(Some(self.timeout))?;
        stream.set_nodelay(true)?;
        let mut text = format!("{} {path} HTTP/1.1\r\n", self.method);
        if !self.headers.iter().any(|(name, _)| name == "Host") {
            let _ = write!(text, "Host: {host}\r\n");
        }
        for (name, value) in &self.headers {
            let _ = write!(text, "{name}: {value}\r\n");
        }
        text.push_str("Connection: close\r\n\r\n");
        stream.write_all(text.as_bytes())?;
        stream.write_all(&self.body)?;
        Open::read(BufReader::new(stream), self.method == "HEAD")
    }
}

/// Takes `/x/..` out, as every client does before it asks.
fn without_dots(url: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in url.split('/') {
        if part == ".." {
            parts.pop();
        } else {
            parts.push(part);
        }
    }
    parts.join("/")
}

impl Open {
    fn read(mut reader: BufReader<TcpStream>, head_only: bool) -> io::Result<Self> {
        let status_line = line(&mut reader)?;
        let mut words = status_line.splitn(3, ' ');
        let bad = || io::Error::other(format!("bad status line `{status_line}`"));
        let _version = words.next();
        let status = words.next().ok_or_else(bad)?.parse().map_err(|_| bad())?;
        let reason = words.next().unwrap_or("").to_owned();
        let mut headers = Vec::new();
        loop {
            let line = line(&mut reader)?;
            let Some((name, value)) = line.split_once(':') else {
                break;
            };
            headers.push((name.to_owned(), value.trim().to_owned()));
        }
        Ok(Self {
            status,
            reason,
            headers,
            head_only,
            reader,
        })
    }

    /// Reads exactly this many bytes of the body.
    pub fn take(&mut self, bytes: usize) -> io::Result<Vec<u8>> {
        let mut buffer = vec![0; bytes];
        self.reader.read_exact(&mut buffer)?;
        Ok(buffer)
    }

    /// Reads what is left of the body.
    pub fn finish(mut self) -> Reply {
        let mut body = Vec::new();
        let whole = self.head_only
            || matches!(self.status, 204 | 304)
            || self.read_body(&mut body).unwrap_or(false);
        Reply {
            status: self.status,
            reason: self.reason,
            headers: self.headers,
            body: body.into(),
            whole,
        }
    }

    fn read_body(&mut self, body: &mut Vec<u8>) -> io::Result<bool> {
        if find(&self.headers, "transfer-encoding").is_some() {
            return self.read_chunks(body);
        }
        let Some(length) = find(&self.headers, "content-length") else {
            self.reader.read_to_end(body)?;
            return Ok(true);
        };
        let length: u64 = length
            .parse()
            .map_err(|_| io::Error::other(format!("bad Content-Length `{length}`")))?;
        self.reader.by_ref().take(length).read_to_end(body)?;
        Ok(body.len() as u64 == length)
    }

    fn read_chunks(&mut self, body: &mut Vec<u8>) -> io::Result<bool> {
        loop {
            let size = line(&mut self.reader)?;
            let Ok(size) = u64::from_str_radix(size.trim(), 16) else {
                return Ok(false);
            };
            let before = body.len() as u64;
            self.reader.by_ref().take(size).read_to_end(body)?;
            if body.len() as u64 != before + size {
                return Ok(false);
            }
            line(&mut self.reader)?;
            if size == 0 {
                return Ok(true);
            }
        }
    }
}

impl Reply {
    /// The first header of this name.
    pub fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    /// The body as text. Panics if it is not UTF-8.
    pub fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("the body is UTF-8")
    }

    /// The body as JSON. Panics if it is not.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| {
            panic!(
                "the answer {} {} is not JSON: {error}\n{}",
                self.status,
                self.reason,
                String::from_utf8_lossy(&self.body)
            )
        })
    }
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers
        .iter()
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value.as_str())
}

fn line(reader: &mut BufReader<TcpStream>) -> io::Result<String> {
    let mut line = String::new();
    if reader.read_line(&mut line)? == 0 {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}
