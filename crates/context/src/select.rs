//! What a step takes of a snapshot, and what its engine compares of that.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use dockerfile::cache::{Content, Context, Form, Seen, Selection};
use dockerfile::{Pattern, matches_path};

use crate::archive::names;
use crate::digest;
use crate::entry::{Entry, Kind};
use crate::snapshot::{Snapshot, missing};

impl Context for Snapshot {
    fn content(&self, selection: &Selection) -> Result<Content, String> {
        let mut sources = selection.sources.clone();
        if selection.form == Form::Mounted || selection.form == Form::Joined {
            without_inner(&mut sources, &selection.form);
        }
        if !matches!(selection.form, Form::Named | Form::Archived(_)) {
            sources.sort();
        }
        let digests = sources
            .iter()
            .map(|source| self.source_digest(source, selection));
        let digests = digests.collect::<Result<Vec<_>, _>>()?;
        Ok(Content {
            key: digest::of(digests.join("\0").as_bytes()),
            entries: self.seen(selection)?,
        })
    }
}

/// BuildKit looks at what lies in another of its sources only there.
fn without_inner(sources: &mut Vec<String>, form: &Form) {
    let all = sources.clone();
    sources.retain(|path| {
        let may_name_more = *form != Form::Mounted && is_pattern(path);
        let outer = |other: &&String| {
            *other != path
                && (*form == Form::Mounted || !is_pattern(other))
                && is_inside(path, other)
        };
        may_name_more || !all.iter().any(|other| outer(&other))
    });
    sources.dedup();
}

impl Snapshot {
    fn source_digest(&self, source: &str, selection: &Selection) -> Result<String, String> {
        let is_pattern = is_pattern(source);
        match &selection.form {
            Form::Joined if is_pattern => {
                let found = self.matching(source).into_iter();
                let digests = found.map(|path| {
                    let name = path.rsplit('/').next().unwrap_or_default();
                    Ok(format!("{name}{}", self.plain_digest(&path)?))
                });
                let digests = digests.collect::<Result<Vec<_>, String>>()?;
                Ok(digest::of(digests.join("\0").as_bytes()))
            }
            Form::Listed if is_pattern || !selection.exclude.is_empty() => {
                self.listed_digest(source, selection)
            }
            Form::Joined | Form::Listed | Form::Mounted => self.plain_digest(source),
            Form::Named => self.named_digest(source, selection),
            Form::Archived(archive) => self.archive_digest(source, archive),
        }
    }

    fn plain_digest(&self, source: &str) -> Result<String, String> {
        let path = self.followed(source);
        if !path.is_empty() && self.entry(&path).is_none() {
            return Err(missing(source));
        }
        self.tree_digest(&path)
    }

    /// Every entry by its path below the part of the source that is no pattern.
    fn listed_digest(&self, source: &str, selection: &Selection) -> Result<String, String> {
        let parts: Vec<&str> = source.split('/').collect();
        let fixed = parts.iter().take_while(|part| !is_pattern(part)).count();
        let prefix = parts[..fixed.min(parts.len())].join("/");
        let mut text = String::new();
        for path in self.selected(source, selection) {
            let rest = path.strip_prefix(&prefix).unwrap_or(&path);
            text.push('\0');
            text.push_str(rest);
            text.push_str(&self.digests(&path)?.file);
        }
        Ok(digest::of(text.as_bytes()))
    }

    /// Every entry with its name, as it stands in the archive that is sent, for one thing
    /// after the other.
    fn named_digest(&self, source: &str, selection: &Selection) -> Result<String, String> {
        if !is_pattern(source) {
            return self.named_thing(source, self.selected(source, selection));
        }
        let things = self.matching(source);
        if things.is_empty() {
            return Err(missing(source));
        }
        let digests = things.into_iter().map(|thing| {
            let found = self.selected(&thing, selection);
            self.named_thing(&thing, found)
        });
        Ok(digests.collect::<Result<Vec<_>, _>>()?.join("\0"))
    }

