//! A user, and what they say of themselves.

use jiff::Timestamp;
use serde_json::{Map, Value};
use store::{PasswordHash, UserRow};

use crate::access::UserName;

/// What users may say of themselves; devpi has no other.
const PUBLIC: [&str; 4] = ["email", "title", "description", "custom_data"];
/// What is never told.
const HIDDEN: [&str; 3] = ["password", "pwhash", "pwsalt"];
/// What comes along when a user is written as it was read, and means nothing.
const IGNORED: [&str; 4] = ["indexes", "username", "created", "modified"];

/// A user.
#[derive(Debug, Clone, PartialEq)]
pub struct User {
    name: UserName,
    password: Option<PasswordHash>,
    details: Map<String, Value>,
    created: Timestamp,
    modified: Option<Timestamp>,
}

impl User {
    /// Somebody new, of whom nothing is known.
    pub(super) fn new(name: UserName, now: Timestamp) -> Self {
        Self {
            name,
            password: None,
            details: Map::new(),
            created: now,
            modified: None,
        }
    }

    /// A user as kept; `None` if it was never written like this.
    pub(super) fn read(row: UserRow) -> Option<Self> {
        Some(Self {
            name: row.name.parse().ok()?,
            password: row.password,
            details: serde_json::from_str(&row.details).ok()?,
            created: row.created_at,
            modified: row.modified_at,
        })
    }

    pub(super) fn to_row(&self) -> UserRow {
        UserRow {
            name: self.name.to_string(),
            password: self.password.clone(),
            details: Value::from(self.details.clone()).to_string(),
            created_at: self.created,
            modified_at: self.modified,
        }
    }

    /// Their name.
    pub fn name(&self) -> &UserName {
        &self.name
    }

    /// What their password is checked against; for an export.
    pub fn password(&self) -> Option<&PasswordHash> {
        self.password.as_ref()
    }

    /// What anybody may see of them, as devpi shows it, but for their indexes.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut shown = self.details.clone();
        shown.insert("username".to_owned(), self.name.as_str().into());
        shown.insert("created".to_owned(), second(self.created).into());
        if let Some(modified) = self.modified {
            shown.insert("modified".to_owned(), second(modified).into());
        }
        shown
    }

    pub(super) fn set_password(&mut self, hash: PasswordHash) {
        self.password = Some(hash);
    }

    /// Takes what is said of them, where it is something that users can say; whether that
    /// changed anything. What is empty is taken away.
    pub(super) fn describe(&mut self, fields: &Map<String, Value>) -> bool {
        let before = self.details.clone();
        for key in PUBLIC {
            match fields.get(key) {
                None => {}
                Some(value) if is_empty(value) => drop(self.details.remove(key)),
                Some(value) => drop(self.details.insert(key.to_owned(), value.clone())),
            }
        }
        self.details != before
    }

    pub(super) fn set_modified(&mut self, now: Timestamp) {
        self.modified = Some(now);
    }

    /// When they came and changed, according to somebody who knew them before.
    pub(super) fn set_times(&mut self, fields: &Map<String, Value>) {
        let time = |key| fields.get(key)?.as_str()?.parse::<Timestamp>().ok();
        // devpi's word for "nobody noted it".
        self.created = time("created").unwrap_or(Timestamp::UNIX_EPOCH);
        self.modified = time("modified");
    }
}

/// The keys that mean nothing here.
pub(super) fn unknown_keys(fields: &Map<String, Value>) -> Vec<&str> {
    let known = |key: &&str| {
        [&PUBLIC[..], &HIDDEN[..], &IGNORED[..]]
            .concat()
            .contains(key)
    };
    let keys = fields.keys().map(String::as_str);
    keys.filter(|key| !known(key)).collect()
}

/// What Python takes for false.
pub(super) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::Number(value) => value.as_f64() == Some(0.0),
        Value::String(value) => value.is_empty(),
        Value::Array(value) => value.is_empty(),
        Value::Object(value) => value.is_empty(),
    }
}

fn second(time: Timestamp) -> String {
    time.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
