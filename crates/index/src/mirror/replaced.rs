//! What a new page means for what is kept: files whose place upstream gave to other bytes.
//!
//! A page is only a word. The old bytes are not served any more, since a client that
//! read the new page would refuse them; but they are kept until the new ones
//! have come and were checked, and are good again when upstream takes its word back.
//! What stands beside such a file is soon fetched or made again, so it goes at once.

use std::collections::HashMap;

use pyspec::{CoreMetadata, Hashes, PageFile};
use store::FileRow;

use super::Shared;
use super::read::is_other;
use super::records::Records;
use crate::project::path_of;
use crate::{Error, Project};

/// Notes what `now`, which came in place of `before`, says of the files that are kept.
pub(crate) async fn note(
    shared: &Shared,
    records: &Records,
    before: Option<&Project>,
    now: &Project,
) -> Result<(), Error> {
    let db = shared.storage.db();
    let mut others = Vec::new();
    let kept = db.files_of(&shared.name, &now.page.name).await?;
    if !kept.is_empty() {
        let noted = db.replaced_of(&shared.name, &now.page.name).await?;
        for (row, file) in listed(&kept, now) {
            match (is_other(file, row), noted.contains(&row.path)) {
                (true, false) => {
                    tracing::info!(index = %shared.name, "upstream has replaced `{}`", row.filename);
                    db.note_replaced(row).await?;
                    records.forget(&row.path);
                    others.push(row.path.clone());
                }
                (false, true) => {
                    tracing::info!(index = %shared.name, "upstream has the former `{}` again", row.filename);
                    db.note_current(&shared.name, &row.path).await?;
                    records.forget(&row.path);
                    others.push(row.path.clone());
                }
                (true, true) | (false, false) => {}
            }
        }
    }
    if let Some(before) = before {
        others.extend(changed(before, now).map(|file| path_of(&file.url).into_owned()));
    }
    Ok(db
        .forget_beside(&shared.name, &now.page.name, &others)
        .await?)
}

/// Notes what came in while the page was read: a file that arrived after [`note`] looked,
/// and before the page could be seen, is judged by neither otherwise.
pub(crate) async fn settle(shared: &Shared, records: &Records, now: &Project) -> Result<(), Error> {
    let db = shared.storage.db();
    let kept = db.files_of(&shared.name, &now.page.name).await?;
    for (row, file) in listed(&kept, now) {
        if is_other(file, row) {
            db.note_replaced(row).await?;
            records.forget(&row.path);
        }
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

/// The files whose bytes or metadata are not those that `before` promised.
fn changed<'a>(before: &'a Project, now: &'a Project) -> impl Iterator<Item = &'a PageFile> {
    let old = before.page.files.iter();
    let old: HashMap<_, _> = old.map(|file| (&file.filename, file)).collect();
    now.page.files.iter().filter(move |file| {
        old.get(&file.filename).is_some_and(|old| {
            contradicts(&old.hashes, &file.hashes)
                || match (&old.core_metadata, &file.core_metadata) {
                    (CoreMetadata::Present(old), CoreMetadata::Present(new)) => exceeds(new, old),
                    _ => false,
                }
        })
    })
}

/// Whether both state a kind of hash, and not with the same value.
fn contradicts(old: &Hashes, new: &Hashes) -> bool {
    let differs = |(kind, value)| new.value(kind).is_some_and(|other| other != value);
    old != new && old.iter().any(differs)
}

/// Whether `new` promises what `old` did not.
fn exceeds(new: &Hashes, old: &Hashes) -> bool {
    old != new
        && new
            .iter()
            .any(|(kind, value)| old.value(kind) != Some(value))
}
