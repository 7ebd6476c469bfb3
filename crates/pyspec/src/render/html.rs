//! HTML, written straight into bytes.

use std::io::Write as _;

use crate::hashes::{Hashes, HexText};
use crate::name::ProjectName;
use crate::page::{CoreMetadata, PageFile, ProjectPage, Yanked};

use super::API_VERSION;

pub(super) const ROOT_HEAD: &str = r#"<!DOCTYPE html>
<html>
  <head>
    <meta name="pypi:repository-version" content="1.4">
    <title>Simple index</title>
  </head>
  <body>
"#;
pub(super) const ROOT_TAIL: &str = "  </body>\n</html>\n";

pub(super) fn root_entry(out: &mut Vec<u8>, name: &str, _first: bool) {
    out.extend_from_slice(b"    <a href=\"");
    if ProjectName::is_normal(name) {
        escaped(out, name);
    } else {
        escaped(
            out,
            name.parse::<ProjectName>()
                .as_ref()
                .map_or(name, ProjectName::as_str),
        );
    }
    out.extend_from_slice(b"/\">");
    escaped(out, name);
    out.extend_from_slice(b"</a>\n");
}

pub(super) fn project(
    page: &ProjectPage,
    href: impl Fn(&PageFile) -> String,
    provenance: impl Fn(&PageFile) -> Option<String>,
) -> Vec<u8> {
    // Measured: a link with hash, time and metadata takes some 550 bytes.
    let mut out = Vec::with_capacity(1024 + page.files.len() * 600);
    head(&mut out, page);
    for entry in &page.files {
        file(&mut out, entry, &href(entry), provenance(entry).as_deref());
    }
    out.extend_from_slice(b"  </body>\n</html>\n");
    if let Some(serial) = page.last_serial {
        number(&mut out, "<!--SERIAL ", serial, "-->\n");
    }
    out
}

/// Everything before the first link.
fn head(out: &mut Vec<u8>, page: &ProjectPage) {
    out.extend_from_slice(b"<!DOCTYPE html>\n<html>\n  <head>\n");
    meta(out, "repository-version", API_VERSION);
    if let Some(status) = &page.status {
        meta(out, "project-status", &status.status);
        if let Some(reason) = &status.reason {
            meta(out, "project-status-reason", reason);
        }
    }
    for url in &page.tracks {
        meta(out, "tracks", url);
    }
    for url in &page.alternate_locations {
        meta(out, "alternate-locations", url);
    }
    for (open, close) in [
        ("    <title>", "</title>\n  </head>\n  <body>\n"),
        ("    <h1>", "</h1>\n"),
    ] {
        out.extend_from_slice(open.as_bytes());
        out.extend_from_slice(b"Links for ");
        escaped(out, page.name.as_str());
        out.extend_from_slice(close.as_bytes());
    }
}

fn meta(out: &mut Vec<u8>, name: &str, content: &str) {
    out.extend_from_slice(b"    <meta name=\"pypi:");
    out.extend_from_slice(name.as_bytes());
    out.push(b'"');
    attribute(out, "content", content);
    out.extend_from_slice(b">\n");
}

fn file(out: &mut Vec<u8>, file: &PageFile, href: &str, provenance: Option<&str>) {
    out.extend_from_slice(b"    <a href=\"");
    escaped(out, href);
    if let Some((kind, hex)) = file.hashes.best_text() {
        out.push(b'#');
        hash(out, kind, hex);
    }
    out.push(b'"');
    if let Some(requires_python) = &file.requires_python {
        attribute(out, "data-requires-python", requires_python);
    }
    match &file.yanked {
        Yanked::No => {}
        Yanked::Yes(reason) => attribute(out, "data-yanked", reason.as_deref().unwrap_or("")),
    }
    if let CoreMetadata::Present(hashes) = &file.core_metadata {
        metadata(out, " data-dist-info-metadata=\"", hashes);
        metadata(out, " data-core-metadata=\"", hashes);
    }
    if let Some(size) = file.size {
        number(out, " data-size=\"", size, "\"");
    }
    if let Some(time) = file.upload_time {
        out.extend_from_slice(b" data-upload-time=\"");
        time.write(out);
        out.push(b'"');
        if let Some(mark) = time.source.mark() {
            attribute(out, "data-upload-time-source", mark);
        }
    }
    if let Some(provenance) = provenance {
        attribute(out, "data-provenance", provenance);
    }
    if let Some(gpg_sig) = file.gpg_sig {
        attribute(out, "data-gpg-sig", if gpg_sig { "true" } else { "false" });
    }
    out.push(b'>');
    escaped(out, file.filename.as_str());
    out.extend_from_slice(b"</a><br>\n");
}

fn metadata(out: &mut Vec<u8>, open: &str, hashes: &Hashes) {
    out.extend_from_slice(open.as_bytes());
    match hashes.best_text() {
        Some((kind, hex)) => hash(out, kind, hex),
        None => out.extend_from_slice(b"true"),
    }
    out.push(b'"');
}

/// `sha256=…`; neither part can hold anything that would need an escape.
fn hash(out: &mut Vec<u8>, kind: &str, hex: HexText<'_>) {
    out.extend_from_slice(kind.as_bytes());
    out.push(b'=');
    hex.write(out);
}

fn number(out: &mut Vec<u8>, open: &str, number: u64, close: &str) {
    write!(out, "{open}{number}{close}").expect("a Vec takes all bytes");
}

fn attribute(out: &mut Vec<u8>, name: &str, value: &str) {
    out.push(b' ');
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"=\"");
    escaped(out, value);
    out.push(b'"');
}

/// Text that means itself, in an attribute or between tags.
fn escaped(out: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut done = 0;
    for (at, byte) in bytes.iter().enumerate() {
        let reference: &[u8] = match byte {
            b'&' => b"&amp;",
            b'<' => b"&lt;",
            b'>' => b"&gt;",
            b'"' => b"&quot;",
            b'\'' => b"&#x27;",
            // A bare one would be read as a line feed.
            b'\r' => b"&#xD;",
            _ => continue,
        };
        out.extend_from_slice(&bytes[done..at]);
        out.extend_from_slice(reference);
        done = at + 1;
    }
    out.extend_from_slice(&bytes[done..]);
}
