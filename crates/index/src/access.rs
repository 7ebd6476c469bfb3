//! Who is asking, and what they may do to an index.
//!
//! Users and groups come from outside this file; here they meet the lists that an index's
//! settings hold. Permissions are devpi's, with reading besides.

mod asked;
mod lacking;

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use pyspec::ProjectName;
use serde::{Deserialize, Serialize};

use crate::acl::{Acl, Principal};
use crate::name::is_segment;
use crate::{IndexName, IndexSettings};

pub use asked::Rights;

/// The one user that there always is.
pub const ROOT: &str = "root";

/// The name of a user. Clones are cheap.
///
/// Letters and digits of any script, and of the ASCII symbols `-`, `.`, `@` and `_`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct UserName(Arc<str>);

/// The text is not a name for a user; said in devpi's words.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "username '{}' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked.",
    .text.escape_debug()
)]
pub struct InvalidUserName {
    text: String,
}

impl UserName {
    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for UserName {
    type Err = InvalidUserName;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        if is_segment(text) {
            Ok(Self(text.into()))
        } else {
            let text = text.chars().take(140).collect();
            Err(InvalidUserName { text })
        }
    }
}

impl fmt::Display for UserName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::borrow::Borrow<str> for UserName {
    fn borrow(&self) -> &str {
        &self.0
    }
}

/// Who is asking. Clones are cheap.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Caller {
    user: Option<UserName>,
    groups: Arc<[Box<str>]>,
    limits: Option<Arc<Scope>>,
    token: Option<Arc<Held>>,
}

/// A token that somebody came with.
#[derive(Debug, PartialEq, Eq)]
struct Held {
    id: Box<str>,
    name: Box<str>,
}

/// What a token may do at most, whatever its owner may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// See what its owner sees.
    pub read: bool,
    /// Upload.
    pub upload: bool,
    /// Remove and yank what was uploaded.
    pub remove: bool,
    /// On this index alone.
    pub index: Option<IndexName>,
    /// In this project alone.
    pub project: Option<ProjectName>,
}

/// What somebody wants to do to an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Permission {
    /// See names, pages and files.
    Read,
    /// Upload releases, documentation and metadata.
    Upload,
    /// Leave a test result beside a file.
    TestResult,
    /// Remove and yank files, releases and projects.
    Remove,
    /// Change its settings, and remove it.
    Modify,
}

/// To how much of an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach<'a> {
    /// All of it: the list of its projects, for one.
    Whole,
    /// Some project, it is not known yet which: an upload that has only begun.
    Some,
    /// One project.
    Project(&'a ProjectName),
}

/// The lists that decide about one index.
#[derive(Debug, Clone, Copy)]
pub struct Rules<'a> {
    /// `acl_pkg_read`.
    pub readers: &'a Acl,
    /// `acl_upload`; a mirror has none.
    pub uploaders: Option<&'a Acl>,
    /// `acl_toxresult_upload`; a mirror has none.
    pub testers: Option<&'a Acl>,
    /// The server's own rule.
    pub admins: &'a Admins,
}

impl<'a> Rules<'a> {
    /// Those of an index with these settings.
    pub fn new(settings: &'a IndexSettings, admins: &'a Admins) -> Self {
        let stage = match settings {
            IndexSettings::Stage(stage) => Some(stage),
            IndexSettings::Mirror(_) => None,
        };
        Self {
            readers: settings.readers(),
            uploaders: stage.map(|stage| &stage.acl_upload),
            testers: stage.map(|stage| &stage.acl_toxresult_upload),
            admins,
        }
    }
}

/// Who looks after users and indexes: `--restrict-modify`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Admins {
    /// Everybody after what is theirs, and root after everything. Whoever asks may become a user.
    #[default]
    Owners,
    /// These alone; others may only change their own password. Root is not among them unless named.
    Only(Acl),
}

impl Admins {
    /// Those of a comma list of users and `:group`s.
    pub fn only(list: &str) -> Self {
        let entries = list.split(',').map(str::trim);
        let named = entries.filter(|entry| !entry.is_empty());
        Self::Only(Acl::new(named.map(Principal::new)))
    }

    /// Whether the caller looks after what belongs to `owner`. A token with limits never does.
    pub fn admit(&self, caller: &Caller, owner: &str) -> bool {
        let is_anyone = || caller.is(ROOT) || caller.is(owner);
        caller.limits.is_none()
            && match self {
                Self::Owners => is_anyone(),
                Self::Only(acl) => caller.is_in(acl),
            }
    }
}

impl Caller {
    /// Somebody who does not say who they are.
    pub fn anonymous() -> Self {
        Self::default()
    }

    /// A user with their groups.
    pub fn new(user: UserName, groups: impl IntoIterator<Item = Box<str>>) -> Self {
        Self {
            user: Some(user),
            groups: groups.into_iter().collect(),
            limits: None,
            token: None,
        }
    }

    /// The same, as the holder of the token with this id, which its owner calls so.
    #[must_use]
    pub fn holding(self, id: &str, name: &str) -> Self {
        let (id, name) = (id.into(), name.into());
        Self {
            token: Some(Arc::new(Held { id, name })),
            ..self
        }
    }

