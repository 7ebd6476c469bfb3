//! The core metadata of a release: what METADATA, PKG-INFO and an uploader's form say.
//!
//! Read leniently, since half of what there is was written by tools of long ago:
//! unknown fields are left out, a field that should be there once and is not
//! counts with its first value. Only name and version must be good, for by them a
//! release is found.

mod field;
mod form;
mod read;
mod verdata;

use std::collections::BTreeMap;

use crate::name::{InvalidName, ProjectName};
use crate::version::{InvalidVersion, Version};

pub use field::Field;

/// The core metadata of a release. Name and version are valid; all else is as it was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Metadata {
    project: ProjectName,
    version: Version,
    /// Never an empty list.
    values: BTreeMap<Field, Vec<String>>,
}

/// Why a text is not the metadata of a release.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum InvalidMetadata {
    /// It is too long to be believed.
    #[error("it is longer than {} MiB", MAX_LENGTH >> 20)]
    TooLong,
    /// It has more fields than any release has.
    #[error("it has more than {MAX_VALUES} fields")]
    TooMany,
    /// It does not say what every release has.
    #[error("it has no `{0}`")]
    Missing(&'static str),
    /// It says twice what every release has once.
    #[error("it has more than one `{0}`")]
    Twice(&'static str),
    /// The name is none.
    #[error(transparent)]
    Name(#[from] InvalidName),
    /// The version is none.
    #[error(transparent)]
    Version(#[from] InvalidVersion),
}

/// The largest METADATA of PyPI is well below 1 MiB.
const MAX_LENGTH: usize = 16 * 1024 * 1024;
/// The largest have a few thousand `Requires-Dist`.
const MAX_VALUES: usize = 50_000;

impl Metadata {
    /// The name, in its normal form.
    pub fn project(&self) -> &ProjectName {
        &self.project
    }

    /// The version; [`first`](Self::first) has it as it was written.
    pub fn version(&self) -> &Version {
        &self.version
    }

    /// The value of a field, the first if there are more.
    pub fn first(&self, field: Field) -> Option<&str> {
        Some(self.all(field).first()?)
    }

    /// Every value of a field.
    pub fn all(&self, field: Field) -> &[String] {
        self.values.get(&field).map_or(&[], Vec::as_slice)
    }

    /// The fields that are given, with their values.
    pub fn iter(&self) -> impl Iterator<Item = (Field, &[String])> {
        self.values
            .iter()
            .map(|(field, values)| (*field, values.as_slice()))
    }

    /// This, with each field replaced that `newer` has: what a release's metadata
    /// becomes when one more of its files says a little more.
    #[must_use]
    pub fn updated_by(mut self, newer: Self) -> Self {
        self.values.extend(newer.values);
        Self {
            values: self.values,
            ..newer
        }
    }

    /// `values` must not hold an empty list.
    fn new(values: BTreeMap<Field, Vec<String>>) -> Result<Self, InvalidMetadata> {
        let only = |field: Field| {
            let header = field.header().expect("name and version are of METADATA");
            match values.get(&field).map(Vec::as_slice) {
                None => Err(InvalidMetadata::Missing(header)),
                Some([value]) => Ok(value),
                Some(_) => Err(InvalidMetadata::Twice(header)),
            }
        };
        Ok(Self {
            project: only(Field::Name)?.parse()?,
            version: only(Field::Version)?.parse()?,
            values,
        })
    }
}

/// Values on their way to be metadata.
#[derive(Default)]
struct Collected {
    values: BTreeMap<Field, Vec<String>>,
    count: usize,
}

impl Collected {
    fn add(&mut self, field: Field, value: String) -> Result<(), InvalidMetadata> {
        self.count += 1;
        if self.count > MAX_VALUES {
            return Err(InvalidMetadata::TooMany);
        }
        // setuptools of old wrote this for what it did not know.
        if value.is_empty() || value == "UNKNOWN" && field != Field::Name {
            return Ok(());
        }
        let values = self.values.entry(field).or_default();
        let is_needed = matches!(field, Field::Name | Field::Version);
        if field.is_many() || values.is_empty() || (is_needed && values[0] != value) {
            values.push(value);
        }
        Ok(())
    }

    fn finish(self) -> Result<Metadata, InvalidMetadata> {
        Metadata::new(self.values)
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Any metadata that can be.
    pub(crate) fn any() -> impl Strategy<Value = Metadata> {
        let field = prop::sample::select(Field::all().collect::<Vec<_>>());
        let value = r"[a-zA-Z0-9é:;=<>\[\]'. -]{0,20}".prop_map(|text| text.trim().to_owned());
        prop::collection::vec((field, value), 0..20).prop_map(|pairs| {
            let mut collected = Collected::default();
            for (field, value) in [(Field::Name, "Foo_Bar"), (Field::Version, "1.0")] {
                collected.add(field, value.to_owned()).unwrap();
            }
            for (field, value) in pairs {
                if !matches!(field, Field::Name | Field::Version) {
                    collected.add(field, value).unwrap();
                }
            }
            collected.finish().unwrap()
        })
    }

    fn metadata(text: &str) -> Metadata {
        Metadata::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn name_and_version_are_good_and_all_else_is_as_written() {
        let read = metadata("Name: Foo.Bar\nVersion: 1.0-ALPHA\nRequires-Python: whatever\n");
        assert_eq!(read.project().as_str(), "foo-bar");
        assert_eq!(read.version().to_string(), "1.0a0");
        assert_eq!(read.first(Field::Name), Some("Foo.Bar"));
        assert_eq!(read.first(Field::Version), Some("1.0-ALPHA"));
        assert_eq!(read.first(Field::RequiresPython), Some("whatever"));
        assert_eq!(read.first(Field::Summary), None);
        assert_eq!(read.all(Field::RequiresDist), [""; 0]);
    }

    #[test]
    fn what_is_newer_replaces_field_by_field() {
        let older = metadata("Name: foo\nVersion: 1\nSummary: old\nRequires-Dist: a\n");
        let newer = metadata("Name: foo\nVersion: 1.0\nSummary: new\nLicense: MIT\n");
        let both = older.updated_by(newer);
        assert_eq!(both.first(Field::Version), Some("1.0"));
        assert_eq!(both.first(Field::Summary), Some("new"));
        assert_eq!(both.first(Field::License), Some("MIT"));
        assert_eq!(both.all(Field::RequiresDist), ["a"]);
    }
}
