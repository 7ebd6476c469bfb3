//! `pilothouse init`: a data directory with root in it, before the first start.
//!
//! `serve` makes one by itself; this is for setting root's password first, and
//! for the guides that begin with `devpi-init`. One that is there already is what was
//! asked for: a script may begin with this each time, unless it wants a password set.

use std::io::Write;

use anyhow::Context as _;
use clap::Args;
use index::access::ROOT;
use index::accounts::{Accounts, Options};
use jiff::Timestamp;
use store::{DataDir, Mode};

use crate::arguments::{TEMPLATE, Where};
use crate::failure::{Explained, Outcome};

/// Make a data directory, and root's password in it; one that is there already stays as it is
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse init --root-passwd-hash '$argon2id$…'\n\n")]
pub(crate) struct Arguments {
    /// Root's password; shows in the list of processes: see `pilothouse passwd`
    #[arg(long, value_name = "PASSWORD")]
    root_passwd: Option<String>,
    /// The argon2 hash of root's password, as `devpi-init` takes it
    #[arg(long, value_name = "HASH", conflicts_with = "root_passwd")]
    root_passwd_hash: Option<String>,
    #[command(flatten)]
    place: Where,
}

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let path = super::whereabouts(arguments.place)?.data_dir.value;
    let asks_for_password = arguments.root_passwd.is_some() || arguments.root_passwd_hash.is_some();
    if DataDir::open(&path, Mode::Visit).is_ok() {
        if asks_for_password {
            return Err(Explained::new(
                format!("`{}` is a data directory of pilothouse already", path.display()),
                "`pilothouse passwd root` sets root's password; `--data-dir DIR` names another directory",
            )
            .into());
        }
        writeln!(
            out,
            "`{}` is there already, and stays as it is",
            path.display()
        )?;
        return Ok(Outcome::Clean);
    }
    let data_dir = DataDir::open(&path, Mode::Serve).with_context(|| {
        Explained::new(
            format!("the data directory `{}` cannot be made", path.display()),
            "`--data-dir DIR` names another one",
        )
    })?;
    super::block_on(async {
        let db = data_dir.db().await?;
        let now = Timestamp::now();
        let accounts = Accounts::open(db, Options::default(), now).await?;
        if let Some(password) = &arguments.root_passwd {
            accounts.set_password(ROOT, password, now).await?;
        }
        if let Some(hash) = &arguments.root_passwd_hash {
            accounts.set_password_hash(ROOT, hash, now).await?;
        }
        Ok(())
    })?;
    writeln!(out, "made `{}`", path.display())?;
    if !asks_for_password {
        writeln!(
            out,
            "root has an empty password: `pilothouse passwd root` sets one"
        )?;
    }
    Ok(Outcome::Clean)
}
