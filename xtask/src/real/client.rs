//! The clients of `cargo xtask setup`, as a person on a fresh machine would run them.
//!
//! No setting of this machine reaches them, each run has a home and so a cache
//! of its own, and a proxy that nobody listens at keeps them from every host but
//! loopback: what they get, they get from the server.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail};

use super::set::Set;
use crate::tools::root;

/// A pip or a uv.
#[derive(Debug)]
pub(super) struct Client {
    /// Its name and version.
    pub(super) title: String,
    environment: PathBuf,
    is_pip: bool,
}

/// How one run ended.
pub(super) struct Run {
    pub(super) succeeded: bool,
    pub(super) output: String,
    pub(super) took: Duration,
    /// What lies in the directory that it downloaded or installed to, in order.
    pub(super) got: Vec<String>,
}

/// The discard port, where no proxy listens.
const NOWHERE: &str = "http://127.0.0.1:9";

impl Client {
    /// Those that real input is checked with.
    pub(super) fn all() -> Result<Vec<Self>> {
        [("pip-newest", true), ("uv-newest", false)]
            .into_iter()
            .map(|(name, is_pip)| Self::find(name, is_pip))
            .collect()
    }

    fn find(name: &str, is_pip: bool) -> Result<Self> {
        let mut client = Self {
            title: String::new(),
            environment: root().join("target/python").join(name),
            is_pip,
        };
        let output = client
            .command(&client.environment)
            .arg("--version")
            .output()
            .with_context(|| format!("cannot run the client `{name}`"))?;
        // `pip 1.2 from …`, `uv 1.2 (…)`
        let output = String::from_utf8_lossy(&output.stdout);
        let title: Vec<_> = output.split_whitespace().take(2).collect();
        if title.is_empty() {
            bail!("the client `{name}` does not work");
        }
        client.title = title.join(" ");
        Ok(client)
    }

    /// Downloads or installs the set from this index, with this new directory as its home.
    pub(super) fn run(&self, set: &Set, index: &str, home: &Path) -> Result<Run> {
        let target = home.join("target");
        fs::create_dir_all(&target).context("cannot make a home for the client")?;
        let words = if self.is_pip { &set.pip } else { &set.uv };
        let downloads = words.iter().any(|word| word == "download");
        let mut command = self.command(home);
        command
            .args(words)
            .args(["--index-url", index, "--requirement"])
            .arg(&set.path)
            .arg(if downloads { "--dest" } else { "--target" })
            .arg(&target);
        let begin = Instant::now();
        let output = command
            .output()
            .with_context(|| format!("cannot run {}", self.title))?;
        let took = begin.elapsed();
        let bytes = [output.stdout, output.stderr].concat();
        Ok(Run {
            succeeded: output.status.success(),
            output: String::from_utf8_lossy(&bytes).into_owned(),
            took,
            got: names(&target)?,
        })
    }

    /// The client with nothing of this machine's settings.
    fn command(&self, home: &Path) -> Command {
        let python = self.environment.join("bin/python");
        let mut command = if self.is_pip {
            let mut command = Command::new(&python);
            command.args(["-m", "pip"]);
            command
        } else {
            Command::new(self.environment.join("bin/uv"))
        };
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("HOME", home)
            .env("TMPDIR", home)
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env("HTTP_PROXY", NOWHERE)
            .env("HTTPS_PROXY", NOWHERE)
            .env("http_proxy", NOWHERE)
            .env("https_proxy", NOWHERE)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("no_proxy", "127.0.0.1,localhost")
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_NO_INPUT", "1")
            .env("PIP_PROGRESS_BAR", "off")
            .env("UV_NO_CONFIG", "1")
            .env("UV_NO_PROGRESS", "1")
            .env("UV_LINK_MODE", "copy")
            .env("UV_PYTHON", &python)
            .env("UV_PYTHON_DOWNLOADS", "never")
            .current_dir(home)
            .stdin(Stdio::null());
        command
    }
}

fn names(directory: &Path) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).context("cannot list what the client got")? {
        let entry = entry.context("cannot list what the client got")?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}
