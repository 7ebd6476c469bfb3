//! The server that is checked: started, asked for its numbers, stopped.

use std::fs::{self, File};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A `pilothouse serve` that listens. Killed when dropped.
pub(super) struct Server {
    child: Child,
    url: String,
    log: PathBuf,
}

/// What the server counted.
#[derive(Debug, Default)]
pub(super) struct Numbers {
    /// Requests for files.
    pub(super) files: u64,
    /// Requests to upstream.
    pub(super) upstream: u64,
    /// Answers that say the server or its upstream is at fault.
    pub(super) broken: u64,
}

const PATIENCE: Duration = Duration::from_mins(1);

impl Server {
    /// Starts it over `data/` in this directory and waits until it listens.
    pub(super) fn start(
        binary: &Path,
        directory: &Path,
        arguments: &[&str],
        environment: &[(&str, &str)],
    ) -> Result<Self> {
        let ready = directory.join("ready");
        if ready.exists() {
            fs::remove_file(&ready).context("cannot remove the last ready file")?;
        }
        let log = directory.join("server.log");
        let output = File::options().create(true).append(true).open(&log);
        let output = output.context("cannot write the server's log")?;
        let child = Command::new(binary)
            .args(["serve", "--listen", "127.0.0.1:0", "--log", "json"])
            .arg("--data-dir")
            .arg(directory.join("data"))
            .arg("--ready-file")
            .arg(&ready)
            .args(arguments)
            .envs(environment.iter().copied())
            .stdin(Stdio::null())
            .stdout(
                output
                    .try_clone()
                    .context("cannot write the server's log")?,
            )
            .stderr(output)
            .spawn()
            .with_context(|| format!("cannot run {}", binary.display()))?;
        let mut server = Self {
            child,
            url: String::new(),
            log,
        };
        server.wait(|_| ready.exists())?;
        fs::read_to_string(&ready)
            .context("cannot read the ready file")?
            .trim_end()
            .trim_end_matches('/')
            .clone_into(&mut server.url);
        Ok(server)
    }

    /// Waits until this holds; a server that ends first has failed.
    fn wait(&mut self, holds: impl Fn(&Self) -> bool) -> Result<()> {
        let begin = Instant::now();
        while !holds(self) {
            let ended = self
                .child
                .try_wait()
                .context("cannot wait for the server")?;
            if let Some(status) = ended {
                let log = fs::read_to_string(&self.log).unwrap_or_default();
                bail!("the server did not start ({status}):\n{log}");
            }
            if begin.elapsed() > PATIENCE {
                bail!("the server did not listen within {PATIENCE:?}");
            }
            sleep(Duration::from_millis(20));
        }
        Ok(())
    }

    /// The index that clients are pointed at.
    pub(super) fn simple(&self) -> String {
        format!("{}/simple/", self.url)
    }

    /// What it counted since it started.
    pub(super) fn numbers(&self) -> Result<Numbers> {
        let body = self.metrics().context("cannot read the server's numbers")?;
        let metrics: serde_json::Value =
            serde_json::from_slice(&body).context("the server's numbers are not JSON")?;
        let number = |name: &str| {
            metrics[name]
                .as_u64()
                .with_context(|| format!("the server does not count `{name}`"))
        };
        Ok(Numbers {
            files: number("requests_file")?,
            upstream: number("upstream_requests")?,
            broken: number("responses_5xx")?,
        })
    }

    /// HTTP/1.0, so that the answer ends where the connection does.
    fn metrics(&self) -> Result<Vec<u8>> {
        let address = self.url.trim_start_matches("http://");
        let mut connection = TcpStream::connect(address)?;
        connection.set_read_timeout(Some(PATIENCE))?;
        write!(
            connection,
            "GET /+metrics?format=json HTTP/1.0\r\nHost: {address}\r\n\r\n"
        )?;
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer)?;
        let end = answer.windows(4).position(|bytes| bytes == b"\r\n\r\n");
        let end = end.context("the answer has no end of its head")?;
        Ok(answer.split_off(end + 4))
    }

    /// Stops it as a service manager would.
    pub(super) fn stop(mut self) -> Result<()> {
        let id = i32::try_from(self.child.id()).ok().and_then(Pid::from_raw);
        kill_process(id.context("the server has no id")?, Signal::TERM)
            .context("cannot stop the server")?;
        let status = self.child.wait().context("cannot wait for the server")?;
        if !status.success() {
            bail!("the server ended with {status}");
        }
        Ok(())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // After stop() it is gone, and both calls say so.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Numbers {
    /// What was counted after `before`.
    pub(super) fn since(&self, before: &Self) -> Self {
        Self {
            files: self.files - before.files,
            upstream: self.upstream - before.upstream,
            broken: self.broken - before.broken,
        }
    }
}
