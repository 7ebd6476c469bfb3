//! Who may log in: users, their passwords and their tokens.
//!
//! All of it is kept in memory, so that a request with a token, or with a password that was
//! checked before, costs a lookup and a hash. The database is written first and read
//! again only when another process may have written to it. What each may do to an index
//! is decided in `access`.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use store::{Db, Event, UserRow};

use crate::access::{Admins, Caller, ROOT, UserName};
use crate::password::{Busy, Cost, Passwords};
use crate::secret::Fingerprint;
use crate::{By, Error};

mod token;
mod user;
mod users;

pub use token::{LOGIN_LASTS, Login, NewToken, Token};
pub use user::User;

/// How often it is looked whether another process changed anything: a command, or another node.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// How often uses are written down.
const NOTE_EVERY: Duration = Duration::from_secs(30);

/// What the configuration says about accounts.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// The users of each group.
    pub groups: HashMap<String, Vec<String>>,
    /// Who looks after users and indexes.
    pub admins: Admins,
    /// How hard new passwords are made to guess.
    pub cost: Cost,
}

/// Everybody who may log in. Shared by all requests.
pub struct Accounts {
    db: Db,
    /// The groups of each user.
    groups: HashMap<String, Vec<Box<str>>>,
    admins: Admins,
    passwords: Passwords,
    known: RwLock<Known>,
    /// Held from reading what is to change until it is changed. The last event that had happened
    /// when everybody was read.
    changing: tokio::sync::Mutex<Option<u64>>,
}

/// What requests are answered from.
#[derive(Default)]
struct Known {
    users: HashMap<UserName, Arc<Account>>,
    tokens: HashMap<Fingerprint, Arc<Token>>,
}

struct Account {
    user: User,
    caller: Caller,
}

/// Why somebody is not who they say.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// There is no such user, or the password or token is not theirs.
    #[error("user '{user}' could not be authenticated")]
    Wrong {
        /// As they said.
        user: String,
    },
    /// It cannot be told just now.
    #[error(transparent)]
    Busy(#[from] Busy),
    /// It was a token once.
    #[error("the token has expired: log in again, or make a new one")]
    Expired,
}

impl From<Denied> for Error {
    fn from(denied: Denied) -> Self {
        let why = denied.to_string();
        match denied {
            Denied::Busy(_) => Self::Busy { why },
            Denied::Wrong { .. } | Denied::Expired => Self::Denied { why },
        }
    }
}

impl From<Busy> for Error {
    fn from(busy: Busy) -> Self {
        Denied::from(busy).into()
    }
}

impl Accounts {
    /// Reads everybody in; the first time, makes root with an empty password.
    pub async fn open(db: Db, options: Options, now: Timestamp) -> Result<Arc<Self>, Error> {
        let mut groups: HashMap<String, Vec<Box<str>>> = HashMap::new();
        for (group, users) in options.groups {
            for user in users {
                groups.entry(user).or_default().push(group.as_str().into());
            }
        }
        let accounts = Arc::new(Self {
            db,
            groups,
            admins: options.admins,
            passwords: Passwords::new(options.cost),
            known: RwLock::default(),
            changing: tokio::sync::Mutex::new(None),
        });
        if accounts.db.user(ROOT).await?.is_none() {
            let root = UserRow {
                name: ROOT.to_owned(),
                password: Some(accounts.passwords.hash(ROOT, "").await?),
                details: "{}".to_owned(),
                created_at: now,
                modified_at: None,
            };
            // Another process may have been first.
            let made = Event::new(now, "user-create");
            accounts.db.create_user(&root, &made).await?;
        }
        accounts.db.remove_expired_tokens(now).await?;
        accounts.refresh().await?;
        Ok(accounts)
    }

    /// Who looks after users and indexes.
    pub fn admins(&self) -> &Admins {
        &self.admins
    }

    /// How many passwords were checked the slow way.
    pub fn passwords_checked(&self) -> u64 {
        self.passwords.computed()
    }

    /// Who this is, if that can be told at once: by a token, or a password that was right before.
    ///
    /// A token says by itself whose it is; the user beside it does not matter.
    pub fn known(&self, user: &str, secret: &str, now: Timestamp) -> Option<Caller> {
        if let Some(token) = self.token(secret) {
            return token.holder(now).ok();
        }
        let account = self.account(user)?;
        let hash = account.user.password()?;
        let right = self.passwords.checked(user, secret, hash)?;
        right.then(|| account.caller.clone())
    }

