//! `pilothouse docker`: what a Dockerfile makes an engine do over and over, and how to mend it.

mod context;
mod explain;
mod files_of;
mod fix;
mod init;
mod lint;
mod put;
mod source;

use std::io::Write;

use clap::Subcommand;

use crate::arguments::{TEMPLATE, Verbosity};
use crate::failure::Outcome;

/// Judge and mend Dockerfiles of Python projects
#[derive(Debug, Subcommand)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse docker lint\n\n", disable_help_subcommand = true)]
pub(crate) enum Command {
    Lint(Box<lint::Arguments>),
    Explain(Box<explain::Arguments>),
    Fix(fix::Arguments),
    Init(init::Arguments),
}

pub(crate) fn run(
    command: Command,
    verbosity: Verbosity,
    out: &mut dyn Write,
) -> anyhow::Result<Outcome> {
    match command {
        Command::Lint(arguments) => lint::run(*arguments, verbosity, out),
        Command::Explain(arguments) => explain::run(&arguments, out),
        Command::Fix(arguments) => fix::run(&arguments, verbosity, out),
        Command::Init(arguments) => init::run(&arguments, out),
    }
}
