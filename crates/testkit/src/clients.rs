//! Real clients, each in a home of its own.
//!
//! `cargo xtask setup` installs the pinned versions below `target/python`. A
//! client that is missing fails its test: nothing is skipped quietly. No
//! setting of the machine reaches a client, and a proxy that nobody listens at
//! keeps it from every host but loopback.

mod devpi;
mod uploader;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tempfile::TempDir;

pub use devpi::Devpi;
pub use uploader::{Account, Uploader};

/// A home directory, a cache and install targets that one test uses.
#[derive(Debug)]
pub struct Scratch {
    home: Arc<TempDir>,
    cache: bool,
    variables: Vec<(String, String)>,
}

/// The clients that install.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Installer {
    /// The oldest pip that we promise to serve (HTML pages only).
    PipOldest,
    /// The newest pip.
    PipNewest,
    /// The oldest uv that we promise to serve.
    UvOldest,
    /// The newest uv.
    UvNewest,
}

/// What a client printed and how it ended.
#[derive(Debug)]
pub struct Run {
    /// The exit code; -1 when a signal ended it.
    pub code: i32,
    /// What it wrote to stdout.
    pub stdout: String,
    /// What it wrote to stderr.
    pub stderr: String,
    /// How long it took.
    pub took: Duration,
}

/// What an install left in its target directory.
#[derive(Debug)]
pub struct Installed {
    /// How the client ended.
    pub run: Run,
    /// Where it installed.
    pub target: PathBuf,
    /// Keeps the target as long as somebody may look into it.
    _home: Arc<TempDir>,
}

impl Scratch {
    /// A home without a cache: every run starts cold.
    pub fn new() -> Self {
        Self {
            home: Arc::new(
                TempDir::with_prefix("pilothouse-client-").expect("a temporary directory"),
            ),
            cache: false,
            variables: Vec::new(),
        }
    }

    /// A home whose cache is kept from run to run.
    pub fn caching() -> Self {
        Self {
            cache: true,
            ..Self::new()
        }
    }

    /// Sets an environment variable for every run.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.variables.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The home directory.
    pub fn path(&self) -> &Path {
        self.home.path()
    }

    /// Writes a file into the home directory and gives its path.
    pub fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).expect("the temporary directory takes a directory");
        }
        fs::write(&path, content).expect("the temporary directory takes a file");
        path
    }

    /// Keeps the home directory for whoever holds it.
    pub(crate) fn home(&self) -> Arc<TempDir> {
        Arc::clone(&self.home)
    }

    /// A program with nothing of this machine's settings.
    pub(crate) fn command(&self, program: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", PATH)
            .env("HOME", self.path())
            .env("TMPDIR", self.path())
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env("HTTP_PROXY", NOWHERE)
            .env("HTTPS_PROXY", NOWHERE)
            .env("http_proxy", NOWHERE)
            .env("https_proxy", NOWHERE)
            .env("NO_PROXY", "127.0.0.1,localhost")
            .env("no_proxy", "127.0.0.1,localhost")
            .env("PIP_CONFIG_FILE", "/dev/null")
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            .env("PIP_NO_INPUT", "1")
            .env("PYTHONWARNINGS", "ignore")
            .env("UV_NO_CONFIG", "1")
            .env("UV_NO_PROGRESS", "1")
            .env("UV_LINK_MODE", "copy")
            .env("UV_PYTHON_DOWNLOADS", "never")
            .current_dir(self.path())
            .stdin(Stdio::null());
        if self.cache {
            command
                .env("PIP_CACHE_DIR", self.path().join("cache"))
                .env("UV_CACHE_DIR", self.path().join("cache"));
        } else {
            command.env("PIP_NO_CACHE_DIR", "1").env("UV_NO_CACHE", "1");
        }
        command.envs(self.variables.iter().map(|(name, value)| (name, value)));
        command
    }
}

impl Default for Scratch {
    fn default() -> Self {
        Self::new()
    }
}

const PATH: &str = "/usr/local/bin:/usr/bin:/bin";

/// The usual directories after this one.
fn search_path(first: &Path) -> String {
    format!("{}:{PATH}", first.display())
}

/// The discard port, where no proxy listens.
const NOWHERE: &str = "http://127.0.0.1:9";

impl Installer {
    /// Every one of them.
    pub const ALL: [Self; 4] = [
        Self::PipOldest,
        Self::PipNewest,
        Self::UvOldest,
        Self::UvNewest,
    ];

    /// Whether it is a pip.
    pub fn is_pip(self) -> bool {
        matches!(self, Self::PipOldest | Self::PipNewest)
    }

