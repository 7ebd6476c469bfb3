//! Cache mounts where the tool looks, and nothing that keeps them empty.

use super::{Edits, Remedy, Risk, Subject};
use crate::install::Run;
use crate::lint::{File, Finding};
use crate::{Instruction, Keyword, Span, home};

impl Subject<'_> {
    /// A mount where the one who runs the tool has its cache.
    pub(super) fn cache_mount(&self, finding: &Finding) -> Option<Remedy> {
        let (stage, at, one) = self.place(finding.span)?;
        let run = self.run(one)?;
        let (tool, command, _) = run.installs().next()?;
        let cache = home::cache((self.file, &self.stages), (stage, at), tool, command)?;
        if (!cache.is_sure && one.text.contains("sudo ")) || self.knows_no_mounts() {
            return None;
        }
        let end = one.keyword_span.end;
        let edit = (
            File::Dockerfile,
            Span::new(end, end),
            format!(" {}", cache.flag()),
        );
        let risk = (!cache.is_sure).then_some(HOME);
        Some(Remedy::new(vec![edit], risk))
    }

    /// Whether the frontend that the file names is older than mounts, or uv would link into one.
    fn knows_no_mounts(&self) -> bool {
        let text = self.file.text();
        let first = text.lines().take_while(|line| line.starts_with('#'));
        let is_old = |line: &str| {
            ["docker/dockerfile:1.0", "docker/dockerfile:1.1"]
                .iter()
                .any(|old| line.contains(old) && !line.contains("experimental"))
        };
        first.into_iter().any(is_old) || text.contains("UV_LINK_MODE=symlink")
    }

    /// The one mount that is there, moved to where the tool looks.
    pub(super) fn moved_mount(&self, finding: &Finding) -> Option<Remedy> {
        let (stage, at, one) = self.place(finding.span)?;
        let run = self.run(one)?;
        let (tool, command, _) = run.installs().next()?;
        let cache = home::cache((self.file, &self.stages), (stage, at), tool, command)?;
        let mounts = one.flags.iter().filter(|flag| {
            let value = flag.value.as_deref().unwrap_or_default();
            flag.name == "mount" && value.split(',').any(|option| option == "type=cache")
        });
        let [mount] = mounts.collect::<Vec<_>>()[..] else {
            return None;
        };
        let value = mount.value.as_deref()?;
        let replaced = ["target=", "dst=", "destination=", "uid=", "gid=", "mode="];
        let mut options = vec![cache.flag()];
        options.extend(value.split(',').filter_map(|option| {
            let is_replaced = replaced.iter().any(|name| option.starts_with(name));
            (!is_replaced && option != "type=cache").then(|| option.to_owned())
        }));
        let flag = options.join(",");
        let edit = (File::Dockerfile, mount.span, flag);
        Some(Remedy::new(vec![edit], Some(HOME)))
    }

    /// Without the flag, variable or command that keeps a cache mount empty.
    pub(super) fn filled(&self, finding: &Finding) -> Option<Remedy> {
        let (.., one) = self.place(finding.span)?;
        if matches!(one.keyword, Keyword::Env | Keyword::Arg) {
            return Some(Remedy::new(self.unset(one)?, Some(VARIABLE)));
        }
        if let Some(edits) = self.without_flag(finding.span) {
            return Some(Remedy::new(edits, None));
        }
        let edits = self.without_command(&self.run(one)?, finding.span)?;
        Some(Remedy::new(edits, Some(EMPTIED)))
    }

    /// A flag, or a variable before the command.
    fn without_flag(&self, span: Span) -> Option<Edits> {
        let command = span.of(self.file.text());
        let edit = |start: usize, end: usize| {
            let span = Span::new(span.start + start, span.start + end);
            vec![(File::Dockerfile, span, String::new())]
        };
        let is_blank = |rest: &str| rest.chars().next().is_none_or(char::is_whitespace);
        let flag = ["--no-cache-dir", "--no-cache"].iter().find_map(|flag| {
            let at = command.find(&format!(" {flag}"))?;
            let end = at + 1 + flag.len();
            is_blank(&command[end..]).then(|| edit(at, end))
        });
        flag.or_else(|| {
            NAMES.iter().find_map(|name| {
                let value = command.strip_prefix(name)?.strip_prefix('=')?;
                let length = value.find(char::is_whitespace)?;
                let rest = value[length..].trim_start();
                (!value.starts_with(['"', '\''])).then(|| edit(0, command.len() - rest.len()))
            })
        })
    }

    /// `ENV` or `ARG` without the variable; none of it if there is no other.
    fn unset(&self, one: &Instruction) -> Option<Edits> {
        let is_it = |word: &str| {
            let name = word.split('=').next().unwrap_or(word);
            NAMES.contains(&name)
        };
        let words = one.words();
        let is_legacy = one.keyword == Keyword::Env && !words.first()?.contains('=');
        if words.iter().all(|word| is_it(word)) || is_legacy {
            return Some(vec![(File::Dockerfile, one.span, String::new())]);
        }
        let text = one.span.of(self.file.text());
        let (start, word) = words.iter().filter(|word| is_it(word)).find_map(|word| {
            let start = text.find(&format!(" {word}"))?;
            Some((start, word))
        })?;
        let start = one.span.start + start;
        let span = Span::new(start, start + 1 + word.len());
        Some(vec![(File::Dockerfile, span, String::new())])
    }

    /// `&& rm -rf ~/.cache` is left out of its line.
    fn without_command(&self, run: &Run, span: Span) -> Option<Edits> {
        let at = run.commands.iter().position(|(_, one)| *one == span)?;
        let (_, before) = run.commands.get(at.checked_sub(1)?)?;
        let text = self.file.text();
        let between = text.get(before.end..span.start)?;
        let operator = between.replace(['\\', '\n', '\r', ' ', '\t'], "");
        // What comes after a condition is more than a step of a line.
        (operator == "&&" || operator == ";").then(|| {
            let span = Span::new(before.end, span.end);
            vec![(File::Dockerfile, span, String::new())]
        })
    }
}

/// What turns the caches of pip and uv off.
const NAMES: [&str; 2] = ["PIP_NO_CACHE_DIR", "UV_NO_CACHE"];

const HOME: Risk = Risk("the home of the user who installs is told by name, and not by the image");
const VARIABLE: Risk = Risk("containers of the image miss the variable");
const EMPTIED: Risk = Risk("what this removed beside the mounted cache stays in the image");
