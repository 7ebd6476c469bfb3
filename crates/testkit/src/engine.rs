//! Docker's engine out of Debian's package, started by hand over a directory of its own.
//!
//! It needs root. It makes no bridge and touches no firewall, so what it builds has no
//! network. The one image it knows is `base`, made here of a static busybox.

mod base;
mod buildah;
mod built;
mod python;
mod tree;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::wait::holds_within;

pub use buildah::Buildah;
pub use built::{Built, Ran};
pub use python::Wheels;
pub use tree::Node;

/// A `dockerd` that runs.
#[derive(Debug)]
pub struct Engine {
    directory: TempDir,
    child: Option<Child>,
}

/// Which of the daemon's two builders builds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Builder {
    /// BuildKit, of the version that this daemon has inside.
    BuildKit,
    /// The one before BuildKit.
    Legacy,
}

/// Debian's; another client in the path may lack what BuildKit needs.
const DAEMON: &str = "/usr/sbin/dockerd";
const CLIENT: &str = "/usr/bin/docker";

impl Engine {
    /// Starts one, or says loudly why it cannot.
    pub fn start() -> Option<Self> {
        let needs = [(DAEMON, "docker.io"), (CLIENT, "docker.io")];
        if let Some(missing) = missing(&needs) {
            crate::skipped("builds by a real Docker engine", &missing);
            return None;
        }
        let directory = TempDir::with_prefix("pilothouse-engine-")
            .expect("there is room for an engine's directory");
        let mut engine = Self {
            directory,
            child: None,
        };
        base::lay_out(&engine.base());
        if let Err(why) = engine.start_daemon() {
            // A container may have the packages and not the rights.
            crate::skipped("builds by a real Docker engine", &why);
            return None;
        }
        let usable = engine.import("").and_then(|()| engine.try_builders());
        if let Err(why) = usable {
            crate::skipped("builds by a real Docker engine", &why);
            return None;
        }
        Some(engine)
    }

    /// Whether commands can be run in images here, by either builder.
    fn try_builders(&self) -> Result<(), String> {
        let context = self.directory.path().join("trial");
        fs::create_dir_all(&context).expect("the directory takes a directory");
        let dockerfile = "FROM base\nRUN echo 1\n";
        fs::write(context.join("Dockerfile"), dockerfile).expect("the directory takes a file");
        for builder in [Builder::BuildKit, Builder::Legacy] {
            let built = self.build(builder, &context, &[]);
            if !built.succeeded {
                let last = built.output.lines().last().unwrap_or_default();
                return Err(format!("{builder:?} cannot run commands here: {last}"));
            }
        }
        Ok(())
    }

    fn start_daemon(&mut self) -> Result<(), String> {
        let path = self.directory.path();
        let log = File::create(path.join("log")).expect("the directory takes a log");
        let errors = log.try_clone().expect("a file can be shared");
        let child = Command::new(DAEMON)
            .arg("--host")
            .arg(self.address())
            .arg("--data-root")
            .arg(path.join("data"))
            .arg("--exec-root")
            .arg(path.join("exec"))
            .arg("--pidfile")
            .arg(path.join("pid"))
            .args(["--bridge=none", "--iptables=false", "--ip6tables=false"])
            .args(["--ip-forward=false", "--ip-masq=false", "--log-level=error"])
            .stdin(Stdio::null())
            .stdout(log)
            .stderr(errors)
            .spawn();
        self.child = Some(child.expect("dockerd can be run"));
        let mut has_ended = false;
        let answers = holds_within(Duration::from_mins(1), || {
            let child = self.child.as_mut().expect("it was started");
            let ended = child.try_wait().expect("a child can be waited for");
            has_ended = ended.is_some();
            let answer = self.client().arg("version").output();
            has_ended || answer.expect("docker can be run").status.success()
        });
        if answers && !has_ended {
            return Ok(());
        }
        let log = self.log();
        let last = log.lines().last().unwrap_or("it says nothing");
        Err(format!("dockerd does not run here: {last}"))
    }

