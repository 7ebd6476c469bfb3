//! Cache mounts where nobody looks.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::install;
use crate::{Keyword, Stage};

pub(super) const RULE: Rule = Rule {
    code: "PH004",
    name: "cache-mount-elsewhere",
    severity: Severity::Warning,
    what: "The cache mount is not where the tool keeps its cache.",
    why: "Tools keep their cache in the home directory of the user who runs them. A mount at /root/.cache is of no use to another user, and one for pip is of no use to uv.",
    bad: "FROM python:3.13-slim\nUSER app\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    good: "FROM python:3.13-slim\nUSER app\nRUN --mount=type=cache,target=/home/app/.cache/pip,uid=1000 pip install -r requirements.txt\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        let mut user = "root".to_owned();
        for instruction in &stage.instructions {
            if instruction.keyword == Keyword::User {
                let name = instruction.words().into_iter().next().unwrap_or_default();
                user = name.split(':').take(1).collect();
            }
            let Some(run) = install::run(instruction, subject.file.text()) else {
                continue;
            };
            let Some((tool, ..)) = run.installs().next() else {
                continue;
            };
            if run.cache_mounts.is_empty() || is_moved(stage, tool) {
                continue;
            }
            let is_root = matches!(user.as_str(), "root" | "0");
            let fits = |target: &String| {
                let in_cache = target.ends_with(tool.cache()) || target.ends_with("/.cache");
                let of_root = target.starts_with("/root/");
                in_cache && (of_root == is_root || target.contains('$'))
            };
            if !run.cache_mounts.iter().any(fits) {
                let home = if is_root {
                    "/root".to_owned()
                } else {
                    format!("/home/{user}")
                };
                findings.add(
                    instruction.keyword_span,
                    format!(
                        "`{}` run by {user} keeps its cache in {home}/{}, and no cache mount is there",
                        tool.name(),
                        tool.cache()
                    ),
                );
            }
        }
    }
}

/// Whether a variable puts the cache elsewhere: then only a build can tell.
fn is_moved(stage: &Stage<'_>, tool: install::Tool) -> bool {
    let names = [tool.cache_variable(), "XDG_CACHE_HOME", "HOME"];
    stage.instructions.iter().any(|one| {
        matches!(one.keyword, Keyword::Env | Keyword::Arg)
            && one.words().iter().any(|word| {
                let key = word.split('=').next().unwrap_or_default();
                names.contains(&key)
            })
    })
}