    fn environment(self) -> &'static str {
        match self {
            Self::PipOldest => "pip-oldest",
            Self::PipNewest => "pip-newest",
            Self::UvOldest => "uv-oldest",
            Self::UvNewest => "uv-newest",
        }
    }

    /// Runs it with these arguments and nothing else. A pip begins with its
    /// command (`install`), a uv too (`pip`, `lock`).
    pub fn run(self, scratch: &Scratch, arguments: &[&str]) -> Run {
        let mut command = if self.is_pip() {
            let mut command = scratch.command(&program(self.environment(), "python"));
            command.args(["-m", "pip"]);
            command
        } else {
            let mut command = scratch.command(&program(self.environment(), "uv"));
            command.env("UV_PYTHON", program(self.environment(), "python"));
            command
        };
        command.args(arguments);
        run(command)
    }

    /// Installs into a new directory, from this index alone.
    pub fn install(self, scratch: &Scratch, index: &str, arguments: &[&str]) -> Installed {
        let target = TempDir::with_prefix_in("target-", scratch.path())
            .expect("the home directory takes a directory")
            .keep();
        let directory = target.display().to_string();
        let mut all = if self.is_pip() {
            vec!["install"]
        } else {
            vec!["pip", "install"]
        };
        all.extend(["--index-url", index, "--target", &directory]);
        all.extend(arguments);
        Installed {
            run: self.run(scratch, &all),
            target,
            _home: scratch.home(),
        }
    }
}

impl Run {
    /// Both outputs, for a look at what a person would see.
    pub fn output(&self) -> String {
        format!("{}{}", self.stdout, self.stderr)
    }

    /// Panics with all that was printed unless it ended well.
    #[track_caller]
    pub fn succeeds(&self) -> &Self {
        assert_eq!(self.code, 0, "the client failed:\n{}", self.output());
        self
    }

    /// Panics with all that was printed if it ended well.
    #[track_caller]
    pub fn fails(&self) -> &Self {
        assert_ne!(self.code, 0, "the client succeeded:\n{}", self.output());
        self
    }

    /// Panics unless it printed this.
    #[track_caller]
    pub fn says(&self, text: &str) -> &Self {
        // uv breaks long lines at the width of a terminal that is not there.
        let output = self.output();
        let flat = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(
            flat(&output).contains(&flat(text)),
            "the client did not say `{text}`:\n{output}"
        );
        self
    }
}

impl Installed {
    /// What is installed, as `name==version`, in order. Panics if the client failed.
    #[track_caller]
    pub fn projects(&self) -> Vec<String> {
        self.run.succeeds();
        let mut projects: Vec<String> = fs::read_dir(&self.target)
            .unwrap_or_else(|error| panic!("no target: {error}\n{}", self.run.output()))
            .filter_map(|entry| {
                let name = entry.ok()?.file_name().into_string().ok()?;
                Some(name.strip_suffix(".dist-info")?.replacen('-', "==", 1))
            })
            .collect();
        projects.sort();
        projects
    }

    /// The content of an installed file.
    #[track_caller]
    pub fn read(&self, path: &str) -> Vec<u8> {
        let path = self.target.join(path);
        fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    }
}

pub(crate) fn run(mut command: Command) -> Run {
    let begin = Instant::now();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("cannot run {command:?}: {error}"));
    Run {
        code: output.status.code().unwrap_or(-1),
        stdout: plain(&output.stdout),
        stderr: plain(&output.stderr),
        took: begin.elapsed(),
    }
}

/// The text without what steers a terminal: twine writes bold whatever we ask for.
fn plain(bytes: &[u8]) -> String {
    let text = String::from_utf8_lossy(bytes);
    let mut plain = String::with_capacity(text.len());
    let mut parts = text.split("\u{1b}[");
    plain.extend(parts.next());
    for part in parts {
        let end = part.find(|c: char| c.is_ascii_alphabetic());
        plain.extend(end.map(|end| &part[end + 1..]));
    }
    plain
}

/// Another linter of Dockerfiles, to hold ours against.
pub fn hadolint(dockerfile: &Path) -> std::process::Output {
    std::process::Command::new(program("hadolint", "hadolint"))
        .arg("--no-color")
        .arg(dockerfile)
        .output()
        .expect("hadolint runs")
}

pub(crate) fn program(environment: &str, name: &str) -> PathBuf {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/python");
    // Only so far, for a python is a link to another.
    let path = path
        .canonicalize()
        .map(|path| path.join(environment).join("bin").join(name));
    path.ok().filter(|path| path.exists()).unwrap_or_else(|| {
        panic!("the client `{environment}` is not installed: run `cargo xtask setup`")
    })
}
