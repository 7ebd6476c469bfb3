//! Users come, change and go, by devpi's rules and in its words.

use jiff::Timestamp;
use serde_json::{Map, Value};
use store::{IndexRow, PasswordHash, TokenKind};

use super::user::{User, is_empty, unknown_keys};
use super::{Accounts, Login, about};
use crate::access::{Admins, Caller, ROOT};
use crate::password::is_usable;
use crate::{Error, IndexSettings};

impl Accounts {
    /// Everybody, by name.
    pub fn users(&self) -> Vec<User> {
        let known = self.read();
        let users = known.users.values().map(|account| account.user.clone());
        let mut users: Vec<_> = users.collect();
        drop(known);
        users.sort_by(|a, b| a.name().cmp(b.name()));
        users
    }

    /// One user.
    pub fn user(&self, name: &str) -> Result<User, Error> {
        let account = self.account(name).ok_or_else(|| no_user(name))?;
        Ok(account.user.clone())
    }

    /// Whether the caller may become a user, or make one.
    pub fn may_create(&self, caller: &Caller) -> bool {
        match &self.admins {
            Admins::Owners => true,
            Admins::Only(acl) => caller.limits().is_none() && caller.is_in(acl),
        }
    }

    /// Adds a user.
    pub async fn create_user(
        &self,
        caller: &Caller,
        name: &str,
        fields: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<User, Error> {
        if !self.may_create(caller) {
            return Err(forbidden(format!("no permission to create user {name}")));
        }
        if self.account(name).is_some() {
            return Err(exists());
        }
        if !fields.contains_key("password") {
            return Err(bad("password needs to be set"));
        }
        let name = name.parse().map_err(|e| bad(format!("{e}")))?;
        let unknown = unknown_keys(fields);
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            return Err(bad(format!("Unknown keys in user config: {unknown}")));
        }
        let mut user = User::new(name, now);
        user.describe(fields);
        if let Some(hash) = self.new_password(user.name().as_str(), fields).await? {
            user.set_password(hash);
        }
        self.add(caller, user, now).await
    }

