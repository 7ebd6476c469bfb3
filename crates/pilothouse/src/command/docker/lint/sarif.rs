//! Findings as SARIF 2.1.0, for code scanning.

use std::fmt::Write as _;
use std::io::Write;

use dockerfile::lint::{RULES, Rule};
use serde_json::{Value, json};

use super::Found;
use crate::command::print_json;

/// Where the schema of the format is, by its own name.
const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";

pub(super) fn print(found: &[Found], out: &mut dyn Write) -> anyhow::Result<()> {
    let driver = json!({
        "name": "pilothouse",
        "version": env!("CARGO_PKG_VERSION"),
        "rules": RULES.map(described),
    });
    let results: Vec<Value> = found.iter().map(result).collect();
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": driver },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    print_json(out, &log)
}

fn described(rule: &Rule) -> Value {
    json!({
        "id": rule.code,
        "name": rule.name,
        "shortDescription": { "text": rule.what },
        "fullDescription": { "text": rule.why },
        "help": { "text": rule.page() },
        "defaultConfiguration": { "level": rule.severity.as_str() },
    })
}

fn result(one: &Found) -> Value {
    let place = json!({
        "artifactLocation": { "uri": uri(&one.file) },
        "region": {
            "startLine": one.start.line,
            "startColumn": one.start.column,
            "endLine": one.end.line,
            "endColumn": one.end.column,
        },
    });
    json!({
        "ruleId": one.rule.code,
        "ruleIndex": RULES.iter().position(|rule| rule.code == one.rule.code),
        "level": one.severity.as_str(),
        "message": { "text": one.message },
        "locations": [{ "physicalLocation": place }],
    })
}

/// A path as a reference: with `/`, and what means something in a URI written out.
fn uri(path: &str) -> String {
    let mut uri = String::new();
    for byte in path.replace('\\', "/").trim_start_matches("./").bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(uri, "%{byte:02X}");
        }
    }
    uri
}
