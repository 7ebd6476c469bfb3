//! What a new page means for what is kept: files whose place upstream gave to other bytes.
//!
//! A page is only a word. The old bytes are not served any more, since a client that
//! read the new page would refuse them; but they are kept until the new ones
//! have come and were checked, and are good again when upstream takes its word back.
//! What stands beside such a file is soon fetched or made again, so it goes at once.

use std::collections::{HashMap, HashSet};

use pyspec::{CoreMetadata, PageFile};
use store::FileRow;

use super::Shared;
use super::read::{Verdict, contradicts, verdict};
use super::records::Records;
use crate::project::path_of;
use crate::{Error, Project};

/// The paths at which a new page promises something else than the page before it.
#[derive(Debug, Default)]
pub(crate) struct Changed {
    /// Other bytes.
    files: HashSet<String>,
    /// Other bytes, or other metadata.
    beside: HashSet<String>,
}

impl Changed {
    pub(crate) fn between(before: Option<&Project>, now: &Project) -> Self {
        let mut changed = Self::default();
        let old = before.into_iter().flat_map(|before| &before.page.files);
        let old: HashMap<_, _> = old.map(|file| (path_of(&file.url), file)).collect();
        for file in &now.page.files {
            let Some(old) = old.get(&path_of(&file.url)) else {
                continue;
            };
            let is_other = contradicts(&old.hashes, &file.hashes);
            if is_other {
                changed.files.insert(path_of(&file.url).into_owned());
            }
            if is_other || promises_more(&file.core_metadata, &old.core_metadata) {
                changed.beside.insert(path_of(&file.url).into_owned());
            }
        }
        changed
    }

    /// Whether a kept file is not what the page means, as far as the two pages say.
    fn replaces(&self, row: &FileRow, file: &PageFile) -> bool {
        match verdict(file, row) {
            Verdict::Same => false,
            Verdict::Other => true,
            Verdict::Silent => self.files.contains(&row.path),
        }
    }
}

/// Notes what `now` says of the files that are kept.
pub(crate) async fn note(
    shared: &Shared,
    records: &Records,
    now: &Project,
    changed: &Changed,
) -> Result<(), Error> {
    let db = shared.storage.db();
    let mut beside: Vec<String> = changed.beside.iter().cloned().collect();
    let kept = db.files_of(&shared.name, &now.page.name).await?;
    if !kept.is_empty() {
        let noted = db.replaced_of(&shared.name, &now.page.name).await?;
        for (row, file) in listed(&kept, now) {
            let is_noted = noted.contains(&row.path);
            if changed.replaces(row, file) && !is_noted {
                tracing::info!(index = %shared.name, "upstream has replaced `{}`", row.filename);
                db.note_replaced(row).await?;
            } else if verdict(file, row) == Verdict::Same && is_noted {
                tracing::info!(index = %shared.name, "upstream has the former `{}` again", row.filename);
                db.note_current(&shared.name, &row.path).await?;
            } else {
                continue;
            }
            records.forget(&row.path);
            beside.push(row.path.clone());
        }
    }
    Ok(db
        .forget_beside(&shared.name, &now.page.name, &beside)
        .await?)
}

/// Notes what came in while the page was read: what arrived after [`note`] looked, and
/// before the page could be seen, is judged by neither otherwise.
pub(crate) async fn settle(
    shared: &Shared,
    records: &Records,
    now: &Project,
    changed: &Changed,
) -> Result<(), Error> {
    let db = shared.storage.db();
    let kept = db.files_of(&shared.name, &now.page.name).await?;
    for (row, file) in listed(&kept, now) {
        if changed.replaces(row, file) {
            db.note_replaced(row).await?;
            records.forget(&row.path);
        }
    }
    let beside: Vec<String> = changed.beside.iter().cloned().collect();
    Ok(db
        .forget_beside(&shared.name, &now.page.name, &beside)
        .await?)
}

/// Makes the notes agree with a page that comes from disk: the server may have ended after
/// it had noted what a newer page says, and before it had that page on disk.
pub(crate) async fn agree(shared: &Shared, records: &Records, page: &Project) -> Result<(), Error> {
    let (db, name) = (shared.storage.db(), &page.page.name);
    let kept = db.files_of(&shared.name, name).await?;
    if kept.is_empty() {
        return Ok(());
    }
    let noted = db.replaced_of(&shared.name, name).await?;
    for (row, file) in listed(&kept, page) {
        match (verdict(file, row), noted.contains(&row.path)) {
            (Verdict::Same, true) => db.note_current(&shared.name, &row.path).await?,
            (Verdict::Other, false) => db.note_replaced(row).await?,
            _ => continue,
        }
        records.forget(&row.path);
    }
    Ok(())
}

/// Each kept file with its entry on the page; every link is decoded once.
fn listed<'a>(
    kept: &'a [FileRow],
    project: &'a Project,
) -> impl Iterator<Item = (&'a FileRow, &'a PageFile)> {
    let mut rows: HashMap<&str, &FileRow> =
        kept.iter().map(|row| (row.path.as_str(), row)).collect();
    let files = project.page.files.iter();
    // As `Project::file_at`: the first entry of a path is the one that counts.
    files.filter_map(move |file| Some((rows.remove(path_of(&file.url).as_ref())?, file)))
}

/// Whether `new` promises of the metadata what `old` did not.
fn promises_more(new: &CoreMetadata, old: &CoreMetadata) -> bool {
    match (new, old) {
        (CoreMetadata::Present(new), CoreMetadata::Present(old)) => {
            old != new
                && new
                    .iter()
                    .any(|(kind, value)| old.value(kind) != Some(value))
        }
        _ => false,
    }
}