    /// Adds a user as another server knew them: with the hash of their password and the times
    /// when they came and changed.
    pub async fn import_user(
        &self,
        caller: &Caller,
        name: &str,
        fields: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<User, Error> {
        let name = name.parse().map_err(|e| bad(format!("{e}")))?;
        let mut user = User::new(name, now);
        user.describe(fields);
        user.set_times(fields);
        if let Some(hash) = self.new_password(user.name().as_str(), fields).await? {
            user.set_password(hash);
        }
        self.add(caller, user, now).await
    }

    /// Makes root, who is always there, the one whom another server knew.
    pub async fn import_root(
        &self,
        fields: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let hash = self.new_password(ROOT, fields).await?;
        let _changing = self.changing.lock().await;
        let account = self.account(ROOT).ok_or_else(|| no_user(ROOT))?;
        let mut user = account.user.clone();
        user.describe(fields);
        user.set_times(fields);
        if let Some(hash) = hash {
            user.set_password(hash);
        }
        self.put(&Caller::anonymous(), &account.user, user, now)
            .await
    }

    async fn add(&self, caller: &Caller, user: User, now: Timestamp) -> Result<User, Error> {
        let event = about(now, "user-create", caller, user.name().as_str());
        let _changing = self.changing.lock().await;
        if !self.db.create_user(&user.to_row(), &event).await? {
            return Err(exists());
        }
        let account = self.account_of(user.clone());
        self.write().users.insert(user.name().clone(), account);
        Ok(user)
    }

    /// Changes a user; with a new password, answers the login that takes the place of
    /// those that ended with the old one. The login that it was changed with goes on.
    pub async fn modify_user(
        &self,
        caller: &Caller,
        name: &str,
        fields: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<Option<Login>, Error> {
        if self.account(name).is_none() {
            return Err(no_user(name));
        }
        let password_only = fields.len() == 1 && fields.contains_key("password");
        let is_own = caller.limits().is_none() && caller.is(name);
        if !(self.admins.admit(caller, name) || password_only && is_own) {
            let what = if password_only {
                "change password for"
            } else {
                "modify"
            };
            return Err(forbidden(format!("no permission to {what} user {name}")));
        }
        let hash = self.new_password(name, fields).await?;
        self.change(caller, name, fields, hash.clone(), now).await?;
        match hash {
            Some(hash) if !fields.get("password").is_none_or(Value::is_null) => {
                self.issue_login(name, &hash, now).await.map(Some)
            }
            _ => Ok(None),
        }
    }

    /// Gives a user another password, on the word of whoever holds the data directory.
    pub async fn set_password(
        &self,
        name: &str,
        password: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let hash = self.passwords.hash(name, password).await?;
        self.change(&Caller::anonymous(), name, &Map::new(), Some(hash), now)
            .await
    }

    /// The same, where only the password's hash is known.
    pub async fn set_password_hash(
        &self,
        name: &str,
        phc: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        let hash = usable(phc)?;
        self.change(&Caller::anonymous(), name, &Map::new(), Some(hash), now)
            .await
    }

    async fn change(
        &self,
        caller: &Caller,
        name: &str,
        fields: &Map<String, Value>,
        hash: Option<PasswordHash>,
        now: Timestamp,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let account = self.account(name).ok_or_else(|| no_user(name))?;
        let mut user = account.user.clone();
        let is_other_password = hash.is_some();
        if let Some(hash) = hash {
            user.set_password(hash);
        }
        if !user.describe(fields) && !is_other_password {
            return Ok(());
        }
        user.set_modified(now);
        self.put(caller, &account.user, user, now).await
    }

    /// Keeps what a user is now; another password ends the logins of before. Whoever calls this
    /// holds `changing`.
    async fn put(
        &self,
        caller: &Caller,
        before: &User,
        user: User,
        now: Timestamp,
    ) -> Result<(), Error> {
        let is_other_password = user.password() != before.password();
        let name = user.name().clone();
        let event = about(now, "user-change", caller, name.as_str());
        let own = caller.token();
        if !self.db.update_user(&user.to_row(), own, &event).await? {
            return Err(no_user(name.as_str()));
        }
        let account = self.account_of(user);
        let mut known = self.write();
        if is_other_password {
            known.tokens.retain(|_, token| {
                let is_login = token.is_of(&name) && token.kind() == TokenKind::Login;
                !is_login || Some(token.id()) == own
            });
        }
        known.users.insert(name, account);
        Ok(())
    }

    /// Removes a user with everything of theirs.
    pub async fn remove_user(
        &self,
        caller: &Caller,
        name: &str,
        now: Timestamp,
    ) -> Result<(), Error> {
        if !self.may_remove(caller, name) {
            return Err(forbidden(format!("no permission to delete user {name}")));
        }
        let _changing = self.changing.lock().await;
        let account = self.account(name).ok_or_else(|| no_user(name))?;
        for index in self.db.indexes().await? {
            if index.owner == name && !is_volatile(&index) {
                let index = index.name;
                return Err(forbidden(format!(
                    "user '{name}' has non-volatile index: {index}"
                )));
            }
        }
        let event = about(now, "user-remove", caller, name);
        if !self.db.remove_user(name, &event).await? {
            return Err(no_user(name));
        }
        let name = account.user.name();
        let mut known = self.write();
        known.users.remove(name);
        known.tokens.retain(|_, token| !token.is_of(name));
        Ok(())
    }

    /// Root stays, and whoever looks after all users does not remove themselves.
    fn may_remove(&self, caller: &Caller, name: &str) -> bool {
        let is_self = matches!(self.admins, Admins::Only(_)) && caller.is(name);
        name != ROOT && !is_self && self.admins.admit(caller, name)
    }

    /// The hash of the password that is to be set, if one is.
    async fn new_password(
        &self,
        user: &str,
        fields: &Map<String, Value>,
    ) -> Result<Option<PasswordHash>, Error> {
        match fields.get("pwhash") {
            Some(Value::String(phc)) if !phc.is_empty() => return usable(phc).map(Some),
            Some(other) if !is_empty(other) => return Err(bad("pwhash needs to be text")),
            _ => {}
        }
        match fields.get("password") {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(password)) => Ok(Some(self.passwords.hash(user, password).await?)),
            Some(_) => Err(bad("password needs to be text")),
        }
    }
}

fn usable(phc: &str) -> Result<PasswordHash, Error> {
    if is_usable(phc) {
        Ok(phc.to_owned().into())
    } else {
        Err(bad(
            "pwhash is not an argon2 hash, like `$argon2id$v=19$m=65536,t=3,p=4$…`, \
             or takes too much memory to check",
        ))
    }
}

/// Whether an index may go; not if that cannot be told.
fn is_volatile(index: &IndexRow) -> bool {
    let fields: Result<Map<String, Value>, _> = serde_json::from_str(&index.settings);
    let settings = fields.map(|fields| IndexSettings::kept(&index.owner, &fields));
    matches!(settings, Ok(Ok(settings)) if settings.is_volatile())
}

fn no_user(name: &str) -> Error {
    Error::NoSuchUser {
        user: name.to_owned(),
    }
}

fn exists() -> Error {
    Error::Exists {
        what: "user already exists".to_owned(),
    }
}

fn bad(why: impl Into<String>) -> Error {
    Error::BadRequest { why: why.into() }
}

fn forbidden(why: String) -> Error {
    Error::Forbidden { why }
}
