//! The fields of the core metadata, and what each is called where.
//!
//! One field has up to three names: in METADATA, in the form that uploaders
//! send, and in what devpi's client reads. The last two are nearly the same,
//! but for the plural.

/// A field of the
/// [core metadata](https://packaging.python.org/en/latest/specifications/core-metadata/), up to version 2.5.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "the specification tells what each field is")]
pub enum Field {
    MetadataVersion,
    Name,
    Version,
    Summary,
    HomePage,
    Author,
    AuthorEmail,
    Maintainer,
    MaintainerEmail,
    License,
    Description,
    Keywords,
    Platform,
    Classifier,
    DownloadUrl,
    SupportedPlatform,
    /// Of the upload form alone.
    Comment,
    Provides,
    Requires,
    Obsoletes,
    ProjectUrl,
    ProvidesDist,
    ObsoletesDist,
    RequiresDist,
    RequiresExternal,
    RequiresPython,
    DescriptionContentType,
    ProvidesExtra,
    Dynamic,
    LicenseExpression,
    LicenseFile,
    ImportName,
    ImportNamespace,
}

/// How often a field may be given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Count {
    Once,
    Many,
}
use Count::{Many, Once};

struct Names {
    field: Field,
    /// In METADATA; empty if it is not of METADATA.
    header: &'static str,
    /// In devpi's JSON and in the upload form.
    key: &'static str,
    /// Also in the upload form.
    also: &'static str,
    count: Count,
}

const fn names(
    field: Field,
    header: &'static str,
    key: &'static str,
    also: &'static str,
    count: Count,
) -> Names {
    Names {
        field,
        header,
        key,
        also,
        count,
    }
}

/// In the order of [`Field`], which is that of devpi's answers.
#[rustfmt::skip]
const NAMES: [Names; 33] = [
    names(Field::MetadataVersion, "Metadata-Version", "metadata_version", "", Once),
    names(Field::Name, "Name", "name", "", Once),
    names(Field::Version, "Version", "version", "", Once),
    names(Field::Summary, "Summary", "summary", "", Once),
    names(Field::HomePage, "Home-page", "home_page", "", Once),
    names(Field::Author, "Author", "author", "", Once),
    names(Field::AuthorEmail, "Author-email", "author_email", "", Once),
    names(Field::Maintainer, "Maintainer", "maintainer", "", Once),
    names(Field::MaintainerEmail, "Maintainer-email", "maintainer_email", "", Once),
    names(Field::License, "License", "license", "", Once),
    names(Field::Description, "Description", "description", "", Once),
    names(Field::Keywords, "Keywords", "keywords", "", Once),
    names(Field::Platform, "Platform", "platform", "platforms", Many),
    names(Field::Classifier, "Classifier", "classifiers", "classifier", Many),
    names(Field::DownloadUrl, "Download-URL", "download_url", "", Once),
    names(Field::SupportedPlatform, "Supported-Platform", "supported_platform", "supported_platforms", Many),
    names(Field::Comment, "", "comment", "", Once),
    names(Field::Provides, "Provides", "provides", "", Many),
    names(Field::Requires, "Requires", "requires", "", Many),
    names(Field::Obsoletes, "Obsoletes", "obsoletes", "", Many),
    names(Field::ProjectUrl, "Project-URL", "project_urls", "project_url", Many),
    names(Field::ProvidesDist, "Provides-Dist", "provides_dist", "", Many),
    names(Field::ObsoletesDist, "Obsoletes-Dist", "obsoletes_dist", "", Many),
    names(Field::RequiresDist, "Requires-Dist", "requires_dist", "", Many),
    names(Field::RequiresExternal, "Requires-External", "requires_external", "", Many),
    names(Field::RequiresPython, "Requires-Python", "requires_python", "", Once),
    names(Field::DescriptionContentType, "Description-Content-Type", "description_content_type", "", Once),
    // twine, uv and poetry send the singular, devpi the plural.
    names(Field::ProvidesExtra, "Provides-Extra", "provides_extras", "provides_extra", Many),
    names(Field::Dynamic, "Dynamic", "dynamic", "", Many),
    names(Field::LicenseExpression, "License-Expression", "license_expression", "", Once),
    names(Field::LicenseFile, "License-File", "license_file", "license_files", Many),
    names(Field::ImportName, "Import-Name", "import_names", "import_name", Many),
    names(Field::ImportNamespace, "Import-Namespace", "import_namespaces", "import_namespace", Many),
];

impl Field {
    /// Every field.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().map(|names| names.field)
    }

    /// Its name in METADATA; `None` if it is of the upload form alone.
    pub fn header(self) -> Option<&'static str> {
        let header = self.names().header;
        (!header.is_empty()).then_some(header)
    }

    /// Its name in the upload form and in devpi's JSON.
    pub fn key(self) -> &'static str {
        self.names().key
    }

    /// Its other name in the upload form, if it has two.
    pub fn other_key(self) -> Option<&'static str> {
        let also = self.names().also;
        (!also.is_empty()).then_some(also)
    }

    /// Whether it may be given more than once.
    pub fn is_many(self) -> bool {
        self.names().count == Many
    }

    /// Whether devpi 6 has the field, and so always answers with it.
    pub(crate) fn is_devpis(self) -> bool {
        !matches!(self, Self::ImportName | Self::ImportNamespace)
    }

    /// The field of a header, in any case.
    pub fn of_header(name: &str) -> Option<Self> {
        let names = NAMES
            .iter()
            .find(|names| !names.header.is_empty() && names.header.eq_ignore_ascii_case(name))?;
        Some(names.field)
    }

    /// The field of a name in the upload form.
    pub fn of_key(name: &str) -> Option<Self> {
        let names = NAMES
            .iter()
            .find(|names| names.key == name || (!names.also.is_empty() && names.also == name))?;
        Some(names.field)
    }

    fn names(self) -> &'static Names {
        &NAMES[self as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_fields() {
        for (at, field) in Field::all().enumerate() {
            assert_eq!(field as usize, at);
            assert_eq!(Field::of_key(field.key()), Some(field));
            assert_eq!(
                field.header().and_then(Field::of_header),
                (field != Field::Comment).then_some(field)
            );
            if let Some(other) = field.other_key() {
                assert_eq!(Field::of_key(other), Some(field));
            }
        }
    }

    #[test]
    fn what_is_no_field_is_none() {
        assert_eq!(Field::of_key(""), None);
        assert_eq!(Field::of_key("Name"), None);
        assert_eq!(Field::of_header(""), None);
        assert_eq!(
            Field::of_header("requires-PYTHON"),
            Some(Field::RequiresPython)
        );
    }
}
