//! Yanking: a file stays, and installers take it only when told to
//! ([PEP 592](https://peps.python.org/pep-0592/)).

use pyspec::{Filename, ProjectName};
use serde_json::json;
use store::{Event, Role};

use super::{By, Hosted};
use crate::Error;

/// Which files of a release are meant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// These.
    Files(Vec<Filename>),
}

impl Hosted {
    /// Yanks files of a release; the reason may be empty. Answers how many were not yanked so before.
    pub async fn yank(
        &self,
        project: &ProjectName,
        version: &str,
        which: &Which,
        reason: &str,
        by: &By,
    ) -> Result<u64, Error> {
        self.set_yanked(project, version, which, Some(reason), by)
            .await
    }

    /// Takes that back; answers how many were yanked.
    pub async fn unyank(
        &self,
        project: &ProjectName,
        version: &str,
        which: &Which,
        by: &By,
    ) -> Result<u64, Error> {
        self.set_yanked(project, version, which, None, by).await
    }

    async fn set_yanked(
        &self,
        project: &ProjectName,
        version: &str,
        which: &Which,
        reason: Option<&str>,
        by: &By,
    ) -> Result<u64, Error> {
        let snapshot = self.known(project).await?;
        let release = snapshot
            .release(version)
            .ok_or_else(|| self.no_such_version(project, version))?;
        let version = &release.row.version;
        let release_files = || {
            let files = snapshot.files_of(version);
            files.filter(|file| file.role == Role::ReleaseFile)
        };
        let meant = match which {
            Which::All => release_files().collect::<Vec<_>>(),
            Which::Files(names) => {
                let found = names.iter().map(|name| {
                    let file = release_files().find(|file| file.filename == *name);
                    file.ok_or_else(|| self.no_such_file(name.as_str()))
                });
                found.collect::<Result<_, _>>()?
            }
        };
        let names: Vec<_> = meant.iter().map(|file| file.filename.as_str()).collect();
        let what = if reason.is_some() { "yank" } else { "unyank" };
        let detail = json!({ "files": names, "reason": reason });
        let event = Event {
            version: Some(version.clone()),
            ..self.event(what, project, by, detail)
        };
        let paths: Vec<String> = meant.iter().map(|file| file.path.clone()).collect();
        let db = self.storage.db();
        let changed = db.set_yanked(self.stage(), &paths, reason, &event).await?;
        self.changed(project);
        Ok(changed)
    }
}
