//! The benchmarks: the small ones, private indexes beside devpi-server, and classic Dockerfiles.

use std::ffi::OsStr;
use std::path::PathBuf;
use std::process::Command;

use anyhow::{Context as _, Result};
use clap::{Args, Subcommand};

use crate::skipped::Skipped;
use crate::tools::run;
use crate::{engines, python};

#[derive(Args)]
#[command(args_conflicts_with_subcommands = true)]
pub(crate) struct Options {
    #[command(subcommand)]
    which: Option<Which>,
    /// Passed on to `cargo bench`
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    arguments: Vec<String>,
}

#[derive(Subcommand)]
enum Which {
    /// Private indexes beside devpi-server: uploads, pages, credentials
    Private(Private),
    /// The classic Dockerfiles of "why does pip run again", built by a real engine
    Classic,
}

#[derive(Args)]
struct Private {
    /// How long each row is measured
    #[arg(long)]
    seconds: Option<u64>,
    /// Write the figures to this file as well, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Measure this binary and not the one of this tree
    #[arg(long, value_name = "PATH", hide = true)]
    binary: Option<PathBuf>,
}

/// Runs what was asked for.
pub(crate) fn bench(options: &Options, skipped: &mut Skipped) -> Result<()> {
    match &options.which {
        Some(Which::Private(options)) => {
            python::set_up(skipped)?;
            private(options)
        }
        Some(Which::Classic) => {
            python::set_up(skipped)?;
            engines::set_up(skipped);
            classic()
        }
        None => small(&options.arguments),
    }
}

/// The binary has none of the small ones, and its own takes minutes.
fn small(arguments: &[String]) -> Result<()> {
    run(Command::new("cargo")
        .args(["bench", "--locked", "--workspace", "--benches"])
        .args(["--exclude", "pilothouse"])
        .args(arguments))?;
    eprintln!("for comparisons with other servers, see docs/benchmarks.md");
    Ok(())
}

fn classic() -> Result<()> {
    run(Command::new("cargo")
        .args(["bench", "--locked", "--package", "pilothouse"])
        .args(["--bench", "classic"]))
}

/// Builds our release binary, which is at hand as `target/release/pilothouse` afterwards.
fn private(options: &Private) -> Result<()> {
    let mut command = Command::new("cargo");
    command
        .args(["bench", "--locked", "--package", "pilothouse"])
        .args(["--bench", "private", "--"]);
    if let Some(seconds) = options.seconds {
        command.args(["--seconds", &seconds.to_string()]);
    }
    // Cargo runs it in the directory of its package.
    for (flag, path) in [("--json", &options.json), ("--binary", &options.binary)] {
        if let Some(path) = path {
            let path = std::path::absolute(path).context("cannot tell where we are")?;
            command.args([OsStr::new(flag), path.as_os_str()]);
        }
    }
    run(&mut command)
}
