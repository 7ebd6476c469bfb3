//! Indexes that a project names and that its Dockerfile does not: packages of these would be
//! asked of the public one, where anybody may have taken their names.

use toml::de::{DeTable, DeValue};

use super::Folder;
use super::project::inner_value;

/// Where the tools keep them, in pyproject.toml.
const PLACES: [&[&str]; 3] = [
    &["tool", "uv", "index"],
    &["tool", "poetry", "source"],
    &["tool", "pdm", "source"],
];

/// What is to be said of them.
pub(super) fn note(pyproject: &DeTable<'_>, folder: &Folder<'_>) -> Option<String> {
    let pipfile = (folder.read)("Pipfile").unwrap_or_default();
    let (pipfile, _) = DeTable::parse_recoverable(&pipfile);
    let lists = PLACES.iter().map(|place| inner_value(pyproject, place));
    let lists = lists.chain([inner_value(pipfile.get_ref(), &["source"])]);
    let all = lists.flatten().filter_map(DeValue::as_array).flatten();
    let mut names: Vec<String> = all.filter_map(|one| private(one.get_ref())).collect();
    let bare = inner_value(pyproject, &["tool", "uv", "index-url"]);
    names.extend(bare.and_then(DeValue::as_str).map(host));
    names.sort();
    names.dedup();
    (!names.is_empty()).then(|| {
        format!(
            "the Dockerfile does not know the index {}, and pip would ask the public one for what lies there: \
             mount a pip.conf with it, `RUN --mount=type=secret,id=pip.conf,target=/etc/pip.conf …`, before you build",
            names.join(" and ")
        )
    })
}

/// The name of an index, or its host, unless it is the public one.
fn private(index: &DeValue<'_>) -> Option<String> {
    let text = |key: &str| index.as_table()?.get(key)?.get_ref().as_str();
    let url = text("url")?;
    match text("name") {
        Some(name) if name.eq_ignore_ascii_case("pypi") => None,
        Some(name) => Some(format!("`{name}`")),
        None => Some(host(url)),
    }
}

/// Nothing of an address but its host: there may be a password in it.
fn host(url: &str) -> String {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let authority = rest.split('/').next().unwrap_or(rest);
    let host = authority.rsplit('@').next().unwrap_or(authority);
    format!("`{host}`")
}
