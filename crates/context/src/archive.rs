//! What buildah compares of what is copied: an archive of each thing, made to be hashed.
//!
//! The archive of a file has its name only if it is to keep it, that of a directory has
//! what is in it, but not the directory itself. Times are left out.

use std::collections::HashMap;

use dockerfile::cache::Archive;

use crate::digest;
use crate::entry::{Entry, Kind};
use crate::select::{is_inside, is_pattern};
use crate::snapshot::{Snapshot, missing};

/// setuid and setgid, which nothing keeps that comes out of a context.
const BITS: u32 = 0o6000;

/// Whose files are that come out of a context.
const NOBODY_SAYS: &str = "0:0";

/// User and group of a file by name, which stand beside the numbers of those that they are
/// given to: within a context only root's is known.
pub(crate) fn names(entry: &Entry) -> String {
    let name = |id| if id == 0 { "root" } else { "" };
    format!("{}:{}", name(entry.owner.0), name(entry.owner.1))
}

impl Snapshot {
    /// Of all that a source stands for, one after the other.
    pub(crate) fn archive_digest(&self, source: &str, archive: &Archive) -> Result<String, String> {
        let mut things = vec![source.to_owned()];
        if is_pattern(source) {
            things = self.matching(source);
        }
        if things.is_empty() {
            return Err(missing(source));
        }
        let digests = things.iter().map(|thing| self.thing(thing, archive));
        Ok(digests.collect::<Result<Vec<_>, _>>()?.join("\0"))
    }

    fn thing(&self, source: &str, archive: &Archive) -> Result<String, String> {
        let path = self.followed(source);
        let entry = self.entry(&path);
        match entry {
            None if !path.is_empty() => return Err(missing(source)),
            Some(entry) if entry.kind != Kind::Directory => {
                let name = source.rsplit('/').next().filter(|_| archive.keeps_name);
                let text = self.header(&path, entry, name.unwrap_or_default(), None, archive)?;
                return Ok(format!("file:{}", digest::of(text.as_bytes())));
            }
            _ => {}
        }
        let mut inside: Vec<(&String, &Entry)> = self
            .entries()
            .iter()
            .filter(|(other, _)| is_inside(other, &path))
            .collect();
        inside.sort_by_key(|(other, _)| other.split('/').collect::<Vec<_>>());
        let mut first_names: HashMap<(u64, u64), &str> = HashMap::new();
        let mut text = String::new();
        for (other, entry) in inside {
            let name = other[path.len()..].trim_start_matches('/');
            let first = entry
                .inode
                .map(|inode| *first_names.entry(inode).or_insert(name));
            let first = first.filter(|first| *first != name);
            text.push_str(&self.header(other, entry, name, first, archive)?);
        }
        Ok(format!("dir:{}", digest::of(text.as_bytes())))
    }

    /// What stands in the archive for one entry. Of a second name for the same file that is
    /// only which is the `first`.
    fn header(
        &self,
        path: &str,
        entry: &Entry,
        name: &str,
        first: Option<&str>,
        archive: &Archive,
    ) -> Result<String, String> {
        let own = format!("{}:{}", entry.owner.0, entry.owner.1);
        let nobody_says = if archive.keeps { &own } else { NOBODY_SAYS };
        let owner = archive.owner.as_deref().unwrap_or(nobody_says);
        let lost = if archive.keeps { 0 } else { BITS };
        let was = archive.was.clone().unwrap_or_else(|| names(entry));
        let mode = archive.mode.unwrap_or(entry.mode & !lost);
        let bytes = match first {
            Some(first) => format!("is {first}"),
            None => self.digests(path)?.bytes,
        };
        let attributes = entry.attributes.iter();
        let attributes: Vec<_> = attributes
            .filter(|(name, _)| name.starts_with("user.") || *name == "security.capability")
            .collect();
        let (kind, link, device) = (entry.kind, &entry.link, entry.device);
        Ok(format!(
            "\0{name}\0{kind:?}{mode:o} {owner} {was} {device:?} {link}\0{attributes:?}{bytes}"
        ))
    }
}
