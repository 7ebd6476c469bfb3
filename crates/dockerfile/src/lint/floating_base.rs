//! Bases, tools and requirements that change by themselves.

use super::{Check, File, Findings, Rule, Severity, Subject, fetched};
use crate::Base;
use crate::inputs::Install;
use crate::install::{self, Tool};
use crate::manifest::{Kind, Manifest};

pub(super) const RULE: Rule = Rule {
    code: "PH013",
    name: "floating-version",
    severity: Severity::Note,
    what: "The base image, a requirement, a repository or a script has no version or no hash, one of several indexes decides, or a lock does not hold what the project asks for.",
    why: "`python`, `python:latest` and `python:3` become another Python one day, which repeats every step and may break the build. A requirement without a version is another one from day to day while its step stays cached; one without a hash is whatever the index gives, and with `--extra-index-url` whatever any of them gives: of a private name, a higher version on the public index wins. A script that is piped into a shell is run unseen.",
    bad: "FROM python:latest\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install -U pip && pip install -r requirements.txt\n# ---- requirements.txt\nflask>=3\n",
    good: "FROM python:3.13-slim\nCOPY requirements.txt .\nRUN --mount=type=cache,target=/root/.cache/pip pip install pip==26.3 && pip install -r requirements.txt\n# ---- requirements.txt\nflask==3.1.2 --hash=sha256:ca1d8112ec8a6158cc29ea4858963350011b5c846a414cdb7a954aa9e967d03c\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        if let Base::Image(image) = &stage.base
            && is_floating(image)
        {
            let span = stage.from.place(0, stage.from.text.len());
            findings.add(
                span,
                format!(
                    "`{image}` is another image one day: name a version, like `python:3.13-slim`"
                ),
            );
        }
    }
    for install in &subject.installs {
        let direct = install.direct.iter();
        for one in direct.filter(|one| one.version.is_none() && one.is_from_index) {
            let name = &one.name;
            findings.add(one.span, format!("`{name}` is whatever is newest on the day of the build: name a version, like `{name}==…`"));
        }
        let listed = install.manifests.iter();
        for manifest in listed.filter(|manifest| manifest.kind == Kind::Requirements) {
            unpinned(manifest, findings);
        }
        unlocked(install, findings);
    }
    for source in fetched::sources(subject) {
        moving(&source, findings);
    }
    let instructions = subject.stages.iter().flat_map(|stage| &stage.instructions);
    for run in instructions.filter_map(|one| install::run(one, subject.file.text())) {
        for (span, program) in fetched::piped(&run.commands, subject.file.text()) {
            findings.add(span, format!("`{program}` runs whatever this address gives on the day of the build: name a version, or fetch it with `ADD --checksum`"));
        }
    }
}

/// Repositories without a commit, and indexes of which the highest version wins.
fn moving(source: &fetched::Source, findings: &mut Findings) {
    for word in &source.words {
        if let Some(url) = fetched::moving_repository(word) {
            source.tell(
                findings,
                format!("`{url}` is whatever was pushed last: name a commit, like `@1a2b3c4`"),
            );
        }
    }
    // uv asks the others only for what the first does not have.
    let asks_all = match source.tool {
        Tool::Pip => true,
        Tool::Uv => source
            .values(&["--index-strategy"])
            .any(|strategy| strategy.starts_with("unsafe-")),
        _ => false,
    };
    let mut others = source.values(&["--extra-index-url"]);
    if asks_all && !source.is_hashed && others.next().is_some() {
        source.tell(findings, "of a name that two indexes have, the higher version is installed, whoever uploaded it: name one index that serves both, or hashes".to_owned());
    }
}

fn is_floating(image: &str) -> bool {
    if image.contains('@') || image.contains('$') {
        return false;
    }
    let last = image.rsplit('/').next().unwrap_or(image);
    match last.split_once(':') {
        None => true,
        Some((name, tag)) => {
            tag == "latest"
                || (name == "python"
                    && matches!(tag, "3" | "slim" | "alpine" | "3-slim" | "3-alpine"))
        }
    }
}

/// Requirements without a version; if all have one, without a hash.
fn unpinned(manifest: &Manifest, findings: &mut Findings) {
    let file = || File::Context(manifest.path.clone());
    let from_index = manifest.requirements.iter().filter(|one| one.is_from_index);
    let (pinned, floating): (Vec<_>, Vec<_>) = from_index.partition(|one| one.version.is_some());
    for one in &floating {
        let name = &one.name;
        findings.push(file(), one.span, format!("`{name}` is whatever is newest on the day of the build: name a version, like `{name}==…`"));
    }
    let bare = pinned.iter().find(|one| !one.is_hashed);
    if let Some(bare) = bare.filter(|_| floating.is_empty()) {
        let message = "without `--hash`, an index that has been broken into decides what is installed: `pip-compile --generate-hashes` and `uv export` write hashes";
        findings.push(file(), bare.span, message.to_owned());
    }
}

/// What a project asks for, and its lock does not have.
fn unlocked(install: &Install, findings: &mut Findings) {
    let of_kind = |kind| {
        install
            .manifests
            .iter()
            .find(|manifest| manifest.kind == kind)
    };
    let (Some(project), Some(lock)) = (of_kind(Kind::Project), of_kind(Kind::Lock)) else {
        return;
    };
    for one in &project.requirements {
        // A project may be locked in several versions, for several Pythons.
        let mut locked = lock
            .requirements
            .iter()
            .filter(|other| other.name == one.name)
            .peekable();
        let is_missing = locked.peek().is_none();
        let fits = locked.any(|other| match (&one.specifiers, &other.version) {
            (Some(specifiers), Some(version)) => specifiers.take(version),
            _ => true,
        });
        if is_missing || !fits {
            let message = format!(
                "`{}` has no `{}` that is good enough here: lock again",
                lock.path, one.name
            );
            findings.push(File::Context(project.path.clone()), one.span, message);
        }
    }
}
