//! JSON, written straight into bytes.

use serde::Serialize;

use crate::hashes::Hashes;
use crate::page::{CoreMetadata, PageFile, ProjectPage, Yanked};

use super::API_VERSION;

pub(super) const ROOT_HEAD: &str = r#"{"meta":{"api-version":"1.4"},"projects":["#;
pub(super) const ROOT_TAIL: &str = "]}";

pub(super) fn root_entry(out: &mut Vec<u8>, name: &str, first: bool) {
    out.extend_from_slice(if first { b"{\"name\":" } else { b",{\"name\":" });
    value(out, name);
    out.push(b'}');
}

pub(super) fn project(
    page: &ProjectPage,
    href: impl Fn(&PageFile) -> String,
    provenance: impl Fn(&PageFile) -> Option<String>,
) -> Vec<u8> {
    // Measured: an entry with hash, time and metadata takes some 500 bytes.
    let mut out = Vec::with_capacity(1024 + page.files.len() * 512);
    head(&mut out, page);
    out.extend_from_slice(b",\"files\":[");
    for (at, entry) in page.files.iter().enumerate() {
        if at > 0 {
            out.push(b',');
        }
        file(&mut out, entry, &href(entry), provenance(entry).as_deref());
    }
    out.extend_from_slice(b"]}");
    out
}

/// Everything but the files.
fn head(out: &mut Vec<u8>, page: &ProjectPage) {
    out.extend_from_slice(b"{\"meta\":{\"api-version\":");
    value(out, API_VERSION);
    if let Some(serial) = page.last_serial {
        member(out, "_last-serial", &serial);
    }
    if !page.tracks.is_empty() {
        member(out, "tracks", &page.tracks);
    }
    out.push(b'}');
    member(out, "name", page.name.as_str());
    if let Some(status) = &page.status {
        out.extend_from_slice(b",\"project-status\":{\"status\":");
        value(out, &status.status);
        if let Some(reason) = &status.reason {
            member(out, "reason", reason);
        }
        out.push(b'}');
    }
    if !page.alternate_locations.is_empty() {
        member(out, "alternate-locations", &page.alternate_locations);
    }
    member(out, "versions", &page.versions);
}

fn file(out: &mut Vec<u8>, file: &PageFile, href: &str, provenance: Option<&str>) {
    out.extend_from_slice(b"{\"filename\":");
    value(out, file.filename.as_str());
    member(out, "url", href);
    out.extend_from_slice(b",\"hashes\":");
    hashes(out, &file.hashes);
    if let Some(requires_python) = &file.requires_python {
        member(out, "requires-python", requires_python);
    }
    if let Some(size) = file.size {
        member(out, "size", &size);
    }
    if let Some(time) = file.upload_time {
        out.extend_from_slice(b",\"upload-time\":\"");
        time.write(out);
        out.push(b'"');
        if let Some(mark) = time.source.mark() {
            member(out, "_upload-time-source", mark);
        }
    }
    match &file.yanked {
        Yanked::No => member(out, "yanked", &false),
        Yanked::Yes(None) => member(out, "yanked", &true),
        Yanked::Yes(Some(reason)) => member(out, "yanked", reason),
    }
    // Under this name only: some releases of pip fail on the older one (PEP 714).
    match &file.core_metadata {
        CoreMetadata::Absent => {}
        CoreMetadata::Present(known) if known.is_empty() => member(out, "core-metadata", &true),
        CoreMetadata::Present(known) => {
            out.extend_from_slice(b",\"core-metadata\":");
            hashes(out, known);
        }
    }
    if let Some(provenance) = provenance {
        member(out, "provenance", provenance);
    }
    if let Some(gpg_sig) = file.gpg_sig {
        member(out, "gpg-sig", &gpg_sig);
    }
    out.push(b'}');
}

fn hashes(out: &mut Vec<u8>, hashes: &Hashes) {
    out.push(b'{');
    let mut first = true;
    for (kind, hex) in hashes.texts() {
        // Neither kind nor value can hold anything that would need an escape.
        out.extend_from_slice(if first { b"\"" } else { b",\"" });
        first = false;
        out.extend_from_slice(kind.as_bytes());
        out.extend_from_slice(b"\":\"");
        hex.write(out);
        out.push(b'"');
    }
    out.push(b'}');
}

/// `,"key":value`. Keys are ours and need no escape.
fn member<T: Serialize + ?Sized>(out: &mut Vec<u8>, key: &str, content: &T) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(key.as_bytes());
    out.extend_from_slice(b"\":");
    value(out, content);
}

fn value<T: Serialize + ?Sized>(out: &mut Vec<u8>, content: &T) {
    serde_json::to_writer(out, content)
        .expect("a Vec takes all bytes, and texts and numbers have no faults");
}
