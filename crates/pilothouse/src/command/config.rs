//! `pilothouse config`: what the settings are, and whether they are right.

use std::io::Write;

use clap::{Args, Subcommand};

use crate::arguments::{Settings, TEMPLATE};
use crate::config::{EXAMPLE, Environment, Faulty};
use crate::failure::{Outcome, described};

/// Check and show the settings
#[derive(Debug, Subcommand)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse config show\n\n", disable_help_subcommand = true)]
pub(crate) enum Command {
    /// Say everything that is wrong with the settings
    #[command(help_template = TEMPLATE, before_help = "Example: pilothouse config check --config pilothouse.toml\n\n")]
    Check(Arguments),
    /// Print all settings, each with where it came from
    #[command(help_template = TEMPLATE, before_help = "Example: pilothouse config show --listen 0.0.0.0:3141\n\n")]
    Show(Arguments),
    /// Print a file with every setting and what it means
    #[command(help_template = TEMPLATE, before_help = "Example: pilothouse config example > pilothouse.toml\n\n")]
    Example,
}

#[derive(Debug, Args)]
pub(crate) struct Arguments {
    #[command(flatten)]
    settings: Settings,
}

pub(crate) fn run(command: Command, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    match command {
        Command::Check(arguments) => check(arguments, out),
        Command::Show(arguments) => show(arguments, out),
        Command::Example => {
            out.write_all(EXAMPLE.as_bytes())?;
            Ok(Outcome::Clean)
        }
    }
}

fn check(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    match super::configured(arguments.settings) {
        Ok(config) => {
            match config.file {
                Some(file) => writeln!(out, "`{}` is in order", file.display())?,
                None => writeln!(out, "there is no file, and the defaults are in order")?,
            }
            for name in Environment::of_process().unread() {
                writeln!(out, "note: `{name}` is none of pilothouse's own variables")?;
            }
            Ok(Outcome::Clean)
        }
        Err(error) if error.is::<Faulty>() => {
            write!(out, "{}", described(&error))?;
            Ok(Outcome::Findings)
        }
        Err(error) => Err(error),
    }
}

fn show(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let config = super::configured(arguments.settings)?;
    for note in &config.notes {
        eprintln!("note: {note}");
    }
    write!(out, "{}", crate::config::show(&config))?;
    Ok(Outcome::Clean)
}
