//! Cache mounts where nobody looks.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::{Instruction, Keyword, Stage, home, install};

pub(super) const RULE: Rule = Rule {
    code: "PH004",
    name: "cache-mount-elsewhere",
    severity: Severity::Warning,
    what: "The cache mount is not where the tool keeps its cache.",
    why: "Tools keep their cache in the home directory of the user who runs them. A mount at /root/.cache is of no use to another user, and one for pip is of no use to uv. A mount belongs to root unless it says otherwise.",
    bad: "FROM python:3.13-slim\nUSER app\nRUN --mount=type=cache,target=/root/.cache/pip pip install -r requirements.txt\n",
    good: "FROM python:3.13-slim\nUSER app\nRUN --mount=type=cache,target=/home/app/.cache/pip,uid=1000 pip install -r requirements.txt\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for (number, stage) in subject.stages.iter().enumerate() {
        for (at, instruction) in stage.instructions.iter().enumerate() {
            let Some(run) = install::run(instruction, subject.file.text()) else {
                continue;
            };
            let Some((tool, command, _)) = run.installs().next() else {
                continue;
            };
            // `sudo` makes somebody else of who runs it.
            let is_open = is_moved(stage, tool) || instruction.text.contains("sudo ");
            if run.cache_mounts.is_empty() || is_open {
                continue;
            }
            let user = subject.scope(number, at).user;
            let place = (number, at);
            let cache = home::cache((subject.file, &subject.stages[..]), place, tool, command);
            let is_root = matches!(user.as_str(), "root" | "0");
            let fits = |target: &&String| {
                let in_cache = target.ends_with(tool.cache()) || target.ends_with("/.cache");
                let of_root = target.starts_with("/root/");
                in_cache && (of_root == is_root || target.contains('$'))
            };
            let said = match run.cache_mounts.iter().find(fits) {
                Some(_) if is_root || is_given(instruction) => continue,
                Some(target) => format!(
                    "the cache mount at {target} belongs to root, and {user} cannot write there: add `,uid=` or `,mode=0777`"
                ),
                None => {
                    let folder = cache.map_or_else(
                        || format!("{} of its home", tool.cache()),
                        |cache| cache.folder,
                    );
                    format!(
                        "`{}` run by {user} keeps its cache in {folder}, and no cache mount is there",
                        tool.name()
                    )
                }
            };
            findings.add(instruction.keyword_span, said);
        }
    }
}

/// Whether a cache mount is of somebody's, or of everybody's.
fn is_given(instruction: &Instruction) -> bool {
    let mut flags = instruction.flags.iter();
    flags.any(|flag| {
        let value = flag.value.as_deref().unwrap_or_default();
        let mut options = value.split(',');
        let is_owner = |option: &str| option.starts_with("uid=") || option.starts_with("mode=");
        flag.name == "mount" && value.contains("type=cache") && options.any(is_owner)
    })
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
