//! Metadata as devpi's client reads it, and as its dumps hold it: one JSON object.

use serde_json::{Map, Value};

use super::{Collected, Field, InvalidMetadata, Metadata};

impl Metadata {
    /// What devpi answers about a version: text, or lists of text where a field may be
    /// given more than once. Fields that are not given are empty, not absent.
    pub fn to_verdata(&self) -> Map<String, Value> {
        let mut verdata = Map::new();
        for field in Field::all() {
            let values = self.all(field);
            if values.is_empty() && !field.is_devpis() {
                continue;
            }
            let value = if field.is_many() {
                values.into()
            } else {
                values.first().map_or("", String::as_str).into()
            };
            verdata.insert(field.key().to_owned(), value);
        }
        verdata
    }

    /// Reads it back. Keys that are not metadata are left out, and so is a value of another type.
    pub fn from_verdata(verdata: &Map<String, Value>) -> Result<Self, InvalidMetadata> {
        let mut collected = Collected::default();
        for (key, value) in verdata {
            let Some(field) = Field::of_key(key) else {
                continue;
            };
            let values = match value {
                Value::Array(values) => values.as_slice(),
                one => std::slice::from_ref(one),
            };
            for value in values.iter().filter_map(Value::as_str) {
                collected.add(field, value.to_owned())?;
            }
        }
        collected.finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn devpis_client_finds_every_key() {
        let text = "Name: Foo\nVersion: 1.0\nRequires-Dist: a\nProvides-Extra: x\nImport-Name: foo\n\nbody\n";
        let verdata = Metadata::parse(text.as_bytes()).unwrap().to_verdata();
        insta::assert_snapshot!(
            serde_json::to_string(&verdata).unwrap().replace(",\"", ",\n\""),
            @r#"
            {"author":"",
            "author_email":"",
            "classifiers":[],
            "comment":"",
            "description":"body\n",
            "description_content_type":"",
            "download_url":"",
            "dynamic":[],
            "home_page":"",
            "import_names":["foo"],
            "keywords":"",
            "license":"",
            "license_expression":"",
            "license_file":[],
            "maintainer":"",
            "maintainer_email":"",
            "metadata_version":"",
            "name":"Foo",
            "obsoletes":[],
            "obsoletes_dist":[],
            "platform":[],
            "project_urls":[],
            "provides":[],
            "provides_dist":[],
            "provides_extras":["x"],
            "requires":[],
            "requires_dist":["a"],
            "requires_external":[],
            "requires_python":"",
            "summary":"",
            "supported_platform":[],
            "version":"1.0"}
            "#
        );
    }

    #[test]
    fn a_foreign_object_is_read_as_far_as_it_goes() {
        let verdata = serde_json::json!({
            "name": "foo", "version": "1", "summary": null, "keywords": ["a", "b"],
            "classifiers": "C", "requires_dist": ["a", 1, null, "b"], "+links": [{}],
        });
        let metadata = Metadata::from_verdata(verdata.as_object().unwrap()).unwrap();
        assert_eq!(metadata.all(Field::Keywords), ["a"]);
        assert_eq!(metadata.all(Field::Classifier), ["C"]);
        assert_eq!(metadata.all(Field::RequiresDist), ["a", "b"]);
        assert_eq!(metadata.iter().count(), 5);
        assert!(Metadata::from_verdata(&Map::new()).is_err());
    }

    proptest! {
        #[test]
        fn metadata_survives_its_json(metadata in super::super::tests::any()) {
            prop_assert_eq!(Metadata::from_verdata(&metadata.to_verdata()).unwrap(), metadata);
        }
    }
}
