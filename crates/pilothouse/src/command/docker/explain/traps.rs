//! What an engine does that nobody expects of it: each as a warning.

use std::path::PathBuf;

use ::context::{Kind, Snapshot};
use anyhow::Error;
use dockerfile::cache::{Cached, Cause, Verdict};
use dockerfile::lint::{Finding, Surroundings, lint};
use dockerfile::{Dockerfile, Position};

use super::named::Named;
use super::state::State;
use super::text::clause;

/// How many files of one kind are named.
const MOST: usize = 5;

/// A revision has no `.git`, a build has: with other bytes after each commit. Takes it away.
pub(super) fn git(before: &mut State, after: &mut State) -> Option<String> {
    let has_git = [before, after].into_iter().fold(false, |has, state| {
        let is_there = state.files.entry(".git").is_some();
        state.files.remove(".git");
        has || is_there
    });
    has_git.then(|| "`.git` is sent to the engine, and changes with every commit: name it in the ignore file (it is not compared here)".to_owned())
}

/// Files that BuildKit's client does not send, because they look as they did: puts those in
/// their place that it goes on with.
pub(super) fn stale(before: &State, after: &mut State) -> anyhow::Result<Vec<String>> {
    let received = after.files.received(&before.files).map_err(Error::msg)?;
    after.files = received.snapshot;
    let mut stale = received.stale;
    for (name, named) in &mut after.named {
        if let (Named::Files(files), Some(Named::Files(old))) = (named, before.named.get(name)) {
            let received = files.received(old).map_err(Error::msg)?;
            *files = received.snapshot;
            stale.extend(received.stale.iter().map(|path| format!("{name}: {path}")));
        }
    }
    let warnings = stale.iter().map(|path| {
        format!("`{path}` has other bytes of the same size and time: BuildKit will not notice, and build with the old ones")
    });
    Ok(warnings.collect())
}

/// Files that look like those of another folder of the same name: buildx keeps what it has
/// sent by the last name of the folder alone.
pub(super) fn namesakes(
    after: &State,
    others: &[(PathBuf, Snapshot)],
) -> anyhow::Result<Vec<String>> {
    let mut warnings = Vec::new();
    for (folder, files) in others {
        let received = after.files.received(files).map_err(Error::msg)?;
        let is_file = |path: &&String| {
            let entry = after.files.entry(path);
            entry.is_some_and(|entry| entry.kind == Kind::File)
        };
        let stale: Vec<&String> = received.stale.iter().filter(is_file).collect();
        warnings.extend(stale.iter().take(MOST).map(|path| {
            format!(
                "`{path}` has the size and time of that in `{}`: if that was built last, buildx takes it from there, because the folders have one name; `docker builder prune --filter type=source.local` forgets it",
                folder.display()
            )
        }));
        if stale.len() > MOST {
            let (more, folder) = (stale.len() - MOST, folder.display());
            warnings.push(format!("and so have {more} files more of `{folder}`"));
        }
    }
    Ok(warnings)
}

/// Steps that stay as they are though what they mount has changed.
pub(super) fn unseen(steps: &[Verdict]) -> Vec<String> {
    let numbered = steps.iter().enumerate();
    let blind = numbered.filter(|(_, step)| !step.unseen.is_empty());
    let warnings = blind.map(|(at, step)| {
        let causes: Vec<String> = step.unseen.iter().take(MOST).map(clause).collect();
        format!(
            "step {} is not repeated for what it mounts ({}): buildah before 1.39 looks away from the files of bind mounts",
            at + 1,
            causes.join("; ")
        )
    });
    warnings.collect()
}

/// Copies that are repeated with the step that installs what they copy, whatever it installs:
/// compiled files carry the time at which the others were written.
pub(super) fn bytecode(dockerfile: &Dockerfile, steps: &[Verdict]) -> Vec<String> {
    let report = lint(dockerfile, &Surroundings::default());
    let mut unstable = report.findings.iter();
    let writers = unstable.by_ref().filter(|one| one.rule.code == "PH005");
    let writers = writers.filter_map(|one| writer(one, dockerfile, steps));
    let warnings = writers.flat_map(|writer| {
        let copies = steps.iter().enumerate();
        let copies = copies.filter(move |(_, step)| {
            step.cached == Cached::Depends && step.causes.contains(&Cause::Depends(writer))
        });
        copies.map(move |(copy, _)| {
            format!(
                "step {} copies what step {} installs and compiles, with times in it, so that it is repeated though the same be installed: `ENV SOURCE_DATE_EPOCH=315532800` in its stage leaves them out",
                copy + 1,
                writer + 1
            )
        })
    });
    warnings.collect()
}

/// The step that a rule has found, if it is done again.
fn writer(finding: &Finding, dockerfile: &Dockerfile, steps: &[Verdict]) -> Option<usize> {
    let line = Position::of(dockerfile.text(), finding.span.start).line;
    let numbered = steps.iter().enumerate();
    let before = numbered.filter(|(_, step)| step.line <= line);
    let (at, step) = before.max_by_key(|(_, step)| step.line)?;
    (step.cached != Cached::Yes).then_some(at)
}
