//! `pilothouse token`: API tokens, by whoever holds the data directory.

use std::io::Write;
use std::sync::Arc;

use clap::{Args, Subcommand};
use index::access::{Caller, Rights, Scope, UserName};
use index::accounts::{Accounts, NewToken, Options, Token};
use index::{Error, IndexName};
use jiff::Timestamp;
use pyspec::ProjectName;
use serde::Serialize;
use store::Db;

use super::print_json;
use crate::arguments::{TEMPLATE, Where};
use crate::config::Config;
use crate::failure::{Explained, Outcome};
use crate::table::{Side, Table};
use crate::units::Period;

/// The shape of the JSON answers.
const VERSION: u32 = 1;

/// Make, list and revoke API tokens, beside a running server or without one
#[derive(Debug, Subcommand)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse token create ci --user alice --upload --index alice/dev --expires 90d\n\n", disable_help_subcommand = true)]
pub(crate) enum Command {
    Create(Create),
    Ls(Ls),
    Revoke(Revoke),
}

/// Make a token and print it; it is shown this once
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse token create ci --user alice --upload --index alice/dev --expires 90d\n\n")]
pub(crate) struct Create {
    /// What it is for
    #[arg(value_name = "NAME")]
    name: String,
    #[command(flatten)]
    common: Common,
    #[command(flatten)]
    may: May,
    /// On this index alone
    #[arg(long, value_name = "USER/INDEX")]
    index: Option<IndexName>,
    /// In this project alone
    #[arg(long, value_name = "NAME")]
    project: Option<ProjectName>,
    /// It ends after so long, like "90d" [default: never]
    #[arg(long, value_name = "TIME")]
    expires: Option<Period>,
}

/// What a token may do.
#[derive(Debug, Args)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is said or not, by itself"
)]
struct May {
    /// It may see what its user sees
    #[arg(long)]
    read: bool,
    /// It may upload
    #[arg(long)]
    upload: bool,
    /// It may remove and yank
    #[arg(long)]
    remove: bool,
    /// It may do all that its user may, as a password
    #[arg(long)]
    everything: bool,
}

/// List a user's tokens, with their last use
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse token ls --user alice\n\n")]
pub(crate) struct Ls {
    #[command(flatten)]
    common: Common,
}

/// Revoke a token for good
#[derive(Debug, Args)]
#[command(help_template = TEMPLATE, before_help = "Example: pilothouse token revoke 4fGh2kLm\n\n")]
pub(crate) struct Revoke {
    /// Its name, or its id as `pilothouse token ls` shows it
    #[arg(value_name = "TOKEN")]
    id: String,
    #[command(flatten)]
    common: Common,
}

#[derive(Debug, Args)]
struct Common {
    /// Whose
    #[arg(long, value_name = "USER", default_value = "root")]
    user: UserName,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Where,
}

#[derive(Debug, Serialize)]
struct Answer {
    version: u32,
    tokens: Vec<Listed>,
}

/// A token, as it is printed.
#[derive(Debug, Serialize)]
struct Listed {
    id: String,
    name: String,
    user: String,
    rights: String,
    index: Option<String>,
    project: Option<String>,
    created: Timestamp,
    expires: Option<Timestamp>,
    last_used: Option<Timestamp>,
    /// Only when it is made.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
}

pub(crate) fn run(command: Command, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    super::block_on(async {
        match command {
            Command::Create(arguments) => create(arguments, out).await,
            Command::Ls(arguments) => ls(arguments.common, out).await,
            Command::Revoke(arguments) => revoke(arguments, out).await,
        }
    })
}

async fn create(arguments: Create, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let now = Timestamp::now();
    let new = NewToken {
        scope: arguments
            .may
            .rights()
            .scope(arguments.index, arguments.project)?,
        name: arguments.name,
        expires: arguments.expires.map(|period| period.after(now)),
    };
    let common = arguments.common;
    let config = super::whereabouts(common.place)?;
    let db = super::visited(&config)?.db().await?;
    if let Some(index) = new.scope.as_ref().and_then(|scope| scope.index.as_ref()) {
        is_there(index, &config, &db).await?;
    }
    let accounts = Accounts::open(db, Options::default(), now).await?;
    let caller = holder(&common.user);
    let owner = common.user.as_str();
    let (token, secret) = accounts.create_token(&caller, owner, new, now).await?;
    if common.json {
        let mut listed = Listed::from(&token);
        listed.token = Some(secret.reveal().to_owned());
        print_json(out, &listed)?;
        return Ok(Outcome::Clean);
    }
    // Alone on stdout, so that a script can keep it.
    writeln!(out, "{}", secret.reveal())?;
    eprintln!(
        "token {} of {owner}: this is the only time that it is shown",
        token.id()
    );
    Ok(Outcome::Clean)
}

