//! What can be set on an index that people upload to.

use std::collections::BTreeSet;

use pyspec::ProjectName;
use serde_json::{Map, Value};

use super::common::{Common, acl, entries, stays};
use super::{Refused, coerce};
use crate::IndexName;
use crate::acl::Acl;

/// What can be set on an index that people upload to.
#[derive(Debug, Clone, PartialEq)]
pub struct StageSettings {
    /// What every index has.
    pub common: Common,
    /// The indexes it is built on, the nearest first.
    pub bases: Vec<IndexName>,
    /// Who may upload.
    pub acl_upload: Acl,
    /// Who may add the results of tests.
    pub acl_toxresult_upload: Acl,
    /// Projects that a mirror may complete although they are hosted here.
    pub mirror_whitelist: Whitelist,
    /// What the whitelists of the bases count for.
    pub mirror_whitelist_inheritance: Inheritance,
    /// How many bytes may be stored here. Ours.
    pub quota: Option<u64>,
}

/// Projects that a mirror may complete.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Whitelist {
    /// Every project, `*`.
    pub every: bool,
    /// These.
    pub projects: BTreeSet<ProjectName>,
}

/// What the whitelists of the bases count for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Inheritance {
    /// Only what all lists agree on.
    Intersection,
    /// What any of them has.
    Union,
}

impl StageSettings {
    pub(super) fn new(owner: &str, inheritance: Inheritance) -> Self {
        Self {
            common: Common::default(),
            bases: Vec::new(),
            acl_upload: Acl::only(owner),
            acl_toxresult_upload: Acl::anyone(),
            mirror_whitelist: Whitelist::default(),
            mirror_whitelist_inheritance: inheritance,
            quota: None,
        }
    }

    pub(super) fn set(&mut self, key: &str, value: &Value) -> Result<(), Refused> {
        match key {
            "bases" => self.bases = bases(value)?,
            "acl_upload" => self.acl_upload = acl(value)?,
            "acl_toxresult_upload" => self.acl_toxresult_upload = acl(value)?,
            "mirror_whitelist" => self.mirror_whitelist = Whitelist::read(value)?,
            "mirror_whitelist_inheritance" => {
                self.mirror_whitelist_inheritance = Inheritance::read(value)?;
            }
            "quota" => self.quota = Some(coerce::size(key, value)?),
            _ => return self.common.set(key, value),
        }
        Ok(())
    }

    pub(super) fn clear(&mut self, key: &str) -> Result<(), Refused> {
        match key {
            "bases"
            | "acl_upload"
            | "acl_toxresult_upload"
            | "mirror_whitelist"
            | "mirror_whitelist_inheritance" => Err(stays()),
            "quota" => {
                self.quota = None;
                Ok(())
            }
            _ => self.common.clear(key),
        }
    }

    pub(super) fn list(&self, key: &str) -> Option<Vec<String>> {
        match key {
            "bases" => Some(self.bases.iter().map(ToString::to_string).collect()),
            "acl_upload" => Some(entries(&self.acl_upload)),
            "acl_toxresult_upload" => Some(entries(&self.acl_toxresult_upload)),
            "mirror_whitelist" => Some(self.mirror_whitelist.entries()),
            _ => self.common.list(key),
        }
    }

    pub(super) fn write(&self, fields: &mut Map<String, Value>) {
        for key in [
            "bases",
            "acl_upload",
            "acl_toxresult_upload",
            "mirror_whitelist",
        ] {
            let list = self.list(key).unwrap_or_default();
            fields.insert(key.to_owned(), list.into());
        }
        let inheritance = self.mirror_whitelist_inheritance.word();
        fields.insert(
            "mirror_whitelist_inheritance".to_owned(),
            inheritance.into(),
        );
        if let Some(quota) = self.quota {
            fields.insert("quota".to_owned(), quota.into());
        }
        self.common.write(fields);
    }
}

fn bases(value: &Value) -> Result<Vec<IndexName>, Refused> {
    let mut bases = Vec::new();
    let mut wrong = Vec::new();
    for text in coerce::texts(value)? {
        match text.trim_matches('/').parse() {
            Ok(name) => bases.push(name),
            Err(_) => wrong.push(format!(
                "invalid base index spec: {}",
                coerce::quoted(&text)
            )),
        }
    }
    if wrong.is_empty() {
        Ok(bases)
    } else {
        Err(Refused::Wrong(wrong))
    }
}

impl Whitelist {
    /// Whether a mirror may complete this project.
    pub fn has(&self, project: &ProjectName) -> bool {
        self.every || self.projects.contains(project)
    }

    fn read(value: &Value) -> Result<Self, String> {
        let mut list = Self::default();
        for entry in coerce::texts(value)? {
            if entry == "*" {
                list.every = true;
                continue;
            }
            let project = entry.parse().map_err(|_| {
                let entry = coerce::quoted(&entry);
                format!("'mirror_whitelist' takes names of projects or *, not {entry}")
            })?;
            list.projects.insert(project);
        }
        Ok(list)
    }

    fn entries(&self) -> Vec<String> {
        let every = self.every.then(|| "*".to_owned());
        let projects = self.projects.iter().map(ToString::to_string);
        every.into_iter().chain(projects).collect()
    }
}

impl Inheritance {
    fn read(value: &Value) -> Result<Self, String> {
        match value.as_str().map(str::to_ascii_lowercase).as_deref() {
            Some("intersection") => Ok(Self::Intersection),
            Some("union") => Ok(Self::Union),
            _ => Err(format!(
                "Unknown value {} for mirror_whitelist_inheritance, must be 'intersection' or 'union'.",
                coerce::repr(value)
            )),
        }
    }

    fn word(self) -> &'static str {
        match self {
            Self::Intersection => "intersection",
            Self::Union => "union",
        }
    }
}
