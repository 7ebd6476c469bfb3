//! Pages as an index writes them: JSON 1.4, HTML, and the flat find-links page.

use std::fmt::Write as _;

use serde_json::{Value, json};

use super::State;
use super::project::Stocked;
use super::settings::HashKind;
use crate::dist::{Built, Dist, Kind, Metadata, Yank, md5, sha256, sha512};

pub(super) const JSON: &str = "application/vnd.pypi.simple.v1+json";
pub(super) const HTML: &str = "text/html; charset=UTF-8";

/// The JSON page of a project.
pub(super) fn json(state: &State, project: &Stocked) -> String {
    let mut versions: Vec<_> = project
        .files
        .iter()
        .map(|(dist, _)| dist.version.as_str())
        .collect();
    versions.dedup();
    let files: Vec<Value> = project
        .files
        .iter()
        .map(|(dist, built)| json_file(state, project, dist, built))
        .collect();
    let mut page = json!({
        "meta": { "api-version": "1.4", "_last-serial": state.settings.serial },
        "name": project.normal,
        "versions": versions,
        "files": files,
        "alternate-locations": [],
    });
    if let Some((status, reason)) = &project.status {
        page["project-status"] = json!({ "status": status, "reason": reason });
    }
    page.to_string()
}

fn json_file(state: &State, project: &Stocked, dist: &Dist, built: &Built) -> Value {
    let hashes: serde_json::Map<_, _> = promised(state, dist, built)
        .into_iter()
        .map(|(kind, hex)| (kind.to_owned(), Value::String(hex)))
        .collect();
    let metadata = advertised(state, dist, built);
    let mut file = json!({
        "filename": built.filename,
        "url": href(state, built),
        "hashes": hashes,
        "size": built.content.len(),
        "requires-python": dist.requires_python,
        "yanked": match &dist.yanked {
            Yank::No => Value::Bool(false),
            Yank::Silent => Value::Bool(true),
            Yank::Because(reason) => Value::String(reason.clone()),
        },
        "core-metadata": metadata.as_ref().map_or(Value::Bool(false), |hex| json!({ "sha256": hex })),
        "data-dist-info-metadata": metadata.as_ref().map_or(Value::Bool(false), |hex| json!({ "sha256": hex })),
        "provenance": dist.provenance.then(|| format!(
            "{}/integrity/{}/{}/{}/provenance",
            state.origin, project.normal, dist.version, built.filename
        )),
    });
    if state.settings.upload_times
        && let Some(at) = &dist.upload_time
    {
        file["upload-time"] = json!(at);
    }
    file
}

/// The HTML page of a project.
pub(super) fn html(state: &State, project: &Stocked) -> String {
    let mut page = String::from(
        "<!DOCTYPE html>\n<html>\n  <head>\n    <meta name=\"pypi:repository-version\" content=\"1.4\">\n",
    );
    if let Some((status, reason)) = &project.status {
        let _ = writeln!(
            page,
            "    <meta name=\"pypi:project-status\" content=\"{}\">\n    <meta name=\"pypi:project-status-reason\" content=\"{}\">",
            escape(status),
            escape(reason)
        );
    }
    let _ = writeln!(
        page,
        "  </head>\n  <body>\n    <h1>Links for {}</h1>",
        project.normal
    );
    for (dist, built) in &project.files {
        anchor(&mut page, state, dist, built);
    }
    page.push_str("  </body>\n</html>\n");
    page
}

/// Every file of every project on one page.
pub(super) fn find_links(state: &State) -> String {
    let mut page = String::from("<!DOCTYPE html>\n<html><body>\n");
    for (dist, built) in state.projects.values().flat_map(|project| &project.files) {
        anchor(&mut page, state, dist, built);
    }
    page.push_str("</body></html>\n");
    page
}

fn anchor(page: &mut String, state: &State, dist: &Dist, built: &Built) {
    let fragment = promised(state, dist, built)
        .map(|(kind, hex)| format!("#{kind}={hex}"))
        .unwrap_or_default();
    let _ = write!(
        page,
        "    <a href=\"{}{fragment}\"",
        escape(&href(state, built))
    );
    if let Some(specifier) = &dist.requires_python {
        let _ = write!(page, " data-requires-python=\"{}\"", escape(specifier));
    }
    match &dist.yanked {
        Yank::No => {}
        Yank::Silent => page.push_str(" data-yanked=\"\""),
        Yank::Because(reason) => {
            let _ = write!(page, " data-yanked=\"{}\"", escape(reason));
        }
    }
    if let Some(hex) = advertised(state, dist, built) {
        let _ = write!(
            page,
            " data-core-metadata=\"sha256={hex}\" data-dist-info-metadata=\"sha256={hex}\""
        );
    }
    let _ = writeln!(page, ">{}</a><br>", escape(&built.filename));
}

/// The list of all names.
pub(super) fn root(state: &State, as_json: bool) -> String {
    let names = state.projects.keys();
    if as_json {
        let projects: Vec<_> = names.map(|name| json!({ "name": name })).collect();
        let meta = json!({ "api-version": "1.4", "_last-serial": state.settings.serial });
        return json!({ "meta": meta, "projects": projects }).to_string();
    }
    let mut page = String::from("<!DOCTYPE html>\n<html><body>\n");
    for name in names {
        let _ = writeln!(page, "<a href=\"/simple/{name}/\">{name}</a><br>");
    }
    page.push_str("</body></html>\n");
    page
}

fn href(state: &State, built: &Built) -> String {
    let origin = state.settings.files_at.as_ref().unwrap_or(&state.origin);
    let path = if state.settings.escape_plus {
        built.path.replace('+', "%2B")
    } else {
        built.path.clone()
    };
    match &state.settings.file_query {
        Some(query) => format!("{origin}{path}?{query}"),
        None => format!("{origin}{path}"),
    }
}

/// The digest that the page gives, right or wrong.
fn promised(state: &State, dist: &Dist, built: &Built) -> Option<(&'static str, String)> {
    let bytes: &[u8] = if dist.wrong_digest {
        b"other bytes"
    } else {
        &built.content
    };
    match state.settings.hashes {
        HashKind::Sha256 => Some(("sha256", sha256(bytes))),
        HashKind::Sha512 => Some(("sha512", sha512(bytes))),
        HashKind::Md5 => Some(("md5", md5(bytes))),
        HashKind::None => None,
    }
}

/// The digest of the metadata, if the page advertises it.
fn advertised(state: &State, dist: &Dist, built: &Built) -> Option<String> {
    if !state.settings.metadata || dist.kind != Kind::Wheel || dist.metadata != Metadata::Advertised
    {
        return None;
    }
    let metadata = built.metadata.as_ref()?;
    Some(if dist.wrong_metadata_digest {
        sha256(b"other metadata")
    } else {
        sha256(metadata)
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('"', "&quot;")
}
