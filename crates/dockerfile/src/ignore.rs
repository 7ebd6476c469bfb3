//! `.dockerignore`, as moby's `patternmatcher` reads and matches it.
//!
//! Patterns are anchored at the context's root, the last line that matches wins, and what
//! matches a folder matches all that is in it. This is not gitignore, and older engines
//! read it in another way than BuildKit does: see [`Ignore::leaves_out_by`].

use crate::Engine;

/// A line of the file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pattern {
    /// In normal form: without `!`, `./` and slashes at its ends.
    pub text: String,
    /// `!`: what matches is a part of the context after all.
    pub keeps: bool,
    /// Whether a blank follows the `!`, which buildah takes for a part of the name.
    pub is_apart: bool,
    /// On which line it stands, from 1.
    pub line: usize,
}

/// What is no part of the build's context.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Ignore {
    /// In the order in which they stand.
    pub patterns: Vec<Pattern>,
}

/// A line that no engine takes.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: `{text}` is no pattern")]
pub struct InvalidPattern {
    /// As it stands there.
    pub text: String,
    /// From 1.
    pub line: usize,
}

impl Ignore {
    /// Reads a file.
    pub fn parse(text: &str) -> Result<Self, InvalidPattern> {
        let text = text.trim_start_matches('\u{feff}');
        let mut patterns = Vec::new();
        for (at, line) in text.lines().enumerate() {
            if line.starts_with('#') || line.trim().is_empty() {
                continue;
            }
            let invalid = || InvalidPattern {
                text: line.trim().to_owned(),
                line: at + 1,
            };
            let (keeps, rest) = match line.trim().strip_prefix('!') {
                Some(rest) => (true, rest),
                None => (false, line.trim()),
            };
            let (is_apart, rest) = (rest.starts_with([' ', '\t']), rest.trim_start());
            if rest.is_empty() || !is_valid(rest) {
                return Err(invalid());
            }
            let text = cleaned(rest);
            if !text.is_empty() {
                patterns.push(Pattern {
                    text,
                    keeps,
                    is_apart,
                    line: at + 1,
                });
            }
        }
        Ok(Self { patterns })
    }

    /// Whether BuildKit leaves a file out of the context; `path` is relative to it, with `/`.
    pub fn leaves_out(&self, path: &str) -> bool {
        self.leaves_out_by(Engine::BuildKit, path)
    }

    /// Whether this engine leaves a file out of the context, or rather its client, which sends it.
    ///
    /// With Docker 20.10 (either builder) and buildah, what lies in a folder that is left out is kept only
    /// by a line that begins with the folder's name. For buildah a blank after `!` belongs to the name.
    pub fn leaves_out_by(&self, engine: Engine, path: &str) -> bool {
        if engine == Engine::BuildKit {
            return self.settles(path, |pattern| pattern.covers(path));
        }
        let patterns = |path: &str| {
            self.settles(path, |pattern| {
                !(pattern.is_apart && engine == Engine::Buildah) && pattern.covers_as_before(path)
            })
        };
        let mut folders = path.match_indices('/').map(|(at, _)| &path[..at]);
        folders.any(|folder| patterns(folder) && !self.may_keep_below(engine, folder))
            || patterns(path)
    }

    /// What the last line says that matches.
    fn settles(&self, path: &str, matches: impl Fn(&Pattern) -> bool) -> bool {
        debug_assert!(!path.starts_with('/'), "paths are relative to the context");
        let mut out = false;
        for pattern in &self.patterns {
            if pattern.keeps == out && matches(pattern) {
                out = !pattern.keeps;
            }
        }
        out
    }

    /// Whether a folder that is left out is looked into: some line keeps what begins with its name.
    fn may_keep_below(&self, engine: Engine, folder: &str) -> bool {
        let mut kept = self.patterns.iter().filter(|pattern| pattern.keeps);
        kept.any(|pattern| {
            !(pattern.is_apart && engine == Engine::Buildah)
                && format!("{}/", pattern.text).starts_with(&format!("{folder}/"))
        })
    }
}

impl Pattern {
    /// Whether it matches the path, or a folder that the path is in.
    pub fn covers(&self, path: &str) -> bool {
        let parents = path.match_indices('/').map(|(at, _)| &path[..at]);
        parents.chain([path]).any(|path| self.fits(path))
    }

