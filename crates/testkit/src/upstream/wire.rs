//! HTTP/1.1 by hand: reading a request, and sending an answer as badly as asked.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, TcpStream};
use std::time::Duration;

use bytes::Bytes;

use super::log::Request;

/// Reads the next request of a connection, or `None` at its end.
pub(super) fn read(reader: &mut BufReader<&TcpStream>, connection: usize) -> Option<Request> {
    let line = line(reader)?;
    let mut words = line.split(' ');
    let method = words.next()?.to_owned();
    let target = words.next()?;
    let (path, query) = match target.split_once('?') {
        Some((path, query)) => (path.to_owned(), Some(query.to_owned())),
        None => (target.to_owned(), None),
    };
    let mut headers = Vec::new();
    loop {
        let line = self::line(reader)?;
        if line.is_empty() {
            break;
        }
        let (name, value) = line.split_once(':')?;
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    Some(Request {
        method,
        path,
        query,
        headers,
        version: "HTTP/1.1",
        connection,
        status: 0,
        bytes: 0,
    })
}

fn line(reader: &mut BufReader<&TcpStream>) -> Option<String> {
    let mut line = String::new();
    match reader.read_line(&mut line) {
        Ok(length) if length > 0 => Some(line.trim_end().to_owned()),
        _ => None,
    }
}

/// An answer before it is sent.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Bytes,
}

impl Reply {
    pub(super) fn new(status: u16, content_type: &str, body: impl Into<Bytes>) -> Self {
        Self {
            status,
            headers: vec![("Content-Type".to_owned(), content_type.to_owned())],
            body: body.into(),
        }
    }

    /// Sets a header, in place of one of the same name.
    pub(super) fn set(&mut self, name: &str, value: impl Into<String>) {
        self.headers
            .retain(|(key, _)| !key.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
    }
}

/// How the body goes out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Delivery {
    pub(super) piece: usize,
    pub(super) pause: Duration,
    pub(super) end: End,
}

/// Where the body ends.
#[derive(Debug, Clone, Copy)]
pub(super) enum End {
    Whole,
    Close(u64),
    Reset(u64),
    Stall(u64),
    Never,
}

impl Delivery {
    /// As fast as it goes, or at this many bytes a second.
    pub(super) fn at(rate: Option<usize>) -> Self {
        let (piece, pause) = match rate {
            Some(rate) => ((rate / 50).max(1), Duration::from_millis(20)),
            None => (1 << 16, Duration::ZERO),
        };
        Self {
            piece,
            pause,
            end: End::Whole,
        }
    }
}

/// Sends an answer. `false` means that the connection is over.
pub(super) fn send(
    mut stream: &TcpStream,
    reply: &Reply,
    head_only: bool,
    delivery: Delivery,
    mut sent: impl FnMut(usize),
) -> bool {
    let mut head = format!("HTTP/1.1 {} {}\r\n", reply.status, reason(reply.status));
    for (name, value) in &reply.headers {
        let _ = write!(head, "{name}: {value}\r\n");
    }
    if matches!(delivery.end, End::Never) {
        head.push_str("Transfer-Encoding: chunked\r\n\r\n");
    } else if reply.status == 304 {
        head.push_str("\r\n");
    } else {
        let _ = write!(head, "Content-Length: {}\r\n\r\n", reply.body.len());
    }
    if stream.write_all(head.as_bytes()).is_err() {
        return false;
    }
    if head_only || reply.status == 304 {
        return true;
    }
    if let End::Never = delivery.end {
        return endless(stream, sent);
    }
    let end = match delivery.end {
        End::Close(after) | End::Reset(after) | End::Stall(after) => after as usize,
        End::Whole | End::Never => usize::MAX,
    };
    let body = &reply.body[..reply.body.len().min(end)];
    for piece in body.chunks(delivery.piece) {
        if stream.write_all(piece).is_err() {
            return false;
        }
        sent(piece.len());
        if !delivery.pause.is_zero() {
            std::thread::sleep(delivery.pause);
        }
    }
    finish(stream, delivery.end)
}

fn finish(stream: &TcpStream, end: End) -> bool {
    match end {
        End::Whole => return true,
        End::Close(_) => drop(stream.shutdown(Shutdown::Both)),
        End::Reset(_) => {
            // Closing a socket that does not linger sends a reset. The peer may
            // throw away what it has not read by then, so let it read first.
            std::thread::sleep(Duration::from_millis(50));
            let _ = rustix::net::sockopt::set_socket_linger(stream, Some(Duration::ZERO));
        }
        End::Stall(_) => hang(stream),
        End::Never => {}
    }
    false
}

/// Keeps the connection until the peer or the end of the upstream closes it.
pub(super) fn hang(mut stream: &TcpStream) {
    let mut rest = [0; 1024];
    while matches!(stream.read(&mut rest), Ok(length) if length > 0) {}
}

fn endless(mut stream: &TcpStream, mut sent: impl FnMut(usize)) -> bool {
    let mut chunk = b"10000\r\n".to_vec();
    chunk.resize(chunk.len() + 0x10000, b' ');
    chunk.extend_from_slice(b"\r\n");
    while stream.write_all(&chunk).is_ok() {
        sent(0x10000);
    }
    false
}

fn reason(status: u16) -> &'static str {
    match status {
        200 => "OK",
        206 => "Partial Content",
        301 => "Moved Permanently",
        302 => "Found",
        304 => "Not Modified",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        416 => "Range Not Satisfiable",
        429 => "Too Many Requests",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        504 => "Gateway Timeout",
        _ => "Status",
    }
}
