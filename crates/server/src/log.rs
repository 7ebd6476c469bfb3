//! One line per request, cheap enough for a hundred thousand a second.
//!
//! Each worker formats into a buffer of its own; a thread writes the buffers
//! out. If nobody reads what we write, lines are dropped and counted: a stuck
//! terminal must not stop the server. Query strings, which may carry secrets,
//! are never passed in here.

use std::io::Write;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::Notify;

use crate::config::LogFormat;
use crate::told::{CacheState, Route};

/// A buffer is handed on when it is this full, or this old.
const FULL: usize = 32 * 1024;
const OLD: Duration = Duration::from_millis(200);

/// Lines are dropped when this much waits for the writer.
const TOO_MUCH: usize = 1024 * 1024;

/// The thread that writes the log.
pub(crate) struct Journal {
    format: LogFormat,
    writer: Option<SyncSender<Message>>,
    lost: AtomicU64,
}

enum Message {
    Lines(Vec<u8>),
    /// Answered once all before it is written.
    Flush(SyncSender<()>),
}

/// One answered request.
pub(crate) struct Line<'a> {
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) route: Route,
    pub(crate) status: u16,
    /// As announced; unknown for a body of unknown length.
    pub(crate) bytes: Option<u64>,
    pub(crate) took: Duration,
    pub(crate) cache: CacheState,
    pub(crate) index: &'a str,
    pub(crate) project: &'a str,
    pub(crate) client: &'a str,
}

impl Journal {
    /// A journal that writes there.
    pub(crate) fn new(format: LogFormat, to: Box<dyn Write + Send>) -> Self {
        let (sender, receiver) = sync_channel(64);
        let started = format != LogFormat::Off
            && std::thread::Builder::new()
                .name("log".to_owned())
                .spawn(move || write(&receiver, to))
                .is_ok();
        Self {
            format,
            writer: started.then_some(sender),
            lost: AtomicU64::new(0),
        }
    }

    /// Returns once everything handed on so far is written. Blocks.
    pub(crate) fn flush(&self) {
        let Some(writer) = &self.writer else { return };
        let (done, written) = sync_channel(1);
        if writer.send(Message::Flush(done)).is_ok() {
            // The writer is gone: there is nothing to wait for.
            let _ = written.recv();
        }
    }

    /// Hands lines on; gives them back if the writer is behind.
    fn hand_on(&self, lines: Vec<u8>) -> Option<Vec<u8>> {
        let writer = self.writer.as_ref()?;
        match writer.try_send(Message::Lines(lines)) {
            Ok(()) => {
                let lost = self.lost.swap(0, Ordering::Relaxed);
                if lost > 0 {
                    tracing::warn!(
                        lost,
                        "{lost} lines of the request log were lost: nobody read them in time"
                    );
                }
                None
            }
            Err(TrySendError::Full(Message::Lines(lines))) if lines.len() < TOO_MUCH => Some(lines),
            Err(TrySendError::Full(Message::Lines(lines))) => {
                let lost = lines.split(|b| *b == b'\n').count() - 1;
                self.lost.fetch_add(lost as u64, Ordering::Relaxed);
                None
            }
            Err(_) => None,
        }
    }
}

fn write(receiver: &Receiver<Message>, mut to: Box<dyn Write + Send>) {
    while let Ok(message) = receiver.recv() {
        // A log that cannot be written is no reason to stop serving.
        let _ = match message {
            Message::Lines(lines) => to.write_all(&lines),
            Message::Flush(done) => {
                let flushed = to.flush();
                let _ = done.send(());
                flushed
            }
        };
    }
}

/// A worker's lines until they are handed on.
#[derive(Default)]
pub(crate) struct LogBuffer {
    lines: Mutex<Lines>,
    begun: Notify,
}

#[derive(Default)]
struct Lines {
    bytes: Vec<u8>,
    /// The second that `stamp` stands for.
    second: i64,
    /// `2026-01-02T03:04:05`
    stamp: String,
}

impl LogBuffer {
    /// Adds a line.
    pub(crate) fn add(&self, journal: &Journal, line: &Line<'_>) {
        if journal.writer.is_none() {
            return;
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        let begun = lines.bytes.is_empty();
        lines.write(journal.format, line, Timestamp::now());
        if lines.bytes.len() > FULL {
            lines.hand_on(journal);
        } else if begun {
            self.begun.notify_one();
        }
    }

    /// Hands on what is there.
    pub(crate) fn hand_on(&self, journal: &Journal) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.hand_on(journal);
    }

    /// Hands on, for ever, what has become old.
    pub(crate) async fn keep_handing_on(&self, journal: &Journal) {
        loop {
            self.begun.notified().await;
            tokio::time::sleep(OLD).await;
            self.hand_on(journal);
        }
    }
}

impl Lines {
    fn hand_on(&mut self, journal: &Journal) {
        if self.bytes.is_empty() {
            return;
        }
        let room = Vec::with_capacity(FULL + 1024);
        let lines = std::mem::replace(&mut self.bytes, room);
        if let Some(back) = journal.hand_on(lines) {
            self.bytes = back;
        }
    }

    fn write(&mut self, format: LogFormat, line: &Line<'_>, now: Timestamp) {
        self.stamp_for(now.as_second());
        let millis = now.subsec_millisecond().unsigned_abs();
        let (out, stamp) = (&mut self.bytes, &self.stamp);
        // Writing to a `Vec` cannot fail.
        let _ = match format {
            LogFormat::Json => json(out, line, stamp, millis),
            LogFormat::Text | LogFormat::Off => text(out, line, stamp, millis),
        };
    }

