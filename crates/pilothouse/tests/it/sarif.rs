//! What `docker lint --format sarif` prints is SARIF 2.1.0: members, types and bounds of every
//! object that it writes, as sections 3.13 to 3.49 of the standard have them.

use std::collections::BTreeSet;

use serde_json::Value;

use crate::binary::Home;

/// What a member holds.
#[derive(Debug, Clone, Copy)]
enum Holds {
    Text,
    /// A reference that is a URI, or relative to one.
    Uri,
    /// A whole number from this on.
    Number(u64),
    /// One of these words.
    Word(&'static [&'static str]),
    /// An object of this kind.
    One(&'static str),
    /// A list of these.
    Many(&'static str),
}

use Holds::{Many, Number, One, Text, Uri, Word};

const LEVELS: &[&str] = &["none", "note", "warning", "error"];

/// A member, and whether it has to be there.
type Member = (&'static str, Holds, bool);

/// Every kind of object that is written.
const KINDS: [(&str, &[Member]); 12] = [
    (
        "sarifLog",
        &[
            ("$schema", Uri, false),
            ("version", Word(&["2.1.0"]), true),
            ("runs", Many("run"), true),
        ],
    ),
    (
        "run",
        &[
            ("tool", One("tool"), true),
            (
                "columnKind",
                Word(&["utf16CodeUnits", "unicodeCodePoints"]),
                false,
            ),
            ("results", Many("result"), false),
        ],
    ),
    ("tool", &[("driver", One("toolComponent"), true)]),
    (
        "toolComponent",
        &[
            ("name", Text, true),
            ("version", Text, false),
            ("rules", Many("reportingDescriptor"), false),
        ],
    ),
    (
        "reportingDescriptor",
        &[
            ("id", Text, true),
            ("name", Text, false),
            ("shortDescription", One("message"), false),
            ("fullDescription", One("message"), false),
            ("help", One("message"), false),
            ("defaultConfiguration", One("configuration"), false),
        ],
    ),
    // Both `message` and `multiformatMessageString`: of these, what they have in common.
    ("message", &[("text", Text, true)]),
    ("configuration", &[("level", Word(LEVELS), false)]),
    (
        "result",
        &[
            ("ruleId", Text, false),
            ("ruleIndex", Number(0), false),
            ("level", Word(LEVELS), false),
            ("message", One("message"), true),
            ("locations", Many("location"), false),
        ],
    ),
    (
        "location",
        &[("physicalLocation", One("physicalLocation"), false)],
    ),
    (
        "physicalLocation",
        &[
            ("artifactLocation", One("artifactLocation"), true),
            ("region", One("region"), false),
        ],
    ),
    ("artifactLocation", &[("uri", Uri, true)]),
    (
        "region",
        &[
            ("startLine", Number(1), true),
            ("startColumn", Number(1), false),
            ("endLine", Number(1), false),
            ("endColumn", Number(1), false),
        ],
    ),
];

fn members(kind: &str) -> &'static [Member] {
    let found = KINDS.iter().find(|one| one.0 == kind);
    found.expect("every kind is in the table").1
}

/// Adds what is wrong with an object of this kind.
fn judge(value: &Value, kind: &str, path: &str, wrong: &mut Vec<String>) {
    let Some(object) = value.as_object() else {
        wrong.push(format!("{path} is no object"));
        return;
    };
    let known = members(kind);
    for name in object.keys() {
        if known.iter().all(|member| member.0 != name) {
            wrong.push(format!("{path}.{name} is unknown"));
        }
    }
    for (name, holds, is_needed) in known {
        let path = format!("{path}.{name}");
        match object.get(*name) {
            None if *is_needed => wrong.push(format!("{path} is missing")),
            None => {}
            Some(value) => judge_member(value, *holds, &path, wrong),
        }
    }
}

fn judge_member(value: &Value, holds: Holds, path: &str, wrong: &mut Vec<String>) {
    let text = value.as_str();
    let is_good = match holds {
        Text => text.is_some_and(|text| !text.is_empty()),
        Uri => text.is_some_and(is_reference),
        Number(least) => value.as_u64().is_some_and(|number| number >= least),
        Word(words) => text.is_some_and(|text| words.contains(&text)),
        One(kind) => {
            judge(value, kind, path, wrong);
            true
        }
        Many(kind) => {
            for (at, one) in value.as_array().into_iter().flatten().enumerate() {
                judge(one, kind, &format!("{path}[{at}]"), wrong);
            }
            value.is_array()
        }
    };
    if !is_good {
        wrong.push(format!("{path} is {value}"));
    }
}

/// RFC 3986: only these characters, and `%` before two digits.
fn is_reference(text: &str) -> bool {
    let mut parts = text.split('%');
    let is_plain = |part: &str| {
        let marks = "-._~:/?#[]@!$&'()*+,;=";
        part.chars()
            .all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
    };
    let first = parts.next().unwrap_or_default();
    !text.is_empty()
        && is_plain(first)
        && parts.all(|part| {
            part.get(..2)
                .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()))
                && is_plain(&part[2..])
        })
        // The first part of a relative path has no colon.
        && url::Url::parse("base://example/folder/").is_ok_and(|base| base.join(text).is_ok())
}

