//! What `docker fix` mends, built before and after: the image holds the same files.
//!
//! A case is written as its name, the rules that are mended, a Dockerfile and its context:
//!
//! ```text
//! ### pip from a requirement file
//! == PH001 PH002
//! FROM python:3.11-slim
//! # ---- requirements.txt
//! flask
//! ```

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use context::Snapshot;
use dockerfile::cache::{Build, Cached, Options, explain};
use dockerfile::fix::{Extent, Fixed, fix};
use dockerfile::lint::Surroundings;
use dockerfile::{Dockerfile, Engine as Model, Ignore};
use tempfile::TempDir;
use testkit::{Builder, Dist, Engine, Node, Wheels};

const SAFE: &str = include_str!("mended/safe.txt");
const UNSAFE: &str = include_str!("mended/unsafe.txt");

/// A Dockerfile to be mended, with the files around it.
struct Case<'a> {
    name: &'a str,
    rules: Vec<&'a str>,
    dockerfile: &'a str,
    files: Vec<(&'a str, &'a str)>,
}

fn read(text: &str) -> Vec<Case<'_>> {
    let parts = text.split("\n### ").skip(1);
    let cases = parts.map(|part| {
        let (name, rest) = part.split_once("\n== ").unwrap();
        let (rules, rest) = rest.split_once('\n').unwrap();
        let mut files = rest.split("# ---- ");
        let dockerfile = files.next().unwrap();
        let files = files.map(|file| file.split_once('\n').unwrap());
        Case {
            name,
            rules: rules.split(' ').collect(),
            dockerfile,
            files: files.collect(),
        }
    });
    cases.collect()
}

impl Case<'_> {
    fn file(&self, path: &str) -> Option<&str> {
        let found = self.files.iter().find(|file| file.0 == path);
        found.map(|file| file.1)
    }

    fn fixed(&self, extent: Extent) -> Fixed {
        let around = Surroundings {
            ignore: self.file(".dockerignore"),
            read: &|path| self.file(path).map(str::to_owned),
            ..Surroundings::default()
        };
        let fixed = fix(self.dockerfile, &around, extent).unwrap();
        let mut rules: Vec<&str> = fixed.done.iter().map(|done| done.rule.code).collect();
        rules.sort_unstable();
        assert_eq!(rules, self.rules, "{}", self.name);
        fixed
    }

    fn lay_out(&self, root: &Path) {
        for (path, text) in &self.files {
            let path = root.join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, text).unwrap();
            if text.starts_with("#!") {
                let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
                fs::set_permissions(&path, mode).unwrap();
            }
        }
    }

    /// Builds it as it is and mended.
    fn hold(&self, engine: &Engine, extent: Extent) {
        let fixed = self.fixed(extent);
        let root = TempDir::with_prefix("pilothouse-mended-").unwrap();
        let root = root.path();
        self.lay_out(root);
        let before = self.build(engine, root, self.dockerfile, "before");
        if let Some(ignore) = &fixed.ignore {
            fs::write(root.join(".dockerignore"), ignore).unwrap();
        }
        let after = self.build(engine, root, &fixed.dockerfile, "after");
        self.is_same(&fixed, &before, &after);
        if self.rules.contains(&"PH001") {
            self.gains(root, &fixed);
        }
    }

    /// The same files, but for those of the context that are left out now, and caches.
    fn is_same(
        &self,
        fixed: &Fixed,
        before: &BTreeMap<String, Node>,
        after: &BTreeMap<String, Node>,
    ) {
        let text = fixed.ignore.as_deref().unwrap_or_default();
        let ignore = Ignore::parse(text).unwrap();
        let in_context = self.files.iter().map(|file| file.0);
        let in_context = in_context.chain(["Dockerfile", ".dockerignore"]);
        let mut left_out: Vec<&str> = in_context
            .flat_map(|path| Path::new(path).ancestors())
            .filter_map(Path::to_str)
            .filter(|path| !path.is_empty() && ignore.leaves_out(path))
            .collect();
        left_out.extend(["root/.cache", "home/app/.cache"]);
        if self.rules.contains(&"PH008") {
            // What was a wheel, and is compiled here, says so; and a mount leaves its folder.
            left_out.extend([
                "wheelhouse",
                "direct_url.json",
                "RECORD",
                "REQUESTED",
                "__pycache__",
            ]);
        }
        // It is another file itself.
        left_out.extend(self.file(".dockerignore").map(|_| ".dockerignore"));
        let counts = |path: &&String| {
            let mut parts = Path::new(path.as_str()).ancestors();
            parts.all(|part| left_out.iter().all(|out| !part.ends_with(out)))
        };
        let paths = before.keys().chain(after.keys()).filter(counts);
        let mut differing: Vec<String> = paths
            .filter(|path| before.get(*path) != after.get(*path))
            .map(|path| format!("{path}: {:?} {:?}", before.get(path), after.get(path)))
            .collect();
        differing.dedup();
        let (name, dockerfile) = (self.name, &fixed.dockerfile);
        assert!(
            differing.is_empty(),
            "{name}:\n{dockerfile}\n{}",
            differing.join("\n")
        );
    }

    /// A source is edited: what was installed stays so once the order is right, and did not before.
    fn gains(&self, root: &Path, fixed: &Fixed) {
        let first = snapshot(root, fixed).settled().unwrap();
        fs::write(root.join("app/main.py"), "print(\"another\")\n").unwrap();
        let second = snapshot(root, fixed);
        for (dockerfile, is_kept) in [(self.dockerfile, false), (&fixed.dockerfile, true)] {
            let said = kept(dockerfile, &first, &second);
            assert!(!said.is_empty(), "{}: {dockerfile}", self.name);
            let is_as_hoped = said.iter().all(|cached| *cached == is_kept);
            assert!(is_as_hoped, "{}: {said:?}\n{dockerfile}", self.name);
        }
    }

    fn build(
        &self,
        engine: &Engine,
        root: &Path,
        dockerfile: &str,
        tag: &str,
    ) -> BTreeMap<String, Node> {
        fs::write(root.join("Dockerfile"), dockerfile).unwrap();
        let built = engine.build(Builder::BuildKit, root, &["--tag", tag]);
        assert!(built.succeeded, "{}: {tag}: {}", self.name, built.output);
        engine.tree(tag)
    }
}

