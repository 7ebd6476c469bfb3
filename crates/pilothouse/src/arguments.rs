//! The command line. Every flag that is also a setting becomes an override.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::PathBuf;

use clap::{ArgAction, Args, Parser, Subcommand};
use index::mirror::Upstream;

use crate::command;
use crate::config::{Log, MaxSize, Origin, Overrides, Setting, flag};
use crate::units::Period;

/// One line, an example, then flags.
pub(crate) const TEMPLATE: &str =
    "{about}\n\n{before-help}{usage-heading} {usage}\n\n{all-args}{after-help}";

const EXIT_CODES: &str = "\
Exit codes: 0 done and clean, 1 done with findings, 2 could not do it, 130 interrupted.

Settings may also stand in a file (`pilothouse config example`) or in variables:
PILOTHOUSE_CONFIG, PILOTHOUSE_DATA_DIR, PILOTHOUSE_LISTEN, PILOTHOUSE_UPSTREAM,
PILOTHOUSE_FRESH_FOR, PILOTHOUSE_OFFLINE, PILOTHOUSE_MAX_SIZE, PILOTHOUSE_LOG.
A flag wins over a variable, a variable over the file.";

/// Python dependencies for Docker builds, from next door
#[derive(Debug, Parser)]
#[command(name = "pilothouse", version, help_template = TEMPLATE, after_help = EXIT_CODES, max_term_width = 100)]
#[command(
    before_help = "Example: pilothouse serve\n\n",
    disable_help_subcommand = true
)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) verbosity: Verbosity,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// How much is said beside the result.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Verbosity {
    /// Say more; twice for everything
    #[arg(short, long, global = true, action = ArgAction::Count, conflicts_with = "quiet", display_order = 900)]
    verbose: u8,
    /// Say less; twice for errors alone
    #[arg(short, long, global = true, action = ArgAction::Count, display_order = 901)]
    quiet: u8,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Serve(command::serve::Arguments),
    Init(command::init::Arguments),
    Passwd(command::passwd::Arguments),
    #[command(subcommand)]
    Token(command::token::Command),
    #[command(subcommand)]
    Docker(command::docker::Command),
    Audit(command::audit::Arguments),
    Import(command::import::Arguments),
    Export(command::export::Arguments),
    #[command(subcommand)]
    Cache(command::cache::Command),
    #[command(subcommand)]
    Config(command::config::Command),
    Stats(command::stats::Arguments),
}

/// Where settings and data are.
#[derive(Debug, Default, Args)]
pub(crate) struct Where {
    /// Read settings from this file
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// Keep everything in this directory
    #[arg(long, visible_alias = "serverdir", value_name = "DIR")]
    pub(crate) data_dir: Option<PathBuf>,
}

/// The settings that a flag can change.
#[derive(Debug, Args)]
pub(crate) struct Settings {
    #[command(flatten)]
    pub(crate) place: Where,
    /// Listen on this address; may be given more than once [default: 127.0.0.1:3141]
    #[arg(long, value_name = "ADDR", value_parser = flag::address)]
    listen: Vec<SocketAddr>,
    /// Listen on this host, with --port: devpi-server's way to say it
    #[arg(long, value_name = "HOST", conflicts_with = "listen", value_parser = flag::host)]
    host: Option<IpAddr>,
    /// Listen on this port, of --host or loopback
    #[arg(long, value_name = "PORT", conflicts_with = "listen")]
    port: Option<u16>,
    /// Mirror this Simple index as root/pypi [default: PyPI, or the index that pip or uv use here]
    #[arg(long, value_name = "URL", value_parser = flag::upstream)]
    upstream: Option<Upstream>,
    /// How long a project's page is fresh, in every mirror [default: 10 min]
    #[arg(long, value_name = "TIME")]
    fresh_for: Option<Period>,
    /// Never ask upstream; list only what is stored
    #[arg(long)]
    offline: bool,
    /// The most that stored files may take, like "50 GiB" [default: a share of the free disk]
    #[arg(long, value_name = "SIZE", value_parser = flag::max_size)]
    max_size: Option<MaxSize>,
    /// Let only these users and :groups make users and indexes, like "root,:admins"
    #[arg(long, value_name = "LIST")]
    restrict_modify: Option<String>,
    /// Listen beyond loopback though anybody may become a user here, or even root
    #[arg(long)]
    open_to_anyone: bool,
    /// Where clients find this server, if a proxy stands before it
    #[arg(long, value_name = "URL", value_parser = flag::outside_url)]
    outside_url: Option<String>,
    /// How to log: text, json, or off for warnings alone [default: text]
    #[arg(long, value_name = "KIND", hide_possible_values = true)]
    log: Option<Log>,
}

impl Verbosity {
    /// 0 is normal, more is louder.
    pub(crate) fn level(self) -> i16 {
        i16::from(self.verbose) - i16::from(self.quiet)
    }
}

impl From<Where> for Overrides {
    fn from(place: Where) -> Self {
        Self {
            config: place.config,
            data_dir: flagged("--data-dir", place.data_dir),
            ..Self::default()
        }
    }
}

impl From<Settings> for Overrides {
    fn from(settings: Settings) -> Self {
        Self {
            listen: listen(settings.listen, settings.host, settings.port),
            restrict_modify: flagged("--restrict-modify", settings.restrict_modify),
            open_to_anyone: flagged("--open-to-anyone", settings.open_to_anyone.then_some(true)),
            outside_url: flagged("--outside-url", settings.outside_url),
            log: flagged("--log", settings.log),
            max_size: flagged("--max-size", settings.max_size),
            upstream: flagged("--upstream", settings.upstream),
            fresh_for: flagged("--fresh-for", settings.fresh_for),
            offline: flagged("--offline", settings.offline.then_some(true)),
            ..Self::from(settings.place)
        }
    }
}

/// Both ways to say where to listen.
fn listen(
    addresses: Vec<SocketAddr>,
    host: Option<IpAddr>,
    port: Option<u16>,
) -> Option<Setting<Vec<SocketAddr>>> {
    if host.is_none() && port.is_none() {
        return flagged("--listen", (!addresses.is_empty()).then_some(addresses));
    }
    let host = host.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST));
    let address = SocketAddr::new(host, port.unwrap_or(DEVPI_PORT));
    flagged("--host and --port", Some(vec![address]))
}

/// Where devpi listens, and we.
const DEVPI_PORT: u16 = 3141;

fn flagged<T>(name: &'static str, value: Option<T>) -> Option<Setting<T>> {
    value.map(|value| Setting::new(value, Origin::Flag(name)))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    #[test]
    fn the_command_line_is_well_formed() {
        Arguments::command().debug_assert();
    }
}
