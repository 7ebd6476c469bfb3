//! What is set at a point of a stage: variables, user, folder, shell.

use std::collections::BTreeMap;

use crate::Engine;
use crate::path::joined;

/// What is set at a point of a stage.
#[derive(Debug, Clone)]
pub(super) struct Scope {
    engine: Engine,
    /// What commands see, in the order that the engine compares; of BuildKit with arguments.
    pub(super) environment: Vec<(String, String)>,
    /// What the image keeps.
    image: Vec<(String, String)>,
    /// Arguments with a value.
    pub(super) arguments: BTreeMap<String, String>,
    /// What runs a line.
    pub(super) shell: Vec<String>,
    /// As whom.
    pub(super) user: String,
    /// Where.
    pub(super) folder: String,
}

impl Scope {
    /// Of an image: its own variables are not known here. They are the same as long as
    /// the image is.
    pub(super) fn of_image(engine: Engine) -> Self {
        Self {
            engine,
            environment: Vec::new(),
            image: Vec::new(),
            arguments: BTreeMap::new(),
            shell: vec!["/bin/sh".to_owned(), "-c".to_owned()],
            user: String::new(),
            folder: "/".to_owned(),
        }
    }

    /// Of a stage that builds on another.
    pub(super) fn inherited(&self) -> Self {
        let mut scope = self.clone();
        scope.arguments.clear();
        if self.engine.is_buildkit() {
            // Arguments of the other stage stay in the environment, and then the image's
            // own variables are set anew.
            for (name, value) in &self.image {
                scope.put(name, value);
            }
        }
        scope
    }

    /// `ENV`.
    pub(super) fn set(&mut self, name: &str, value: &str) {
        let kept = self.image.iter_mut().find(|(other, _)| other == name);
        match kept {
            Some((_, kept)) => value.clone_into(kept),
            None => self.image.push((name.to_owned(), value.to_owned())),
        }
        self.put(name, value);
    }

    /// `ARG`, with a value.
    pub(super) fn argue(&mut self, name: &str, value: &str) {
        self.arguments.insert(name.to_owned(), value.to_owned());
        if self.engine.is_buildkit() {
            self.put(name, value);
        }
    }

    fn put(&mut self, name: &str, value: &str) {
        let pair = (name.to_owned(), value.to_owned());
        let at = self.environment.iter().position(|(other, _)| other == name);
        match at {
            // BuildKit 0.8 puts what is set again at the end.
            Some(at) if self.engine == Engine::BuildKit08 => {
                self.environment.remove(at);
                self.environment.push(pair);
            }
            Some(at) => self.environment[at] = pair,
            None => self.environment.push(pair),
        }
    }

    /// What a variable stands for in an instruction.
    pub(super) fn lookup(&self, name: &str) -> Option<String> {
        let set = self.environment.iter().find(|(other, _)| other == name);
        let value = set.map(|(_, value)| value);
        let value = value.or_else(|| self.arguments.get(name));
        // What the image sets is not known, but the same text for the same image.
        let of_image = || (name == "PATH").then(|| "$PATH".to_owned());
        value.cloned().or_else(of_image)
    }

    /// Arguments that a command sees, of engines that have them apart from the environment.
    pub(super) fn visible_arguments(&self) -> impl Iterator<Item = (&String, &String)> {
        let arguments = self.arguments.iter();
        arguments.filter(|(name, _)| self.environment.iter().all(|(other, _)| other != *name))
    }

    /// `WORKDIR`.
    pub(super) fn enter(&mut self, path: &str) {
        self.folder = match self.engine {
            // They go on with what is written.
            Engine::BuildKit08 | Engine::Legacy if path.starts_with('/') => path.to_owned(),
            _ => self.absolute(path),
        };
    }

    /// A path as it is meant in this folder.
    pub(super) fn absolute(&self, path: &str) -> String {
        let folder = if path.starts_with('/') {
            ""
        } else {
            &self.folder
        };
        format!("/{}", joined(folder, path))
    }
}
