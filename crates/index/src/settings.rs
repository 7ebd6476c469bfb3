//! What can be set on an index, in devpi's words.
//!
//! Settings come as JSON objects whose values are often mere text (`"True"`,
//! `"root/pypi,bob/dev"`), since that is how devpi's client sends them; here they
//! become values that cannot be wrong. The words of devpi 6 go out, those of
//! devpi 7 are understood as well. Whether a base exists is not known here.

mod coerce;
mod common;
mod mirror;
mod patch;
mod stage;
mod words;

pub use common::Common;
pub use mirror::{MirrorSettings, MirrorUrl};
pub use patch::Patch;
pub use stage::{Inheritance, StageSettings, Whitelist};

use std::fmt;

use serde_json::{Map, Value};

use crate::IndexName;
use crate::acl::Acl;
use patch::Change;

/// Everything that is set on one index.
#[derive(Debug, Clone, PartialEq)]
pub enum IndexSettings {
    /// People upload to it, and it may have bases.
    Stage(StageSettings),
    /// Its projects live upstream.
    Mirror(MirrorSettings),
}

/// Why settings are refused: what a client shows for 400, in devpi's words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InvalidSettings(Vec<String>);

/// Why one setting is not taken.
enum Refused {
    /// This kind of index has no such setting.
    Unknown,
    /// The value is of no use, for these reasons.
    Wrong(Vec<String>),
}

impl From<String> for Refused {
    fn from(why: String) -> Self {
        Self::Wrong(vec![why])
    }
}

impl IndexSettings {
    /// The settings of a new index of `owner`.
    pub fn create(owner: &str, fields: &Map<String, Value>) -> Result<Self, InvalidSettings> {
        Self::read(owner, fields, Inheritance::Intersection)
    }

    /// Settings as they were kept, by us or in an export of devpi.
    ///
    /// There, a missing `mirror_whitelist_inheritance` means `union`, devpi's rule
    /// from before it had that setting.
    pub fn kept(owner: &str, fields: &Map<String, Value>) -> Result<Self, InvalidSettings> {
        Self::read(owner, fields, Inheritance::Union)
    }

    fn read(
        owner: &str,
        fields: &Map<String, Value>,
        inheritance: Inheritance,
    ) -> Result<Self, InvalidSettings> {
        let patch = Patch::of_fields(fields)?;
        let mut settings = match patch.kind().unwrap_or("stage") {
            "stage" => Self::Stage(StageSettings::new(owner, inheritance)),
            "mirror" => Self::Mirror(MirrorSettings::default()),
            other => {
                let other = coerce::quoted(other);
                return Err(InvalidSettings::one(format!("unknown index type {other}")));
            }
        };
        settings.apply(&patch)?;
        settings.check()?;
        Ok(settings)
    }

    /// The same with some changes made.
    pub fn patched(&self, patch: &Patch) -> Result<Self, InvalidSettings> {
        if patch.kind().is_some_and(|kind| kind != self.kind()) {
            return Err(InvalidSettings::one(
                "the 'type' of an index can't be changed",
            ));
        }
        let mut settings = self.clone();
        settings.apply(patch)?;
        settings.check()?;
        Ok(settings)
    }

    /// What is kept: read again by [`kept`](Self::kept). Holds the password of an upstream.
    pub fn to_kept(&self) -> Map<String, Value> {
        let mut fields = self.to_json();
        if let Self::Mirror(MirrorSettings { url: Some(url), .. }) = self {
            fields.insert("mirror_url".to_owned(), url.reveal().into());
        }
        fields
    }

    /// What a client may see, with the keys of devpi 6.
    ///
    /// Settings that devpi does not have are only there when they were set.
    pub fn to_json(&self) -> Map<String, Value> {
        let mut fields = Map::new();
        fields.insert("type".to_owned(), self.kind().into());
        match self {
            Self::Stage(stage) => stage.write(&mut fields),
            Self::Mirror(mirror) => mirror.write(&mut fields),
        }
        fields
    }

