//! One scenario: what is built, what is changed, and what comes of it.
//!
//! A scenario is written as its name, a Dockerfile, and changes:
//!
//! ```text
//! ### a file has another byte
//! FROM base
//! COPY a.txt /
//! == --build-arg X=1        an argument of the first build
//! -- write a.txt other      a change to the context
//! -- --build-arg X=2        an argument of the second build
//! -- replace OLD => NEW     a change to the Dockerfile
//! -- ignore *.pyc           a line more in .dockerignore (== for both builds)
//! -- base                   the base image becomes another
//! -- dockerfile             the second build has the Dockerfile that follows
//! == not buildah            that engine refuses to build one of the two
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::path::Path;

use context::Snapshot;
use dockerfile::cache::{
    Build, Cached, Content, Context, Named, Options, Selection, Verdict, explain,
};
use dockerfile::{Dockerfile, Engine as Model, Ignore};
use tempfile::TempDir;
use testkit::{Built, Ran};

use crate::fixture;
use crate::lab::Lab;

/// What is built, and what is changed between two builds.
#[derive(Debug, Default, Clone)]
pub(crate) struct Scenario {
    pub(crate) name: String,
    pub(crate) before: String,
    /// None: changes make it out of the first.
    pub(crate) after: Option<String>,
    /// For both builds.
    pub(crate) common: Vec<String>,
    pub(crate) changes: Vec<String>,
}

/// What came of a scenario.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    /// Steps on which model and engine agree.
    pub(crate) agreed: usize,
    /// Steps of which the model says that they depend.
    pub(crate) open: usize,
    /// What they disagree on.
    pub(crate) wrong: Vec<String>,
}

/// The scenarios of a text.
pub(crate) fn read(text: &str) -> Vec<Scenario> {
    let parts = text.split("\n### ").skip(1);
    parts.map(one).collect()
}

fn one(text: &str) -> Scenario {
    let (name, rest) = text.split_once('\n').unwrap();
    let mut scenario = Scenario {
        name: name.to_owned(),
        ..Scenario::default()
    };
    for line in rest.lines() {
        if line == "-- dockerfile" {
            scenario.after = Some(String::new());
        } else if let Some(change) = line.strip_prefix("-- ") {
            scenario.changes.push(change.to_owned());
        } else if let Some(common) = line.strip_prefix("== ") {
            scenario.common.push(common.to_owned());
        } else {
            let text = scenario.after.as_mut().unwrap_or(&mut scenario.before);
            text.push_str(line);
            text.push('\n');
        }
    }
    scenario
}

/// One of the two builds.
struct State {
    dockerfile: String,
    ignore: String,
    arguments: Vec<String>,
}

impl State {
    fn options(&self) -> Options {
        let mut options = Options {
            network: Some("none".to_owned()),
            images: BTreeMap::new(),
            ..Options::default()
        };
        for pair in self.arguments.chunks(2) {
            let value = pair[1].clone();
            match pair[0].as_str() {
                "--build-arg" => {
                    let (name, value) = value.split_once('=').unwrap();
                    options.build_args.insert(name.to_owned(), value.to_owned());
                }
                "--target" => options.target = Some(value),
                "--add-host" => options.hosts.push(value),
                "--network" => options.network = Some(value),
                "--platform" => options.platform = Some(value),
                "--label" | "--shm-size" | "--ulimit" | "--build-context" => {}
                other => panic!("unknown argument {other}"),
            }
        }
        options
    }

    fn write(&self, root: &Path) {
        fs::write(root.join("Dockerfile"), &self.dockerfile).unwrap();
        if !self.ignore.is_empty() {
            fs::write(root.join(".dockerignore"), &self.ignore).unwrap();
        }
    }

    fn snapshot(&self, root: &Path, model: Model) -> Snapshot {
        let ignore = Ignore::parse(&self.ignore).unwrap();
        Snapshot::of_directory(root, &ignore, model).unwrap()
    }

    /// `--build-context NAME=FOLDER`, of folders within the context.
    fn named(&self, root: &Path, model: Model) -> BTreeMap<String, Snapshot> {
        let pairs = self.arguments.chunks(2);
        let given = pairs.filter(|pair| pair[0] == "--build-context");
        let named = given.map(|pair| {
            let (name, folder) = pair[1].split_once('=').unwrap();
            let files = Snapshot::of_directory(&root.join(folder), &Ignore::default(), model);
            (name.to_owned(), files.unwrap().settled().unwrap())
        });
        named.collect()
    }
}

/// What a build takes files from.
struct Given {
    files: Snapshot,
    named: BTreeMap<String, Snapshot>,
}

impl Context for Given {
    fn content(&self, selection: &Selection) -> Result<Content, String> {
        self.files.content(selection)
    }

    fn named(&self, name: &str) -> Option<Named<'_>> {
        self.named.get(name).map(|files| Named::Files(files))
    }
}

impl Scenario {
    fn states(&self) -> (State, State) {
        let mut before = State {
            dockerfile: self.before.clone(),
            ignore: String::new(),
            arguments: Vec::new(),
        };
        for line in &self.common {
            state_change(&mut before, line);
        }
        let mut after = State {
            dockerfile: self.after.clone().unwrap_or_else(|| self.before.clone()),
            ignore: before.ignore.clone(),
            arguments: Vec::new(),
        };
        if self.changes.iter().all(|line| !line.starts_with("--")) {
            after.arguments.clone_from(&before.arguments);
        }
        for line in &self.changes {
            state_change(&mut after, line);
        }
        (before, after)
    }

