//! Reading upstream's page, and completing what it leaves out.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;
use pyspec::{
    CoreMetadata, Digest, FileKind, Hashes, PageFile, ProjectName, ProjectPage, UploadTime,
    UploadTimeSource, simple_html, simple_json,
};
use store::FileRow;

use super::client::Failure;
use super::fetch::{Language, Page};
use super::gate::agree;
use super::known::project_of;
use crate::Project;
use crate::project::path_of;

/// The project on upstream's page. One bad link costs that link, not the page.
pub(crate) fn page(index: &str, name: &ProjectName, page: &Page) -> Result<ProjectPage, Failure> {
    let parsed = match page.language {
        Language::Json => simple_json::parse_project(&page.body, &page.url, name),
        Language::Html => simple_html::parse_project(&page.body, &page.url, name),
    };
    let parsed =
        parsed.map_err(|error| Failure::wrong(format!("its page is malformed: {error}")))?;
    for dropped in parsed.dropped.iter().take(20) {
        tracing::debug!(index, project = %name, "left out of the page of `{name}`: `{}` ({})", dropped.what, dropped.why);
    }
    let mut project = parsed.value;
    project.last_serial = project.last_serial.or(page.last_serial);
    Ok(project)
}

/// Gives every file an upload time, marked when it is not upstream's: the
/// `Last-Modified` of a stored copy, else what we said before, else this moment.
pub(crate) fn complete_times(
    page: &mut ProjectPage,
    before: Option<&Project>,
    stored: &[FileRow],
    now: Timestamp,
) {
    let seen: HashMap<_, _> = before
        .into_iter()
        .flat_map(|project| &project.page.files)
        .map(|file| (&file.filename, file))
        .collect();
    let modified: HashMap<_, _> = stored
        .iter()
        .filter_map(|row| Some((row.path.as_str(), (row, row.last_modified?))))
        .collect();
    for file in page
        .files
        .iter_mut()
        .filter(|file| file.upload_time.is_none())
    {
        let modified = modified
            .get(path_of(&file.url).as_ref())
            .filter(|(row, _)| verdict(file, row) != Verdict::Other)
            .map(|(_, at)| UploadTime {
                at: *at,
                source: UploadTimeSource::LastModified,
            });
        let seen = seen
            .get(&file.filename)
            .filter(|old| old.hashes == file.hashes)
            .and_then(|old| old.upload_time);
        file.upload_time = modified.or(seen).or(Some(UploadTime {
            at: now,
            source: UploadTimeSource::FirstSeen,
        }));
    }
}

/// What a page says of stored bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It means them.
    Same,
    /// It means others.
    Other,
    /// It states nothing that they could be compared with.
    Silent,
}

/// What the page says of the bytes stored in this file's place.
pub(crate) fn verdict(file: &PageFile, stored: &FileRow) -> Verdict {
    let is_same = match (file.hashes.sha256(), file.size) {
        (Some(digest), _) => Some(digest == stored.digest),
        (None, Some(size)) if file.hashes.is_empty() => Some(size == stored.size),
        _ => agree(&stored.promised, &file.hashes),
    };
    match is_same {
        Some(true) => Verdict::Same,
        Some(false) => Verdict::Other,
        None => Verdict::Silent,
    }
}

/// Whether a page states other bytes than another did.
pub(crate) fn contradicts(old: &Hashes, new: &Hashes) -> bool {
    old != new && agree(old, new) == Some(false)
}

/// Whether some wheel's upstream has no metadata beside it.
pub(crate) fn lacks_metadata(page: &ProjectPage) -> bool {
    page.files.iter().any(is_bare_wheel)
}

fn is_bare_wheel(file: &PageFile) -> bool {
    file.core_metadata == CoreMetadata::Absent && file.filename.kind() == FileKind::Wheel
}

/// The page with metadata for its bare wheels: with its digest where we have made
/// it already, left out where the wheel turned out to have none (`None`).
pub(crate) fn advertise(page: &ProjectPage, made: &HashMap<String, Option<Digest>>) -> Project {
    let mut page = page.clone();
    let mut makes = BTreeSet::new();
    for file in page.files.iter_mut().filter(|file| is_bare_wheel(file)) {
        let hashes = match made.get(path_of(&file.url).as_ref()) {
            Some(None) => continue,
            Some(Some(digest)) => {
                let mut hashes = Hashes::default();
                // A digest of our own is always well-formed.
                let _ = hashes.insert("sha256", &digest.to_string());
                hashes
            }
            None => Hashes::default(),
        };
        file.core_metadata = CoreMetadata::Present(hashes);
        makes.insert(file.filename.clone());
    }
    project_of(page, makes)
}
