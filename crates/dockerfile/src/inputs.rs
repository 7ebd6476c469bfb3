//! What an install reads: the files of the context that stand behind paths of the image.

use crate::install::{self, Tool};
use crate::manifest::{self, Kind, Manifest, Requirement};
use crate::path::cleaned;
use crate::scope::Scope;
use crate::wheel::is_wheel;
use crate::{Base, Command, Dockerfile, Instruction, Keyword, Span, Stage};

/// A command that installs, with what it installs.
#[derive(Debug, Clone)]
pub(crate) struct Install {
    pub(crate) stage: usize,
    pub(crate) tool: Tool,
    pub(crate) command: Command,
    /// Of the command, in the Dockerfile.
    pub(crate) span: Span,
    /// The files that it reads, as far as they can be told.
    pub(crate) manifests: Vec<Manifest>,
    /// What the command itself names.
    pub(crate) direct: Vec<Requirement>,
    /// The text of the `pyproject.toml` that it reads.
    pub(crate) project: Option<String>,
}

/// Looks up files of the context.
pub(crate) type Files<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Every install of every stage.
pub(crate) fn installs(file: &Dockerfile, stages: &[Stage<'_>], files: Files<'_>) -> Vec<Install> {
    let build = Build {
        file,
        stages,
        files,
    };
    let mut all = Vec::new();
    for (number, stage) in stages.iter().enumerate() {
        for (at, instruction) in stage.instructions.iter().enumerate() {
            let run = install::run(instruction, file.text());
            let run = run.as_ref();
            let found = run.into_iter().flat_map(install::Run::installs);
            all.extend(
                found.map(|(tool, command, span)| build.install(number, at, tool, command, span)),
            );
        }
    }
    all
}

struct Build<'a> {
    file: &'a Dockerfile,
    stages: &'a [Stage<'a>],
    files: Files<'a>,
}

impl Build<'_> {
    fn install(
        &self,
        stage: usize,
        at: usize,
        tool: Tool,
        command: &Command,
        span: Span,
    ) -> Install {
        let named = named(tool, command);
        let scope = self.scope(stage, at);
        let (mut manifests, mut constraints) = (Vec::new(), Vec::new());
        let mut project = None;
        for (path, is_constraint) in &named.files {
            let Some((path, text)) = self.found(stage, at, &scope.path(path)) else {
                continue;
            };
            let read = manifest::read(&path, &text, self.files);
            if read[0].kind == Kind::Project {
                project = Some(text);
            }
            if *is_constraint {
                constraints.extend(read);
            } else {
                manifests.extend(read);
            }
        }
        manifest::constrain(&mut manifests, &constraints);
        let direct = named.words.iter();
        let direct = direct.filter_map(|word| manifest::requirement(word, span));
        Install {
            stage,
            tool,
            command: command.clone(),
            span,
            manifests,
            direct: direct.collect(),
            project,
        }
    }

    fn scope(&self, stage: usize, at: usize) -> Scope {
        Scope::at(self.file, self.stages, stage, at)
    }

    /// The file of the context that stands at a path of the image when the instruction at `at` runs.
    fn found(&self, stage: usize, at: usize, path: &str) -> Option<(String, String)> {
        let scope = self.scope(stage, at);
        let instructions = &self.stages[stage].instructions;
        let mounted = instructions.get(at).map(|one| install::binds(one));
        for bind in mounted
            .into_iter()
            .flatten()
            .filter(|bind| bind.from.is_none())
        {
            let place = within(&scope.path(&bind.target), path);
            let read = place.and_then(|place| self.read(&format!("{}/{place}", bind.source)));
            if read.is_some() {
                return read;
            }
        }
        for (before, copy) in instructions[..at].iter().enumerate().rev() {
            if matches!(copy.keyword, Keyword::Copy | Keyword::Add) {
                let read = self.copied(stage, before, copy, path);
                if read.is_some() {
                    return read;
                }
            }
        }
        match self.stages[stage].base {
            Base::Stage(below) if below < stage => {
                self.found(below, self.stages[below].instructions.len(), path)
            }
            _ => None,
        }
    }

    /// The same for what one `COPY` brings.
    fn copied(
        &self,
        stage: usize,
        at: usize,
        copy: &Instruction,
        path: &str,
    ) -> Option<(String, String)> {
        let scope = self.scope(stage, at);
        let words = copy.words();
        let (to, sources) = words.split_last()?;
        let rest = within(&scope.path(to), path)?;
        let from = copy.flag("from");
        let origin = from.and_then(|from| {
            let named = |one: &Stage<'_>| one.name.as_deref() == Some(from);
            let by_name = self.stages[..stage].iter().position(named);
            by_name.or_else(|| from.parse().ok().filter(|number| *number < stage))
        });
        sources.iter().find_map(|source| {
            let source = scope.expanded(source);
            let source = source.trim_end_matches('/');
            let mut candidates = candidates(source, rest).into_iter();
            match (from, origin) {
                (None, _) => candidates.find_map(|candidate| self.read(&candidate)),
                (Some(_), Some(origin)) => {
                    let end = self.stages[origin].instructions.len();
                    let there = self.scope(origin, end);
                    candidates
                        .find_map(|candidate| self.found(origin, end, &there.path(&candidate)))
                }
                (Some(_), None) => None,
            }
        })
    }

    fn read(&self, path: &str) -> Option<(String, String)> {
        let path = cleaned(path);
        let text = (self.files)(&path)?;
        Some((path, text))
    }
}