    fn stamp_for(&mut self, second: i64) {
        if self.second == second && !self.stamp.is_empty() {
            return;
        }
        self.second = second;
        self.stamp = Timestamp::from_second(second)
            .unwrap_or_default()
            .to_string();
        self.stamp.truncate("2026-01-02T03:04:05".len());
    }
}

fn text(out: &mut Vec<u8>, line: &Line<'_>, stamp: &str, millis: u32) -> std::io::Result<()> {
    out.extend_from_slice(stamp.as_bytes());
    write!(out, ".{millis:03}Z {} ", line.method)?;
    clean(out, line.path);
    write!(out, " {} ", line.status)?;
    match line.bytes {
        Some(bytes) => out.extend_from_slice(itoa::Buffer::new().format(bytes).as_bytes()),
        None => out.push(b'-'),
    }
    let tenths = line.took.as_micros() / 100;
    write!(
        out,
        " {}.{}ms {} ",
        tenths / 10,
        tenths % 10,
        line.cache.name()
    )?;
    clean(out, line.index);
    out.push(b' ');
    clean(out, line.project);
    out.extend_from_slice(b" \"");
    clean(out, line.client);
    out.extend_from_slice(b"\"\n");
    Ok(())
}

/// Nothing that could end the line, or the field, or steer a terminal.
fn clean(out: &mut Vec<u8>, text: &str) {
    if text.is_empty() {
        out.push(b'-');
    }
    for byte in text.bytes() {
        match byte {
            b'"' | b'\\' | 0..=b' ' | 0x7f.. => {
                let _ = write!(out, "\\x{byte:02x}");
            }
            _ => out.push(byte),
        }
    }
}

fn json(out: &mut Vec<u8>, line: &Line<'_>, stamp: &str, millis: u32) -> std::io::Result<()> {
    write!(out, "{{\"time\":\"{stamp}.{millis:03}Z\",\"method\":")?;
    quoted(out, line.method)?;
    out.extend_from_slice(b",\"path\":");
    quoted(out, line.path)?;
    write!(
        out,
        ",\"route\":\"{}\",\"status\":{},\"bytes\":",
        line.route.name(),
        line.status
    )?;
    match line.bytes {
        Some(bytes) => out.extend_from_slice(itoa::Buffer::new().format(bytes).as_bytes()),
        None => out.extend_from_slice(b"null"),
    }
    let micros = line.took.as_micros();
    write!(
        out,
        ",\"duration_ms\":{}.{:03}",
        micros / 1000,
        micros % 1000
    )?;
    let cache = if line.cache == CacheState::None {
        ""
    } else {
        line.cache.name()
    };
    let words = [
        ("cache", cache),
        ("index", line.index),
        ("project", line.project),
        ("client", line.client),
    ];
    for (name, word) in words {
        write!(out, ",\"{name}\":")?;
        if word.is_empty() {
            out.extend_from_slice(b"null");
        } else {
            quoted(out, word)?;
        }
    }
    out.extend_from_slice(b"}\n");
    Ok(())
}

fn quoted(out: &mut Vec<u8>, text: &str) -> std::io::Result<()> {
    if text
        .bytes()
        .all(|b| matches!(b, b' '..=b'~') && b != b'"' && b != b'\\')
    {
        out.push(b'"');
        out.extend_from_slice(text.as_bytes());
        out.push(b'"');
        return Ok(());
    }
    serde_json::to_writer(out, text).map_err(Into::into)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(format: LogFormat, path: &str, bytes: Option<u64>) -> String {
        let mut lines = Lines::default();
        let line = Line {
            method: "GET",
            path,
            route: Route::Page,
            status: 200,
            bytes,
            took: Duration::from_micros(456),
            cache: CacheState::Hit,
            index: "root/pypi",
            project: "",
            client: "pip/26.3",
        };
        lines.write(format, &line, "2026-01-02T03:04:05.067Z".parse().unwrap());
        String::from_utf8(lines.bytes).unwrap()
    }

    #[test]
    fn a_text_line_reads_like_a_sentence() {
        assert_eq!(
            written(LogFormat::Text, "/simple/numpy/", Some(61_502)),
            "2026-01-02T03:04:05.067Z GET /simple/numpy/ 200 61502 0.4ms hit root/pypi - \"pip/26.3\"\n"
        );
    }

    #[test]
    fn a_json_line_has_every_field() {
        assert_eq!(
            written(LogFormat::Json, "/simple/\"/", None),
            "{\"time\":\"2026-01-02T03:04:05.067Z\",\"method\":\"GET\",\"path\":\"/simple/\\\"/\",\"route\":\"page\",\
             \"status\":200,\"bytes\":null,\"duration_ms\":0.456,\"cache\":\"hit\",\"index\":\"root/pypi\",\
             \"project\":null,\"client\":\"pip/26.3\"}\n"
        );
    }

    #[test]
    fn nothing_in_a_path_ends_the_line() {
        let line = written(LogFormat::Text, "/a\n\"\u{1b}[31m", Some(0));
        assert_eq!(line.lines().count(), 1);
        assert!(line.contains("/a\\x0a\\x22\\x1b[31m"), "{line}");
    }
}