    /// The same, through a token that may do no more than this.
    #[must_use]
    pub fn within(self, limits: Scope) -> Self {
        Self {
            limits: Some(Arc::new(limits)),
            ..self
        }
    }

    /// The same where this index shows what others have: a token for it alone reads that as well,
    /// if its user may.
    #[must_use]
    pub fn reading_through(self, index: &IndexName) -> Self {
        match &self.limits {
            Some(limits) if limits.index.as_ref() == Some(index) => {
                let limits = Scope {
                    index: None,
                    upload: false,
                    remove: false,
                    ..Scope::clone(limits)
                };
                self.within(limits)
            }
            _ => self,
        }
    }

    /// Which user, if it is one.
    pub fn user(&self) -> Option<&UserName> {
        self.user.as_ref()
    }

    /// Their groups, without colons.
    pub fn groups(&self) -> &[Box<str>] {
        &self.groups
    }

    /// The id of the token that they came with; a password comes without.
    pub fn token(&self) -> Option<&str> {
        self.token.as_ref().map(|token| &*token.id)
    }

    /// What that token is called; a login has no name.
    pub fn token_name(&self) -> Option<&str> {
        let name = self.token.as_ref().map(|token| &*token.name);
        name.filter(|name| !name.is_empty())
    }

    /// What their token may do at most; `None`: there is no such bound.
    pub fn limits(&self) -> Option<&Scope> {
        self.limits.as_deref()
    }

    /// Whether this is that user.
    pub fn is(&self, user: &str) -> bool {
        self.user.as_ref().is_some_and(|name| name.as_str() == user)
    }

    /// Whether the list names them, by whatever name.
    pub fn is_in(&self, acl: &Acl) -> bool {
        acl.entries().iter().any(|entry| match entry {
            Principal::Anonymous => true,
            Principal::Authenticated => self.user.is_some(),
            Principal::User(name) => self.is(name),
            Principal::Group(name) => self.groups.contains(name),
        })
    }

    /// Whether they may do this to so much of an index.
    pub fn may(
        &self,
        permission: Permission,
        index: &IndexName,
        reach: Reach<'_>,
        rules: &Rules<'_>,
    ) -> bool {
        let list = match permission {
            Permission::Read => Some(rules.readers),
            Permission::Upload | Permission::Remove => rules.uploaders,
            Permission::TestResult => rules.testers,
            Permission::Modify => None,
        };
        // They could do it without their token as well; but nobody tests what they cannot see.
        let is_seen = permission != Permission::TestResult || rules.readers.is_for_anyone();
        if is_seen && list.is_some_and(Acl::is_for_anyone) {
            return true;
        }
        let listed = list.is_some_and(|list| self.is_in(list));
        let by_right = match permission {
            Permission::Read => self.is(index.user()) || self.looks_after(index, rules),
            Permission::Remove | Permission::Modify => self.looks_after(index, rules),
            Permission::Upload | Permission::TestResult => false,
        };
        (listed || by_right) && self.is_allowed(permission, index, reach)
    }

    /// As [`Admins::admit`]; limits are looked at apart.
    fn looks_after(&self, index: &IndexName, rules: &Rules<'_>) -> bool {
        let unlimited = Self {
            limits: None,
            ..self.clone()
        };
        rules.admins.admit(&unlimited, index.user())
    }

    fn is_allowed(&self, permission: Permission, index: &IndexName, reach: Reach<'_>) -> bool {
        let Some(limits) = &self.limits else {
            return true;
        };
        let kind = match permission {
            Permission::Read => limits.read,
            Permission::Upload | Permission::TestResult => limits.upload,
            Permission::Remove => limits.remove,
            Permission::Modify => false,
        };
        let here = limits.index.as_ref().is_none_or(|only| only == index);
        let reached = match (&limits.project, reach) {
            (None, _) | (Some(_), Reach::Some) => true,
            (Some(_), Reach::Whole) => false,
            (Some(only), Reach::Project(project)) => only == project,
        };
        kind && here && reached
    }
}

/// A scope as it is kept.
#[derive(Serialize, Deserialize)]
struct Kept {
    read: bool,
    upload: bool,
    #[serde(default)]
    remove: bool,
    index: Option<String>,
    project: Option<String>,
}

impl Scope {
    /// As JSON text, to be kept.
    pub(crate) fn to_kept(&self) -> String {
        let kept = Kept {
            read: self.read,
            upload: self.upload,
            remove: self.remove,
            index: self.index.as_ref().map(ToString::to_string),
            project: self.project.as_ref().map(ToString::to_string),
        };
        serde_json::to_string(&kept).expect("flags and texts are always JSON")
    }

    /// Reads it again; `None` if a scope was never written like this.
    pub(crate) fn from_kept(text: &str) -> Option<Self> {
        let kept: Kept = serde_json::from_str(text).ok()?;
        Some(Self {
            read: kept.read,
            upload: kept.upload,
            remove: kept.remove,
            index: kept.index.map(|name| name.parse()).transpose().ok()?,
            project: kept.project.map(|name| name.parse()).transpose().ok()?,
        })
    }
}

#[cfg(test)]
mod tests;