/// What of a path is below a folder; nothing if it is the folder itself.
fn within<'a>(folder: &str, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix(folder.trim_end_matches('/'))?;
    if rest.is_empty() {
        return Some(rest);
    }
    rest.strip_prefix('/')
}

/// What a source may have put at `rest` below the destination: whether it is a file or a
/// folder, only the context knows.
fn candidates(source: &str, rest: &str) -> Vec<String> {
    let (parent, name) = source.rsplit_once('/').unwrap_or(("", source));
    let mut all = Vec::new();
    if rest.is_empty() || rest == name {
        all.push(source.to_owned());
    }
    if !rest.is_empty() && name.contains(['*', '?', '[']) {
        if crate::ignore::glob(name, rest) {
            all.push(format!("{parent}/{rest}"));
        }
    } else if !rest.is_empty() {
        all.push(format!("{source}/{rest}"));
    }
    all
}

/// What a command names: files, of which some only constrain, and requirements.
#[derive(Debug, Default, PartialEq, Eq)]
struct Named<'a> {
    files: Vec<(&'a str, bool)>,
    words: Vec<&'a str>,
}

/// Options of `pip install` that are followed by a value which is no requirement.
const WITH_VALUE: [&str; 44] = [
    "-e",
    "--editable",
    "-i",
    "--index-url",
    "--extra-index-url",
    "-f",
    "--find-links",
    "-t",
    "--target",
    "--prefix",
    "--root",
    "--src",
    "--platform",
    "--python-version",
    "--python",
    "-p",
    "--no-binary",
    "--only-binary",
    "--trusted-host",
    "--cache-dir",
    "--progress-bar",
    "--default-index",
    "--index",
    "--group",
    "--index-strategy",
    "--allow-insecure-host",
    "--keyring-provider",
    "--cert",
    "--client-cert",
    "--proxy",
    "--retries",
    "--timeout",
    "--log",
    "--report",
    "--config-settings",
    "--implementation",
    "--abi",
    "--upgrade-strategy",
    "--root-user-action",
    "--use-feature",
    "--exclude-newer",
    "--link-mode",
    "--resolution",
    "--python-platform",
];

