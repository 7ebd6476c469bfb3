//! A Dockerfile for a Python project, as its files say that it is built and started.
//!
//! What is written obeys the rules of [`lint`](crate::lint): dependencies in a stage of
//! their own, whose step reads nothing but their list; a virtual environment whose bytes
//! are the same for the same packages; no root.

mod indexes;
mod project;
mod start;
mod text;

#[cfg(test)]
mod tests;

/// A folder: the paths of its files, and their texts.
#[derive(Clone, Copy)]
pub struct Folder<'a> {
    /// Every file, relative to the folder, with `/`; those of virtual environments and the like left out.
    pub paths: &'a [String],
    /// The text of one.
    pub read: &'a dyn Fn(&str) -> Option<String>,
}

/// What is to be written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    /// `Dockerfile`, `.dockerignore` and, for what serves the web, `compose.yaml`.
    pub files: Vec<(&'static str, String)>,
    /// What a person should look at.
    pub notes: Vec<String>,
}

/// The folder has nothing of Python in it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "there is no Python project: no requirements.txt, no pyproject.toml, no Pipfile, no .py file"
)]
pub struct NoProject;

/// Drafts the files for the project in a folder.
pub fn draft(folder: &Folder<'_>) -> Result<Draft, NoProject> {
    let project = project::find(folder).ok_or(NoProject)?;
    let start = start::find(folder, &project);
    let mut notes = project.notes.clone();
    notes.extend(start.note.clone());
    let mut files = vec![
        ("Dockerfile", text::dockerfile(&project, &start)),
        (".dockerignore", text::IGNORE.to_owned()),
    ];
    if let Some(port) = start.port {
        files.push(("compose.yaml", text::compose(port)));
    }
    Ok(Draft { files, notes })
}
