//! Builders whose output is new each time.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install::{self, Tool};
use crate::scope::Scope;
use crate::{Command, Instruction, Span};

pub(super) const RULE: Rule = Rule {
    code: "PH005",
    name: "unstable-builder-output",
    severity: Severity::Warning,
    what: "A stage whose installed packages are copied by another writes other bytes each time it runs.",
    why: "`COPY --from` is repeated when the bytes have changed. pip compiles what it installs, and each `.pyc` holds the time at which its source was written: so the copy, and all below it, is repeated although the packages are the same. With SOURCE_DATE_EPOCH set to anything, pip, venv and uv write the source's hash instead.",
    bad: "FROM python:3.13-slim AS builder\nRUN python -m venv --without-pip /venv\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip --python /venv/bin/python install -r requirements.txt\nFROM python:3.13-slim\nCOPY --from=builder /venv /venv\n",
    good: "FROM python:3.13-slim AS builder\nENV SOURCE_DATE_EPOCH=315532800\nRUN python -m venv --without-pip /venv\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip --python /venv/bin/python install -r requirements.txt\nFROM python:3.13-slim\nCOPY --from=builder /venv /venv\n",
    check: Check::Files(check),
};

/// The variable, and a time that every archive format can hold: the first second of 1980.
pub(crate) const VARIABLE: (&str, &str) = ("SOURCE_DATE_EPOCH", "315532800");

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    let copies = subject.handed_on();
    let mut builders: Vec<usize> = copies.iter().map(|copy| copy.2).collect();
    builders.sort_unstable();
    builders.dedup();
    for builder in builders {
        let taken = copies.iter().filter(|copy| copy.2 == builder);
        let taken: Vec<String> = taken
            .flat_map(|(_, copy, _)| sources(subject, builder, copy))
            .collect();
        let writers = writers(subject, builder);
        let mut told = writers.iter().filter(|writer| {
            let mut paths = taken.iter();
            paths.any(|path| may_hold(path, &writer.place))
        });
        if let Some(writer) = told.next() {
            findings.add(
                writer.span,
                format!(
                    "what `{}` writes here is new each time, so `COPY --from` is never cached: set `ENV {}={}` above",
                    writer.tool, VARIABLE.0, VARIABLE.1
                ),
            );
        }
    }
}

/// What of a stage a copy takes, as paths in it.
fn sources(subject: &Subject<'_>, builder: usize, copy: &Instruction) -> Vec<String> {
    let scope = subject.scope(builder, subject.stages[builder].instructions.len());
    let words = copy.words();
    let sources = words.split_last().map_or(&[][..], |(_, sources)| sources);
    // A source of another stage is below its root, whatever the folder.
    let paths = sources.iter().map(|source| format!("/{source}"));
    paths.map(|path| scope.path(&path)).collect()
}

/// A command that writes bytecode with times in it.
struct Writer {
    tool: &'static str,
    span: Span,
    place: Place,
}

/// Where bytecode is written.
enum Place {
    /// In this folder, or anywhere below it.
    Below(String),
    /// Where the interpreter of the image keeps its packages.
    Packages,
    /// Only a build can tell.
    Unknown,
}

