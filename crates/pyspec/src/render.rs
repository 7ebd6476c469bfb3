//! Simple pages, written: version 1.4 of the
//! [Simple repository API](https://packaging.python.org/en/latest/specifications/simple-repository-api/).
//!
//! The links are the caller's business: `href` gives the link to a file, without
//! fragment, `provenance` that to its attestations.

use crate::page::{PageFile, ProjectPage};

mod html;
mod json;

/// What the pages written here follow.
const API_VERSION: &str = "1.4";

/// The page of one project in JSON.
pub fn project_json(
    page: &ProjectPage,
    href: impl Fn(&PageFile) -> String,
    provenance: impl Fn(&PageFile) -> Option<String>,
) -> Vec<u8> {
    json::project(page, href, provenance)
}

/// The page of one project in HTML.
pub fn project_html(
    page: &ProjectPage,
    href: impl Fn(&PageFile) -> String,
    provenance: impl Fn(&PageFile) -> Option<String>,
) -> Vec<u8> {
    html::project(page, href, provenance)
}

/// What stands before the first project of a root listing in JSON.
pub fn root_json_head() -> &'static [u8] {
    json::ROOT_HEAD.as_bytes()
}

/// Appends one project of a root listing in JSON.
pub fn root_json_entry(out: &mut Vec<u8>, name: &str, first: bool) {
    json::root_entry(out, name, first);
}

/// What stands behind the last project of a root listing in JSON.
pub fn root_json_tail() -> &'static [u8] {
    json::ROOT_TAIL.as_bytes()
}

/// What stands before the first project of a root listing in HTML.
pub fn root_html_head() -> &'static [u8] {
    html::ROOT_HEAD.as_bytes()
}

/// Appends one project of a root listing in HTML. `name` may be in any spelling;
/// the link is `{normal form}/`.
pub fn root_html_entry(out: &mut Vec<u8>, name: &str, first: bool) {
    html::root_entry(out, name, first);
}

/// What stands behind the last project of a root listing in HTML.
pub fn root_html_tail() -> &'static [u8] {
    html::ROOT_TAIL.as_bytes()
}

#[cfg(test)]
mod tests;
