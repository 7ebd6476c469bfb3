//! What an engine would be sent.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use sha2::{Digest as _, Sha256};

use crate::digest;
use crate::entry::{Bytes, Digests, Entry, Kind};

/// The files of a build, by path from the context's root on.
#[derive(Debug, Default)]
pub struct Snapshot {
    entries: BTreeMap<String, Entry>,
    /// Files are read once, and only if they are asked for.
    digests: Mutex<HashMap<String, Digests>>,
}

impl Clone for Snapshot {
    fn clone(&self) -> Self {
        let digests = self.digests.lock();
        let digests = digests.unwrap_or_else(PoisonError::into_inner).clone();
        Self {
            entries: self.entries.clone(),
            digests: Mutex::new(digests),
        }
    }
}

impl FromIterator<(String, Entry)> for Snapshot {
    fn from_iter<I: IntoIterator<Item = (String, Entry)>>(entries: I) -> Self {
        Self {
            entries: entries.into_iter().collect(),
            digests: Mutex::default(),
        }
    }
}

impl Snapshot {
    /// What there is, in order.
    pub fn entries(&self) -> &BTreeMap<String, Entry> {
        &self.entries
    }

    /// One of them.
    pub fn entry(&self, path: &str) -> Option<&Entry> {
        self.entries.get(path)
    }

    /// Puts something there, in place of what was.
    pub fn insert(&mut self, path: &str, entry: Entry) {
        self.forget(path);
        self.entries.insert(path.to_owned(), entry);
    }

    /// Takes something away with all that is in it.
    pub fn remove(&mut self, path: &str) {
        self.forget(path);
        let inside = format!("{path}/");
        self.entries
            .retain(|other, _| other != path && !other.starts_with(&inside));
    }

    fn forget(&mut self, path: &str) {
        let digests = self.digests.get_mut();
        digests.unwrap_or_else(PoisonError::into_inner).remove(path);
    }

    /// The digests of what is there; of a directory those of its header.
    pub fn digests(&self, path: &str) -> Result<Digests, String> {
        let lock = || self.digests.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(digests) = lock().get(path) {
            return Ok(digests.clone());
        }
        let entry = self.entry(path).ok_or_else(|| missing(path))?;
        let digests = digest::digests(entry).map_err(|error| format!("`{path}`: {error}"))?;
        lock().insert(path.to_owned(), digests.clone());
        Ok(digests)
    }

    /// The same without the files: everything is read now, and known from then on.
    pub fn settled(&self) -> Result<Self, String> {
        let mut settled = self.clone();
        for (path, entry) in &mut settled.entries {
            entry.bytes = Bytes::Known(self.digests(path)?);
        }
        Ok(settled)
    }

    /// What is directly in a directory: names, in order.
    pub(crate) fn children(&self, path: &str) -> Vec<String> {
        let prefix = if path.is_empty() {
            String::new()
        } else {
            format!("{path}/")
        };
        let inside = self.entries.range(prefix.clone()..);
        let names = inside
            .take_while(|(other, _)| other.starts_with(&prefix))
            .map(|(other, _)| &other[prefix.len()..])
            .filter(|name| !name.contains('/'));
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        names.sort();
        names
    }

    /// BuildKit's digest of a path: of a directory with all that is in it.
    ///
    /// `sha256` over, in order, a zero byte and the header's digest, then for each child a
    /// zero byte, its name and its digest. The root has no header.
    pub fn tree_digest(&self, path: &str) -> Result<String, String> {
        let is_directory = self
            .entry(path)
            .is_none_or(|entry| entry.kind == Kind::Directory);
        if !path.is_empty() && (!is_directory || self.entry(path).is_none()) {
            return Ok(self.digests(path)?.file);
        }
        let header = if path.is_empty() {
            digest::of(b"")
        } else {
            self.digests(path)?.file
        };
        let mut hash = Sha256::new();
        hash.update([0]);
        hash.update(header);
        for name in self.children(path) {
            let child = format!("{path}/{name}");
            let inner = self.tree_digest(child.trim_start_matches('/'))?;
            hash.update([0]);
            hash.update(&name);
            hash.update(inner);
        }
        Ok(digest::shown(hash.finalize().as_slice()))
    }

    /// Where a path leads if the links in it are followed, the last one too.
    pub(crate) fn followed(&self, path: &str) -> String {
        let mut done: Vec<String> = Vec::new();
        let mut parts: Vec<String> = path.split('/').rev().map(str::to_owned).collect();
        let mut hops = 0;
        while let Some(part) = parts.pop() {
            match part.as_str() {
                "" | "." => continue,
                ".." => {
                    done.pop();
                    continue;
                }
                _ => done.push(part),
            }
            let here = done.join("/");
            let link = self.entry(&here).filter(|entry| entry.kind == Kind::Link);
            if let Some(link) = link.filter(|_| hops < 255) {
                hops += 1;
                done.pop();
                if link.link.starts_with('/') {
                    done.clear();
                }
                parts.extend(link.link.split('/').rev().map(str::to_owned));
            }
        }
        done.join("/")
    }
}

pub(crate) fn missing(path: &str) -> String {
    format!("`{path}` is not in the context, or is left out by its ignore file")
}
