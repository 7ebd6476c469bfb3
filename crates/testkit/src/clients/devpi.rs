//! devpi's own client, which remembers its server, index and login in a home.

use std::fs;
use std::path::{Path, PathBuf};

use super::{Run, Scratch, program, run, search_path};

/// A `devpi` of one person, with a home of its own.
#[derive(Debug, Default)]
pub struct Devpi {
    scratch: Scratch,
}

impl Devpi {
    /// One that knows no server yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Sets an environment variable for every run.
    #[must_use]
    pub fn env(self, name: &str, value: &str) -> Self {
        Self {
            scratch: self.scratch.env(name, value),
        }
    }

    /// Its home, where the other clients can work too.
    pub fn scratch(&self) -> &Scratch {
        &self.scratch
    }

    /// Runs it with these arguments, in its home.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_in(self.scratch.path(), arguments)
    }

    /// Runs it with these arguments in another directory.
    pub fn run_in(&self, directory: &Path, arguments: &[&str]) -> Run {
        let devpi = program("devpi-client", "devpi");
        let bin = devpi.parent().expect("a program is in a directory");
        let mut command = self.scratch.command(&devpi);
        command
            // As with an activated environment, for it looks for tox there.
            .env("PATH", search_path(bin))
            .args(arguments)
            .current_dir(directory);
        run(command)
    }

    /// Makes a virtual environment that has a pip, for `install --venv`.
    pub fn venv(&self, name: &str) -> PathBuf {
        let path = self.scratch.path().join(name);
        let mut command = self.scratch.command(&program("devpi-client", "virtualenv"));
        command.args(["--quiet", "--no-download"]).arg(&path);
        run(command).succeeds();
        path
    }

    /// The password or token that it holds for a user of this server.
    pub fn password_of(&self, user: &str) -> Option<String> {
        let path = self.scratch.path().join(".devpi/client/auth.json");
        let logins: serde_json::Value = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
        let servers = logins["auth"].as_object()?;
        let mut pairs = servers.values().filter_map(|pairs| pairs.as_array());
        pairs
            .by_ref()
            .flatten()
            .find(|pair| pair[0] == user)
            .and_then(|pair| pair[1].as_str().map(str::to_owned))
    }
}
