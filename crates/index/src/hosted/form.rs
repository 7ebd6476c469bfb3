//! The form that uploaders send, as devpi, twine, uv, poetry and flit fill it in.

use pyspec::{FileKind, Filename, InvalidMetadata, Metadata, ProjectName, Version};

use super::{Received, quoted};
use crate::Error;

/// An upload form: its fields in the order in which they came, and its file.
pub struct Form {
    /// Name and value of every field that is not a file.
    pub fields: Vec<(String, String)>,
    /// The file in the field `content`: the name that it was sent with, and its bytes.
    pub content: Option<(String, Received)>,
}

/// What a form asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    /// To describe a release.
    Submit,
    /// To add a file to a release.
    Upload,
    /// To add documentation to a release.
    Docs,
}

/// Endings of the files that devpi takes besides wheels and sdists.
const OTHER_ENDINGS: [&str; 6] = [".exe", ".rpm", ".deb", ".egg", ".dmg", ".msi"];

impl Form {
    pub(super) fn field(&self, name: &str) -> Option<&str> {
        let found = self.fields.iter().find(|(known, _)| known == name)?;
        Some(found.1.as_str())
    }

    /// The project that the form is about; it has to be named, and once.
    pub fn project(&self) -> Result<ProjectName, Error> {
        let mut names = self.fields.iter().filter(|(name, _)| name == "name");
        match (names.next(), names.next()) {
            (Some((_, name)), None) => {
                let name = name.trim().parse::<ProjectName>();
                name.map_err(|why| invalid_metadata(&why.into()))
            }
            (None, _) => Err(bad("the form has no `name`")),
            (Some(_), Some(_)) => Err(bad("the form has more than one `name`")),
        }
    }

    pub(super) fn action(&self) -> Result<Action, Error> {
        match self.field(":action") {
            Some("submit") => Ok(Action::Submit),
            Some("file_upload") => Ok(Action::Upload),
            Some("doc_upload") => Ok(Action::Docs),
            None => Err(bad(":action field not found")),
            Some(other) => Err(bad(format!("action {} not supported", quoted(other)))),
        }
    }

    pub(super) fn metadata(&self) -> Result<Metadata, Error> {
        Metadata::from_form(self.fields.iter().map(|(name, value)| (name, value)))
            .map_err(|why| invalid_metadata(&why))
    }

    /// Takes the file out of the form, with the name it was sent with.
    pub(super) fn take_content(&mut self) -> Result<(String, Received), Error> {
        let content = self.content.take();
        content.ok_or_else(|| bad("content file field not found"))
    }
}

pub(super) fn bad(why: impl Into<String>) -> Error {
    Error::BadUpload { why: why.into() }
}

pub(super) fn invalid_metadata(why: &InvalidMetadata) -> Error {
    bad(format!("invalid metadata: {why}"))
}

/// The name of a file that may be uploaded as part of this release.
pub(super) fn filename(text: &str, metadata: &Metadata) -> Result<Filename, Error> {
    let (project, version) = (metadata.project(), metadata.version());
    let not_valid = || bad(format!("{} is not a valid archive name", quoted(text)));
    let filename: Filename = text.parse().map_err(|_| not_valid())?;
    if filename.kind() == FileKind::Other && !OTHER_ENDINGS.iter().any(|end| text.ends_with(end)) {
        return Err(not_valid());
    }
    match filename.version_of(project) {
        Some(found) if found == *version => Ok(filename),
        Some(_) => Err(wrong_version(text, metadata)),
        // Installers of old are named in ways that nobody wrote down.
        None if filename.kind() == FileKind::Other && is_vaguely_of(text, project, version) => {
            Ok(filename)
        }
        None if filename.candidates().contains(project) => Err(wrong_version(text, metadata)),
        None => Err(bad(format!(
            "filename {} does not match project name {}",
            quoted(text),
            quoted(metadata.first(pyspec::Field::Name).unwrap_or_default())
        ))),
    }
}

fn wrong_version(text: &str, metadata: &Metadata) -> Error {
    bad(format!(
        "filename {} does not contain version {}",
        quoted(text),
        quoted(metadata.first(pyspec::Field::Version).unwrap_or_default())
    ))
}

fn is_vaguely_of(text: &str, project: &ProjectName, version: &Version) -> bool {
    let plain = |text: &str| text.to_ascii_lowercase().replace(['_', '.'], "-");
    plain(text).starts_with(project.as_str()) && plain(text).contains(&plain(&version.to_string()))
}