    fn named_thing(&self, source: &str, found: Vec<String>) -> Result<String, String> {
        if found.is_empty() && !source.is_empty() {
            return Err(missing(source));
        }
        let mut text = String::new();
        for path in found {
            let Some(entry) = self.entry(&path).filter(|one| one.kind != Kind::Socket) else {
                continue;
            };
            let capability = entry.attributes.get("security.capability");
            // Of a second name for the same file the archive says only which is the first.
            let bytes = match self.first_name(&path, entry) {
                Some(first) => first,
                None => self.digests(&path)?.bytes,
            };
            let (kind, mode, link) = (entry.kind, entry.mode, &entry.link);
            // Writing to a string cannot fail.
            let _ = write!(
                text,
                "\0{path}\0{kind:?}{mode}{link}\0{capability:?}{bytes}"
            );
        }
        Ok(digest::of(text.as_bytes()))
    }

    /// The name of the same file that comes first in an archive, if it is another.
    fn first_name(&self, path: &str, entry: &Entry) -> Option<String> {
        let inode = entry.inode?;
        let same = self
            .entries()
            .iter()
            .filter(|(_, other)| other.inode == Some(inode));
        let first = same
            .map(|(path, _)| path)
            .min_by_key(|path| path.split('/').collect::<Vec<_>>())?;
        (first != path).then(|| first.clone())
    }

    /// What a source stands for, with all that is in it.
    fn selected(&self, source: &str, selection: &Selection) -> Vec<String> {
        let roots = if is_pattern(source) && selection.form != Form::Mounted {
            self.matching(source)
        } else {
            vec![self.followed(source)]
        };
        let excluded: Vec<Pattern> = selection
            .exclude
            .iter()
            .map(|text| exclusion(text))
            .collect();
        let is_in = |path: &str| {
            roots.iter().any(|root| {
                let inner = path.strip_prefix(root.as_str()).unwrap_or(path);
                let inner = inner.trim_start_matches('/');
                (path == root || is_inside(path, root))
                    && !excluded.iter().any(|pattern| pattern.covers(inner))
            })
        };
        let paths = self.entries().keys();
        paths.filter(|path| is_in(path)).cloned().collect()
    }

    pub(crate) fn matching(&self, pattern: &str) -> Vec<String> {
        let paths = self.entries().keys();
        let matching = paths.filter(|path| matches_path(pattern, path));
        matching.cloned().collect()
    }

    fn seen(&self, selection: &Selection) -> Result<BTreeMap<String, Seen>, String> {
        let mut seen = BTreeMap::new();
        for source in &selection.sources {
            for path in self.selected(source, selection) {
                let Some(entry) = self.entry(&path) else {
                    continue;
                };
                let attributes = format!("{:?}", entry.attributes);
                let owner = match &selection.form {
                    Form::Archived(archive) if archive.was.is_none() => names(entry),
                    _ => String::new(),
                };
                let one = Seen {
                    kind: match entry.kind {
                        Kind::File => "file",
                        Kind::Directory => "directory",
                        Kind::Link => "link",
                        _ => "other",
                    },
                    mode: entry.mode,
                    link: entry.link.clone(),
                    owner,
                    attributes,
                    bytes: self.digests(&path)?.bytes,
                };
                seen.insert(path, one);
            }
        }
        Ok(seen)
    }
}

fn exclusion(text: &str) -> Pattern {
    Pattern {
        is_apart: false,
        text: text.trim_matches('/').to_owned(),
        keeps: false,
        line: 1,
    }
}

pub(crate) fn is_pattern(source: &str) -> bool {
    source.contains(['*', '?', '['])
}

/// Whether a path lies in a folder; all do in the root.
pub(crate) fn is_inside(path: &str, folder: &str) -> bool {
    if folder.is_empty() {
        return !path.is_empty();
    }
    let rest = path.strip_prefix(folder);
    rest.is_some_and(|rest| rest.starts_with('/'))
}