/// What no schema says: indexes point at what they name, and places have an end after their start.
fn judge_sense(log: &Value, wrong: &mut Vec<String>) {
    let run = &log["runs"][0];
    let rules = run["tool"]["driver"]["rules"]
        .as_array()
        .expect("it is a list");
    let ids: BTreeSet<&str> = rules
        .iter()
        .filter_map(|rule| rule["id"].as_str())
        .collect();
    if ids.len() != rules.len() {
        wrong.push(format!("rules share their ids: {ids:?}"));
    }
    for result in run["results"].as_array().expect("it is a list") {
        let index = result["ruleIndex"]
            .as_u64()
            .and_then(|index| usize::try_from(index).ok());
        if index.is_none_or(|index| rules[index]["id"] != result["ruleId"]) {
            wrong.push(format!("{result} is of another rule"));
        }
        let region = &result["locations"][0]["physicalLocation"]["region"];
        let place = |line: &str, column: &str| (region[line].as_u64(), region[column].as_u64());
        if place("startLine", "startColumn") > place("endLine", "endColumn") {
            wrong.push(format!("{region} ends before it starts"));
        }
    }
}

#[test]
fn what_is_printed_for_code_scanning_is_sarif() {
    let home = Home::new()
        .env("PILOTHOUSE_LISTEN", "127.0.0.1:1")
        .file("a b/Dockerfile", "FROM python:latest\nCOPY . .\nRUN set -e \\\n && pip install \\\n  -r 'r ä.txt'\nENV PIP_INDEX_URL=https://a:b@c.example/\n")
        .file("a b/r ä.txt", "flask\ngit+https://git.example/x.git\n")
        .file("a b/.dockerignore", "*.pyc\n")
        .file("x:y/Dockerfile", "FROM python:3.13-slim\r\nCOPY requirements.txt .\r\nRUN pip install -r requirements.txt\r\n")
        .file("x:y/requirements.txt", "flask==1\n")
        .file("clean/Dockerfile", "FROM python:3.13-slim\n");
    for (files, is_clean) in [
        (&["a b", "x:y", "./a b/Dockerfile"][..], false),
        (&["clean"], true),
    ] {
        let flags = ["docker", "lint", "--format", "sarif"];
        let run = home.run(&[&flags[..], files].concat());
        let log: Value = serde_json::from_str(&run.stdout).unwrap();
        let results = log["runs"][0]["results"].as_array().unwrap();
        assert_eq!(results.is_empty(), is_clean);
        let mut wrong = Vec::new();
        judge(&log, "sarifLog", "", &mut wrong);
        judge_sense(&log, &mut wrong);
        assert!(wrong.is_empty(), "{}\n{}", wrong.join("\n"), run.stdout);
    }
}
