//! Tokens: what stands in for a password.
//!
//! A login token comes of a password and ends with it, or after ten hours. An API token is made
//! by a person for a machine and may be limited. A publisher token comes of a publisher's own
//! proof. All are 256 random bits; what is kept is their SHA-256.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use jiff::{SignedDuration, Timestamp};
use serde_json::json;
use store::{Event, PasswordHash, TokenKind, TokenRow};

use super::{Accounts, Denied, Fingerprint, about};
use crate::access::{Caller, ROOT, Scope, UserName};
use crate::secret::{Secret, letters};
use crate::{By, Error};

/// How long a login lasts, as in devpi.
pub const LOGIN_LASTS: SignedDuration = SignedDuration::from_hours(10);

/// 43 letters and digits hold 256 bits.
const LENGTH: usize = 43;

/// A use is noted again only after this, in milliseconds.
const USED_AGAIN_AFTER: i64 = 1000;

/// What people may call a token.
const LONGEST_NAME: usize = 200;

/// A login that has just begun.
#[derive(Debug, Clone)]
pub struct Login {
    /// To be shown instead of the password from now on.
    pub secret: Secret,
    /// When it ends.
    pub expires: Timestamp,
}

/// What a new token is to be.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// What its owner calls it.
    pub name: String,
    /// What it may do at most; `None`: all that its owner may.
    pub scope: Option<Scope>,
    /// From then on it is worth nothing.
    pub expires: Option<Timestamp>,
}

/// A token, without its secret.
#[derive(Debug)]
pub struct Token {
    row: TokenRow,
    caller: Caller,
    /// In milliseconds since 1970; 0: never.
    used: AtomicI64,
    /// Of these uses, the last that is written down.
    noted: AtomicI64,
}

/// How a token's text begins.
fn prefix(kind: TokenKind) -> &'static str {
    match kind {
        TokenKind::Login => "phl_",
        TokenKind::Api => "pht_",
        TokenKind::Publisher => "php_",
    }
}

/// Whether a text may be a token. A password may look like that, too.
pub(super) fn is_token(text: &str) -> bool {
    let kinds = [TokenKind::Login, TokenKind::Api, TokenKind::Publisher];
    let tail = kinds.map(|kind| text.strip_prefix(prefix(kind)));
    tail.into_iter().flatten().any(|tail| tail.len() == LENGTH)
}

impl Token {
    /// A token as kept, in the hands of its owner; `None` if it was never written like this.
    pub(super) fn read(row: TokenRow, owner: &Caller) -> Option<(Fingerprint, Self)> {
        let fingerprint = Fingerprint::from_hex(&row.secret)?;
        let holder = owner.clone().holding(&row.id, &row.name);
        let caller = match row.scope.as_str() {
            UNLIMITED => holder,
            scope => holder.within(Scope::from_kept(scope)?),
        };
        let used = row.last_used.map_or(0, Timestamp::as_millisecond);
        let token = Self {
            row,
            caller,
            used: used.into(),
            noted: used.into(),
        };
        Some((fingerprint, token))
    }

    /// Its public name, by which it is revoked.
    pub fn id(&self) -> &str {
        &self.row.id
    }

    /// Who it acts for.
    pub fn owner(&self) -> &str {
        &self.row.owner
    }

    /// What it is for.
    pub fn kind(&self) -> TokenKind {
        self.row.kind
    }

    /// What its owner calls it.
    pub fn name(&self) -> &str {
        &self.row.name
    }

    /// What it may do at most; `None`: all that its owner may.
    pub fn scope(&self) -> Option<&Scope> {
        self.caller.limits()
    }

    /// When it was made.
    pub fn created(&self) -> Timestamp {
        self.row.created_at
    }

    /// From then on it is worth nothing.
    pub fn expires(&self) -> Option<Timestamp> {
        self.row.expires_at
    }

    /// When it was last used, to the second or so.
    pub fn last_used(&self) -> Option<Timestamp> {
        match self.used.load(Ordering::Relaxed) {
            0 => None,
            used => Timestamp::from_millisecond(used).ok(),
        }
    }

    pub(super) fn is_of(&self, user: &UserName) -> bool {
        self.row.owner == user.as_str()
    }

    /// Who holds it, unless it is over; notes the use.
    pub(super) fn holder(&self, now: Timestamp) -> Result<Caller, Denied> {
        if self.is_over(now) {
            return Err(Denied::Expired);
        }
        let now = now.as_millisecond();
        // Many cores may use one token at once; they need not all write to it.
        if self.used.load(Ordering::Relaxed) + USED_AGAIN_AFTER <= now {
            self.used.fetch_max(now, Ordering::Relaxed);
        }
        Ok(self.caller.clone())
    }