    /// `stage` or `mirror`.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Stage(_) => "stage",
            Self::Mirror(_) => "mirror",
        }
    }

    /// What both kinds have.
    pub fn common(&self) -> &Common {
        match self {
            Self::Stage(stage) => &stage.common,
            Self::Mirror(mirror) => &mirror.common,
        }
    }

    /// Whether content may be replaced and removed.
    pub fn is_volatile(&self) -> bool {
        self.common().volatile
    }

    /// Who may read names, pages and files.
    pub fn readers(&self) -> &Acl {
        &self.common().acl_pkg_read
    }

    /// The indexes it is built on; a mirror has none.
    pub fn bases(&self) -> &[IndexName] {
        match self {
            Self::Stage(stage) => &stage.bases,
            Self::Mirror(_) => &[],
        }
    }

    fn check(&self) -> Result<(), InvalidSettings> {
        match self {
            Self::Mirror(MirrorSettings { url: None, .. }) => Err(InvalidSettings::one(
                "a mirror needs 'mirror_url': set it like mirror_url=https://pypi.example/simple/",
            )),
            _ => Ok(()),
        }
    }

    fn apply(&mut self, patch: &Patch) -> Result<(), InvalidSettings> {
        let mut unknown = Vec::new();
        let mut wrong = Vec::new();
        for (key, change) in patch.changes().filter(|(key, _)| *key != "type") {
            match self.change(key, change) {
                Ok(()) => {}
                Err(Refused::Unknown) => unknown.push(format!("{key}={}", change.shown())),
                Err(Refused::Wrong(reasons)) => wrong.extend(reasons),
            }
        }
        if !unknown.is_empty() {
            let unknown = unknown.join(", ");
            wrong.push(format!(
                "indexconfig got unexpected keyword arguments: {unknown}"
            ));
        }
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(InvalidSettings(wrong))
        }
    }

    fn change(&mut self, key: &str, change: &Change) -> Result<(), Refused> {
        match change {
            Change::Set(value) => self.set(key, value),
            Change::Drop => self.clear(key),
            Change::Add(text) => {
                let mut list = self.list(key)?;
                let added = self.list_of(key, text)?;
                for entry in added {
                    if !list.contains(&entry) {
                        list.push(entry);
                    }
                }
                self.set(key, &list.into())
            }
            Change::Remove(text) => {
                let mut list = self.list(key)?;
                for entry in self.list_of(key, text)? {
                    let Some(at) = list.iter().position(|have| *have == entry) else {
                        let entry = coerce::quoted(&entry);
                        let why = format!("The '{key}' setting doesn't have value {entry}");
                        return Err(why.into());
                    };
                    list.remove(at);
                }
                self.set(key, &list.into())
            }
        }
    }

    fn set(&mut self, key: &str, value: &Value) -> Result<(), Refused> {
        match self {
            Self::Stage(stage) => stage.set(key, value),
            Self::Mirror(mirror) => mirror.set(key, value),
        }
    }

    fn clear(&mut self, key: &str) -> Result<(), Refused> {
        match self {
            Self::Stage(stage) => stage.clear(key),
            Self::Mirror(mirror) => mirror.clear(key),
        }
    }

    /// The entries that a setting has now.
    fn list(&self, key: &str) -> Result<Vec<String>, Refused> {
        let list = match self {
            Self::Stage(stage) => stage.list(key),
            Self::Mirror(mirror) => mirror.common.list(key),
        };
        if let Some(list) = list {
            return Ok(list);
        }
        // Unknown, or known and something else: the setting itself says.
        self.clone().clear(key)?;
        Err(format!("The '{key}' setting is not a list").into())
    }

    /// The entries of `text` in the way that the setting writes them.
    fn list_of(&self, key: &str, text: &str) -> Result<Vec<String>, Refused> {
        let mut scratch = self.clone();
        scratch.set(key, &text.into())?;
        scratch.list(key)
    }
}

impl InvalidSettings {
    fn one(why: impl Into<String>) -> Self {
        Self(vec![why.into()])
    }

    pub(crate) fn all(reasons: Vec<String>) -> Self {
        Self(reasons)
    }
}

impl fmt::Display for InvalidSettings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0.join(", "))
    }
}

impl std::error::Error for InvalidSettings {}

#[cfg(test)]
mod tests;
