//! Wheels are built in the builder and installed where they are needed: then the programs
//! of packages come along, and begin with the right path.

use super::{Remedy, Risk, Subject};
use crate::install::{Run, Tool};
use crate::lint::{File, Finding};
use crate::scope::Scope;
use crate::{Base, Command, Span};

const PIP: Risk = Risk("the last stage needs pip, and gets what its own Python can install");

/// Options of `pip install` that `pip wheel` has as well, and that change nothing of where.
const ALIKE: [&str; 20] = [
    "-r",
    "--requirement",
    "-c",
    "--constraint",
    "--no-cache-dir",
    "--no-deps",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "--require-hashes",
    "--no-index",
    "--pre",
    "--prefer-binary",
    "--only-binary",
    "--no-binary",
    "-q",
    "--quiet",
    "--disable-pip-version-check",
];

/// `COPY --from=builder …/site-packages` becomes the wheels of the builder's one install.
pub(super) fn remedy(subject: &Subject<'_>, finding: &Finding) -> Option<Remedy> {
    let (stage, at, copy) = subject.place(finding.span)?;
    let from = copy.flag("from")?;
    let words = copy.words();
    let [source, _] = &words[..] else {
        return None;
    };
    let is_of_system = source.starts_with("/usr/local/lib/python")
        && source.trim_end_matches('/').ends_with("/site-packages");
    let builder = subject.stages[..stage].iter().position(|one| {
        let name = one.name.as_deref();
        name.is_some_and(|name| name.eq_ignore_ascii_case(from))
    })?;
    let [ours, theirs] = [stage, builder].map(|stage| &subject.stages[stage].base);
    let is_same =
        matches!((ours, theirs), (Base::Image(ours), Base::Image(theirs)) if ours == theirs);
    let scope = Scope::at(subject.file, &subject.stages, stage, at);
    if !is_of_system || !is_same || !matches!(scope.user.as_str(), "root" | "0") {
        return None;
    }
    let builds = subject.built(builder)?;
    let text = subject.file.text();
    let start = builds.start + builds.of(text).find(" install ")? + 1;
    let verb = Span::new(start, start + "install".len());
    let line = copy.span.of(text);
    let end = &line[line.trim_end().len()..];
    let install = format!(
        "RUN --mount=type=bind,from={from},source=/wheelhouse,target=/wheelhouse pip install --no-index --no-deps /wheelhouse/*.whl{end}"
    );
    let edits = vec![
        (
            File::Dockerfile,
            verb,
            "wheel --wheel-dir=/wheelhouse".to_owned(),
        ),
        (File::Dockerfile, copy.span, install),
    ];
    Some(Remedy::new(edits, Some(PIP)))
}

impl Subject<'_> {
    /// The one install of a stage, after which nothing is run, if it can build wheels instead.
    fn built(&self, stage: usize) -> Option<Span> {
        let instructions = self.stages[stage].instructions.iter();
        let runs: Vec<_> = instructions.filter_map(|one| self.run(one)).collect();
        let all: Vec<_> = runs.iter().flat_map(Run::installs).collect();
        let [(Tool::Pip, command, span)] = all[..] else {
            return None;
        };
        let (last, _) = runs.last()?.commands.last()?;
        let is_last = last == command && !self.is_used(stage);
        (is_last && is_alike(command)).then_some(span)
    }

    /// Whether another stage is built on this one, and finds what it installs.
    fn is_used(&self, stage: usize) -> bool {
        let mut stages = self.stages.iter();
        stages.any(|one| one.base == Base::Stage(stage))
    }
}

fn is_alike(command: &Command) -> bool {
    let mut words = command.arguments();
    command.program().starts_with("pip")
        && command.program() != "pipx"
        && words.next() == Some("install")
        && words.all(|word| {
            let name = word.split('=').next().unwrap_or(word);
            !word.starts_with('-') || ALIKE.contains(&name)
        })
}
