//! What can be set about the server.

use std::net::SocketAddr;
use std::time::Duration;

/// What can be set about the server.
#[derive(Debug, Clone)]
pub struct Config {
    /// Where to listen.
    pub listen: Vec<SocketAddr>,
    /// How a request is logged.
    pub log: LogFormat,
    /// Worker threads; as many as cores is right.
    pub workers: usize,
    /// How long answers under way may take to end once the server is told to stop.
    pub drain: Duration,
    /// How long a client may take to send a request's head, and how long an idle
    /// connection is kept.
    pub head_timeout: Duration,
    /// How long a client may send nothing in the middle of a request's body.
    pub body_timeout: Duration,
    /// Bytes of rendered pages kept in memory.
    pub page_cache: u64,
    /// Where clients find this server, if a proxy stands before it and does not say so.
    pub outside_url: Option<String>,
    /// Whether releases may be pushed to indexes inside our own network.
    pub pushes_inside: bool,
    /// How long a client may keep a page without asking again.
    pub page_max_age: Duration,
}

/// How a request is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One line for people.
    Text,
    /// One JSON object a line.
    Json,
    /// Not at all.
    Off,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: vec![SocketAddr::from(([127, 0, 0, 1], 3141))],
            log: LogFormat::Text,
            workers: std::thread::available_parallelism().map_or(1, usize::from),
            // Docker kills a container 10 s after it was told to stop.
            drain: Duration::from_secs(7),
            head_timeout: Duration::from_secs(30),
            body_timeout: Duration::from_secs(30),
            page_cache: 64 * 1024 * 1024,
            outside_url: None,
            pushes_inside: true,
            page_max_age: Duration::from_mins(1),
        }
    }
}
