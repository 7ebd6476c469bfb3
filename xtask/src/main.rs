//! The project's own commands: `cargo xtask setup | check | test | oracle | real | bench | fuzz`.
//!
//! CI runs `cargo xtask test` and nothing else, so whatever holds there holds here.

mod bench;
mod engines;
mod python;
mod real;
mod skipped;
mod tools;

use std::process::ExitCode;
use std::thread;

use anyhow::Result;
use clap::{Parser, Subcommand};

use skipped::Skipped;

#[derive(Parser)]
#[command(
    bin_name = "cargo xtask",
    about = "Pilothouse's own commands for development"
)]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Install the pinned Python clients that the tests run, below target/python
    Setup,
    /// Check format and lints
    Check,
    /// Set up, check, and run every test
    Test {
        /// Passed on to the test runner, for example a part of a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Hold what we expect of devpi's client against devpi's own server (not in CI)
    Oracle {
        /// Passed on to the test runner, for example a part of a test's name
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
    /// Install real packages through the server with real clients (needs the network; not in CI)
    Real(real::Options),
    /// Run the small benchmarks, or `private` beside devpi-server, or `classic` Dockerfiles
    Bench(bench::Options),
    /// Fuzz one parser until stopped (needs nightly Rust and cargo-fuzz)
    Fuzz {
        /// A target of fuzz/
        name: String,
        /// Passed on to `cargo fuzz run`
        #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
        arguments: Vec<String>,
    },
}

fn main() -> ExitCode {
    match run(Arguments::parse().verb) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(verb: Verb) -> Result<()> {
    let mut skipped = Skipped::default();
    match verb {
        Verb::Setup => python::set_up(&mut skipped)?,
        Verb::Check => tools::check(&mut skipped)?,
        Verb::Test { arguments } => {
            prepare(&mut skipped)?;
            tools::test(&arguments, &mut skipped)?;
        }
        Verb::Oracle { arguments } => {
            python::set_up(&mut skipped)?;
            tools::oracle(&arguments)?;
        }
        Verb::Real(options) => {
            python::set_up(&mut skipped)?;
            real::check(&options)?;
        }
        Verb::Bench(options) => bench::bench(&options, &mut skipped)?,
        Verb::Fuzz { name, arguments } => tools::fuzz(&name, &arguments)?,
    }
    skipped.report();
    Ok(())
}

/// Installs what the tests run, and checks the code meanwhile: one waits for the network and
/// the disk, the other for the processor.
fn prepare(skipped: &mut Skipped) -> Result<()> {
    thread::scope(|scope| {
        let installing = scope.spawn(|| {
            let mut skipped = Skipped::default();
            let installed = python::set_up(&mut skipped);
            engines::set_up(&mut skipped);
            (installed, skipped)
        });
        let checked = tools::check(skipped);
        let (installed, left_out) = installing
            .join()
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic));
        skipped.append(left_out);
        checked.and(installed)
    })
}
