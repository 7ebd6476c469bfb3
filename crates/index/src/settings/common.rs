//! What can be set on every index, of whatever kind.

use serde_json::{Map, Value};

use super::{Refused, coerce};
use crate::acl::{Acl, Principal};

/// What can be set on every index.
#[derive(Debug, Clone, PartialEq)]
pub struct Common {
    /// Whether content may be replaced and removed.
    pub volatile: bool,
    /// Who may read names, pages and files. Ours; devpi lets anybody.
    pub acl_pkg_read: Acl,
    /// For people; any JSON, as the two below.
    pub title: Option<Value>,
    /// For people.
    pub description: Option<Value>,
    /// For programs of whoever set it.
    pub custom_data: Option<Value>,
}

impl Default for Common {
    fn default() -> Self {
        Self {
            volatile: true,
            acl_pkg_read: Acl::anyone(),
            title: None,
            description: None,
            custom_data: None,
        }
    }
}

impl Common {
    pub(super) fn set(&mut self, key: &str, value: &Value) -> Result<(), Refused> {
        match key {
            "volatile" => self.volatile = coerce::flag(value)?,
            "acl_pkg_read" => self.acl_pkg_read = acl(value)?,
            "title" => self.title = Some(value.clone()),
            "description" => self.description = Some(value.clone()),
            "custom_data" => self.custom_data = Some(value.clone()),
            _ => return Err(Refused::Unknown),
        }
        Ok(())
    }

    pub(super) fn clear(&mut self, key: &str) -> Result<(), Refused> {
        match key {
            "volatile" => return Err(stays()),
            "acl_pkg_read" => self.acl_pkg_read = Acl::anyone(),
            "title" => self.title = None,
            "description" => self.description = None,
            "custom_data" => self.custom_data = None,
            _ => return Err(Refused::Unknown),
        }
        Ok(())
    }

    pub(super) fn list(&self, key: &str) -> Option<Vec<String>> {
        (key == "acl_pkg_read").then(|| entries(&self.acl_pkg_read))
    }

    pub(super) fn write(&self, fields: &mut Map<String, Value>) {
        fields.insert("volatile".to_owned(), self.volatile.into());
        if self.acl_pkg_read != Acl::anyone() {
            let readers = entries(&self.acl_pkg_read);
            fields.insert("acl_pkg_read".to_owned(), readers.into());
        }
        for (key, value) in [
            ("title", &self.title),
            ("description", &self.description),
            ("custom_data", &self.custom_data),
        ] {
            if let Some(value) = value {
                fields.insert(key.to_owned(), value.clone());
            }
        }
    }
}

/// Who may do something, from a list or a text with commas.
pub(super) fn acl(value: &Value) -> Result<Acl, String> {
    let entries = coerce::texts(value)?;
    Ok(Acl::new(entries.iter().map(|entry| Principal::new(entry))))
}

/// The same as a list of texts.
pub(super) fn entries(acl: &Acl) -> Vec<String> {
    acl.entries().iter().map(ToString::to_string).collect()
}

/// The answer to dropping a setting that every index of its kind has.
pub(super) fn stays() -> Refused {
    "Default values can't be removed.".to_owned().into()
}
