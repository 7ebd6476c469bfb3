//! What a dump says of users, releases and files, in devpi's words.

use std::time::SystemTime;

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use store::{HostedRow, ReleaseRow, Role, UserRow};

/// Fits no password: `devpi-import` gives an empty one to whoever comes without a hash.
const NO_PASSWORD: &str =
    "$argon2id$v=19$m=8,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// A user by name, with the hash of their password.
pub(super) fn user(row: &UserRow) -> (String, Value) {
    let mut fields: Map<String, Value> = serde_json::from_str(&row.details).unwrap_or_default();
    let second = |at: Timestamp| at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    fields.insert("username".to_owned(), row.name.as_str().into());
    fields.insert("created".to_owned(), second(row.created_at).into());
    if let Some(at) = row.modified_at {
        fields.insert("modified".to_owned(), second(at).into());
    }
    let password = row.password.as_ref();
    let password = password.map_or(NO_PASSWORD, store::PasswordHash::as_str);
    fields.insert("pwhash".to_owned(), password.into());
    (row.name.clone(), fields.into())
}

/// A release by version, with its metadata.
pub(super) fn release(row: &ReleaseRow) -> (String, Value) {
    let mut verdata: Map<String, Value> = serde_json::from_str(&row.metadata).unwrap_or_default();
    verdata
        .entry("name")
        .or_insert_with(|| row.project.as_str().into());
    // As it is kept, not as it was written: devpi looks for the release of a file by this.
    verdata.insert("version".to_owned(), row.version.as_str().into());
    (row.version.clone(), verdata.into())
}

/// A file, which lies at `path` in the dump; `tested` is what a test result is about.
pub(super) fn file(row: &HostedRow, path: &str, tested: Option<&HostedRow>) -> Value {
    let mut told = json!({
        "type": row.role.as_str(),
        "projectname": row.project.as_str(),
        "version": row.version,
        "relpath": path,
        "log": serde_json::from_str::<Value>(&row.log).unwrap_or_default(),
        "entrymapping": {
            "project": row.project.as_str(),
            "version": row.version,
            "hash_spec": format!("sha256={}", row.digest),
            "hashes": { "sha256": row.digest },
            "last_modified": httpdate::fmt_http_date(SystemTime::from(row.uploaded_at)),
        },
    });
    if let Some(tested) = tested {
        told["for_entrypath"] = format!("{}/+f/{}", row.stage, tested.path).into();
    }
    if let Some(reason) = &row.yanked {
        // Ours: devpi does not know it and passes it over.
        told["yanked"] = reason.as_str().into();
    }
    told
}

/// Where devpi puts such a file; `None` if it has no place for it: a test result of nothing.
pub(super) fn path(row: &HostedRow, tested: Option<&HostedRow>) -> Option<String> {
    let (stage, project, version, name) = (&row.stage, &row.project, &row.version, &row.filename);
    Some(match row.role {
        Role::ReleaseFile => format!("{stage}/{project}/{version}/{name}"),
        Role::DocZip => format!("{stage}/{project}-{version}.doc.zip"),
        Role::ToxResult => format!("{stage}/{project}/sha256={}/{name}", tested?.digest),
    })
}
