//! devpi's own server over a directory of its own: what our answers are held
//! against, and who takes what we export.
//!
//! It starts in about two seconds because it derives its signing key cheaply
//! and indexes no words for its search. Passwords cost what they always do.

use std::ffi::OsStr;
use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::Child;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustix::process::{Pid, Signal, kill_process};

use crate::clients::{Run, Scratch, program, run};
use crate::http::Request;
use crate::upstream::Upstream;
use crate::wait::{holds_within, wait_until};

/// A `devpi-server`, running or about to.
#[derive(Debug)]
pub struct DevpiServer {
    scratch: Scratch,
    arguments: Vec<String>,
    upstream: Option<String>,
    port: Option<u16>,
    child: Option<Child>,
}

impl DevpiServer {
    /// As `devpi-init` leaves it, but without a mirror of the real PyPI.
    pub fn new() -> Self {
        let server = Self::without_data();
        server
            .tool("devpi-init", &["--no-root-pypi".as_ref()])
            .succeeds();
        server
    }

    /// As `devpi-import` leaves it; what that printed if it failed.
    pub fn import(dump: &Path) -> Result<Self, Run> {
        let server = Self::without_data();
        let run = server.tool("devpi-import", &["--no-events".as_ref(), dump.as_os_str()]);
        if run.code == 0 { Ok(server) } else { Err(run) }
    }

    fn without_data() -> Self {
        Self {
            scratch: Scratch::new(),
            arguments: Vec::new(),
            upstream: None,
            port: None,
            child: None,
        }
    }

    /// Makes root/pypi a mirror of this upstream, once it runs.
    #[must_use]
    pub fn mirroring(mut self, upstream: &Upstream) -> Self {
        self.upstream = Some(upstream.simple());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn arguments<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Starts it and waits until it answers. Panics if it ends instead.
    #[must_use]
    pub fn start(mut self) -> Self {
        self.start_again();
        if let Some(upstream) = self.upstream.take() {
            self.mirror(&upstream);
        }
        self
    }

    /// Starts it again over the same directory and on the same port.
    pub fn start_again(&mut self) {
        assert!(self.child.is_none(), "devpi-server runs already");
        // A port that is free now may be taken when it comes to it.
        for _ in 0..3 {
            let port = self.port.unwrap_or_else(free_port);
            if self.try_start(port) {
                self.port = Some(port);
                return;
            }
        }
        panic!("devpi-server does not start:\n{}", self.log());
    }

    fn try_start(&mut self, port: u16) -> bool {
        let mut child = self
            .scratch
            .command(&program("devpi-server", "devpi-server"))
            .arg("--serverdir")
            .arg(self.serverdir())
            .args(["--host", "127.0.0.1", "--port", &port.to_string()])
            .args(CHEAP_KEY)
            .args(["--indexer-backend", "null"])
            .args(&self.arguments)
            .stdout(self.output("log"))
            .stderr(self.output("trouble"))
            .spawn()
            .expect("devpi-server can be run");
        let mut ended = false;
        let api = format!("http://127.0.0.1:{port}/+api");
        wait_until("devpi-server to answer", || {
            ended = child
                .try_wait()
                .expect("a child can be waited for")
                .is_some();
            ended || Request::get(&api).try_open().is_ok()
        });
        if !ended {
            self.child = Some(child);
        }
        !ended
    }

    fn output(&self, name: &str) -> fs::File {
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.scratch.path().join(name))
            .expect("the temporary directory takes a file")
    }

    /// What `devpi-init` makes, but of another upstream.
    fn mirror(&self, upstream: &str) {
        let settings = serde_json::json!({
            "type": "mirror",
            "volatile": false,
            "title": "PyPI",
            "mirror_url": upstream,
            "mirror_web_url_fmt": "http://pypi.example/project/{name}/",
        });
        let answer = Request::new("PUT", &format!("{}/root/pypi", self.url()))
            .header("X-Devpi-Auth", &STANDARD.encode("root:"))
            .header("Content-Type", "application/json")
            .body(settings.to_string())
            .send();
        assert_eq!(answer.status, 200, "{}", answer.text());
    }

    /// `http://127.0.0.1:{port}`, without a slash at the end.
    pub fn url(&self) -> String {
        let port = self.port.expect("devpi-server was started");
        format!("http://127.0.0.1:{port}")
    }

    /// What it has written so far, its log and then its troubles.
    pub fn log(&self) -> String {
        ["log", "trouble"]
            .map(|name| fs::read_to_string(self.scratch.path().join(name)).unwrap_or_default())
            .concat()
    }

    /// Ends it, which `export` needs.
    pub fn stop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // It may have ended by itself.
        let _ = kill_process(id.expect("a process id fits"), Signal::TERM);
        let ended = holds_within(Duration::from_secs(10), || {
            child
                .try_wait()
                .expect("a child can be waited for")
                .is_some()
        });
        if !ended {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Runs `devpi-export` into a directory that is not there yet.
    pub fn export(&self, dump: &Path) -> Run {
        self.export_with(dump, &[])
    }

    /// The same with more arguments.
    pub fn export_with(&self, dump: &Path, arguments: &[&str]) -> Run {
        assert!(self.child.is_none(), "devpi-server must be stopped first");
        let mut all = vec![dump.as_os_str()];
        all.extend(arguments.iter().map(AsRef::<OsStr>::as_ref));
        self.tool("devpi-export", &all)
    }

    fn tool(&self, name: &str, arguments: &[&OsStr]) -> Run {
        let mut command = self.scratch.command(&program("devpi-server", name));
        command
            .arg("--serverdir")
            .arg(self.serverdir())
            .args(arguments);
        run(command)
    }

    fn serverdir(&self) -> PathBuf {
        self.scratch.path().join("server")
    }
}

impl Default for DevpiServer {
    fn default() -> Self {
        Self::new()
    }
}

impl Drop for DevpiServer {
    fn drop(&mut self) {
        self.stop();
        if std::thread::panicking() {
            eprintln!("--- devpi-server's log\n{}---", self.log());
        }
    }
}

/// Half a gigabyte and a second of work otherwise, at each start.
const CHEAP_KEY: [&str; 6] = [
    "--argon2-memory-cost",
    "8",
    "--argon2-parallelism",
    "1",
    "--argon2-time-cost",
    "1",
];

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = listener.local_addr().expect("a listener has an address");
    address.port()
}
