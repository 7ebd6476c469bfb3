//! Dependencies before sources: `COPY . .` moves below the install that reads only a few files of it.

use super::{Edits, Subject};
use crate::install::Tool;
use crate::lint::{File, Finding};
use crate::path::{by_folder, cleaned, joined};
use crate::scope::Scope;
use crate::{Command, Instruction, Keyword, Span, inputs, manifest};

pub(super) fn remedy(subject: &Subject<'_>, finding: &Finding) -> Option<Edits> {
    let (stage, at, copy) = subject.place(finding.span)?;
    let instructions = &subject.stages[stage].instructions;
    let target = target(copy)?;
    let after = at + 1;
    // Nothing that could read the sources may stand between.
    let passed = instructions[after..]
        .iter()
        .take_while(|one| matches!(one.keyword, Keyword::Env | Keyword::Arg | Keyword::Label));
    let install = instructions.get(after + passed.count())?;
    let scope = Scope::at(subject.file, &subject.stages, stage, at);
    let place = if target.starts_with('/') {
        cleaned(&target)
    } else {
        joined(&scope.folder, &target)
    };
    let files = files(subject, install, &place)?;
    let text = subject.file.text();
    let old = copy.span.of(text);
    let (line, end) = (old.trim_end(), &old[old.trim_end().len()..]);
    let flags = copy.flags.iter().map(|flag| flag.span.of(text));
    let words: Vec<&str> = ["COPY"].into_iter().chain(flags).collect();
    let copies = words.join(" ");
    let copies: Vec<String> = by_folder(&files)
        .into_iter()
        .map(|(folder, names)| format!("{copies} {} {target}{folder}", names.join(" ")))
        .collect();
    let gap = if install.span.of(text).ends_with('\n') {
        ""
    } else {
        "\n"
    };
    let below = Span::new(install.span.end, install.span.end);
    Some(vec![
        (
            File::Dockerfile,
            copy.span,
            format!("{}{end}", copies.join("\n")),
        ),
        (File::Dockerfile, below, format!("{gap}{line}\n")),
    ])
}

/// Where a `COPY . DIR` puts the context, with a slash at its end.
fn target(copy: &Instruction) -> Option<String> {
    let words = copy.words();
    let [source, target] = &words[..] else {
        return None;
    };
    let is_plain = copy.keyword == Keyword::Copy && copy.heredocs.is_empty();
    let is_all = matches!(source.as_str(), "." | "./") && !target.contains(char::is_whitespace);
    (is_plain && is_all).then(|| match target.as_str() {
        "." => "./".to_owned(),
        other if other.ends_with('/') => other.to_owned(),
        other => format!("{other}/"),
    })
}

/// The files of the context that an instruction reads, if it installs and does nothing else.
fn files(subject: &Subject<'_>, install: &Instruction, place: &str) -> Option<Vec<String>> {
    let run = subject.run(install)?;
    let text = subject.file.text();
    if READ_BY_VARIABLE.iter().any(|name| text.contains(name)) {
        return None;
    }
    let is_all = run.installs().count() == run.commands.len();
    if !is_all || !install.heredocs.is_empty() {
        return None;
    }
    let read = subject.around.read;
    let here = |one: &inputs::Install| {
        install.span.start <= one.span.start && one.span.start < install.span.end
    };
    let all = inputs::installs(subject.file, &subject.stages, read);
    let mut files = Vec::new();
    for one in all.iter().filter(|one| here(one)) {
        files.extend(files_of(one, read, place)?);
    }
    files.sort();
    files.dedup();
    let is_there = |path: &String| read(path).is_some();
    (!files.is_empty() && files.iter().all(is_there)).then_some(files)
}

/// Variables that name files, or folders, which an install reads.
const READ_BY_VARIABLE: [&str; 11] = [
    "PIP_CONSTRAINT",
    "PIP_REQUIREMENT",
    "PIP_FIND_LINKS",
    "PIP_CONFIG_FILE",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "UV_CONSTRAINT",
    "UV_OVERRIDE",
    "UV_FIND_LINKS",
    "UV_CONFIG_FILE",
    "UV_PROJECT=",
];

