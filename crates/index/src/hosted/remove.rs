//! Removing what people uploaded, because a person said so.

use pyspec::ProjectName;
use serde_json::json;
use store::Event;

use super::{By, Hosted, Rules, quoted};
use crate::Error;

/// Whether an index that keeps what it has is to be asked twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Force {
    /// It is: only a volatile index lets anything be removed.
    No,
    /// It is not.
    Yes,
}

impl Hosted {
    /// Removes a project with all its releases.
    pub async fn remove_project(
        &self,
        project: &ProjectName,
        force: Force,
        rules: Rules,
        by: &By,
    ) -> Result<(), Error> {
        let (name, index) = (quoted(project.as_str()), &self.name);
        may(force, rules, || {
            format!("project {name} is on non-volatile index {index}")
        })?;
        let event = self.event("remove-project", project, by, json!({}));
        let removed = self
            .storage
            .db()
            .remove_project(self.stage(), project, &event);
        let removed = removed.await?;
        self.changed(project);
        if removed {
            Ok(())
        } else {
            Err(self.no_such_project(project))
        }
    }

    /// Removes a release with all its files; the last one takes the project with it.
    pub async fn remove_release(
        &self,
        project: &ProjectName,
        version: &str,
        force: Force,
        rules: Rules,
        by: &By,
    ) -> Result<(), Error> {
        self.may_delete_version(force, rules)?;
        let snapshot = self.known(project).await?;
        let missing = || self.no_such_version(project, version);
        let release = snapshot.release(version).ok_or_else(missing)?;
        let kept = &release.row.version;
        let event = Event {
            version: Some(kept.clone()),
            ..self.event("remove-release", project, by, json!({}))
        };
        let db = self.storage.db();
        let removed = db
            .remove_release(self.stage(), project, kept, &event)
            .await?;
        self.changed(project);
        if removed { Ok(()) } else { Err(missing()) }
    }

    /// Removes a file with its test results; the last one takes its release with it.
    pub async fn remove_file(
        &self,
        path: &str,
        force: Force,
        rules: Rules,
        by: &By,
    ) -> Result<(), Error> {
        self.may_delete_version(force, rules)?;
        let missing = || self.no_such_file(path);
        let snapshot = self.row(path).await?.ok_or_else(missing)?;
        let row = snapshot.file(path).ok_or_else(missing)?;
        let event = Event {
            version: Some(row.version.clone()),
            file: Some(row.filename.to_string()),
            ..self.event("remove-file", &row.project, by, json!({}))
        };
        let removed = self.storage.db().remove_hosted(self.stage(), path, &event);
        let removed = removed.await?;
        self.changed(&row.project);
        if removed { Ok(()) } else { Err(missing()) }
    }

    fn may_delete_version(&self, force: Force, rules: Rules) -> Result<(), Error> {
        may(force, rules, || {
            format!("cannot delete version on non-volatile index {}", self.name)
        })
    }

    pub(super) fn no_such_version(&self, project: &ProjectName, version: &str) -> Error {
        Error::NoSuchRelease {
            index: self.name.to_string(),
            project: project.to_string(),
            version: version.to_owned(),
        }
    }

    pub(super) fn no_such_file(&self, path: &str) -> Error {
        Error::NoSuchFile {
            index: self.name.to_string(),
            file: path.to_owned(),
        }
    }
}

fn may(force: Force, rules: Rules, why: impl FnOnce() -> String) -> Result<(), Error> {
    if rules.volatile || force == Force::Yes {
        Ok(())
    } else {
        Err(Error::Forbidden { why: why() })
    }
}
