//! One connection that is kept, with as little between it and the wire as can be.

use std::borrow::Cow;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;

/// Who asks.
pub(crate) enum Credentials {
    /// As installers and uploaders send them.
    Basic(String, String),
    /// As devpi's client sends them.
    Devpi(String, String),
}

/// What came back.
pub(crate) struct Answer {
    pub(crate) status: u16,
    body: Vec<u8>,
}

impl Answer {
    pub(crate) fn text(&self) -> Cow<'_, str> {
        String::from_utf8_lossy(&self.body)
    }
}

/// A connection, and another one whenever the server ends it, as devpi does
/// after each page.
pub(crate) struct Client {
    host: String,
    reader: Option<BufReader<TcpStream>>,
}

impl Client {
    pub(crate) fn new(url: &str) -> Self {
        let host = url.trim_start_matches("http://").to_owned();
        let reader = Some(connect(&host));
        Self { host, reader }
    }

    pub(crate) fn json(
        &mut self,
        method: &str,
        path: &str,
        credentials: Option<&Credentials>,
        body: &Value,
    ) -> Answer {
        let json = [
            ("Content-Type", "application/json"),
            ("Accept", "application/json"),
        ];
        self.send(
            method,
            path,
            credentials,
            &json,
            body.to_string().as_bytes(),
        )
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        credentials: Option<&Credentials>,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let mut head = format!("{method} {path} HTTP/1.1\r\nHost: {}\r\n", self.host);
        match credentials {
            Some(Credentials::Basic(user, secret)) => {
                let both = STANDARD.encode(format!("{user}:{secret}"));
                head += &["Authorization: Basic ", &both, "\r\n"].concat();
            }
            Some(Credentials::Devpi(user, secret)) => {
                let both = STANDARD.encode(format!("{user}:{secret}"));
                head += &["X-Devpi-Auth: ", &both, "\r\n"].concat();
            }
            None => {}
        }
        for (name, value) in headers {
            head += &[name, ": ", value, "\r\n"].concat();
        }
        head += &["Content-Length: ", &body.len().to_string(), "\r\n\r\n"].concat();
        let mut first = head.into_bytes();
        // What is short goes out in one piece, what is long is not copied.
        let (begin, rest) = body.split_at(body.len().min(64 * 1024));
        first.extend_from_slice(begin);
        let mut reader = match self.reader.take() {
            Some(reader) => reader,
            None => connect(&self.host),
        };
        reader.get_mut().write_all(&first).unwrap();
        reader.get_mut().write_all(rest).unwrap();
        let (answer, kept) = read(&mut reader);
        self.reader = kept.then_some(reader);
        answer
    }
}

fn connect(host: &str) -> BufReader<TcpStream> {
    let stream = TcpStream::connect(host).unwrap();
    stream.set_nodelay(true).unwrap();
    BufReader::with_capacity(64 * 1024, stream)
}

/// An answer, and whether another may follow it.
fn read(reader: &mut BufReader<TcpStream>) -> (Answer, bool) {
    let status = line(reader).split(' ').nth(1).unwrap().parse().unwrap();
    let (mut length, mut chunked, mut kept) = (0, false, true);
    loop {
        let line = line(reader).to_ascii_lowercase();
        match line.split_once(": ") {
            Some(("content-length", value)) => length = value.parse().unwrap(),
            Some(("transfer-encoding", "chunked")) => chunked = true,
            Some(("connection", "close")) => kept = false,
            Some(_) => {}
            None => break,
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).unwrap();
    while chunked {
        let size = usize::from_str_radix(&line(reader), 16).unwrap();
        let mut chunk = vec![0; size + 2];
        reader.read_exact(&mut chunk).unwrap();
        body.extend_from_slice(&chunk[..size]);
        chunked = size > 0;
    }
    (Answer { status, body }, kept)
}

fn line(reader: &mut BufReader<TcpStream>) -> String {
    let mut line = String::new();
    reader.read_line(&mut line).unwrap();
    line.trim_end().to_owned()
}