fn files_of(
    install: &inputs::Install,
    read: inputs::Files<'_>,
    place: &str,
) -> Option<Vec<String>> {
    let has = |flag: &str| install.command.arguments().any(|word| word == flag);
    let named = |names: &[&str]| named(names, read);
    match install.tool {
        Tool::Pip => requirements(install, read, place),
        Tool::Uv if has("pip") => requirements(install, read, place),
        Tool::Uv if has("--no-install-project") => {
            named(&["pyproject.toml", "uv.lock", "uv.toml", ".python-version"])
        }
        Tool::Poetry if has("--no-root") => {
            named(&["pyproject.toml", "poetry.lock", "poetry.toml"])
        }
        Tool::Pdm if has("--no-self") => named(&["pyproject.toml", "pdm.lock", "pdm.toml"]),
        Tool::Pipenv => named(&["Pipfile", "Pipfile.lock"]),
        _ => None,
    }
}

/// The manifest and lock, which must be there, and the settings, which may; none if the project
/// has parts in other folders.
fn named(names: &[&str], read: inputs::Files<'_>) -> Option<Vec<String>> {
    let manifest = read(names.first()?)?;
    let has_parts = manifest.lines().any(|line| {
        let line: String = line.split_whitespace().collect();
        line.contains("path=") || line.contains("workspace") || line.contains("file:")
    });
    let (needed, settings) = names.split_at(2);
    let there = settings.iter().filter(|path| read(path).is_some());
    let all = needed.iter().chain(there);
    (!has_parts).then(|| all.map(|name| (*name).to_owned()).collect())
}

/// The requirement files of a command that names no folder, if they name none either.
fn requirements(
    install: &inputs::Install,
    read: inputs::Files<'_>,
    place: &str,
) -> Option<Vec<String>> {
    if is_of_folders(&install.command, place) || install.manifests.is_empty() {
        return None;
    }
    let mut files = Vec::new();
    for manifest in &install.manifests {
        let text = read(&manifest.path)?;
        for path in manifest::paths(&manifest.path, &text, read) {
            let text = read(&path)?;
            if text.lines().any(is_local) {
                return None;
            }
            files.push(path);
        }
    }
    Some(files)
}

/// Whether a line of a requirement file means something of the context.
fn is_local(line: &str) -> bool {
    let line = line.split(" #").next().unwrap_or(line).trim();
    let is_of_files = ["#", "-r", "--requirement", "-c", "--constraint"]
        .iter()
        .any(|flag| line.starts_with(flag));
    !is_of_files
        && (line.starts_with("-e")
            || line.starts_with("--editable")
            || line.starts_with("--find-links")
            || line.starts_with("-f")
            || line.starts_with('.')
            || is_path(line))
}

/// Whether a command means a file or a folder besides its requirement files, in the context or
/// in `place`, where that is copied to.
fn is_of_folders(command: &Command, place: &str) -> bool {
    let mut words = command.arguments();
    while let Some(word) = words.next() {
        let (flag, value) = word.split_once('=').unwrap_or((word, ""));
        match flag {
            "-r" | "--requirement" | "-c" | "--constraint" if value.is_empty() => {
                words.next();
            }
            "-r" | "--requirement" | "-c" | "--constraint" => {}
            "-e" | "--editable" | "-f" | "--find-links" | "--cert" | "--client-cert" | "--src"
            | "--overrides" => return true,
            "--python" | "-p" | "--prefix" | "--root" | "-t" | "--target" | "--cache-dir" => {
                let path = match value {
                    "" => words.next().unwrap_or_default(),
                    value => value,
                };
                if !is_elsewhere(path, place) {
                    return true;
                }
            }
            _ if word.starts_with('.') || is_path(word) => return true,
            _ => {}
        }
    }
    false
}

/// Whether a path is neither in a folder, nor is the folder in it.
fn is_elsewhere(path: &str, place: &str) -> bool {
    let clean = format!("{}/", cleaned(path));
    let place = format!("{}/", cleaned(place));
    path.starts_with('/') && !clean.starts_with(&place) && !place.starts_with(&clean)
}

/// Whether a text is a path, or names one; addresses are none.
fn is_path(text: &str) -> bool {
    let is_file = [".whl", ".zip", ".tar.gz"]
        .iter()
        .any(|suffix| text.ends_with(suffix));
    text.contains("file:") || (!text.contains("://") && (text.contains('/') || is_file))
}
