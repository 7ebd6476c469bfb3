//! What can become of a dump.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Map, Number, Value, json};

/// What is done to one value of the table of contents.
#[derive(Debug, Clone)]
pub(crate) enum Change {
    /// It is not there.
    Missing,
    /// Something else is in its place.
    Other(Value),
    /// What is in another place is in its place, too.
    Copy(Index),
    /// It has another key, if it has one.
    Renamed(String),
}

/// What is done to one file of the dump.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Damage {
    Removed,
    Empty,
    OtherBytes,
    Folder,
    /// To a file outside of the dump, which has the very bytes.
    LinkOut,
    /// Nobody ever writes to it.
    Pipe,
}

const NAMES: [&str; 24] = [
    "",
    " ",
    ".",
    "..",
    "../../secret",
    "/etc/hostname",
    "a\0b",
    "a\nproblem: b",
    "foo",
    "Foo",
    "b\u{e9}r",
    "\u{202e}",
    "a/b/c",
    "root/pypi",
    "alice/dev",
    "+f",
    "1.0",
    "stage",
    "mirror",
    "file:///etc/hostname",
    "https://u:p@files.example/x",
    "0000-01-01T00:00:00Z",
    "Thu, 01 Jan 1601 00:00:00 GMT",
    "$argon2id$v=19$m=4294967295,t=9,p=1$AAAA$AAAA",
];

fn name() -> impl Strategy<Value = String> {
    prop_oneof![
        8 => select(&NAMES[..]).prop_map(str::to_owned),
        1 => (1..3_usize).prop_map(|thousands| "x".repeat(thousands * 3000)),
        1 => any::<String>(),
    ]
}

fn other() -> impl Strategy<Value = Value> {
    let number = select(&["0", "-1", "2", "32768", "18446744073709551615", "1e308"][..]);
    let number = number.prop_map(|text| json!(text.parse::<Number>().unwrap()));
    let simple = select(vec![
        json!(null),
        json!(true),
        json!([]),
        json!({}),
        json!([[]]),
    ]);
    let deep = (1..100).prop_map(|depth| (0..depth).fold(json!(0), |inner, _| json!([inner])));
    prop_oneof![
        3 => name().prop_map(Value::from),
        2 => number,
        2 => simple,
        1 => name().prop_map(|name| json!([name])),
        1 => name().prop_map(|name| json!({ name: {} })),
        1 => deep,
    ]
}

/// A place in the table of contents, and what is done there.
pub(crate) fn change() -> impl Strategy<Value = (Index, Change)> {
    let change = prop_oneof![
        2 => Just(Change::Missing),
        4 => other().prop_map(Change::Other),
        1 => any::<Index>().prop_map(Change::Copy),
        2 => name().prop_map(Change::Renamed),
    ];
    (any::<Index>(), change)
}

pub(crate) fn damage() -> impl Strategy<Value = Damage> {
    use Damage::{Empty, Folder, LinkOut, OtherBytes, Pipe, Removed};
    select(&[Removed, Empty, OtherBytes, Folder, LinkOut, Pipe][..])
}

/// Every place in a value, as JSON pointers have them, but the value itself.
fn places(value: &Value, here: &str, all: &mut Vec<String>) {
    let escaped = |key: &str| key.replace('~', "~0").replace('/', "~1");
    let inner: Vec<(String, &Value)> = match value {
        Value::Object(members) => members
            .iter()
            .map(|(key, value)| (escaped(key), value))
            .collect(),
        Value::Array(items) => items
            .iter()
            .enumerate()
            .map(|(at, item)| (at.to_string(), item))
            .collect(),
        _ => Vec::new(),
    };
    for (key, value) in inner {
        let place = format!("{here}/{key}");
        places(value, &place, all);
        all.push(place);
    }
}

/// Does one change.
pub(crate) fn spoil(contents: &mut Value, (at, change): &(Index, Change)) {
    let mut all = Vec::new();
    places(contents, "", &mut all);
    let Some(place) = (!all.is_empty()).then(|| at.get(&all).clone()) else {
        return;
    };
    let (parent, key) = place.rsplit_once('/').unwrap();
    let key = key.replace("~1", "/").replace("~0", "~");
    match change {
        Change::Other(value) => *contents.pointer_mut(&place).unwrap() = value.clone(),
        Change::Copy(from) => {
            let value = contents.pointer(from.get::<String>(&all)).unwrap().clone();
            *contents.pointer_mut(&place).unwrap() = value;
        }
        Change::Missing => drop(take(contents.pointer_mut(parent).unwrap(), &key)),
        Change::Renamed(other) => {
            let parent = contents.pointer_mut(parent).unwrap();
            if let Value::Object(members) = parent {
                rename(members, &key, other);
            }
        }
    }
}

fn take(parent: &mut Value, key: &str) -> Option<Value> {
    match parent {
        Value::Object(members) => members.remove(key),
        Value::Array(items) => Some(items.remove(key.parse().unwrap())),
        _ => None,
    }
}

fn rename(members: &mut Map<String, Value>, key: &str, other: &str) {
    if let Some(value) = members.remove(key) {
        members.insert(other.to_owned(), value);
    }
}

/// Damages a file.
pub(crate) fn damage_file(path: &Path, outside: &Path, damage: Damage) {
    let bytes = fs::read(path).unwrap();
    fs::remove_file(path).unwrap();
    match damage {
        Damage::Removed => {}
        Damage::Empty => fs::write(path, "").unwrap(),
        Damage::OtherBytes => fs::write(path, "other").unwrap(),
        Damage::Folder => fs::create_dir(path).unwrap(),
        Damage::LinkOut => {
            let secret = outside.join("secret");
            fs::write(&secret, bytes).unwrap();
            symlink(secret, path).unwrap();
        }
        Damage::Pipe => {
            let made = Command::new("mkfifo").arg(path).status().unwrap();
            assert!(made.success());
        }
    }
}
