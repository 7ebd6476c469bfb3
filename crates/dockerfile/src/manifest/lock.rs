//! Locks: of uv, Poetry, PDM and Pipenv, and PEP 751's `pylock.toml`.

use serde_json::Value;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{Requirement, marker};
use crate::Span;

/// What a lock in TOML lists: uv, Poetry and PDM write `[[package]]`, PEP 751 `[[packages]]`.
pub(super) fn read(text: &str) -> Vec<Requirement> {
    let (root, _) = DeTable::parse_recoverable(text);
    let root = root.get_ref();
    let lists = ["package", "packages"].into_iter();
    let packages = lists
        .filter_map(|key| root.get(key)?.get_ref().as_array())
        .flatten();
    packages.filter_map(package).collect()
}

fn package(package: &Spanned<DeValue<'_>>) -> Option<Requirement> {
    let table = package.get_ref().as_table()?;
    let text = |key: &str| table.get(key).and_then(|value| value.get_ref().as_str());
    let condition = text("marker").or(text("markers")).unwrap_or_default();
    let name = table.get("name")?;
    if marker::excludes(condition) {
        return None;
    }
    let files = files(table);
    Some(Requirement {
        name: name.get_ref().as_str()?.parse().ok()?,
        specifiers: None,
        version: text("version").and_then(|version| version.parse().ok()),
        is_hashed: !files.is_empty(),
        is_from_index: !files.is_empty() && is_from_index(table),
        files,
        span: Span::new(name.span().start, name.span().end),
    })
}

/// Only uv says where a project is from; a folder, a repository or a URL is no index.
fn is_from_index(table: &DeTable<'_>) -> bool {
    let source = table
        .get("source")
        .and_then(|source| source.get_ref().as_table());
    let elsewhere = [
        "editable",
        "virtual",
        "directory",
        "path",
        "git",
        "url",
        "vcs",
        "archive",
    ];
    source.is_none_or(|source| {
        let is_legacy = source.get("type").and_then(|kind| kind.get_ref().as_str());
        let is_legacy = is_legacy.is_none_or(|kind| kind == "legacy");
        is_legacy
            && elsewhere
                .iter()
                .all(|key| !source.contains_key(*key) || *key == "url")
    })
}

/// The names of a project's files: `files` of Poetry and PDM, `wheels` and `sdist` of the others.
fn files(table: &DeTable<'_>) -> Vec<String> {
    let listed = ["files", "wheels"].into_iter();
    let listed = listed
        .filter_map(|key| table.get(key)?.get_ref().as_array())
        .flatten();
    let sdist = table.get("sdist").into_iter();
    let all = listed.chain(sdist).filter_map(|file| {
        let file = file.get_ref().as_table()?;
        let keys = ["file", "name", "filename", "path", "url"];
        let place = keys
            .iter()
            .find_map(|key| file.get(*key)?.get_ref().as_str())?;
        let place = place.split(['#', '?']).next().unwrap_or(place);
        Some(place.rsplit('/').next().unwrap_or(place).to_owned())
    });
    all.collect()
}

/// Pipenv's lock is JSON, and lists hashes without names of files.
pub(super) fn pipfile(text: &str) -> Vec<Requirement> {
    let root: Value = serde_json::from_str(text).unwrap_or_default();
    let default = root.get("default").and_then(Value::as_object);
    let projects = default.into_iter().flatten();
    let read = projects.filter_map(|(name, about)| {
        let version = about
            .get("version")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let condition = about
            .get("markers")
            .and_then(Value::as_str)
            .unwrap_or_default();
        let at = text.find(&format!("\"{name}\"")).unwrap_or_default();
        let line = format!("{name}{version}; {condition}");
        let requirement = super::requirement(&line, Span::new(at, at + name.len() + 2))?;
        Some(Requirement {
            is_hashed: about.get("hashes").is_some(),
            is_from_index: about.get("git").or(about.get("path")).is_none(),
            ..requirement
        })
    });
    read.collect()
}