    fn fits(&self, path: &str) -> bool {
        match self.text.strip_prefix("**") {
            // `patternmatcher` takes the short way here, which leads elsewhere: `**.pyc` is any such file.
            Some(end) if !end.contains(['*', '?', '[', '\\']) => {
                path.ends_with(end) || end.strip_prefix('/') == Some(path)
            }
            _ => glob(&self.text, path),
        }
    }

    /// The same before `patternmatcher`: of the folders, only the one that is as deep as the pattern.
    fn covers_as_before(&self, path: &str) -> bool {
        let deep = self.text.matches('/').count();
        let folder = path.match_indices('/').nth(deep).map(|(at, _)| &path[..at]);
        [Some(path), folder]
            .into_iter()
            .flatten()
            .any(|path| glob(&self.text, path))
    }
}

/// Whether a whole path fits a pattern of `COPY`: Go's `path.Match`, in which no star
/// goes beyond a slash.
pub fn matches_path(pattern: &str, path: &str) -> bool {
    let mut single = String::with_capacity(pattern.len());
    for c in pattern.chars() {
        if c != '*' || !single.ends_with('*') {
            single.push(c);
        }
    }
    glob(&single, path)
}

/// Go's `filepath.Clean`, and without the slash in front.
fn cleaned(pattern: &str) -> String {
    let mut parts: Vec<&str> = Vec::new();
    for part in pattern.split('/') {
        match part {
            "" | "." => {}
            ".." if parts.last().is_some_and(|last| *last != "..") => drop(parts.pop()),
            other => parts.push(other),
        }
    }
    parts.join("/")
}

fn is_valid(pattern: &str) -> bool {
    let mut chars = pattern.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' if chars.next().is_none() => return false,
            '[' => {
                let class = chars.as_str();
                match class.char_indices().skip(1).find(|(_, c)| *c == ']') {
                    Some((end, _)) => chars = class[end + 1..].chars(),
                    None => return false,
                }
            }
            _ => {}
        }
    }
    true
}

/// Whether a whole text fits a pattern: `*` and `?` stop at `/`, `**` does not.
pub(crate) fn glob(pattern: &str, text: &str) -> bool {
    let Some(c) = pattern.chars().next() else {
        return text.is_empty();
    };
    let rest = &pattern[c.len_utf8()..];
    let first = text.chars().next();
    let after = &text[first.map_or(0, char::len_utf8)..];
    match c {
        '*' if rest.starts_with('*') => double_star(rest.trim_start_matches('*'), text),
        '*' => {
            let stops = text.find('/').unwrap_or(text.len());
            let ends = text.char_indices().map(|(at, _)| at).chain([text.len()]);
            ends.take_while(|end| *end <= stops)
                .any(|end| glob(rest, &text[end..]))
        }
        '?' => first.is_some_and(|c| c != '/') && glob(rest, after),
        '[' => class(rest, first).is_some_and(|rest| glob(rest, after)),
        '\\' => match rest.chars().next() {
            Some(escaped) => first == Some(escaped) && glob(&rest[escaped.len_utf8()..], after),
            None => false,
        },
        _ => first == Some(c) && glob(rest, after),
    }
}

/// `**/` is any number of folders, none included; a `**` at the end is all there is.
fn double_star(rest: &str, text: &str) -> bool {
    let rest = rest.strip_prefix('/').unwrap_or(rest);
    if rest.is_empty() {
        return true;
    }
    let starts = text.char_indices().map(|(at, _)| at).chain([text.len()]);
    let mut starts = starts.filter(|at| *at == 0 || text[..*at].ends_with('/'));
    starts.any(|at| glob(rest, &text[at..]))
}

