//! A project's source tree, as a person has it checked out.
//!
//! It builds without any other project: its backend is in the tree, unless it
//! is flit's, which flit brings along. A tox.ini lets `devpi test` run it.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tempfile::TempDir;

use crate::clients::Scratch;
use crate::dist::{self, Dist};

/// A directory with a `pyproject.toml`, and what was built from it in `dist`.
#[derive(Debug)]
pub struct Tree {
    directory: PathBuf,
    name: String,
    version: String,
    /// Keeps the tree as long as somebody may look into it.
    _home: Arc<TempDir>,
}

impl Tree {
    /// A tree that builds itself, in the home's directory of the project's name.
    pub fn new(scratch: &Scratch, name: &str, version: &str) -> Self {
        let tree = Self::bare(scratch, name, version);
        tree.file("pyproject.toml", pyproject(OWN_BACKEND, name, version));
        tree.file("backend.py", dist::backend(name, &Dist::sdist(version)));
        tree
    }

    /// A tree that flit builds.
    pub fn of_flit(scratch: &Scratch, name: &str, version: &str) -> Self {
        let tree = Self::bare(scratch, name, version);
        tree.file("pyproject.toml", pyproject(FLIT, name, version));
        tree
    }

    fn bare(scratch: &Scratch, name: &str, version: &str) -> Self {
        let tree = Self {
            directory: scratch.path().join(name),
            name: name.to_owned(),
            version: version.to_owned(),
            _home: scratch.home(),
        };
        let module = dist::module(name);
        tree.file(
            &format!("{module}/__init__.py"),
            format!("\"\"\"Made up for a test.\"\"\"\n\nVERSION = \"{version}\"\n"),
        );
        tree.file("tox.ini", TOX.replace("@MODULE@", &module));
        tree
    }

    /// Its directory.
    pub fn path(&self) -> &Path {
        &self.directory
    }

    /// Writes a file into it and gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.directory.join(name);
        let parent = path.parent().expect("a file is in a directory");
        fs::create_dir_all(parent).expect("the temporary directory takes a directory");
        fs::write(&path, content).expect("the temporary directory takes a file");
        path
    }

    /// Puts this wheel or sdist into `dist`, in place of one of the same name.
    pub fn dist(&self, dist: &Dist) -> PathBuf {
        let built = dist.build(&self.name);
        self.file(&format!("dist/{}", built.filename), built.content)
    }

    /// Puts a wheel of the tree's release into `dist` that has so many zeros in it.
    pub fn sparse_wheel(&self, zeros: u64) -> PathBuf {
        let module = dist::module(&self.name);
        let path = format!("dist/{module}-{}-py3-none-any.whl", self.version);
        let path = self.file(&path, "");
        dist::sparse_wheel(&path, &self.name, &self.version, zeros);
        path
    }

    /// Puts a documentation zip with these files into `dist`.
    pub fn docs(&self, files: &[(&str, &str)]) -> PathBuf {
        let name = format!("dist/{}-{}.doc.zip", self.name, self.version);
        self.file(&name, dist::docs(files))
    }

    /// What is in `dist`, in order.
    pub fn dists(&self) -> Vec<PathBuf> {
        let mut dists: Vec<_> = fs::read_dir(self.directory.join("dist"))
            .into_iter()
            .flatten()
            .map(|entry| entry.expect("the temporary directory can be read").path())
            .collect();
        dists.sort();
        dists
    }
}

fn pyproject(build_system: &str, name: &str, version: &str) -> String {
    format!(
        "[build-system]\n{build_system}\n\
         [project]\nname = \"{name}\"\nversion = \"{version}\"\n\
         description = \"made up for a test\"\n"
    )
}

const OWN_BACKEND: &str = r#"requires = []
build-backend = "backend"
backend-path = ["."]
"#;

const FLIT: &str = r#"requires = ["flit_core >=3.4,<5"]
build-backend = "flit_core.buildapi"
"#;

const TOX: &str = r#"[tox]
env_list = py

[testenv]
commands = python -c "import @MODULE@; print(@MODULE@.VERSION)"
"#;
