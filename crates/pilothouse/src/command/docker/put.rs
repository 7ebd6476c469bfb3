//! A file that is written whole or not at all.

use std::fs::{self, Permissions};
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use tempfile::NamedTempFile;

/// Puts bytes in place of what a file holds, or makes the file.
///
/// A link stays one: the file that it leads to is written. What is no file, such as a
/// directory or a device, is refused.
pub(super) fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let mode = match fs::metadata(&path) {
        Ok(about) if !about.is_file() => {
            return Err(io::Error::other("it is there, and no file"));
        }
        Ok(about) => about.permissions(),
        Err(_) => Permissions::from_mode(0o644),
    };
    let folder = path.parent();
    let folder = folder.filter(|folder| !folder.as_os_str().is_empty());
    let folder = folder.unwrap_or(Path::new("."));
    // Else the fault would be told of a name that nobody has given.
    fs::metadata(folder)?;
    let mut file = NamedTempFile::new_in(folder)?;
    file.write_all(bytes)?;
    file.as_file().set_permissions(mode)?;
    file.persist(&path)?;
    Ok(())
}