/// What follows a class that this character is in.
fn class(pattern: &str, c: Option<char>) -> Option<&str> {
    let c = c?;
    let end = pattern.char_indices().skip(1).find(|(_, c)| *c == ']')?.0;
    let (inner, rest) = (&pattern[..end], &pattern[end + 1..]);
    let (negated, inner) = match inner.strip_prefix('^') {
        Some(inner) => (true, inner),
        None => (false, inner),
    };
    let chars: Vec<char> = inner.chars().collect();
    let mut is_in = false;
    let mut at = 0;
    while at < chars.len() {
        if chars.get(at + 1) == Some(&'-') && at + 2 < chars.len() {
            is_in |= (chars[at]..=chars[at + 2]).contains(&c);
            at += 3;
        } else {
            is_in |= chars[at] == c;
            at += 1;
        }
    }
    (is_in != negated).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_left_out_is_what_buildkit_leaves_out() {
        for (ignore, left_out, kept) in [
            ("a", &["a", "a/b/c"][..], &["b/a", "ab"][..]),
            ("/a/", &["a"], &["b/a"]),
            ("./x/../a", &["a"], &[]),
            ("*.pyc", &["x.pyc"], &["a/x.pyc"]),
            ("__pycache__", &["__pycache__/x"], &["a/__pycache__/x"]),
            ("**/*.pyc", &["x.pyc", "a/b/x.pyc"], &["x.py"]),
            ("**/__pycache__", &["__pycache__/x", "a/__pycache__/x"], &[]),
            ("a/**", &["a/b", "a/b/c"], &["b"]),
            ("*\n!keep", &["x", "x/y"], &["keep", "keep/y"]),
            ("foo\n!foo/bar/keep.txt", &["foo/x"], &["foo/bar/keep.txt"]),
            ("*\n!**/*.py", &["x/y.txt"], &["a.py", "x/y.py"]),
            ("**.pyc", &["x.pyc", "a/x.pyc"], &["x.py"]),
            ("[a-c]x", &["bx"], &["dx"]),
            ("[^a]x", &["bx"], &["ax"]),
            ("a?", &["ab"], &["a", "abc"]),
            ("\\*", &["*"], &["a"]),
            ("#a\n  #b\n\n", &["#b"], &["#a"]),
            ("../x", &[], &["x"]),
        ] {
            let ignore_file = Ignore::parse(ignore).unwrap();
            for path in left_out {
                assert!(ignore_file.leaves_out(path), "{ignore:?} {path}");
            }
            for path in kept {
                assert!(!ignore_file.leaves_out(path), "{ignore:?} {path}");
            }
        }
        for bad in ["!", "a[", "a\\"] {
            let error = Ignore::parse(&format!("ok\n{bad}")).unwrap_err();
            assert_eq!(error.to_string(), format!("line 2: `{bad}` is no pattern"));
        }
    }

    #[test]
    fn where_engines_differ_each_has_its_way() {
        use Engine::{BuildKit, BuildKit08, Buildah};
        for (ignore, path, left_out_by) in [
            ("**.pyc", "a.pyc", &[BuildKit][..]),
            ("**.pyc", "x/.pyc", &[BuildKit, BuildKit08, Buildah]),
            ("**/x", "a/x/b", &[BuildKit, BuildKit08, Buildah]),
            ("**foo", "a/xfoo", &[BuildKit]),
            ("*\n!**/*.py", "a.py", &[]),
            ("*\n!**/*.py", "a/b.py", &[BuildKit08, Buildah]),
            ("*\n!a/b", "a/b", &[]),
            ("*\n!a/b", "a/c", &[BuildKit, BuildKit08, Buildah]),
            ("*\n! a", "a", &[Buildah]),
            ("foo\n!foo/bar/keep.txt", "foo/bar/keep.txt", &[]),
        ] {
            let ignore_file = Ignore::parse(ignore).unwrap();
            for engine in [BuildKit, BuildKit08, Buildah] {
                assert_eq!(
                    ignore_file.leaves_out_by(engine, path),
                    left_out_by.contains(&engine),
                    "{ignore:?} {path} {engine:?}"
                );
            }
        }
    }

    proptest::proptest! {
        #[test]
        fn no_pattern_makes_it_stumble(pattern in "[a/*?\\[\\]^!.\\\\-]{0,12}", path in "[a/.-]{0,12}") {
            if let Ok(ignore) = Ignore::parse(&pattern) {
                let path = path.trim_start_matches('/');
                for engine in [Engine::BuildKit, Engine::BuildKit08, Engine::Buildah] {
                    ignore.leaves_out_by(engine, path);
                }
            }
        }
    }
}
