//! What buildah compares: what it would write into the image's history.
//!
//! That is the line as it stands in the file, with two exceptions: of `ARG` the names of
//! all arguments that have a value, proxies too, and of `COPY` and `ADD` a digest and the target.

use std::collections::BTreeSet;

use crate::path::cleaned;
use crate::{Arguments, Instruction, Keyword};

use super::Options;
use super::content::Archive;
use super::run::is_proxy;
use super::scope::Scope;
use super::step::{Kind, Part, Step, Writes};

/// Of what runs nothing and copies nothing.
pub(super) fn text(one: &Instruction, scope: &Scope, options: &Options) -> String {
    if one.keyword != Keyword::Arg {
        return one.line.clone();
    }
    let declared = scope.arguments.keys().map(String::as_str);
    let given = options.build_args.keys().map(String::as_str);
    let names: BTreeSet<&str> = declared
        .chain(given.filter(|name| is_proxy(name)))
        .collect();
    format!("ARG {names:?}")
}

/// Of `RUN`: all that follows the word and one blank, flags too, and the arguments.
pub(super) fn run(one: &Instruction, scope: &Scope) -> Vec<Part> {
    let rest = one.line.get("RUN ".len()..).unwrap_or_default();
    let mut parts = vec![Part::new(Kind::Text, "", rest)];
    for (name, value) in &scope.arguments {
        // What `ENV` says is what the command sees.
        let set = scope.environment.iter().find(|(other, _)| other == name);
        let value = set.map_or(value, |(_, value)| value);
        parts.push(Part::new(Kind::Variable, name, value));
    }
    parts
}

/// Where `COPY` and `ADD` say that they copy to, variables and all.
pub(super) fn target(one: &Instruction) -> &str {
    match &one.arguments {
        Arguments::Json(words) => words.last().map_or("", String::as_str),
        Arguments::Text => one.text.split_whitespace().last().unwrap_or_default(),
    }
}

/// How the files that are copied are archived.
pub(super) fn archive(owner: &str, mode: &str, keeps_name: bool) -> Archive {
    Archive {
        owner: (!owner.is_empty()).then(|| whole(owner)),
        was: None,
        keeps: false,
        mode: u32::from_str_radix(mode, 8).ok(),
        keeps_name,
    }
}

/// User and group: who is named without a group is taken to have one of the same name.
fn whole(owner: &str) -> String {
    let (user, group) = owner.split_once(':').unwrap_or((owner, owner));
    let number = |name: &str| if name == "root" { "0" } else { name }.to_owned();
    format!("{}:{}", number(user), number(group))
}

/// Whether a path is known to be a folder before anything is copied to it: then a file
/// keeps its name in it.
pub(super) fn is_folder(steps: &[Step], end: usize, target: &str) -> bool {
    if target.ends_with('/') {
        return true;
    }
    let inside = format!("{}/", cleaned(target));
    let mut next = Some(end);
    while let Some(at) = next {
        let written = match &steps[at].writes {
            Writes::Folder(folder) => Some(folder),
            Writes::Copy(placed) => Some(&placed.target),
            Writes::Nothing | Writes::Scratch | Writes::Anything => None,
        };
        let has_it = |path: &String| {
            let is_folder = path.ends_with('/') || matches!(steps[at].writes, Writes::Folder(_));
            let end = if is_folder { "/" } else { "" };
            format!("{}{end}", cleaned(path)).starts_with(&inside)
        };
        if written.is_some_and(has_it) {
            return true;
        }
        next = steps[at].parent;
    }
    false
}