/// Whether there is such an index, made by somebody or set in the file.
async fn is_there(index: &IndexName, config: &Config, db: &Db) -> anyhow::Result<()> {
    let is_set = config.mirrors.iter().any(|mirror| mirror.name == *index);
    let rows = db.indexes().await?;
    let mut made = rows.iter();
    if is_set || made.any(|row| row.owner == index.user() && row.name == index.index()) {
        return Ok(());
    }
    Err(Explained::new(
        format!("there is no index `{index}` here"),
        format!("make it first, as with `devpi index -c {index}`"),
    )
    .into())
}

impl May {
    fn rights(&self) -> Rights {
        let Self {
            read,
            upload,
            remove,
            everything,
        } = *self;
        Rights {
            read,
            upload,
            remove,
            everything,
        }
    }
}

async fn ls(common: Common, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let accounts = open(common.place).await?;
    let tokens = accounts.tokens(&holder(&common.user), common.user.as_str())?;
    let tokens: Vec<Listed> = tokens.iter().map(Listed::from).collect();
    if common.json {
        let version = VERSION;
        print_json(out, &Answer { version, tokens })?;
    } else if tokens.is_empty() {
        let user = &common.user;
        writeln!(
            out,
            "{user} has no tokens; `--user USER` shows somebody else's"
        )?;
    } else {
        print(&tokens, out)?;
    }
    Ok(Outcome::Clean)
}

async fn revoke(arguments: Revoke, out: &mut dyn Write) -> anyhow::Result<Outcome> {
    let Revoke { id, common } = arguments;
    let accounts = open(common.place).await?;
    let caller = holder(&common.user);
    let named = accounts.tokens(&caller, common.user.as_str())?;
    let named = named.iter().find(|token| token.name() == id);
    let id = named.map_or(id, |token| token.id().to_owned());
    let revoked = accounts.revoke_token(&caller, &id, Timestamp::now());
    revoked.await.map_err(|error| match error {
        Error::NoSuchToken { .. } => anyhow::Error::from(Explained::new(
            format!("{} has no token `{id}`", common.user),
            "`pilothouse token ls --user USER` shows the tokens of a user",
        )),
        other => other.into(),
    })?;
    if common.json {
        print_json(out, &serde_json::json!({"version": VERSION, "revoked": id}))?;
    } else {
        writeln!(
            out,
            "token {id} is revoked; a running server forgets it within seconds"
        )?;
    }
    Ok(Outcome::Clean)
}

/// Whoever holds the data directory speaks for every user.
fn holder(user: &UserName) -> Caller {
    Caller::new(user.clone(), [])
}

async fn open(place: Where) -> anyhow::Result<Arc<Accounts>> {
    let db = super::records(place).await?;
    Ok(Accounts::open(db, Options::default(), Timestamp::now()).await?)
}

impl From<&Arc<Token>> for Listed {
    fn from(token: &Arc<Token>) -> Self {
        let scope = token.scope();
        Self {
            id: token.id().to_owned(),
            name: token.name().to_owned(),
            user: token.owner().to_owned(),
            rights: scope.map_or_else(|| "everything".to_owned(), rights),
            index: scope.and_then(|scope| scope.index.as_ref().map(ToString::to_string)),
            project: scope.and_then(|scope| scope.project.as_ref().map(ToString::to_string)),
            created: token.created(),
            expires: token.expires(),
            last_used: token.last_used(),
            token: None,
        }
    }
}

fn rights(scope: &Scope) -> String {
    let all = [
        (scope.read, "read"),
        (scope.upload, "upload"),
        (scope.remove, "remove"),
    ];
    let words = all.iter().filter(|(has, _)| *has).map(|(_, word)| *word);
    words.collect::<Vec<_>>().join(", ")
}

fn print(tokens: &[Listed], out: &mut dyn Write) -> anyhow::Result<()> {
    let mut table = Table::new([
        ("id", Side::Left),
        ("name", Side::Left),
        ("may", Side::Left),
        ("where", Side::Left),
        ("created", Side::Left),
        ("expires", Side::Left),
        ("last used", Side::Left),
    ]);
    let day = |at: Option<Timestamp>| {
        at.map_or_else(
            || "never".to_owned(),
            |at| at.strftime("%Y-%m-%d").to_string(),
        )
    };
    for token in tokens {
        let place = [&token.index, &token.project];
        let place: Vec<&str> = place.into_iter().flatten().map(String::as_str).collect();
        table.row([
            token.id.clone(),
            token.name.clone(),
            token.rights.clone(),
            if place.is_empty() {
                "everywhere".to_owned()
            } else {
                place.join(" ")
            },
            day(Some(token.created)),
            day(token.expires),
            day(token.last_used),
        ]);
    }
    table.print(out)?;
    Ok(())
}
