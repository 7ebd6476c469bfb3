//! What is different between two steps that are held against each other.

use std::collections::BTreeSet;

use super::cause::{Cause, Change};
use super::content::{Content, Seen};
use super::step::{Input, Kind, Part, Step};

/// What is different between two steps, apart from what came before.
pub(super) fn differences(before: &Step, after: &Step) -> Vec<Cause> {
    let mut causes = Vec::new();
    let of = |step: &Step, part: &Part| {
        let mut parts = step.parts.iter();
        let found = parts.find(|other| other.kind == part.kind && other.name == part.name);
        found.map(|found| found.value.clone())
    };
    for part in &after.parts {
        let was = of(before, part);
        if was.as_ref() != Some(&part.value) {
            causes.push(cause(part, was, Some(part.value.clone()), before, after));
        }
    }
    for part in &before.parts {
        if of(after, part).is_none() {
            causes.push(cause(part, Some(part.value.clone()), None, before, after));
        }
    }
    if causes.is_empty() && before.parts != after.parts {
        causes.push(Cause::Order);
    }
    for (was, is) in before.inputs.iter().zip(&after.inputs) {
        causes.extend(input_differences(was, is));
    }
    causes
}

fn cause(
    part: &Part,
    before: Option<String>,
    after: Option<String>,
    old: &Step,
    new: &Step,
) -> Cause {
    let what = match part.kind {
        Kind::Text => {
            return Cause::Text {
                before: old.instruction.clone(),
                after: new.instruction.clone(),
            };
        }
        Kind::Base => {
            return Cause::Base {
                before: before.unwrap_or_default(),
                after: after.unwrap_or_default(),
            };
        }
        Kind::Variable => {
            return Cause::Variable {
                name: part.name.clone(),
                before,
                after,
            };
        }
        Kind::User => "user",
        Kind::Folder => "folder",
        Kind::Host => "host",
        Kind::Network => "network",
        Kind::Flag => "flag",
        Kind::Mount => "mount",
        Kind::Source => "source",
        Kind::Target => "target",
    };
    Cause::Setting {
        what,
        name: part.name.clone(),
        before,
        after,
    }
}

/// What is different between two things that are taken.
pub(super) fn input_differences(before: &Input, after: &Input) -> Vec<Cause> {
    match (before, after) {
        (Input::Context(before), Input::Context(after)) => {
            if before.key == after.key {
                return Vec::new();
            }
            files(before, after)
        }
        (Input::Written(before), Input::Written(after)) => {
            let layers = before.layers.iter().zip(&after.layers);
            let known =
                layers.filter_map(|(was, is)| was.content.as_ref().zip(is.content.as_ref()));
            let causes: Vec<Cause> = known
                .filter(|(was, is)| was.key != is.key)
                .flat_map(|(was, is)| files(was, is))
                .collect();
            let is_other = before.layers.len() != after.layers.len();
            if causes.is_empty() && is_other {
                return vec![Cause::Copied];
            }
            causes
        }
        (Input::Image(before), Input::Image(after)) if before == after => Vec::new(),
        _ => vec![Cause::Copied],
    }
}

fn files(before: &Content, after: &Content) -> Vec<Cause> {
    let paths: BTreeSet<&String> = before.entries.keys().chain(after.entries.keys()).collect();
    paths
        .into_iter()
        .filter_map(|path| {
            let change = changed(before.entries.get(path), after.entries.get(path))?;
            let path = path.clone();
            Some(Cause::File { path, change })
        })
        .collect()
}

fn changed(before: Option<&Seen>, after: Option<&Seen>) -> Option<Change> {
    let (before, after) = match (before, after) {
        (None, Some(_)) => return Some(Change::Added),
        (Some(_), None) => return Some(Change::Removed),
        (None, None) => return None,
        (Some(before), Some(after)) => (before, after),
    };
    if before.kind != after.kind {
        Some(Change::Kind)
    } else if before.bytes != after.bytes {
        Some(Change::Content)
    } else if before.link != after.link {
        Some(Change::Target)
    } else if before.mode != after.mode {
        let (before, after) = (before.mode, after.mode);
        Some(Change::Mode { before, after })
    } else if before.owner != after.owner {
        Some(Change::Owner)
    } else {
        (before.attributes != after.attributes).then_some(Change::Attributes)
    }
}
