//! Paths as texts with `/`, of images and contexts.

use std::collections::BTreeMap;

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

/// Files by the folder that they are in, with a slash at its end, and none for the root.
pub(crate) fn by_folder(files: &[String]) -> Vec<(String, Vec<&str>)> {
    let mut all: BTreeMap<String, Vec<&str>> = BTreeMap::new();
    for file in files {
        let folder = file
            .rsplit_once('/')
            .map_or(String::new(), |(folder, _)| format!("{folder}/"));
        all.entry(folder).or_default().push(file);
    }
    all.into_iter().collect()
}
