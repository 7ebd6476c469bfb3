//! The commands, one file each.

pub(crate) mod audit;
pub(crate) mod cache;
pub(crate) mod config;
pub(crate) mod docker;
pub(crate) mod export;
pub(crate) mod import;
pub(crate) mod init;
pub(crate) mod passwd;
pub(crate) mod serve;
pub(crate) mod stats;
pub(crate) mod token;

use std::io::{self, BufWriter, Write};

use anyhow::Context as _;

use index::dump::Mirrored;
use store::{DataDir, Db, Mode};

use crate::arguments::{Arguments, Command, Where};
use crate::config::{Config, Environment, Overrides, Places};
use crate::failure::{Explained, Outcome};

/// Does what the arguments say.
pub(crate) fn run(arguments: Arguments) -> anyhow::Result<Outcome> {
    let mut out = BufWriter::new(io::stdout().lock());
    let outcome = match arguments.command {
        Command::Serve(serve) => serve::run(serve, arguments.verbosity),
        Command::Cache(cache) => cache::run(cache, &mut out),
        Command::Config(config) => config::run(config, &mut out),
        Command::Docker(docker) => docker::run(docker, arguments.verbosity, &mut out),
        Command::Init(init) => init::run(init, &mut out),
        Command::Passwd(passwd) => passwd::run(passwd, &mut out),
        Command::Stats(stats) => stats::run(stats, &mut out),
        Command::Token(token) => token::run(token, &mut out),
        Command::Export(export) => export::run(export, &mut out),
        Command::Import(import) => import::run(import, &mut out),
        Command::Audit(audit) => audit::run(audit, &mut out),
    }?;
    out.flush()?;
    Ok(outcome)
}

/// The configuration that these flags, the variables and the file come to.
fn configured(flags: impl Into<Overrides>) -> anyhow::Result<Config> {
    crate::config::load(flags.into(), &Environment::of_process(), &Places::of_user())
}

/// The same for commands that visit a server's data: its secrets are none of their business.
fn whereabouts(flags: impl Into<Overrides>) -> anyhow::Result<Config> {
    let environment = Environment::of_process().leaving_secrets();
    crate::config::load(flags.into(), &environment, &Places::of_user())
}

/// The data directory of these settings, beside a server or without one.
fn visited(config: &Config) -> anyhow::Result<DataDir> {
    let path = &config.data_dir.value;
    DataDir::open(path, Mode::Visit).with_context(|| {
        Explained::new(
            format!("there is no pilothouse in `{}`", path.display()),
            "`pilothouse init` makes one; `--data-dir DIR` names another",
        )
    })
}

/// The records in it.
async fn records(place: Where) -> anyhow::Result<Db> {
    let db = visited(&whereabouts(place)?)?.db().await;
    db.context("the records of the server cannot be opened")
}

/// Prints `value` as JSON, for programs.
fn print_json(out: &mut dyn Write, value: &impl serde::Serialize) -> anyhow::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

/// What `--include-mirrored-files` means.
fn mirrored(is_included: bool) -> Mirrored {
    if is_included {
        Mirrored::Included
    } else {
        Mirrored::LeftOut
    }
}

/// Runs `work` on a small runtime of its own.
fn block_on<T>(work: impl Future<Output = anyhow::Result<T>>) -> anyhow::Result<T> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build();
    runtime
        .context("the system gives no event loop")?
        .block_on(work)
}
