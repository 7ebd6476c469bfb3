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

use std::process::ExitCode;

use clap::Parser as _;
use index::units;

fn main() -> ExitCode {
    match arguments::Arguments::try_parse() {
        Ok(arguments) => failure::exit(command::run(arguments)),
        Err(error) if error.use_stderr() => refused(&error),
        Err(help) => help.exit(),
    }
}

/// clap repeats what it cannot read, which may be a URL with a password in it.
fn refused(error: &clap::Error) -> ExitCode {
    let mut text = error.render().to_string();
    for argument in std::env::args().filter(|argument| argument.contains('@')) {
        let value = argument
            .split_once('=')
            .map_or(argument.as_str(), |(_, value)| value);
        let (secret, host) = value.rsplit_once('@').unwrap_or(("", value));
        let scheme = secret.find("://").map_or("", |at| &secret[..at + 3]);
        text = text.replace(value, &format!("{scheme}…@{host}"));
    }
    eprint!("{text}");
    ExitCode::from(2)
}
