//! Private indexes beside devpi-server, in one run: uploads, pages, credentials.
//!
//!     cargo xtask bench private
//!
//! Prints tables for docs/benchmarks.md. Each server runs alone, over a fresh
//! directory; the clients are threads with a connection each. To try the bench
//! itself without a release build:
//!
//!     cargo test -p pilothouse --bench private -- --seconds 1

#![expect(clippy::unwrap_used, reason = "a bench that cannot go on has failed")]
#![expect(clippy::print_stdout, reason = "its tables are its result")]

#[path = "private/client.rs"]
mod client;
#[path = "private/furniture.rs"]
mod furniture;
#[path = "private/measure.rs"]
mod measure;
#[path = "private/report.rs"]
mod report;
#[path = "private/rows.rs"]
mod rows;

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use clap::Parser;
use testkit::{DevpiServer, Project, Server, Upstream};

use furniture::{Large, Whose};
use report::{Report, Run};
use rows::Plan;

#[derive(Parser)]
#[command(about = "Private indexes beside devpi-server")]
struct Options {
    /// How long each row is measured
    #[arg(long, default_value_t = 5)]
    seconds: u64,
    /// How many large wheels go up in a row, shared by its clients
    #[arg(long, default_value_t = 8)]
    large: usize,
    /// Write the figures to this file as well, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// The pilothouse to measure
    #[arg(long, hide = true, default_value = env!("CARGO_BIN_EXE_pilothouse"))]
    binary: String,
    /// Cargo says so
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() {
    let options = Options::parse();
    let run = Run::new(&options.binary);
    let plan = Plan {
        each: Duration::from_secs(options.seconds),
        large: Large::build(options.large),
    };
    let upstream = Upstream::start([Project::new("bar").wheel("1.0")]);
    let ours = {
        let mut server = Server::new(&options.binary).mirroring(&upstream).start();
        let url = server.url().to_owned();
        rows::measure(&plan, Whose::Ours, &url, || {
            server.stop();
            server.start_again();
        })
    };
    let (devpis, version) = {
        let mut server = DevpiServer::new().mirroring(&upstream).start();
        let url = server.url();
        let rows = rows::measure(&plan, Whose::Devpis, &url, || {
            server.stop();
            server.start_again();
        });
        (rows, report::devpis_version(&url))
    };
    let report = Report::new(run, version, &ours, &devpis);
    print!("{report}");
    if let Some(path) = &options.json {
        fs::write(path, report.json()).unwrap();
    }
}