    /// Who this is, however long it takes to tell.
    pub async fn authenticate(
        &self,
        user: &str,
        secret: &str,
        now: Timestamp,
    ) -> Result<Caller, Denied> {
        let token = match self.token(secret) {
            None if token::is_token(secret) => self.token_of_late(secret).await,
            found => found,
        };
        if let Some(token) = token {
            return token.holder(now);
        }
        let account = self.with_password(user, secret).await?;
        Ok(account.caller.clone())
    }

    /// A token that another process may have made a moment ago.
    async fn token_of_late(&self, secret: &str) -> Option<Arc<Token>> {
        if let Err(error) = self.refresh().await {
            tracing::warn!(%error, "it cannot be seen whether a token is new");
        }
        self.token(secret)
    }

    /// Whether this is the user's password.
    pub async fn is_password(&self, user: &str, password: &str) -> bool {
        self.with_password(user, password).await.is_ok()
    }

    /// Notes uses and stays up to date until the future is dropped; run it in the background.
    pub async fn keep(self: Arc<Self>) {
        let mut tick = tokio::time::interval(LOOK_EVERY);
        let mut noted = Instant::now();
        loop {
            tick.tick().await;
            let mut kept = self.refresh().await;
            if noted.elapsed() >= NOTE_EVERY {
                noted = Instant::now();
                let now = Timestamp::now();
                kept = kept
                    .and(self.note_uses().await)
                    .and(self.forget_expired(now).await);
            }
            if let Err(error) = kept {
                tracing::warn!(%error, "the accounts could not be kept in order");
            }
        }
    }

    /// Reads everybody again, if anything happened since.
    pub async fn refresh(&self) -> Result<(), Error> {
        let mut seen = self.changing.lock().await;
        let last = self.db.last_serial().await?;
        if *seen == Some(last) {
            return Ok(());
        }
        self.note_uses().await?;
        let mut known = Known::default();
        for row in self.db.users().await? {
            let Some(account) = self.read_account(row) else {
                continue;
            };
            known.users.insert(account.user.name().clone(), account);
        }
        for row in self.db.tokens().await? {
            let owner = known.users.get(row.owner.as_str());
            if let Some((fingerprint, token)) =
                owner.and_then(|owner| Token::read(row, &owner.caller))
            {
                known.tokens.insert(fingerprint, Arc::new(token));
            }
        }
        *self.write() = known;
        *seen = Some(last);
        Ok(())
    }

    async fn with_password(&self, user: &str, password: &str) -> Result<Arc<Account>, Denied> {
        let wrong = || Denied::Wrong {
            user: user.to_owned(),
        };
        let account = self.account(user).ok_or_else(wrong)?;
        let hash = account.user.password().ok_or_else(wrong)?;
        if self.passwords.check(user, password, hash).await? {
            Ok(account)
        } else {
            Err(wrong())
        }
    }

    fn read_account(&self, row: UserRow) -> Option<Arc<Account>> {
        let name = row.name.clone();
        let Some(user) = User::read(row) else {
            tracing::error!(user = %name, "the record of user `{name}` cannot be read");
            return None;
        };
        Some(self.account_of(user))
    }

    fn account_of(&self, user: User) -> Arc<Account> {
        let groups = self.groups.get(user.name().as_str());
        let groups = groups.into_iter().flatten().cloned();
        let caller = Caller::new(user.name().clone(), groups);
        Arc::new(Account { user, caller })
    }

    fn account(&self, user: &str) -> Option<Arc<Account>> {
        self.read().users.get(user).cloned()
    }

    fn token(&self, secret: &str) -> Option<Arc<Token>> {
        if !token::is_token(secret) {
            return None;
        }
        let fingerprint = Fingerprint::of(secret);
        self.read().tokens.get(&fingerprint).cloned()
    }

    fn read(&self) -> RwLockReadGuard<'_, Known> {
        // Every change leaves the maps whole, so a poisoned lock guards whole ones.
        self.known.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Known> {
        self.known.write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event that tells what a caller did to a user.
fn about(now: Timestamp, what: &str, caller: &Caller, user: &str) -> Event {
    By::new(caller, now).event(what, serde_json::json!({ "user": user }))
}

#[cfg(test)]
mod tests;
