//! `pilothouse passwd`: another password for a user, by whoever holds the data directory.

use std::io::{self, BufRead as _, IsTerminal as _, Write};

use clap::Args;
use index::accounts::{Accounts, Options};
use jiff::Timestamp;

use crate::arguments::{TEMPLATE, Where};
use crate::failure::{Explained, Outcome};

/// Set a user's password, beside a running server or without one
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse passwd root\n\n")]
pub(crate) struct Arguments {
    /// Whose
    #[arg(value_name = "USER", default_value = "root")]
    user: String,
    /// Read the password from the first line of stdin
    #[arg(long)]
    stdin: bool,
    #[command(flatten)]
    place: Where,
}

pub(crate) fn run(arguments: Arguments, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let data_dir = super::visited(&super::whereabouts(arguments.place)?)?;
    let password = if arguments.stdin {
        first_line()?
    } else {
        asked(&arguments.user)?
    };
    if password.is_empty() {
        return Err(Explained::new(
            format!(
                "an empty password would open this server to whoever knows the name `{}`",
                arguments.user
            ),
            "nothing was changed: give one, or see why nothing came to stdin",
        )
        .into());
    }
    super::block_on(async {
        let db = data_dir.db().await?;
        let now = Timestamp::now();
        let accounts = Accounts::open(db, Options::default(), now).await?;
        accounts
            .set_password(&arguments.user, &password, now)
            .await?;
        Ok(())
    })?;
    writeln!(
        out,
        "the password of `{}` is changed; a running server takes it up within seconds",
        arguments.user
    )?;
    Ok(Outcome::Clean)
}

fn first_line() -> anyhow::Result<String> {
    let mut line = String::new();
    io::stdin().lock().read_line(&mut line)?;
    Ok(line.trim_end_matches(['\r', '\n']).to_owned())
}

/// Asks twice at the terminal, showing nothing.
fn asked(user: &str) -> anyhow::Result<String> {
    if !io::stdin().is_terminal() {
        return Err(Explained::new(
            "there is no terminal to ask for the password at",
            "`--stdin` reads it from the first line of stdin",
        )
        .into());
    }
    let first = rpassword::prompt_password(format!("new password for user {user}: "))?;
    let second = rpassword::prompt_password(format!("repeat password for user {user}: "))?;
    if first == second {
        Ok(first)
    } else {
        Err(Explained::new("the two passwords differ", "nothing was changed: try again").into())
    }
}
