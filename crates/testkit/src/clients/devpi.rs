//! devpi's own client, which remembers its server, index and login in a home.

use std::fs::File;
use std::path::Path;
use std::process::Command;

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

    /// Activates a new virtual environment with a pip, where it installs and
    /// writes settings from now on.
    #[must_use]
    pub fn activated(self, name: &str) -> Self {
        let path = self.scratch.path().join(name);
        let mut command = self.scratch.command(&program("devpi-client", "virtualenv"));
        command.args(["--quiet", "--no-download"]).arg(&path);
        run(command).succeeds();
        self.env("VIRTUAL_ENV", &path.display().to_string())
    }

    /// Runs it with these arguments, in its home.
    pub fn run(&self, arguments: &[&str]) -> Run {
        self.run_in(self.scratch.path(), arguments)
    }

    /// Runs it with these arguments in another directory.
    pub fn run_in(&self, directory: &Path, arguments: &[&str]) -> Run {
        let devpi = program("devpi-client", "devpi");
        let mut command = self.command(&devpi);
        command.args(arguments).current_dir(directory);
        run(command)
    }

    /// Runs it with these arguments and answers its questions with these lines.
    pub fn answer(&self, arguments: &[&str], lines: &str) -> Run {
        let answers = self.scratch.file("answers", lines);
        let answers = File::open(answers).expect("the answers were just written");
        let mut command = self.command(&program("devpi-client", "python"));
        command
            .args(["-c", WITHOUT_TERMINAL])
            .arg(program("devpi-client", "devpi"))
            .args(arguments)
            .stdin(answers);
        run(command)
    }

    fn command(&self, program: &Path) -> Command {
        let bin = program.parent().expect("a program is in a directory");
        let mut command = self.scratch.command(program);
        command
            // As with an activated environment, for it looks for tox there.
            .env("PATH", search_path(bin))
            // `use --set-cfg` writes it.
            .env("PIP_CONFIG_FILE", self.scratch.path().join("pip.conf"));
        command
    }
}

/// It asks for passwords at the terminal, if whoever runs the tests has one.
const WITHOUT_TERMINAL: &str = "import os, sys; os.setsid(); os.execv(sys.argv[1], sys.argv[1:])";