    /// What comes before the first build, as one word.
    fn way(&self) -> String {
        let mut hash = DefaultHasher::new();
        (&self.before, &self.common).hash(&mut hash);
        format!("{:016x}", hash.finish())
    }

    /// Builds it twice, and holds the model against what the engine says.
    pub(crate) fn run(&self, lab: &Lab) -> Outcome {
        let model = lab.model();
        let root = TempDir::with_prefix("pilothouse-context-").unwrap();
        let root = root.path();
        let is_built = lab.begin(&self.name, &self.way());
        let (before, after) = self.states();
        fixture::lay_out(root);
        // Changes with `=` are made before the first build.
        for line in &self.common {
            file_change(root, line);
        }
        before.write(root);
        if self.common.contains(&format!("not {}", model.as_str())) {
            return self.refused(lab, root, &before, &after);
        }
        let first = Given {
            files: before.snapshot(root, model).settled().unwrap(),
            named: before.named(root, model),
        };
        if !is_built {
            let _built = build(lab, root, &before).succeeds();
            lab.remember(&self.way());
        }
        for line in &self.changes {
            file_change(root, line);
        }
        after.write(root);
        let mut second = Given {
            files: after.snapshot(root, model),
            named: after.named(root, model),
        };
        if model.is_buildkit() {
            second.files = second.files.received(&first.files).unwrap().snapshot;
        }
        let mut options = after.options();
        if self.changes.iter().any(|line| line == "base") {
            lab.import_base(&format!("{} other", self.name));
            options
                .images
                .insert("base".to_owned(), "another".to_owned());
        }
        let parsed = [&before, &after].map(|state| Dockerfile::parse(&state.dockerfile).unwrap());
        let old = Build {
            dockerfile: &parsed[0],
            options: &before.options(),
            context: &first,
        };
        let new = Build {
            dockerfile: &parsed[1],
            options: &options,
            context: &second,
        };
        let verdicts = explain(model, &old, &new).unwrap();
        let ran = build(lab, root, &after).succeeds().steps;
        self.judge(&verdicts, &ran, model)
    }

    /// What an engine cannot build says nothing of its cache; but it should not build it.
    fn refused(&self, lab: &Lab, root: &Path, before: &State, after: &State) -> Outcome {
        let first = build(lab, root, before).succeeded;
        for line in &self.changes {
            file_change(root, line);
        }
        after.write(root);
        let mut outcome = Outcome::default();
        if first && build(lab, root, after).succeeded {
            let what = format!("{:?}, {}: it builds this", lab.model(), self.name);
            outcome.wrong.push(what);
        }
        outcome
    }

    fn judge(&self, verdicts: &[Verdict], ran: &[Ran], model: Model) -> Outcome {
        let mut outcome = Outcome::default();
        for verdict in verdicts {
            if verdict.instruction.starts_with("FROM ") {
                continue;
            }
            let found = ran.iter().find(|ran| {
                let in_stage = match &ran.stage {
                    Some(stage) if model == Model::Buildah => {
                        *stage == format!("stage-{}", verdict.stage_number)
                    }
                    Some(stage) => stage.eq_ignore_ascii_case(&verdict.stage),
                    None => true,
                };
                (in_stage || model == Model::Legacy) && ran.number == verdict.number
            });
            // BuildKit shows steps that are the same in two stages only once.
            let Some(found) = found else {
                continue;
            };
            match verdict.cached {
                Cached::Depends => outcome.open += 1,
                Cached::Yes | Cached::No if (verdict.cached == Cached::Yes) == found.cached => {
                    outcome.agreed += 1;
                }
                said => outcome.wrong.push(format!(
                    "{model:?}, {}: `{}` ({}): the model says {said:?} {:?}, the engine {}",
                    self.name, verdict.instruction, found.instruction, verdict.causes, found.cached
                )),
            }
        }
        if outcome.agreed + outcome.open + outcome.wrong.len() == 0 {
            let what = format!("{model:?}, {}: nothing to compare in {ran:?}", self.name);
            outcome.wrong.push(what);
        }
        outcome
    }
}

fn build(lab: &Lab, root: &Path, state: &State) -> Built {
    let pairs = state.arguments.chunks(2);
    let arguments = pairs.flat_map(|pair| {
        let value = match pair[1].split_once('=') {
            Some((name, folder)) if pair[0] == "--build-context" => {
                format!("{name}={}", root.join(folder).display())
            }
            _ => pair[1].clone(),
        };
        [pair[0].clone(), value]
    });
    let arguments: Vec<String> = arguments.collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    lab.build(root, &arguments)
}

/// What a line changes of the Dockerfile, its ignore file and the arguments.
fn state_change(state: &mut State, line: &str) {
    if let Some((old, new)) = line
        .strip_prefix("replace ")
        .and_then(|rest| rest.split_once(" => "))
    {
        let (old, new) = (old.replace("\\n", "\n"), new.replace("\\n", "\n"));
        assert!(
            state.dockerfile.contains(&old),
            "nothing to replace: {line}"
        );
        state.dockerfile = state.dockerfile.replace(&old, &new);
    } else if let Some(pattern) = line.strip_prefix("ignore ") {
        state.ignore.push_str(pattern);
        state.ignore.push('\n');
    } else if line.starts_with("--") {
        let (name, value) = line.split_once(' ').unwrap();
        state.arguments.extend([name.to_owned(), value.to_owned()]);
    }
}

/// What a line changes of the files.
fn file_change(root: &Path, line: &str) {
    let is_of_state = ["replace ", "ignore ", "--", "base", "not "];
    if !is_of_state.iter().any(|word| line.starts_with(word)) {
        let words: Vec<&str> = line.split(' ').collect();
        fixture::change(root, &words);
    }
}
