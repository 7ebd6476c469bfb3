//! What is served when upstream is not to be asked: only what is here.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use pyspec::{CoreMetadata, FileKind, Hashes, ProjectName};

use super::Shared;
use super::known::{Known, project_of};
use crate::project::path_of;
use crate::{Answer, Cache, Error, Project};

/// How soon the listing may change: another process may fill or prune the store.
const LOOK_AGAIN: Duration = Duration::from_secs(5);

/// The project with only those files that can be served without upstream.
pub(crate) async fn answer(
    shared: &Shared,
    name: &ProjectName,
    known: Option<&Known>,
) -> Result<Option<Answer>, Error> {
    let unknown = || Error::Offline {
        index: shared.name.clone(),
        what: format!("project `{name}`"),
    };
    let Some(known) = known else {
        return Err(unknown());
    };
    let Some(project) = &known.project else {
        return Ok(None);
    };
    let db = shared.storage.db();
    let stored = db.files_of(&shared.name, name).await?;
    let replaced = db.replaced_of(&shared.name, name).await?;
    let stored: HashSet<&str> = stored
        .iter()
        .map(|row| row.path.as_str())
        .filter(|path| !replaced.contains(*path))
        .collect();
    let left = only(project, &stored);
    if left.page.files.is_empty() {
        return Err(unknown());
    }
    Ok(Some(Answer {
        project: left.into(),
        cache: Cache::Offline,
        fresh_until: Instant::now() + LOOK_AGAIN,
    }))
}

fn only(project: &Project, stored: &HashSet<&str>) -> Project {
    let mut page = project.page.clone();
    page.files
        .retain(|file| stored.contains(path_of(&file.url).as_ref()));
    for file in &mut page.files {
        // Metadata can always be made from a wheel that is here. Its digest is upstream's
        // promise; `true` promises nothing that could be wrong.
        let is_wheel = file.filename.kind() == FileKind::Wheel;
        file.core_metadata = match file.core_metadata {
            CoreMetadata::Present(_) if is_wheel => CoreMetadata::Present(Hashes::default()),
            _ => CoreMetadata::Absent,
        };
        // Upstream's provenance is not here unless it was asked for.
        file.provenance = None;
    }
    let kept: HashSet<String> = page
        .files
        .iter()
        .filter_map(|file| file.filename.version_of(&page.name))
        .map(|version| version.to_string())
        .collect();
    page.versions.retain(|version| {
        version
            .parse::<pyspec::Version>()
            .is_ok_and(|version| kept.contains(&version.to_string()))
    });
    let makes = page
        .files
        .iter()
        .map(|file| file.filename.clone())
        .filter(|filename| project.makes.contains(filename))
        .collect();
    project_of(page, makes)
}