fn named(tool: Tool, command: &Command) -> Named<'_> {
    let mut named = Named::default();
    let fixed: &[&str] = match tool {
        Tool::Pip => &[],
        Tool::Uv if matches!(install::positional(command)[..], ["pip" | "tool", ..]) => &[],
        Tool::Uv => &["uv.lock", "pyproject.toml"],
        Tool::Poetry => &["poetry.lock", "pyproject.toml"],
        Tool::Pdm => &["pdm.lock", "pyproject.toml"],
        Tool::Pipenv => &["Pipfile.lock"],
    };
    if !fixed.is_empty() {
        named.files.extend(fixed.iter().map(|path| (*path, false)));
        return named;
    }
    let mut words = command
        .arguments()
        .skip_while(|word| !matches!(*word, "install" | "sync" | "wheel" | "download"));
    let syncs = words.next() == Some("sync");
    while let Some(word) = words.next() {
        match word {
            "-r" | "--requirement" | "--requirements" => {
                named.files.extend(words.next().map(|path| (path, false)));
            }
            "-c" | "--constraint" | "--constraints" => {
                named.files.extend(words.next().map(|path| (path, true)));
            }
            _ if WITH_VALUE.contains(&word) => drop(words.next()),
            _ if word.starts_with("--") => {
                let given = |name: &str| word.strip_prefix(name)?.strip_prefix('=');
                named
                    .files
                    .extend(given("--requirement").map(|path| (path, false)));
                named
                    .files
                    .extend(given("--constraint").map(|path| (path, true)));
            }
            _ if word.starts_with("-r") => named.files.push((&word[2..], false)),
            _ if word.starts_with("-c") => named.files.push((&word[2..], true)),
            _ if word.starts_with('-') => {}
            "." | "./" => named.files.push(("pyproject.toml", false)),
            _ if word.starts_with(".[") => named.files.push(("pyproject.toml", false)),
            _ if syncs => named.files.push((word, false)),
            _ if word.contains(['/', '$']) || is_wheel(word) => {}
            _ => named.words.push(word),
        }
    }
    named
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stages;

    fn paths(dockerfile: &str, context: &[&str]) -> Vec<String> {
        let file = Dockerfile::parse(dockerfile).unwrap();
        let stages = stages(&file);
        let files = |path: &str| context.contains(&path).then(|| "a\n".to_owned());
        let all = installs(&file, &stages, &files);
        let manifests = all.into_iter().flat_map(|one| one.manifests);
        manifests.map(|manifest| manifest.path).collect()
    }

    #[test]
    fn files_are_found_behind_copies_mounts_and_stages() {
        let context = ["requirements.txt", "deps/dev.txt", "uv.lock"];
        for (dockerfile, expected) in [
            (
                "COPY requirements.txt .\nRUN pip install -r requirements.txt",
                &["requirements.txt"][..],
            ),
            (
                "WORKDIR /app\nCOPY . .\nRUN pip install -r /app/requirements.txt",
                &["requirements.txt"],
            ),
            (
                "COPY requirements.txt /tmp/r.txt\nRUN pip install --requirement=/tmp/r.txt",
                &["requirements.txt"],
            ),
            (
                "COPY requirements*.txt setup.py /tmp/\nRUN pip install -r/tmp/requirements.txt",
                &["requirements.txt"],
            ),
            (
                "ADD deps /d\nRUN pip install -r /d/dev.txt",
                &["deps/dev.txt"],
            ),
            (
                "COPY ./deps/dev.txt /d/\nRUN uv pip sync /d/dev.txt",
                &["deps/dev.txt"],
            ),
            (
                "WORKDIR /a\nRUN --mount=type=bind,source=uv.lock,target=uv.lock uv sync",
                &["uv.lock"],
            ),
            (
                "WORKDIR /a\nRUN --mount=target=. pip install -r deps/dev.txt",
                &["deps/dev.txt"],
            ),
            (
                "COPY deps /d\nFROM 0\nCOPY --from=0 /d/dev.txt /x/\nRUN pip install -r /x/dev.txt",
                &["deps/dev.txt"],
            ),
            (
                "COPY requirements.txt .\nFROM 0\nRUN pip install -r other.txt",
                &[],
            ),
            ("RUN pip install -r requirements.txt", &[]),
        ] {
            assert_eq!(
                paths(&format!("FROM a\n{dockerfile}\n"), &context),
                expected,
                "{dockerfile}"
            );
        }
        let built_on =
            "FROM a AS b\nCOPY requirements.txt /\nFROM b\nRUN pip install -r requirements.txt\n";
        assert_eq!(paths(built_on, &context), ["requirements.txt"]);
    }

    #[test]
    fn words_are_told_from_options_and_their_values() {
        let line = "pip install -q -i https://pypi.example/ --target x flask==3 -c c.txt 'uvicorn[standard]>=1' ./here . x.whl $Y";
        let command = &crate::commands(line)[0];
        let expected = Named {
            files: vec![("c.txt", true), ("pyproject.toml", false)],
            words: vec!["flask==3", "uvicorn[standard]>=1"],
        };
        assert_eq!(named(Tool::Pip, command), expected);
    }
}
