//! A Dockerfile, read, with what lies beside it.

use std::io::Read as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use dockerfile::{Dockerfile, Engine, Position};

use crate::failure::Explained;

/// What Dockerfiles are called.
const NAMES: [&str; 2] = ["Dockerfile", "Containerfile"];

/// A Dockerfile with its context.
#[derive(Debug)]
pub(super) struct Source {
    /// As it was named, for people; `<stdin>` if it was not.
    pub(super) name: String,
    pub(super) dockerfile: Dockerfile,
    /// What leaves files out of the context.
    pub(super) ignore: Option<Text>,
    /// The folder that is built.
    pub(super) context: PathBuf,
    pub(super) engine: Engine,
}

/// A file with what it is called.
#[derive(Debug)]
pub(super) struct Text {
    pub(super) name: String,
    pub(super) text: String,
}

impl Source {
    /// Reads the Dockerfile that `name` means: a file, a folder with one in it, or `-`.
    pub(super) fn read(name: &Path, context: Option<&Path>) -> anyhow::Result<Self> {
        if name == Path::new("-") {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.context("stdin cannot be read as text")?;
            let context = context.unwrap_or(Path::new("."));
            return Self::parse("<stdin>".to_owned(), &text, context, None);
        }
        let path = found(name);
        let text = std::fs::read_to_string(&path).with_context(|| {
            Explained::new(
                format!("`{}` cannot be read", path.display()),
                "name a Dockerfile, or a folder with one in it; `-` is stdin",
            )
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        let context = context.unwrap_or(folder);
        Self::parse(path.display().to_string(), &text, context, Some(&path))
    }

    /// The text of a file of the context, if there is one that is text.
    pub(super) fn context_file(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.context.join(path)).ok()
    }

    fn parse(
        name: String,
        text: &str,
        context: &Path,
        path: Option<&Path>,
    ) -> anyhow::Result<Self> {
        let read = Dockerfile::parse(text).and_then(|file| file.check().map(|()| file));
        let dockerfile = read.map_err(|error| {
            let at = Position::of(text, error.span.start);
            let what = format!("`{name}` is no Dockerfile: line {}: {error}", at.line);
            Explained::new(what, "an engine would refuse to build it, too")
        })?;
        Ok(Self {
            name,
            dockerfile,
            ignore: ignore(context, path)?,
            context: context.to_owned(),
            engine: path.map_or(Engine::BuildKit, engine),
        })
    }
}

/// Only podman and buildah look for a Containerfile.
fn engine(path: &Path) -> Engine {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    if name.starts_with("Containerfile") || name.ends_with(".containerfile") {
        Engine::Buildah
    } else {
        Engine::BuildKit
    }
}

/// The file itself, or the one in the folder.
pub(super) fn found(name: &Path) -> PathBuf {
    if !name.is_dir() {
        return name.to_owned();
    }
    let mut paths = NAMES.iter().map(|file| match name {
        here if here == Path::new(".") => PathBuf::from(file),
        folder => folder.join(file),
    });
    let first = paths.find(|path| path.is_file());
    first.unwrap_or_else(|| name.join(NAMES[0]))
}

/// `<Dockerfile>.dockerignore` stands in the place of the context's `.dockerignore`.
pub(super) fn ignore(context: &Path, dockerfile: Option<&Path>) -> anyhow::Result<Option<Text>> {
    let own = dockerfile.map(|path| {
        let mut name = path.as_os_str().to_owned();
        name.push(".dockerignore");
        PathBuf::from(name)
    });
    for path in own.into_iter().chain([context.join(".dockerignore")]) {
        match std::fs::read_to_string(&path) {
            Ok(text) => {
                let name = path.display().to_string();
                return Ok(Some(Text { name, text }));
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => {
                let what = format!("`{}` cannot be read", path.display());
                return Err(anyhow::Error::new(error).context(what));
            }
        }
    }
    Ok(None)
}
