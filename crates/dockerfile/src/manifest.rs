//! The files that say what is to be installed: requirements, projects and locks.
//!
//! Read for what a linter asks: which projects, in which version, from which files,
//! and where that is written. What cannot be read is passed over; the tools themselves
//! say what is wrong with it.

mod lock;
mod marker;
mod project;
mod requirements;

use pyspec::{ProjectName, Specifiers, Version};

use crate::Span;
use crate::path::joined;

pub(crate) use project::Project;
pub(crate) use requirements::lines;

/// What is to be installed.
#[derive(Debug, Clone)]
pub(crate) struct Requirement {
    pub(crate) name: ProjectName,
    /// Which versions are good enough.
    pub(crate) specifiers: Option<Specifiers>,
    /// The version, where there is no choice.
    pub(crate) version: Option<Version>,
    /// Whether the bytes of its files are known beforehand.
    pub(crate) is_hashed: bool,
    /// Whether it comes from an index, and not from a URL, a repository or a folder.
    pub(crate) is_from_index: bool,
    /// The names of its files, where a lock lists them.
    pub(crate) files: Vec<String>,
    /// Where it is written.
    pub(crate) span: Span,
}

/// What kind of file it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `requirements.txt`, by whatever name.
    Requirements,
    /// `pyproject.toml`: what is asked for.
    Project,
    /// What was found, once and for all.
    Lock,
}

/// A file, read.
#[derive(Debug, Clone)]
pub(crate) struct Manifest {
    /// Within the context.
    pub(crate) path: String,
    pub(crate) kind: Kind,
    pub(crate) requirements: Vec<Requirement>,
    /// `-r` and `-c` in it, relative to it.
    nested: Vec<Nested>,
}

#[derive(Debug, Clone)]
struct Nested {
    path: String,
    is_constraint: bool,
}

/// Reads a file of the context, and those that it names.
pub(crate) fn read(path: &str, text: &str, file: &dyn Fn(&str) -> Option<String>) -> Vec<Manifest> {
    let (mut all, constraints) = follow(path, text, file);
    constrain(&mut all, &constraints);
    all
}

/// The paths of a file and of all that it names, constraints included.
pub(crate) fn paths(path: &str, text: &str, file: &dyn Fn(&str) -> Option<String>) -> Vec<String> {
    let (all, constraints) = follow(path, text, file);
    all.into_iter()
        .chain(constraints)
        .map(|manifest| manifest.path)
        .collect()
}

/// What is asked for, and what only constrains it; each file once.
fn follow(
    path: &str,
    text: &str,
    file: &dyn Fn(&str) -> Option<String>,
) -> (Vec<Manifest>, Vec<Manifest>) {
    let (mut all, mut constraints) = (vec![parse(path, text)], Vec::<Manifest>::new());
    let mut at = 0;
    while at < all.len() {
        let (folder, nested) = (folder(&all[at].path).to_owned(), all[at].nested.clone());
        for one in nested {
            let path = joined(&folder, &one.path);
            let mut seen = all.iter().chain(&constraints);
            if seen.any(|other| other.path == path) {
                continue;
            }
            let Some(manifest) = file(&path).map(|text| parse(&path, &text)) else {
                continue;
            };
            if one.is_constraint {
                constraints.push(manifest);
            } else {
                all.push(manifest);
            }
        }
        at += 1;
    }
    (all, constraints)
}

fn folder(path: &str) -> &str {
    path.rsplit_once('/').map_or("", |(folder, _)| folder)
}

/// What a constraint pins is pinned.
pub(crate) fn constrain(all: &mut [Manifest], constraints: &[Manifest]) {
    let bounds: Vec<&Requirement> = constraints
        .iter()
        .flat_map(|one| &one.requirements)
        .collect();
    for requirement in all.iter_mut().flat_map(|one| &mut one.requirements) {
        let bound = bounds.iter().find(|bound| bound.name == requirement.name);
        if let Some(bound) = bound.filter(|bound| bound.version.is_some()) {
            requirement.version.clone_from(&bound.version);
            requirement.is_hashed |= bound.is_hashed;
        }
    }
}

/// Reads one file by what its name says it is.
fn parse(path: &str, text: &str) -> Manifest {
    let name = path.rsplit('/').next().unwrap_or(path);
    let (kind, requirements, nested) = match name {
        "pyproject.toml" => (Kind::Project, project::requirements(text), Vec::new()),
        "Pipfile.lock" => (Kind::Lock, lock::pipfile(text), Vec::new()),
        "uv.lock" | "poetry.lock" | "pdm.lock" => (Kind::Lock, lock::read(text), Vec::new()),
        _ if name.starts_with("pylock.") && name.ends_with("toml") => {
            (Kind::Lock, lock::read(text), Vec::new())
        }
        _ => {
            let (requirements, nested) = requirements::read(text);
            (Kind::Requirements, requirements, nested)
        }
    };
    Manifest {
        path: path.to_owned(),
        kind,
        requirements,
        nested,
    }
}

/// A requirement as it is written on one line: `name[extra]>=1; marker`, or `name @ URL`.
/// Nothing of it applies where its marker says so, and nothing that is no requirement is one.
pub(crate) fn requirement(text: &str, span: Span) -> Option<Requirement> {
    let (text, condition) = text.split_once(';').unwrap_or((text, ""));
    if marker::excludes(condition) {
        return None;
    }
    let text = text.trim();
    let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let name = text[..end].parse().ok()?;
    let mut rest = text[end..].trim_start();
    if let Some(extras) = rest.strip_prefix('[') {
        rest = extras.split_once(']')?.1.trim_start();
    }
    let is_from_index = !rest.starts_with('@');
    let inner = rest
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let specifiers: Option<Specifiers> = if is_from_index {
        Some(inner.unwrap_or(rest).parse().ok()?)
    } else {
        None
    };
    Some(Requirement {
        name,
        version: specifiers.as_ref().and_then(Specifiers::pinned),
        specifiers,
        is_hashed: false,
        is_from_index,
        files: Vec::new(),
        span,
    })
}

#[cfg(test)]
mod tests;
