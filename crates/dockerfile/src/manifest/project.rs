//! `pyproject.toml`: what a project asks for, and whether its version stands in it.

use toml::de::{DeTable, DeValue};

use super::Requirement;
use crate::Span;

/// What a project says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Project {
    /// Where its version is written, if it is.
    pub(crate) version: Option<Span>,
}

impl Project {
    pub(crate) fn read(text: &str) -> Self {
        let (root, _) = DeTable::parse_recoverable(text);
        let root = root.get_ref();
        let version = table(root, "project").and_then(|project| project.get("version"));
        let of_poetry = table(root, "tool")
            .and_then(|tool| table(tool, "poetry"))
            .and_then(|poetry| poetry.get("version"));
        let version = version.or(of_poetry).map(toml::Spanned::span);
        Self {
            version: version.map(|span| Span::new(span.start, span.end)),
        }
    }
}

/// `[project] dependencies`.
pub(super) fn requirements(text: &str) -> Vec<Requirement> {
    let (root, _) = DeTable::parse_recoverable(text);
    let project = table(root.get_ref(), "project");
    let listed = project.and_then(|project| project.get("dependencies")?.get_ref().as_array());
    let items = listed.into_iter().flatten();
    let read = items.filter_map(|item| {
        let span = item.span();
        super::requirement(item.get_ref().as_str()?, Span::new(span.start, span.end))
    });
    read.collect()
}

fn table<'a, 'b>(of: &'a DeTable<'b>, key: &str) -> Option<&'a DeTable<'b>> {
    of.get(key)
        .map(toml::Spanned::get_ref)
        .and_then(DeValue::as_table)
}
