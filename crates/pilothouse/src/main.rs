//! The binary: arguments, config file, wiring, progress, exit codes.

mod advice;
mod arguments;
mod command;
mod config;
mod container;
mod failure;
mod log;
mod progress;
mod table;
mod units;

use std::process::ExitCode;

use clap::Parser as _;

fn main() -> ExitCode {
    let arguments = arguments::Arguments::parse();
    failure::exit(command::run(arguments))
}
