//! The words of devpi 7, said in those of devpi 6.

use serde_json::Value;

use super::coerce;
use super::patch::Change;

/// Settings that only have another name.
const RENAMED: [(&str, &str); 7] = [
    ("remote_url", "mirror_url"),
    ("remote_refresh_delay", "mirror_cache_expiry"),
    ("remote_no_project_list", "mirror_no_project_list"),
    ("remote_use_external_urls", "mirror_use_external_urls"),
    (
        "remote_provides_core_metadata",
        "mirror_provides_core_metadata",
    ),
    ("remote_ignore_serial_header", "mirror_ignore_serial_header"),
    ("remote_web_url_fmt", "mirror_web_url_fmt"),
];

const RULES: &str = "project_inheritance_rules";
const TRUST: &str = "trust_inheritance_rules_from";

/// devpi 7's own default.
const BLOCKED: &str = "block type:remote if local_exists";

/// A change in the words of devpi 6, whichever it was written in.
pub(super) fn of_devpi_6(key: String, change: Change) -> Result<(String, Change), String> {
    if let Some((_, ours)) = RENAMED.iter().find(|(theirs, _)| *theirs == key) {
        return Ok(((*ours).to_owned(), change));
    }
    match (key.as_str(), change) {
        ("type", change) => Ok((key, kind(change))),
        (RULES, Change::Set(value)) => {
            let list: &[&str] = match rules(&value)?.as_slice() {
                [] => &[],
                [rule] if rule == BLOCKED => &[],
                [rule] if rule == "allow all" => &["*"],
                _ => return Err(unknown_rules()),
            };
            Ok(("mirror_whitelist".to_owned(), Change::Set(list.into())))
        }
        (TRUST, Change::Set(value)) => {
            let inheritance = match rules(&value)?.as_slice() {
                [rule] if rule == "none" => "intersection",
                [rule] if rule == "type:not remote" => "union",
                _ => {
                    return Err(format!(
                        "'{TRUST}' is none or type:not remote, not {}",
                        coerce::repr(&value)
                    ));
                }
            };
            let change = Change::Set(inheritance.into());
            Ok(("mirror_whitelist_inheritance".to_owned(), change))
        }
        (RULES | TRUST, _) => Err(unknown_rules()),
        (_, change) => Ok((key, change)),
    }
}

fn kind(change: Change) -> Change {
    let ours = match &change {
        Change::Set(Value::String(kind)) if kind == "local" => "stage",
        Change::Set(Value::String(kind)) if kind == "remote" => "mirror",
        _ => return change,
    };
    Change::Set(ours.into())
}

fn rules(value: &Value) -> Result<Vec<String>, String> {
    let words = |rule: String| rule.split_whitespace().collect::<Vec<_>>().join(" ");
    Ok(coerce::texts(value)?.into_iter().map(words).collect())
}

fn unknown_rules() -> String {
    format!(
        "'{RULES}' is '{BLOCKED}' or 'allow all' here; 'mirror_whitelist' names single projects"
    )
}
