//! What can be read and is refused all the same, as BuildKit's `instructions` package refuses it.

mod health;
mod mount;

use crate::parse::Arguments;
use crate::{Dockerfile, Instruction, Invalid, Keyword};

/// The flags of each instruction that has any.
const FLAGS: [(Keyword, &[&str]); 5] = [
    (Keyword::From, &["platform"]),
    (
        Keyword::Add,
        &[
            "chown",
            "chmod",
            "link",
            "keep-git-dir",
            "checksum",
            "exclude",
            "parents",
            "unpack",
        ],
    ),
    (
        Keyword::Copy,
        &["from", "chown", "chmod", "link", "parents", "exclude"],
    ),
    (Keyword::Run, &["mount", "network", "security", "device"]),
    (
        Keyword::Healthcheck,
        &[
            "interval",
            "timeout",
            "start-period",
            "start-interval",
            "retries",
        ],
    ),
];

/// The flags that may be given more than once.
const REPEATED: [&str; 3] = ["mount", "exclude", "device"];

/// The flags that may stand without a value.
const SWITCHES: [&str; 4] = ["link", "keep-git-dir", "parents", "unpack"];

impl Dockerfile {
    /// Whether an engine would begin to build this: every instruction has what it needs, in an
    /// order that makes sense. The error is the first there is, in BuildKit's words.
    pub fn check(&self) -> Result<(), Invalid> {
        if self.text().is_empty() {
            return Err(Invalid {
                what: "the Dockerfile cannot be empty".to_owned(),
                span: crate::Span::new(0, 0),
            });
        }
        let mut instructions = self.instructions().peekable();
        if instructions.peek().is_none() {
            return Err(Invalid {
                what: "file with no instructions".to_owned(),
                span: crate::Span::new(0, self.text().len()),
            });
        }
        let mut has_stage = false;
        for one in instructions {
            has_stage |= one.keyword == Keyword::From;
            if !has_stage && one.keyword != Keyword::Arg {
                return Err(one.invalid("no build stage in current context"));
            }
            one.check()?;
        }
        if has_stage {
            return Ok(());
        }
        let last = self.instructions().last();
        Err(last.map_or_else(
            || Invalid {
                what: "dockerfile contains no stages to build".to_owned(),
                span: crate::Span::new(0, 0),
            },
            |last| last.invalid("dockerfile contains no stages to build"),
        ))
    }
}

impl Instruction {
    fn invalid(&self, what: impl Into<String>) -> Invalid {
        Invalid {
            what: what.into(),
            span: self.keyword_span,
        }
    }

    fn check(&self) -> Result<(), Invalid> {
        self.check_flags()?;
        self.check_count()?;
        match self.keyword {
            Keyword::From => self.check_from(),
            Keyword::Env | Keyword::Label | Keyword::Arg => self.check_names(),
            Keyword::Volume if self.words().iter().any(|word| word.trim().is_empty()) => {
                Err(self.invalid("VOLUME specified can not be an empty string"))
            }
            Keyword::Shell if self.arguments == Arguments::Text => {
                Err(self.invalid("SHELL requires the arguments to be in JSON form"))
            }
            Keyword::Healthcheck => self.check_health(),
            Keyword::Onbuild => self.check_later(),
            _ => Ok(()),
        }
    }

    fn check_flags(&self) -> Result<(), Invalid> {
        let known = FLAGS.iter().find(|(keyword, _)| *keyword == self.keyword);
        let known = known.map_or(&[][..], |(_, flags)| flags);
        for (at, flag) in self.flags.iter().enumerate() {
            let wrong = |what: String| Invalid {
                what,
                span: flag.span,
            };
            if !known.contains(&flag.name.as_str()) {
                return Err(wrong(format!("unknown flag: --{}", flag.name)));
            }
            let is_again = self.flags[..at].iter().any(|other| other.name == flag.name);
            if is_again && !REPEATED.contains(&flag.name.as_str()) {
                return Err(wrong(format!("Duplicate flag specified: {}", flag.name)));
            }
            let Some(value) = &flag.value else {
                if SWITCHES.contains(&flag.name.as_str()) {
                    continue;
                }
                return Err(wrong(format!("missing a value on flag: --{}", flag.name)));
            };
            let said = match (self.keyword, flag.name.as_str()) {
                (Keyword::Run, "mount") => mount::wrong(value),
                (Keyword::Healthcheck, name) => health::wrong(name, value),
                _ => None,
            };
            if let Some(what) = said {
                return Err(wrong(what));
            }
        }
        Ok(())
    }

    fn check_count(&self) -> Result<(), Invalid> {
        let name = self.keyword.as_str();
        let count = self.words().len();
        let needs = match self.keyword {
            Keyword::Add | Keyword::Copy if count < 2 => "at least two arguments",
            Keyword::From if count != 1 && count != 3 => "either one or three arguments",
            Keyword::Arg
            | Keyword::Env
            | Keyword::Expose
            | Keyword::Healthcheck
            | Keyword::Label
            | Keyword::Onbuild
            | Keyword::Shell
            | Keyword::Volume
                if count == 0 =>
            {
                "at least one argument"
            }
            Keyword::Maintainer | Keyword::Stopsignal | Keyword::User | Keyword::Workdir
                if count == 0 =>
            {
                "exactly one argument"
            }
            _ => return Ok(()),
        };
        Err(self.invalid(format!("{name} requires {needs}")))
    }