/// Whether some of what is written at a place is in what is taken.
fn may_hold(taken: &str, place: &Place) -> bool {
    let is_below = |path: &str, folder: &str| {
        let rest = path.strip_prefix(folder.trim_end_matches('/'));
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    if taken.contains(['$', '*', '?', '[']) {
        return true;
    }
    match place {
        Place::Unknown => !is_file(taken),
        Place::Packages => {
            let parts = ["/site-packages", "/dist-packages", "/lib/python"];
            parts.iter().any(|part| taken.contains(part))
                || ["/usr/local/lib", "/usr/lib", "/opt"]
                    .iter()
                    .any(|folder| is_below(folder, taken))
        }
        // Programs are scripts; what is compiled is beside them.
        Place::Below(folder) => {
            is_below(folder, taken)
                || (is_below(taken, folder) && !is_below(taken, &format!("{folder}/bin")))
        }
    }
}

/// Whether this is named like a file that is no bytecode, as a list is.
fn is_file(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    let kind = name.rsplit_once('.').filter(|(stem, _)| !stem.is_empty());
    // Folders have dots as well: `python3.13`.
    kind.is_some_and(|(_, kind)| kind.starts_with(|c: char| c.is_ascii_alphabetic()))
}

/// The commands of a stage that write bytecode with times in it.
fn writers(subject: &Subject<'_>, stage: usize) -> Vec<Writer> {
    let mut all: Vec<Writer> = Vec::new();
    for (at, instruction) in subject.stages[stage].instructions.iter().enumerate() {
        let Some(run) = install::run(instruction, subject.file.text()) else {
            continue;
        };
        let scope = subject.scope(stage, at);
        for (command, span) in &run.commands {
            // What is moved within the stage may end anywhere.
            if !all.is_empty() && matches!(command.program(), "cp" | "mv" | "tar" | "rsync" | "ln")
            {
                for writer in &mut all {
                    writer.place = Place::Unknown;
                }
            }
            let mut own = command.variables.iter();
            let by_itself = own.any(|word| word.text.starts_with("SOURCE_DATE_EPOCH="));
            if by_itself || scope.variable(VARIABLE.0).is_some() {
                continue;
            }
            if let Some(tool) = writer(command, &scope) {
                let place = place(command, &scope);
                let span = *span;
                all.push(Writer { tool, span, place });
            }
        }
    }
    all
}

/// The tool that writes bytecode with times in it, if a command does.
fn writer(command: &Command, scope: &Scope) -> Option<&'static str> {
    let compiles_uv = scope.variable("UV_COMPILE_BYTECODE").is_some_and(is_on);
    let has = |flag: &str| command.arguments().any(|word| word == flag);
    match install::installer(command) {
        Some(Tool::Pip) if has("install") && !has("--no-compile") => Some("pip"),
        Some(Tool::Uv) if compiles_uv || has("--compile-bytecode") || has("--compile") => {
            Some("uv")
        }
        None if has("venv") && has("-m") && !has("--without-pip") => Some("python -m venv"),
        None if has("compileall") => Some("compileall"),
        _ => None,
    }
}

/// Where a command of these writes.
fn place(command: &Command, scope: &Scope) -> Place {
    let below = |path: &str| {
        if path.contains('$') {
            return Place::Unknown;
        }
        Place::Below(scope.path(path))
    };
    let positional = install::positional(command);
    let tool = install::installer(command);
    if let Some(path) = command.option(&["--target", "-t", "--prefix", "--root"]) {
        return below(path);
    }
    match (tool, positional.as_slice()) {
        (None, ["venv" | "compileall", path]) => below(path),
        (None, _) => Place::Unknown,
        (Some(Tool::Uv), ["sync", ..]) => {
            below(scope.variable("UV_PROJECT_ENVIRONMENT").unwrap_or(".venv"))
        }
        _ => environment(command, command.option(&["--python", "-p"]), scope, &below),
    }
}

/// The environment that a command installs into: that of its program or of another Python, an
/// active one, or that of the image.
fn environment(
    command: &Command,
    python: Option<&str>,
    scope: &Scope,
    below: &dyn Fn(&str) -> Place,
) -> Place {
    let of_program = |program: &str| {
        let (folder, _) = program.rsplit_once("/bin/")?;
        (!matches!(folder, "" | "/usr" | "/usr/local")).then(|| below(folder))
    };
    let called = command.words.first().map_or("", |word| word.text.as_str());
    let named = python.or(Some(called)).and_then(of_program);
    let in_path = || {
        let path = scope.variable("PATH")?;
        of_program(&format!("{}/", path.split(':').next()?))
    };
    let active = || scope.variable("VIRTUAL_ENV").map(below);
    let has = |flag: &str| command.arguments().any(|word| word == flag);
    if has("--user") || python.is_some_and(|python| !python.contains('/')) {
        return Place::Unknown;
    }
    named
        .or_else(active)
        .or_else(in_path)
        .unwrap_or(Place::Packages)
}

fn is_on(value: &str) -> bool {
    matches!(
        value.to_ascii_lowercase().as_str(),
        "1" | "true" | "yes" | "on"
    )
}
