//! The check with real input: real clients install real packages through the server.
//!
//! Not part of CI, since it needs the network and what upstream has today.
//! Every set of `xtask/requirements/` is installed by every client four times:
//! cold, with an empty data directory; warm, over what the first run left; cut off,
//! by a server that takes no page for fresh and reaches no upstream; and
//! offline, by one that never asks. The client's own cache is
//! empty each time. What came the first time must come every time.

mod client;
mod server;
mod set;
mod table;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, io};

use anyhow::{Context as _, Result, bail};
use tempfile::TempDir;

use crate::tools::{root, run};
use client::{Client, Run};
use server::{Numbers, Server};
use set::Set;
use table::Row;

#[derive(clap::Args)]
pub(crate) struct Options {
    /// Sets of xtask/requirements/, without `.txt` [default: all]
    #[arg(value_name = "SET")]
    sets: Vec<String>,
    /// Check this server [default: the release build, made first]
    #[arg(long, value_name = "PATH")]
    binary: Option<PathBuf>,
    /// Mirror this index [default: the one that `pilothouse serve` takes]
    #[arg(long, value_name = "URL")]
    upstream: Option<String>,
}

/// The way to upstream leads through a port where nobody listens.
const NOWHERE: [(&str, &str); 2] = [
    ("HTTPS_PROXY", "http://127.0.0.1:9"),
    ("HTTP_PROXY", "http://127.0.0.1:9"),
];

/// Runs all of it, prints the table, and fails if something did not succeed.
pub(crate) fn check(options: &Options) -> Result<()> {
    let sets = Set::read_all(&root().join("xtask/requirements"), &options.sets)?;
    let clients = Client::all()?;
    let binary = match &options.binary {
        Some(binary) => {
            fs::canonicalize(binary).with_context(|| format!("cannot find {}", binary.display()))?
        }
        None => build()?,
    };
    let mut rows = Vec::new();
    for set in &sets {
        for client in &clients {
            let round = Round::new(set, client, &binary, options.upstream.as_deref())?;
            rows.extend(round.run()?);
        }
    }
    table::print(&mut io::stdout().lock(), &rows).context("cannot print the table")?;
    let failed = rows.iter().filter(|row| !row.faults.is_empty()).count();
    if failed > 0 {
        bail!("{failed} of {} runs failed", rows.len());
    }
    Ok(())
}

fn build() -> Result<PathBuf> {
    run(Command::new("cargo").args(["build", "--locked", "--release", "--package", "pilothouse"]))?;
    let target = env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), Into::into);
    Ok(root().join(target).join("release/pilothouse"))
}

/// One set with one client, over one data directory.
struct Round<'a> {
    set: &'a Set,
    client: &'a Client,
    binary: &'a Path,
    upstream: Option<&'a str>,
    directory: TempDir,
    rows: Vec<Row>,
    first: Option<Run>,
}

impl<'a> Round<'a> {
    fn new(
        set: &'a Set,
        client: &'a Client,
        binary: &'a Path,
        upstream: Option<&'a str>,
    ) -> Result<Self> {
        Ok(Self {
            set,
            client,
            binary,
            upstream,
            directory: TempDir::with_prefix("pilothouse-real-")
                .context("cannot make a temporary directory")?,
            rows: Vec::new(),
            first: None,
        })
    }

    fn run(mut self) -> Result<Vec<Row>> {
        let server = self.start(&[], &[])?;
        self.phase("cold", &server)?;
        self.phase("warm", &server)?;
        server.stop()?;
        let server = self.start(&["--fresh-for", "0s"], &NOWHERE)?;
        self.phase("cut off", &server)?;
        server.stop()?;
        let server = self.start(&["--offline"], &[])?;
        self.phase("offline", &server)?;
        server.stop()?;
        if self.rows.iter().any(|row| !row.faults.is_empty()) {
            let kept = self.directory.keep();
            eprintln!("xtask: everything of this round is in {}", kept.display());
        }
        Ok(self.rows)
    }

    fn start(&self, more: &[&str], environment: &[(&str, &str)]) -> Result<Server> {
        let upstream = self.upstream.iter().flat_map(|url| ["--upstream", url]);
        let arguments: Vec<_> = upstream.chain(more.iter().copied()).collect();
        Server::start(self.binary, self.directory.path(), &arguments, environment)
    }

    fn phase(&mut self, phase: &'static str, server: &Server) -> Result<()> {
        eprintln!(
            "xtask: {} with {}, {phase}",
            self.set.name, self.client.title
        );
        let before = server.numbers()?;
        let home = self.directory.path().join(phase);
        let ran = self.client.run(self.set, &server.simple(), &home)?;
        let numbers = server.numbers()?.since(&before);
        let faults = self.faults(phase, &ran, &numbers);
        if !faults.is_empty() {
            eprintln!("{}\nxtask: {}", ran.output, faults.join("; "));
        }
        self.rows.push(Row {
            set: self.set.name.clone(),
            client: self.client.title.clone(),
            phase,
            took: ran.took,
            files: numbers.files,
            upstream: numbers.upstream,
            faults,
        });
        self.first.get_or_insert(ran);
        Ok(())
    }

    fn faults(&self, phase: &str, ran: &Run, numbers: &Numbers) -> Vec<String> {
        let mut faults = Vec::new();
        if !ran.succeeded {
            faults.push("the client failed".to_owned());
        }
        if numbers.files == 0 {
            faults.push("no file came from the server".to_owned());
        }
        if numbers.broken > 0 {
            faults.push(format!("{} answers were 5xx", numbers.broken));
        }
        if phase == "offline" && numbers.upstream > 0 {
            faults.push("upstream was asked".to_owned());
        }
        if phase == "cut off" && numbers.upstream == 0 {
            faults.push("upstream was not even asked".to_owned());
        }
        if let Some(first) = &self.first
            && first.got != ran.got
        {
            faults.push(format!("{:?} came first, now {:?}", first.got, ran.got));
        }
        faults
    }
}
