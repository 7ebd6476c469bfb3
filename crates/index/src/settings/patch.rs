//! A change of settings, in any of the three ways that clients write it.

use serde_json::{Map, Value};

use super::{InvalidSettings, coerce, words};

/// A change of settings.
#[derive(Debug, Clone, PartialEq)]
pub struct Patch {
    /// `stage` or `mirror`, if it is said.
    kind: Option<String>,
    changes: Vec<(String, Change)>,
}

/// What happens to one setting.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Change {
    Set(Value),
    /// Entries join a list.
    Add(String),
    /// Entries leave a list.
    Remove(String),
    /// The setting goes back to what it is without being set.
    Drop,
}

impl Patch {
    /// Reads what a client sent: an object with some settings, the whole document
    /// as we hand it out, or a list of `key=value`, `key+=value`, `key-=value` and `key-=`.
    pub fn read(sent: &Value) -> Result<Self, InvalidSettings> {
        match sent {
            Value::Object(document) => {
                let fields = match document.get("result") {
                    Some(Value::Object(fields))
                        if document.get("type") == Some(&"indexconfig".into()) =>
                    {
                        fields
                    }
                    _ => document,
                };
                let mut fields = fields.clone();
                // Part of what we hand out, and no setting.
                fields.remove("projects");
                Self::of_fields(&fields)
            }
            Value::Array(operations) => {
                let changes = operations.iter().map(operation);
                Self::new(changes.collect::<Result<_, _>>()?)
            }
            _ => Err(InvalidSettings::one(
                "settings are an object, or a list like [\"volatile=False\"]",
            )),
        }
    }

    /// An object with some settings; `null` drops one.
    pub(super) fn of_fields(fields: &Map<String, Value>) -> Result<Self, InvalidSettings> {
        let changes = fields.iter().map(|(key, value)| {
            let change = match value {
                Value::Null => Change::Drop,
                value => Change::Set(value.clone()),
            };
            (key.clone(), change)
        });
        Self::new(changes.collect())
    }

    fn new(written: Vec<(String, Change)>) -> Result<Self, InvalidSettings> {
        let mut kind = None;
        let mut changes = Vec::with_capacity(written.len());
        for (key, change) in written {
            let (key, change) = words::of_devpi_6(key, change).map_err(InvalidSettings::one)?;
            if key == "type" {
                kind = Some(change.shown());
            } else {
                changes.push((key, change));
            }
        }
        Ok(Self { kind, changes })
    }

    pub(super) fn kind(&self) -> Option<&str> {
        self.kind.as_deref()
    }

    pub(super) fn changes(&self) -> impl Iterator<Item = (&str, &Change)> {
        self.changes
            .iter()
            .map(|(key, change)| (key.as_str(), change))
    }
}

/// One `key=value` and its like.
fn operation(sent: &Value) -> Result<(String, Change), InvalidSettings> {
    let split = sent.as_str().and_then(|text| text.split_once('='));
    let Some((left, value)) = split.filter(|(left, _)| !left.is_empty()) else {
        let sent = coerce::repr(sent);
        return Err(InvalidSettings::one(format!(
            "cannot read {sent}: write key=value, key+=value, key-=value or key-="
        )));
    };
    let value = value.to_owned();
    let (key, change) = if let Some(key) = left.strip_suffix('+') {
        (key, Change::Add(value))
    } else if let Some(key) = left.strip_suffix('-') {
        let drops = value.is_empty();
        (
            key,
            if drops {
                Change::Drop
            } else {
                Change::Remove(value)
            },
        )
    } else {
        (left, Change::Set(value.into()))
    };
    Ok((key.to_owned(), change))
}

impl Change {
    /// The value as a message repeats it.
    pub(super) fn shown(&self) -> String {
        match self {
            Self::Set(value) => coerce::shown(value),
            Self::Add(text) | Self::Remove(text) => text.clone(),
            Self::Drop => String::new(),
        }
    }
}