/// Whether this step installs packages from what the context says.
fn installs(instruction: &str) -> bool {
    let tools = ["pip", "uv", "poetry", "pdm", "pipenv"];
    let mut words = instruction.split_whitespace();
    words.next() == Some("RUN") && words.any(|word| tools.contains(&word))
}

fn snapshot(root: &Path, fixed: &Fixed) -> Snapshot {
    let text = fixed.ignore.as_deref().unwrap_or_default();
    let ignore = Ignore::parse(text).unwrap();
    Snapshot::of_directory(root, &ignore, Model::BuildKit08).unwrap()
}

/// Of every step that installs, whether it is cached.
fn kept(dockerfile: &str, before: &Snapshot, after: &Snapshot) -> Vec<bool> {
    let options = Options {
        network: Some("none".to_owned()),
        ..Options::default()
    };
    let dockerfile = Dockerfile::parse(dockerfile).unwrap();
    let [old, new] = [before, after].map(|context| Build {
        dockerfile: &dockerfile,
        options: &options,
        context,
    });
    let verdicts = explain(Model::BuildKit08, &old, &new).unwrap();
    let verdicts = verdicts.iter().filter(|one| installs(&one.instruction));
    verdicts.map(|one| one.cached == Cached::Yes).collect()
}

fn engine() -> Option<Engine> {
    let engine = Engine::start()?;
    let wheels = [
        ("flask", Dist::wheel("3.1.2").requires("werkzeug")),
        ("werkzeug", Dist::wheel("3.0")),
        ("gunicorn", Dist::wheel("23.0")),
        ("pytest", Dist::wheel("8.0")),
    ];
    engine.import_python("python:3.11-slim", &Wheels::Folder(&wheels));
    Some(engine)
}

#[test]
fn what_is_mended_by_itself_builds_the_same_image() {
    let Some(engine) = engine() else {
        return;
    };
    for case in read(SAFE) {
        case.hold(&engine, Extent::Safe);
    }
}

#[test]
fn what_is_mended_when_asked_for_builds_an_image_that_is_as_good() {
    let Some(engine) = engine() else {
        return;
    };
    for case in read(UNSAFE) {
        case.hold(&engine, Extent::All);
    }
}

/// The engine agrees with what `explain` says of all of them.
#[test]
fn an_edited_source_leaves_what_is_installed_in_the_engine() {
    let Some(engine) = engine() else {
        return;
    };
    let case = &read(SAFE)[0];
    let mended = case.fixed(Extent::Safe).dockerfile;
    for (dockerfile, is_kept) in [(case.dockerfile, false), (&mended, true)] {
        let root = TempDir::with_prefix("pilothouse-mended-").unwrap();
        case.lay_out(root.path());
        fs::write(root.path().join("Dockerfile"), dockerfile).unwrap();
        let build = || {
            let built = engine.build(Builder::BuildKit, root.path(), &[]).succeeds();
            let steps = built.steps.into_iter();
            let mut steps = steps.filter(|ran| installs(&ran.instruction));
            steps.next().unwrap().cached
        };
        build();
        fs::write(root.path().join("app/main.py"), "another").unwrap();
        assert_eq!(build(), is_kept, "{dockerfile}");
    }
}
