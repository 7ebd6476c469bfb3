//! A receiver of webhooks: notes what is posted and answers as it is told.

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// What somebody posted.
#[derive(Debug, Clone)]
pub struct Posted {
    /// Names in lower case.
    headers: Vec<(String, String)>,
    /// As it came.
    pub body: String,
}

impl Posted {
    /// A header by its name in lower case. Panics if it is not there.
    #[track_caller]
    pub fn header(&self, name: &str) -> &str {
        let found = self.headers.iter().find(|(known, _)| known == name);
        let (_, value) = found.unwrap_or_else(|| panic!("no `{name}` in {:?}", self.headers));
        value
    }

    /// The body, which has to be JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("the body is JSON")
    }

    /// Whether the signature is that of Standard Webhooks under this key.
    pub fn is_signed_with(&self, key: &[u8]) -> bool {
        let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("a key of any length");
        let (id, time) = (self.header("webhook-id"), self.header("webhook-timestamp"));
        mac.update(format!("{id}.{time}.{}", self.body).as_bytes());
        let expected = format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()));
        self.header("webhook-signature") == expected
    }
}

#[derive(Debug, Default)]
struct Notes {
    posted: Vec<Posted>,
    answers: VecDeque<u16>,
}

/// A receiver on loopback.
#[derive(Debug)]
pub struct Receiver {
    address: SocketAddr,
    notes: Arc<Mutex<Notes>>,
}

impl Receiver {
    /// Listens on a free port.
    pub fn start() -> Self {
        Self::at(SocketAddr::from(([127, 0, 0, 1], 0)))
    }

    /// Listens there.
    pub fn at(address: SocketAddr) -> Self {
        let listener = TcpListener::bind(address).expect("the address is free");
        let address = listener.local_addr().expect("it listens");
        let notes = Arc::new(Mutex::new(Notes::default()));
        let noted = notes.clone();
        // It ends with the process: a test has one.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                receive(&stream, &noted);
            }
        });
        Self { address, notes }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Where to post.
    pub fn url(&self) -> String {
        format!("http://{}/hook", self.address)
    }

    /// Answers the next posts with these statuses, and all after them with 204.
    pub fn answer_with(&self, statuses: &[u16]) {
        lock(&self.notes).answers.extend(statuses);
    }

    /// What was posted so far.
    pub fn posted(&self) -> Vec<Posted> {
        lock(&self.notes).posted.clone()
    }
}

fn lock(notes: &Mutex<Notes>) -> MutexGuard<'_, Notes> {
    notes.lock().unwrap_or_else(PoisonError::into_inner)
}

/// One request of a connection, which is then closed.
fn receive(mut stream: &TcpStream, notes: &Mutex<Notes>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut headers = Vec::new();
    let mut line = String::new();
    reader.read_line(&mut line).ok()?;
    loop {
        line.clear();
        reader.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            break;
        };
        headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = headers.iter().find(|(name, _)| name == "content-length")?;
    let mut body = vec![0; length.1.parse().ok()?];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    let mut notes = lock(notes);
    notes.posted.push(Posted { headers, body });
    let status = notes.answers.pop_front().unwrap_or(204);
    drop(notes);
    let answer = format!("HTTP/1.1 {status} .\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
    stream.write_all(answer.as_bytes()).ok()
}