    fn is_over(&self, now: Timestamp) -> bool {
        self.row.expires_at.is_some_and(|expires| expires <= now)
    }

    /// A use that is not written down yet.
    fn unnoted_use(&self) -> Option<i64> {
        let used = self.used.load(Ordering::Relaxed);
        (used > self.noted.load(Ordering::Relaxed)).then_some(used)
    }
}

/// A scope that limits nothing, as it is kept.
const UNLIMITED: &str = "null";

impl Accounts {
    /// Begins a login for somebody who knows the password.
    pub async fn login(&self, user: &str, password: &str, now: Timestamp) -> Result<Login, Error> {
        let account = self.with_password(user, password).await?;
        let hash = account.user.password().expect("it was just checked");
        self.issue_login(user, hash, now).await
    }

    /// Ends the login that this secret is of; whether it was one.
    pub async fn logout(&self, secret: &str, now: Timestamp) -> Result<bool, Error> {
        let Some(token) = self.token(secret) else {
            return Ok(false);
        };
        if token.kind() != TokenKind::Login {
            return Ok(false);
        }
        let event = about(now, "logout", &token.caller, token.owner());
        self.revoke(&token, &event).await
    }

    /// Makes an API token, whose secret is told this once.
    pub async fn create_token(
        &self,
        caller: &Caller,
        owner: &str,
        new: NewToken,
        now: Timestamp,
    ) -> Result<(Arc<Token>, Secret), Error> {
        if !may_hold(caller, owner) {
            let why = format!("no permission to make a token for user {owner}");
            return Err(Error::Forbidden { why });
        }
        if new.name.is_empty() {
            let why = "a token needs a name: what it is for".to_owned();
            return Err(Error::BadRequest { why });
        }
        // Another process may have made one of this name.
        self.refresh().await?;
        let event = about_token(now, "token-create", caller, owner, &new.name);
        self.issue(TokenKind::Api, owner, new, &event, now).await
    }

    /// Makes a token for a publisher who has proved to be one that may act for `owner`.
    pub async fn create_publisher_token(
        &self,
        owner: &str,
        new: NewToken,
        now: Timestamp,
    ) -> Result<(Arc<Token>, Secret), Error> {
        let nobody = Caller::anonymous();
        let event = about_token(now, "token-mint", &nobody, owner, &new.name);
        self.issue(TokenKind::Publisher, owner, new, &event, now)
            .await
    }

    /// The API and publisher tokens of a user, the oldest first.
    pub fn tokens(&self, caller: &Caller, owner: &str) -> Result<Vec<Arc<Token>>, Error> {
        if !may_hold(caller, owner) {
            let why = format!("no permission to see the tokens of user {owner}");
            return Err(Error::Forbidden { why });
        }
        let known = self.read();
        let tokens = known.tokens.values();
        let theirs =
            tokens.filter(|token| token.owner() == owner && token.kind() != TokenKind::Login);
        let mut theirs: Vec<_> = theirs.cloned().collect();
        drop(known);
        theirs.sort_by(|a, b| (a.created(), a.id()).cmp(&(b.created(), b.id())));
        Ok(theirs)
    }

    /// Revokes a token; whoever shows it from now on is nobody.
    pub async fn revoke_token(
        &self,
        caller: &Caller,
        id: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let found = self.read().tokens.values().find(|t| t.id() == id).cloned();
        // Whether others have such a token is none of the caller's business.
        let token = found.filter(|token| may_hold(caller, token.owner()));
        let none = || Error::NoSuchToken { id: id.to_owned() };
        let token = token.ok_or_else(none)?;
        let event = about_token(now, "token-revoke", caller, token.owner(), token.name());
        if self.revoke(&token, &event).await? {
            Ok(())
        } else {
            Err(none())
        }
    }

    /// Writes down which tokens were used since the last time.
    pub async fn note_uses(&self) -> Result<(), Error> {
        let mut used = Vec::new();
        for token in self.read().tokens.values() {
            if let Some(at) = token.unnoted_use() {
                used.push((token.clone(), at));
            }
        }
        if used.is_empty() {
            return Ok(());
        }
        let rows: Vec<_> = used
            .iter()
            .filter_map(|(token, at)| {
                let at = Timestamp::from_millisecond(*at).ok()?;
                Some((token.id().to_owned(), at))
            })
            .collect();
        self.db.note_token_uses(&rows).await?;
        for (token, at) in used {
            token.noted.fetch_max(at, Ordering::Relaxed);
        }
        Ok(())
    }

