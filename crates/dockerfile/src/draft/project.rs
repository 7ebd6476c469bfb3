//! What a folder is: by which tool its dependencies are kept, and for which Python.

use pyspec::Specifiers;
use toml::de::{DeTable, DeValue};

use super::{Folder, indexes};
use crate::manifest::{self, Kind};

/// A project, as far as a Dockerfile depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Project {
    pub(super) source: Source,
    /// Like `3.13`.
    pub(super) python: String,
    /// Whether it is installed, and not only copied.
    pub(super) is_installed: bool,
    /// The names of what it depends on, as far as they are written down.
    pub(super) dependencies: Vec<String>,
    /// The name of its first program, and what that calls.
    pub(super) program: Option<String>,
    pub(super) notes: Vec<String>,
}

/// Where the list of dependencies is from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Source {
    /// These files, the first of which names the others.
    Requirements(Vec<String>),
    /// A lock, which a tool writes as requirements.
    Lock(Locker),
    /// The dependencies in pyproject.toml, which nothing locks.
    Pyproject,
    /// It needs nothing.
    Nothing,
}

/// A tool that locks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Locker {
    Uv,
    Poetry,
    Pdm,
    Pipenv,
}

/// The Python of a project that does not say.
const PYTHON: &str = "3.13";

/// In which order Pythons are tried for one that does.
const PYTHONS: [&str; 6] = [PYTHON, "3.14", "3.12", "3.11", "3.10", "3.9"];

/// What requirements for production are called, the likeliest first.
const REQUIREMENTS: [&str; 7] = [
    "requirements.lock",
    "requirements.txt",
    "requirements/production.txt",
    "requirements/prod.txt",
    "requirements/base.txt",
    "requirements/main.txt",
    "requirements/requirements.txt",
];

pub(super) fn find(folder: &Folder<'_>) -> Option<Project> {
    let has = |path: &str| folder.paths.iter().any(|other| other == path);
    let text = (folder.read)("pyproject.toml").unwrap_or_default();
    let (root, _) = DeTable::parse_recoverable(&text);
    let pyproject = root.get_ref();
    let has_pyproject = has("pyproject.toml");
    let table = |path: &[&str]| inner(pyproject, path).is_some();
    let requirements = REQUIREMENTS.iter().find(|path| has(path));
    let mut notes = Vec::new();
    let source = if has("uv.lock") {
        Source::Lock(Locker::Uv)
    } else if has("poetry.lock") {
        Source::Lock(Locker::Poetry)
    } else if has("pdm.lock") {
        Source::Lock(Locker::Pdm)
    } else if has("Pipfile.lock") {
        Source::Lock(Locker::Pipenv)
    } else if let Some(path) = requirements {
        Source::Requirements(named(path, folder))
    } else if table(&["project"]) {
        Source::Pyproject
    } else if table(&["tool", "poetry"]) || has("Pipfile") {
        let is_poetry = table(&["tool", "poetry"]);
        let lock = if is_poetry {
            "poetry lock"
        } else {
            "pipenv lock"
        };
        notes.push(format!(
            "there is no lock: `{lock}` writes one, which the Dockerfile needs"
        ));
        Source::Lock(if is_poetry {
            Locker::Poetry
        } else {
            Locker::Pipenv
        })
    } else if has_pyproject || folder.paths.iter().any(|path| is_python(path)) {
        Source::Nothing
    } else {
        return None;
    };
    if source == Source::Pyproject {
        notes.push("nothing locks the dependencies in pyproject.toml: each build takes the newest; `uv lock` writes a lock".to_owned());
    }
    if !matches!(source, Source::Requirements(_) | Source::Nothing) {
        notes.extend(indexes::note(pyproject, folder));
    }
    let is_off = |path: &[&str]| {
        let value = inner_value(pyproject, path);
        value.and_then(DeValue::as_bool) == Some(false)
    };
    let is_application =
        is_off(&["tool", "uv", "package"]) || is_off(&["tool", "poetry", "package-mode"]);
    Some(Project {
        python: python(folder, pyproject),
        is_installed: !is_application && (table(&["build-system"]) || has("setup.py")),
        dependencies: dependencies(folder, &source),
        program: program(pyproject),
        source,
        notes,
    })
}

/// The requirement files that one names, itself first.
fn named(path: &str, folder: &Folder<'_>) -> Vec<String> {
    let text = (folder.read)(path).unwrap_or_default();
    let all = manifest::paths(path, &text, folder.read);
    all.into_iter().collect()
}

fn python(folder: &Folder<'_>, pyproject: &DeTable<'_>) -> String {
    let pinned = (folder.read)(".python-version");
    let pinned = pinned
        .as_deref()
        .and_then(|text| crate::image::minor(text.trim()));
    if let Some((major, minor)) = pinned {
        return format!("{major}.{minor}");
    }
    let wanted = inner_value(pyproject, &["project", "requires-python"]);
    let wanted = wanted.and_then(DeValue::as_str);
    let specifiers: Option<Specifiers> = wanted.and_then(|text| text.parse().ok());
    let fits = |python: &&str| {
        let version = python.parse();
        version.is_ok_and(|version| specifiers.as_ref().is_none_or(|these| these.take(&version)))
    };
    PYTHONS.into_iter().find(fits).unwrap_or(PYTHON).to_owned()
}

/// The names of all that is asked for anywhere.
fn dependencies(folder: &Folder<'_>, source: &Source) -> Vec<String> {
    let mut paths = vec!["pyproject.toml".to_owned()];
    match source {
        Source::Requirements(files) => paths.extend(files.iter().cloned()),
        Source::Lock(Locker::Uv) => paths.push("uv.lock".to_owned()),
        Source::Lock(Locker::Poetry) => paths.push("poetry.lock".to_owned()),
        Source::Lock(Locker::Pdm) => paths.push("pdm.lock".to_owned()),
        Source::Lock(Locker::Pipenv) => paths.push("Pipfile.lock".to_owned()),
        Source::Pyproject | Source::Nothing => {}
    }
    let texts = paths
        .iter()
        .filter_map(|path| Some((path, (folder.read)(path)?)));
    let manifests = texts.flat_map(|(path, text)| manifest::read(path, &text, folder.read));
    let requirements = manifests
        .filter(|manifest| {
            matches!(
                manifest.kind,
                Kind::Requirements | Kind::Project | Kind::Lock
            )
        })
        .flat_map(|manifest| manifest.requirements);
    requirements
        .map(|requirement| requirement.name.to_string())
        .collect()
}

/// The first program that the project installs.
fn program(pyproject: &DeTable<'_>) -> Option<String> {
    let scripts = inner(pyproject, &["project", "scripts"])
        .or(inner(pyproject, &["tool", "poetry", "scripts"]))?;
    let mut names: Vec<(usize, &str)> = scripts
        .iter()
        .map(|(name, _)| (name.span().start, name.get_ref().as_ref()))
        .collect();
    names.sort_unstable();
    names.first().map(|(_, name)| (*name).to_owned())
}

fn inner<'a, 'b>(of: &'a DeTable<'b>, path: &[&str]) -> Option<&'a DeTable<'b>> {
    path.iter()
        .try_fold(of, |table, key| table.get(*key)?.get_ref().as_table())
}

pub(super) fn inner_value<'a, 'b>(of: &'a DeTable<'b>, path: &[&str]) -> Option<&'a DeValue<'b>> {
    let (last, tables) = path.split_last()?;
    Some(inner(of, tables)?.get(*last)?.get_ref())
}

fn is_python(path: &str) -> bool {
    path.strip_suffix(".py").is_some()
}
