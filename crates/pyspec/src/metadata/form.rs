//! Metadata as uploaders send it: the fields of the upload form.
//!
//! No specification has it in full; the names here are those that devpi, twine, uv,
//! poetry and flit use.

use super::{Collected, Field, InvalidMetadata, MAX_LENGTH, Metadata};

impl Metadata {
    /// Reads the fields of an upload form, in any order; those that are not metadata are left out.
    pub fn from_form(
        fields: impl IntoIterator<Item = (impl AsRef<str>, impl AsRef<str>)>,
    ) -> Result<Self, InvalidMetadata> {
        let mut collected = Collected::default();
        let mut length = 0;
        for (name, value) in fields {
            let (name, value) = (name.as_ref(), value.as_ref());
            let Some(field) = Field::of_key(name) else {
                continue;
            };
            length += value.len();
            if length > MAX_LENGTH {
                return Err(InvalidMetadata::TooLong);
            }
            collected.add_from_form(field, value)?;
        }
        collected.finish()
    }

    /// The fields of an upload form that say the same. A field that has two names has both.
    pub fn to_form(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let names = |field: Field| [Some(field.key()), field.other_key()].into_iter().flatten();
        self.iter().flat_map(move |(field, values)| {
            names(field).flat_map(|name| values.iter().map(move |value| (name, value.as_str())))
        })
    }
}

impl Collected {
    fn add_from_form(&mut self, field: Field, value: &str) -> Result<(), InvalidMetadata> {
        let value = match field {
            Field::Description => value,
            _ => value.trim(),
        };
        let is_there = |values: &Vec<String>| values.iter().any(|known| known == value);
        // A client that does not know which name we read sends both.
        if field.other_key().is_some() && self.values.get(&field).is_some_and(is_there) {
            return Ok(());
        }
        self.add(field, value.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_form_is_read_in_any_order_and_by_either_name() {
        let form = [
            (":action", "file_upload"),
            ("requires_dist", "a>=1"),
            ("provides_extra", "one"),
            ("provides_extras", "one"),
            ("provides_extras", "two"),
            ("version", " 1.0 "),
            ("classifiers", "A :: B"),
            ("classifier", "C :: D"),
            ("description", "# Foo\n\n"),
            ("summary", "UNKNOWN"),
            ("home_page", ""),
            ("requires_dist", "b"),
            ("sha256_digest", "00"),
            ("import_name", "foo"),
            ("comment", "by hand"),
            ("name", "Foo"),
        ];
        let metadata = Metadata::from_form(form).unwrap();
        let given: Vec<_> = metadata.iter().collect();
        let owned = |values: &[&str]| values.iter().map(|&v| v.to_owned()).collect::<Vec<_>>();
        for (field, values) in [
            (Field::Name, &["Foo"][..]),
            (Field::Version, &["1.0"]),
            (Field::Description, &["# Foo\n\n"]),
            (Field::Classifier, &["A :: B", "C :: D"]),
            (Field::Comment, &["by hand"]),
            (Field::RequiresDist, &["a>=1", "b"]),
            (Field::ProvidesExtra, &["one", "two"]),
            (Field::ImportName, &["foo"]),
        ] {
            assert_eq!(metadata.all(field), owned(values), "{field:?}");
        }
        assert_eq!(given.len(), 8, "{given:?}");
    }

    #[test]
    fn a_form_without_name_or_version_is_refused() {
        for (form, why) in [
            (&[("version", "1")][..], "it has no `Name`"),
            (&[("name", "foo")], "it has no `Version`"),
            (
                &[("name", "foo"), ("version", "1"), ("version", "2")],
                "it has more than one `Version`",
            ),
            (
                &[("name", "foo"), ("version", "1/2")],
                "`1/2` is not a version",
            ),
        ] {
            let error = Metadata::from_form(form.iter().copied()).unwrap_err();
            assert_eq!(error.to_string(), why);
        }
    }

    #[test]
    fn a_form_without_end_is_refused() {
        let long = "a".repeat(1 << 20);
        let form = std::iter::repeat_n(("classifiers", long.as_str()), 17);
        assert_eq!(Metadata::from_form(form), Err(InvalidMetadata::TooLong));
    }

    #[test]
    fn extras_are_sent_by_both_names() {
        let form = [("name", "foo"), ("version", "1"), ("provides_extra", "x")];
        let metadata = Metadata::from_form(form).unwrap();
        let sent: Vec<_> = metadata.to_form().collect();
        assert_eq!(
            sent,
            [
                ("name", "foo"),
                ("version", "1"),
                ("provides_extras", "x"),
                ("provides_extra", "x"),
            ]
        );
    }

    proptest! {
        #[test]
        fn a_form_survives(metadata in super::super::tests::any()) {
            let again = Metadata::from_form(metadata.to_form()).unwrap();
            for (field, values) in metadata.iter() {
                let mut once = values.to_vec();
                if field.other_key().is_some() {
                    let mut seen = std::collections::HashSet::new();
                    once.retain(|value| seen.insert(value.clone()));
                }
                prop_assert_eq!(again.all(field), once);
            }
            prop_assert_eq!(again.iter().count(), metadata.iter().count());
        }
    }
}
