//! Importing a dump: users, then indexes, then what is on them.
//!
//! Each step is whole by itself and looks first whether it was done before, so an import
//! that was interrupted goes on where it stopped. What cannot be taken over is told and
//! left out; the rest goes on.

mod fetched;
mod files;
mod indexes;

use std::sync::Arc;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::{Map, Value};

use super::sentence::sentence;
use super::{Dump, Mirrored};
use crate::access::ROOT;
use crate::accounts::Accounts;
use crate::indexes::Indexes;
use crate::password::is_usable;
use crate::{Caller, Error, Storage};

/// Where a dump goes.
pub struct Import<'a> {
    /// Its users.
    pub accounts: &'a Accounts,
    /// Its indexes, with their files.
    pub indexes: &'a Indexes,
    /// Types of indexes that are left out, in the dump's own words.
    pub skip_types: &'a [String],
    /// Where mirrors keep what they fetch.
    pub storage: &'a Arc<Storage>,
    /// What mirrors of the dump have fetched.
    pub mirrored: Mirrored,
    /// When this is.
    pub now: Timestamp,
}

/// What came of it. What was there from an earlier run is counted only as known.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Report {
    /// Users who are new here.
    pub users: u64,
    /// Indexes that are new here.
    pub indexes: u64,
    /// Releases of the dump.
    pub releases: u64,
    /// Files that are new here.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Users, indexes and files that were here with the same content.
    pub known: u64,
    /// What could not be taken over, a sentence each.
    pub problems: Vec<String>,
    /// What is different here by intent.
    pub notes: Vec<String>,
}

impl Import<'_> {
    /// Imports; `done` hears of every file that was dealt with. Fails only where nothing
    /// else would work either, as with a full disk.
    pub async fn run(&self, dump: &Dump<'_>, mut done: impl FnMut()) -> Result<Report, Error> {
        let mut report = Report::default();
        for (name, fields) in &dump.users {
            self.user(name, fields, &mut report).await?;
        }
        self.make_indexes(dump, &mut report).await?;
        for (name, listed) in &dump.indexes {
            self.fill(dump, name, listed, &mut report, &mut done)
                .await?;
        }
        // Only an index that owns its names may see those of others: whoever serves an import
        // that was cut short must not find public files under private names.
        self.set_all_bases(dump, &mut report).await?;
        for told in report.problems.iter_mut().chain(&mut report.notes) {
            *told = sentence(told);
        }
        Ok(report)
    }

    async fn user(
        &self,
        name: &str,
        fields: &Map<String, Value>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let mut fields = fields.clone();
        let hash = fields.get("pwhash").and_then(Value::as_str);
        let hash = hash.filter(|hash| !hash.is_empty()).map(str::to_owned);
        if hash.as_deref().is_none_or(|hash| !is_usable(hash)) {
            fields.remove("pwhash");
            report.problems.push(format!(
                "the password of user `{name}` cannot be taken over: set one with `pilothouse passwd {name}`"
            ));
        }
        let root = caller();
        match self
            .accounts
            .import_user(&root, name, &fields, self.now)
            .await
        {
            Ok(_) => report.users += 1,
            Err(Error::Exists { .. }) => {
                self.known_user(name, &fields, report).await?;
            }
            Err(error @ (Error::BadRequest { .. } | Error::Forbidden { .. })) => {
                let problem = format!("user `{name}` cannot be taken over: {error}");
                report.problems.push(problem);
            }
            Err(error) => return Err(error),
        }
        Ok(())
    }

    /// Root is always there; others are if this is not the first run.
    async fn known_user(
        &self,
        name: &str,
        fields: &Map<String, Value>,
        report: &mut Report,
    ) -> Result<(), Error> {
        let user = self.accounts.user(name)?;
        let hash = fields.get("pwhash").and_then(Value::as_str);
        let here = user.password().map(store::PasswordHash::as_str);
        if hash.is_none() || hash == here {
            report.known += 1;
            return Ok(());
        }
        // A root who has a password was given it here, and no dump opens what it shuts.
        if name != ROOT || !self.accounts.is_password(ROOT, "").await {
            report.problems.push(format!(
                "user `{name}` is here already with another password, and keeps it"
            ));
            return Ok(());
        }
        self.accounts.import_root(fields, self.now).await?;
        report.users += 1;
        Ok(())
    }
}

/// Whoever holds the data directory acts as root.
fn caller() -> Caller {
    Caller::new(ROOT.parse().expect("root is a user's name"), [])
}
