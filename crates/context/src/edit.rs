//! Changes that are only thought of: `touch app/main.py`.

use std::str::FromStr;

use crate::entry::{Bytes, Digests, Entry, Kind};
use crate::{Snapshot, digest};

/// A change to a context that is not made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// `touch PATH`: other bytes, or a new file.
    Touch(String),
    /// `rm PATH`: gone, with all that is in it.
    Remove(String),
    /// `chmod MODE PATH`: other permissions, in octal digits.
    Mode(u32, String),
    /// `mv PATH PATH`: renamed, with all that is in it.
    Move(String, String),
}

/// What cannot be asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is none of `touch PATH`, `rm PATH`, `mv PATH PATH` and `chmod MODE PATH`")]
pub struct InvalidEdit(String);

impl FromStr for Edit {
    type Err = InvalidEdit;

    fn from_str(text: &str) -> Result<Self, InvalidEdit> {
        let words: Vec<&str> = text
            .split_whitespace()
            .filter(|word| !matches!(*word, "-r" | "-f" | "-rf"))
            .collect();
        let path = |word: &str| word.trim_start_matches("./").trim_matches('/').to_owned();
        match words.as_slice() {
            ["touch", one] => Ok(Self::Touch(path(one))),
            ["rm", one] => Ok(Self::Remove(path(one))),
            ["mv", from, to] => Ok(Self::Move(path(from), path(to))),
            ["chmod", mode, one] => {
                let mode = u32::from_str_radix(mode, 8).ok();
                let mode = mode.filter(|mode| *mode <= 0o7777);
                mode.map(|mode| Self::Mode(mode, path(one)))
                    .ok_or_else(|| InvalidEdit(text.to_owned()))
            }
            _ => Err(InvalidEdit(text.to_owned())),
        }
    }
}

impl Edit {
    /// Makes the change; whether there was something to change.
    pub fn apply(&self, snapshot: &mut Snapshot) -> bool {
        match self {
            Self::Touch(path) => touch(snapshot, path),
            Self::Remove(path) => {
                let is_there = snapshot.entry(path).is_some();
                snapshot.remove(path);
                is_there
            }
            Self::Mode(mode, path) => {
                let Some(entry) = snapshot.entry(path).cloned() else {
                    return false;
                };
                let mode = *mode;
                snapshot.insert(path, Entry { mode, ..entry });
                true
            }
            Self::Move(from, to) => rename(snapshot, from, to),
        }
    }
}

/// Bytes that nobody has: their digest is that of the change itself.
fn touch(snapshot: &mut Snapshot, path: &str) -> bool {
    let entry = snapshot.entry(path).cloned();
    let entry = entry.unwrap_or_else(|| Entry::file("", 0o644));
    if entry.kind != Kind::File {
        return false;
    }
    let unheard = digest::of(format!("touched {path}").as_bytes());
    let entry = Entry {
        modified: None,
        bytes: Bytes::Known(Digests {
            file: unheard.clone(),
            bytes: unheard,
        }),
        ..entry
    };
    snapshot.insert(path, entry);
    true
}

fn rename(snapshot: &mut Snapshot, from: &str, to: &str) -> bool {
    let inside = format!("{from}/");
    let moved: Vec<(String, Entry)> = snapshot
        .entries()
        .iter()
        .filter(|(path, _)| *path == from || path.starts_with(&inside))
        .map(|(path, entry)| (format!("{to}{}", &path[from.len()..]), entry.clone()))
        .collect();
    snapshot.remove(from);
    let is_there = !moved.is_empty();
    for (path, entry) in moved {
        snapshot.insert(&path, entry);
    }
    is_there
}
