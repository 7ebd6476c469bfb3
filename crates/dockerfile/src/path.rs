//! Paths as texts with `/`, of images and contexts.

/// A path within a folder: without `.`, `..` and slashes at its ends.
pub(crate) fn joined(folder: &str, path: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in folder.split('/').chain(path.split('/')) {
        match part {
            "" | "." => {}
            ".." => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

/// The same from the root on.
pub(crate) fn cleaned(path: &str) -> String {
    joined("", path)
}