    fn check_from(&self) -> Result<(), Invalid> {
        let words = self.words();
        let [_, word, name] = &words[..] else {
            return Ok(());
        };
        if !word.eq_ignore_ascii_case("as") {
            return Err(self.invalid("FROM requires either one or three arguments"));
        }
        let name = name.to_lowercase();
        let is_name = name.starts_with(|c: char| c.is_ascii_lowercase())
            && name
                .chars()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || "-_.".contains(c));
        if is_name {
            return Ok(());
        }
        Err(self.invalid(format!(
            "invalid name for build stage: {name:?}, name can't start with a number or contain symbols"
        )))
    }

    /// `NAME=value`, or of two of them `NAME value`.
    fn check_names(&self) -> Result<(), Invalid> {
        let words = self.words();
        let name = self.keyword.as_str();
        let is_arg = self.keyword == Keyword::Arg;
        let is_pair = |word: &String| word.contains('=');
        match words.as_slice() {
            [first] if !is_arg && !is_pair(first) => {
                Err(self.invalid(format!("{name} must have two arguments")))
            }
            [first, ..] if !is_arg && !is_pair(first) => Ok(()),
            words => {
                if let Some(word) = words.iter().find(|word| !is_arg && !is_pair(word)) {
                    return Err(self.invalid(format!(
                        "Syntax error - can't find = in \"{word}\". Must be of the form: name=value"
                    )));
                }
                if words.iter().any(|word| word.starts_with('=')) {
                    return Err(self.invalid(format!("{name} names can not be blank")));
                }
                Ok(())
            }
        }
    }

    fn check_health(&self) -> Result<(), Invalid> {
        let word = self.text.split_whitespace().next().unwrap_or_default();
        let rest = self.text[word.len()..].trim();
        match (word.to_ascii_uppercase().as_str(), rest.is_empty()) {
            ("NONE", true) | ("CMD", false) => Ok(()),
            ("NONE", false) => Err(self.invalid("HEALTHCHECK NONE takes no arguments")),
            ("CMD", true) => Err(self.invalid("missing command after HEALTHCHECK CMD")),
            _ => Err(self.invalid(format!("unknown type {word:?} in HEALTHCHECK (try CMD)"))),
        }
    }

    fn check_later(&self) -> Result<(), Invalid> {
        let Some(later) = &self.later else {
            return Ok(());
        };
        match later.keyword {
            Keyword::Onbuild => {
                Err(self.invalid("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed"))
            }
            Keyword::From | Keyword::Maintainer => {
                let name = later.keyword.as_str();
                Err(self.invalid(format!("{name} isn't allowed as an ONBUILD trigger")))
            }
            // The rest is looked at when it is done.
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(text: &str) -> String {
        let checked = Dockerfile::parse(text).unwrap().check();
        checked.map_or_else(|error| error.to_string(), |()| "fine".to_owned())
    }

    #[test]
    fn what_no_engine_builds_is_refused_in_buildkits_words() {
        for (text, expected) in [
            ("", "the Dockerfile cannot be empty"),
            ("\n", "file with no instructions"),
            ("# x\n", "file with no instructions"),
            ("RUN x", "no build stage in current context"),
            ("ARG x", "dockerfile contains no stages to build"),
            ("ARG V=1\nFROM a:$V", "fine"),
            ("FROM", "FROM requires either one or three arguments"),
            ("FROM a b", "FROM requires either one or three arguments"),
            ("FROM a is b", "FROM requires either one or three arguments"),
            (
                "FROM a AS 1",
                "invalid name for build stage: \"1\", name can't start with a number or contain symbols",
            ),
            ("FROM --platform=x a AS B.c-d_e", "fine"),
            ("FROM --from=x a", "unknown flag: --from"),
            ("FROM a\nCOPY x", "COPY requires at least two arguments"),
            (
                "FROM a\nCOPY --chown=1 --chown=2 x y",
                "Duplicate flag specified: chown",
            ),
            ("FROM a\nRUN --mount=target=a --mount=target=b x", "fine"),
            ("FROM a\nRUN --mount=target=a,from=$B,uid=$U x", "fine"),
            (
                "FROM a\nRUN --mount=a x",
                "invalid field 'a' must be a key=value pair",
            ),
            (
                "FROM a\nRUN --mount=target=a,uid=1 x",
                "uid not allowed for \"bind\" type mounts",
            ),
            (
                "FROM a\nCOPY --link --chown x y",
                "missing a value on flag: --chown",
            ),
            ("FROM a\nENV A", "ENV must have two arguments"),
            ("FROM a\nARG A B=1", "fine"),
            ("FROM a\nHEALTHCHECK --timeout=1m30.5s CMD x", "fine"),
            (
                "FROM a\nHEALTHCHECK --timeout=1 CMD x",
                "time: missing unit in duration \"1\"",
            ),
            ("FROM a\nWORKDIR --x y", "unknown flag: --x"),
            ("FROM a\nRUN", "fine"),
            ("FROM a\nRUN <<E\nE", "fine"),
            ("FROM a\nUSER", "USER requires exactly one argument"),
            (
                "FROM a\nSHELL sh",
                "SHELL requires the arguments to be in JSON form",
            ),
            ("FROM a\nSHELL [\"sh\"]", "fine"),
            ("FROM a\nHEALTHCHECK NONE", "fine"),
            ("FROM a\nHEALTHCHECK --retries=1 CMD x", "fine"),
            (
                "FROM a\nHEALTHCHECK CMD",
                "missing command after HEALTHCHECK CMD",
            ),
            (
                "FROM a\nHEALTHCHECK x",
                "unknown type \"x\" in HEALTHCHECK (try CMD)",
            ),
            (
                "FROM a\nONBUILD ONBUILD RUN x",
                "Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed",
            ),
            (
                "FROM a\nONBUILD FROM b",
                "FROM isn't allowed as an ONBUILD trigger",
            ),
            ("FROM a\nONBUILD COPY x", "fine"),
        ] {
            assert_eq!(error(text), expected, "{text}");
        }
    }
}
