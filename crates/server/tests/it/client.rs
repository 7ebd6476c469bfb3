//! A client that shows what went over the wire: status line, headers, and how the body ended.

use std::fmt::Write;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// What came back.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) reason: String,
    headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the body ended as announced.
    pub(crate) complete: bool,
    /// The largest chunk, of a chunked body.
    pub(crate) largest_chunk: usize,
}

impl Reply {
    /// All that came but the time, as one text.
    pub(crate) fn whole(&self) -> String {
        let mut text = format!("{} {}\n", self.status, self.reason);
        for (name, value) in &self.headers {
            if !name.eq_ignore_ascii_case("date") {
                writeln!(text, "{name}: {value}").unwrap();
            }
        }
        text + &String::from_utf8_lossy(&self.body)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let found = self
            .headers
            .iter()
            .find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    /// The members of a problem document, one a line.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(
            self.header("content-type"),
            Some("application/problem+json")
        );
        let members: serde_json::Map<String, serde_json::Value> =
            serde_json::from_slice(&self.body).unwrap();
        assert_eq!(members["message"], members["detail"]);
        assert_eq!(members["status"], self.status);
        assert_eq!(members.len(), 4, "{members:?}");
        format!(
            "{} {} {}",
            self.status,
            members["type"].as_str().unwrap(),
            members["detail"].as_str().unwrap()
        )
    }
}

/// One connection.
pub(crate) struct Client {
    stream: TcpStream,
    read: Vec<u8>,
}

impl Client {
    pub(crate) async fn connect(address: SocketAddr) -> Self {
        Self {
            stream: TcpStream::connect(address).await.unwrap(),
            read: Vec::new(),
        }
    }

    pub(crate) async fn get(&mut self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("GET", path, headers).await;
        self.reply(false).await
    }

    pub(crate) async fn head(&mut self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send("HEAD", path, headers).await;
        self.reply(true).await
    }

    pub(crate) async fn send(&mut self, method: &str, path: &str, headers: &[(&str, &str)]) {
        self.write(method, path, headers, &[]).await;
    }

    pub(crate) async fn send_body(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) {
        let length = body.len().to_string();
        let mut headers = headers.to_vec();
        headers.push(("Content-Length", &length));
        self.write(method, path, &headers, body).await;
    }

    /// More of a body, or anything else.
    pub(crate) async fn write_raw(&mut self, bytes: &[u8]) {
        self.stream.write_all(bytes).await.unwrap();
    }

    /// All at once: what is still on its way when the answer goes out closes the connection.
    async fn write(&mut self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: test.localhost:1\r\n");
        for (name, value) in headers {
            write!(text, "{name}: {value}\r\n").unwrap();
        }
        text.push_str("\r\n");
        let request = [text.as_bytes(), body].concat();
        self.stream.write_all(&request).await.unwrap();
    }

    /// Reads one answer, as far as it comes.
    pub(crate) async fn reply(&mut self, to_head: bool) -> Reply {
        let mut reply = self.reply_head().await;
        if to_head || reply.status == 304 {
            return reply;
        }
        if reply.header("transfer-encoding") == Some("chunked") {
            self.chunks(&mut reply).await;
        } else if let Some(len) = reply.header("content-length") {
            let len = len.parse().unwrap();
            reply.complete = self.fill(len).await;
            let have = len.min(self.read.len());
            reply.body = self.read.drain(..have).collect();
        }
        reply
    }

    pub(crate) async fn reply_head(&mut self) -> Reply {
        let end = loop {
            if let Some(at) = self.read.windows(4).position(|w| w == b"\r\n\r\n") {
                break at + 4;
            }
            assert!(
                self.more().await,
                "no answer: {:?}",
                String::from_utf8_lossy(&self.read)
            );
        };
        let head: Vec<u8> = self.read.drain(..end).collect();
        let head = String::from_utf8(head).unwrap();
        let mut lines = head.lines();
        let mut first = lines.next().unwrap().splitn(3, ' ').skip(1);
        let status = first.next().unwrap().parse().unwrap();
        let reason = first.next().unwrap_or_default().to_owned();
        let headers = lines
            .filter_map(|line| line.split_once(": "))
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        Reply {
            status,
            reason,
            headers,
            body: Vec::new(),
            complete: true,
            largest_chunk: 0,
        }
    }

    /// Reads until so many bytes are there; says whether they came.
    pub(crate) async fn fill(&mut self, len: usize) -> bool {
        while self.read.len() < len {
            if !self.more().await {
                return false;
            }
        }
        true
    }

    /// The next so many bytes, if they come.
    pub(crate) async fn take(&mut self, len: usize) -> Option<Vec<u8>> {
        self.fill(len)
            .await
            .then(|| self.read.drain(..len).collect())
    }

    /// What was read and not yet taken.
    pub(crate) fn pending(&self) -> &[u8] {
        &self.read
    }

    async fn chunks(&mut self, reply: &mut Reply) {
        loop {
            let line_end = loop {
                if let Some(at) = self.read.windows(2).position(|w| w == b"\r\n") {
                    break at;
                }
                if !self.more().await {
                    reply.complete = false;
                    return;
                }
            };
            let size =
                usize::from_str_radix(std::str::from_utf8(&self.read[..line_end]).unwrap(), 16)
                    .unwrap();
            if !self.fill(line_end + 2 + size + 2).await {
                reply.complete = false;
                return;
            }
            let chunk = &self.read[line_end + 2..line_end + 2 + size];
            reply.body.extend_from_slice(chunk);
            reply.largest_chunk = reply.largest_chunk.max(size);
            self.read.drain(..line_end + 2 + size + 2);
            if size == 0 {
                return;
            }
        }
    }

    async fn more(&mut self) -> bool {
        let mut buffer = vec![0; 256 * 1024];
        match self.stream.read(&mut buffer).await {
            Ok(0) | Err(_) => false,
            Ok(n) => {
                self.read.extend_from_slice(&buffer[..n]);
                true
            }
        }
    }
}