    pub(super) async fn forget_expired(&self, now: Timestamp) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        self.db.remove_expired_tokens(now).await?;
        self.write().tokens.retain(|_, token| !token.is_over(now));
        Ok(())
    }

    /// Begins a login of a user whose password has this hash, and has it still.
    pub(super) async fn issue_login(
        &self,
        user: &str,
        hash: &PasswordHash,
        now: Timestamp,
    ) -> Result<Login, Error> {
        let expires = now + LOGIN_LASTS;
        let new = NewToken {
            name: String::new(),
            scope: None,
            expires: Some(expires),
        };
        let event = Event {
            who: Some(user.to_owned()),
            ..about(now, "login", &Caller::anonymous(), user)
        };
        let _changing = self.changing.lock().await;
        let account = self.account(user);
        // Changed while the password was being checked, or just after.
        if account.as_ref().and_then(|account| account.user.password()) != Some(hash) {
            let user = user.to_owned();
            return Err(Denied::Wrong { user }.into());
        }
        let (_, secret) = self
            .issue_now(TokenKind::Login, user, new, &event, now)
            .await?;
        Ok(Login { secret, expires })
    }

    async fn issue(
        &self,
        kind: TokenKind,
        owner: &str,
        new: NewToken,
        event: &Event,
        now: Timestamp,
    ) -> Result<(Arc<Token>, Secret), Error> {
        let why = if new.name.len() > LONGEST_NAME || new.name.contains(char::is_control) {
            Some(format!(
                "a token's name is one line of at most {LONGEST_NAME} bytes"
            ))
        } else if new.expires.is_some_and(|expires| expires <= now) {
            Some("a token cannot expire in the past".to_owned())
        } else {
            None
        };
        if let Some(why) = why {
            return Err(Error::BadRequest { why });
        }
        let _changing = self.changing.lock().await;
        if kind == TokenKind::Api {
            self.is_free(owner, &new.name, now)?;
        }
        self.issue_now(kind, owner, new, event, now).await
    }

    /// Names are what people tell their tokens apart by; those that are over do not count.
    fn is_free(&self, owner: &str, name: &str, now: Timestamp) -> Result<(), Error> {
        let is_it = |token: &Token| {
            let is_api = token.kind() == TokenKind::Api && !token.is_over(now);
            is_api && token.owner() == owner && token.name() == name
        };
        if self.read().tokens.values().any(|token| is_it(token)) {
            return Err(Error::Exists {
                what: format!(
                    "{owner} has a token `{name}` already: revoke it, or choose another name"
                ),
            });
        }
        Ok(())
    }

    /// For whoever holds the right to change.
    async fn issue_now(
        &self,
        kind: TokenKind,
        owner: &str,
        new: NewToken,
        event: &Event,
        now: Timestamp,
    ) -> Result<(Arc<Token>, Secret), Error> {
        let user = owner.to_owned();
        let account = self.account(owner).ok_or(Error::NoSuchUser { user })?;
        let secret = Secret::new(prefix(kind), LENGTH);
        let row = TokenRow {
            id: letters(12),
            owner: owner.to_owned(),
            kind,
            name: new.name,
            secret: secret.fingerprint().to_hex(),
            scope: new
                .scope
                .map_or_else(|| UNLIMITED.to_owned(), |scope| scope.to_kept()),
            created_at: now,
            expires_at: new.expires,
            last_used: None,
        };
        self.db.save_token(&row, event).await?;
        let read = Token::read(row, &account.caller);
        let (fingerprint, token) = read.expect("what was just written can be read");
        let token = Arc::new(token);
        self.write().tokens.insert(fingerprint, token.clone());
        Ok((token, secret))
    }

    async fn revoke(&self, token: &Token, event: &Event) -> Result<bool, Error> {
        let _changing = self.changing.lock().await;
        let was_there = self.db.remove_token(token.id(), event).await?;
        if let Some(fingerprint) = Fingerprint::from_hex(&token.row.secret) {
            self.write().tokens.remove(&fingerprint);
        }
        Ok(was_there)
    }
}

/// An event that tells what a caller did to a token.
fn about_token(now: Timestamp, what: &str, caller: &Caller, owner: &str, name: &str) -> Event {
    By::new(caller, now).event(what, json!({ "user": owner, "token": name }))
}

/// A token with limits makes, shows and revokes no tokens: it would have none then.
fn may_hold(caller: &Caller, owner: &str) -> bool {
    caller.limits().is_none() && (caller.is(owner) || caller.is(ROOT))
}
