//! Owners that are changed after the copy.

use super::{Check, Findings, Rule, Severity, Subject};
use crate::Keyword;
use crate::install;

pub(super) const RULE: Rule = Rule {
    code: "PH017",
    name: "layer-doubled-by-chown",
    severity: Severity::Warning,
    what: "Files are given to a user by a step of their own, or by a name in a linked copy.",
    why: "`chown -R` writes every file a second time, in another layer. `COPY --chown` sets the owner as it copies. With `--link`, a name in the place of a number ties the copy to /etc/passwd of what is below it, which is what `--link` is there to avoid.",
    bad: "FROM python:3.13-slim\nRUN useradd --uid 1000 app\nCOPY app /app\nRUN chown -R app:app /app\nUSER app\n",
    good: "FROM python:3.13-slim\nRUN useradd --uid 1000 app\nCOPY --chown=1000:1000 app /app\nUSER app\n",
    check: Check::Files(check),
};

fn check(subject: &Subject<'_>, findings: &mut Findings) {
    for stage in &subject.stages {
        let mut has_copied = false;
        for instruction in &stage.instructions {
            if matches!(instruction.keyword, Keyword::Copy | Keyword::Add) {
                has_copied = true;
                let is_linked = instruction.flags.iter().any(|flag| flag.name == "link");
                let owner = instruction.flag("chown").unwrap_or_default();
                let is_name = owner.starts_with(|c: char| c.is_alphabetic());
                if let Some(flag) = instruction.flags.iter().find(|flag| flag.name == "chown")
                    && is_linked
                    && is_name
                {
                    findings.add(flag.span, format!("`{owner}` is looked up in the layers below, so the copy is repeated with them: write its number"));
                }
            }
            let run = install::run(instruction, subject.file.text());
            for (command, span) in run.into_iter().flat_map(|run| run.commands) {
                let is_recursive = command.arguments().any(|word| {
                    word == "--recursive"
                        || (word.starts_with('-') && !word.starts_with("--") && word.contains('R'))
                });
                if has_copied && command.program() == "chown" && is_recursive {
                    findings.add(span, "every file is in the image a second time: copy with `--chown` in the place of this");
                }
            }
        }
    }
}