    /// Makes `base` another image: what was built on the one before is of no use for it.
    ///
    /// Its environment is `PATH=/bin`.
    pub fn import_base(&self, content: &str) {
        let imported = self.import(content);
        imported.expect("what was imported once can be imported again");
    }

    fn import(&self, content: &str) -> Result<(), String> {
        let root = self.base();
        base::fill(&root, content);
        self.import_directory(&root, "base", &["ENV PATH=/bin".to_owned()])
    }

    /// Makes an image of a directory, with these instructions.
    fn import_directory(
        &self,
        root: &Path,
        name: &str,
        instructions: &[String],
    ) -> Result<(), String> {
        let mut tar = Command::new("tar")
            .arg("-C")
            .arg(root)
            .args(["-c", "."])
            .stdout(Stdio::piped())
            .spawn()
            .expect("tar can be run");
        let changes = instructions.iter().flat_map(|one| ["--change", one]);
        let imported = self
            .client()
            .arg("import")
            .args(changes)
            .args(["-", name])
            .stdin(tar.stdout.take().expect("it was asked for"))
            .output()
            .expect("docker can be run");
        assert!(tar.wait().expect("tar ends").success(), "tar failed");
        if imported.status.success() {
            return Ok(());
        }
        let message = String::from_utf8_lossy(&imported.stderr);
        Err(format!("no image can be imported here: {}", message.trim()))
    }

    /// Builds a directory with these arguments of `docker build`.
    pub fn build(&self, builder: Builder, context: &Path, arguments: &[&str]) -> Built {
        let buildkit = match builder {
            Builder::BuildKit => "1",
            Builder::Legacy => "0",
        };
        let mut command = self.client();
        command
            .env("DOCKER_BUILDKIT", buildkit)
            .args(["build", "--network", "none"]);
        if builder == Builder::BuildKit {
            command.arg("--progress=plain");
        }
        let output = command.args(arguments).arg(context).output();
        let output = output.expect("docker can be run");
        let reader = match builder {
            Builder::BuildKit => built::buildkit,
            Builder::Legacy => built::legacy,
        };
        Built::read(&output, reader)
    }

    /// What an image says of its layers, one JSON object on each line.
    pub fn history(&self, image: &str) -> String {
        let mut command = self.client();
        command.args(["history", "--no-trunc", "--human=false"]);
        command.args(["--format", "{{json .}}", image]);
        let output = command.output().expect("docker can be run");
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).expect("JSON is text")
    }

    fn client(&self) -> Command {
        let mut command = Command::new(CLIENT);
        command
            .env_clear()
            .env("HOME", self.directory.path())
            .env("PATH", "/usr/bin:/bin")
            .arg("--host")
            .arg(self.address())
            .stdin(Stdio::null());
        command
    }

    fn base(&self) -> PathBuf {
        self.directory.path().join("base")
    }

    fn address(&self) -> String {
        format!("unix://{}/socket", self.directory.path().display())
    }

    fn log(&self) -> String {
        fs::read_to_string(self.directory.path().join("log")).unwrap_or_default()
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else {
            return;
        };
        let id = i32::try_from(child.id()).ok().and_then(Pid::from_raw);
        // It may have ended by itself.
        let _ = kill_process(id.expect("a process id fits"), Signal::TERM);
        let ended = holds_within(Duration::from_secs(15), || {
            let ended = child.try_wait().expect("a child can be waited for");
            ended.is_some()
        });
        if !ended {
            drop(child.kill());
            drop(child.wait());
        }
        if std::thread::panicking() {
            eprintln!("--- dockerd's log\n{}---", self.log());
        }
    }
}

/// What an engine needs and is not there, of programs with their packages.
fn missing(programs: &[(&str, &str)]) -> Option<String> {
    if !rustix::process::geteuid().is_root() {
        return Some("it needs root".to_owned());
    }
    let mut programs = programs.iter().chain([&base::NEEDS]);
    let missing = programs.find(|(path, _)| !Path::new(path).exists());
    missing.map(|(path, package)| {
        format!("`{path}` is missing (`apt-get install --no-install-recommends {package}`)")
    })
}
