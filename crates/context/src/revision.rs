//! A revision of a git repository, laid out as a checkout would lay it out.

use std::path::Path;
use std::process::Command;

use crate::Error;

/// Writes the files of `directory` as they were at a revision into an empty directory.
///
/// Filters, ends of lines and modes are those of a checkout by this user.
pub fn checkout(directory: &Path, revision: &str, into: &Path) -> Result<(), Error> {
    let scratch = tempfile::tempdir().map_err(Error::read(into))?;
    let index = scratch.path().join("index");
    let git = |arguments: &[&str]| -> Result<String, Error> {
        let mut command = Command::new("git");
        command
            .arg("-C")
            .arg(directory)
            .args(arguments)
            .env("GIT_INDEX_FILE", &index);
        let output = command.output().map_err(Error::read(Path::new("git")))?;
        if output.status.success() {
            return Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned());
        }
        let message = String::from_utf8_lossy(&output.stderr);
        Err(Error::Revision {
            revision: revision.to_owned(),
            path: directory.display().to_string(),
            message: message.lines().next().unwrap_or_default().to_owned(),
        })
    };
    let inside = git(&["rev-parse", "--show-prefix"])?;
    let tree = format!("{revision}:{inside}");
    let tree = git(&["rev-parse", "--verify", "--end-of-options", &tree])?;
    git(&["read-tree", &tree])?;
    let prefix = format!("--prefix={}/", into.display());
    // From the top, or git would write below the folder's own path.
    let top = git(&["rev-parse", "--show-toplevel"])?;
    let arguments = ["checkout-index", "--all", "--quiet", &prefix];
    git(&[&["-C", &top], &arguments[..]].concat())?;
    Ok(())
}
