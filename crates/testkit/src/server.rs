//! The real binary, serving from a directory of its own.
//!
//! Its address comes from `--ready-file`, so no test guesses when it is up.
//! At its end every server is asked to stop as a service manager would, and
//! must then have left nothing staged and said nothing that a test did not
//! expect.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process};
use tempfile::TempDir;

use crate::upstream::Upstream;
use crate::wait::{holds_within, wait_until};

/// A `pilothouse serve`, running or about to.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
    home: TempDir,
    data: PathBuf,
    arguments: Vec<String>,
    environment: Vec<(String, String)>,
    listen: String,
    child: Option<Child>,
    url: String,
    starts: usize,
    expects_5xx: bool,
}

/// How a process ended.
#[derive(Debug)]
pub struct Ended {
    /// The exit code; `None` when a signal ended it.
    pub code: Option<i32>,
    /// All that it wrote to stdout.
    pub stdout: String,
    /// All that it wrote to stderr, its log included.
    pub stderr: String,
}

/// One line of the request log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// `GET`, `HEAD`.
    pub method: String,
    /// Without the query.
    pub path: String,
    /// The status answered.
    pub status: u64,
}

impl Logged {
    fn read(line: &str) -> Option<Self> {
        let value: serde_json::Value = serde_json::from_str(line).ok()?;
        Some(Self {
            method: value["method"].as_str()?.to_owned(),
            path: value["path"].as_str()?.to_owned(),
            status: value["status"].as_u64()?,
        })
    }
}

impl Server {
    /// The binary at this path, with an empty data directory.
    pub fn new(program: &str) -> Self {
        let home = TempDir::with_prefix("pilothouse-test-").expect("a temporary directory");
        Self {
            program: program.into(),
            data: home.path().join("data"),
            home,
            arguments: Vec::new(),
            environment: Vec::new(),
            listen: "127.0.0.1:0".to_owned(),
            child: None,
            url: String::new(),
            starts: 0,
            expects_5xx: false,
        }
    }

    /// Lets root/pypi mirror this upstream.
    #[must_use]
    pub fn mirroring(self, upstream: &Upstream) -> Self {
        self.arguments(["--upstream", &upstream.simple()])
    }

    /// Lets root/pypi mirror this upstream, with more keys of its table in the config file.
    #[must_use]
    pub fn mirroring_with(self, upstream: &Upstream, keys: &str) -> Self {
        self.config(&format!(
            "[mirror.\"root/pypi\"]\nupstream = \"{}\"\n{keys}\n",
            upstream.simple()
        ))
    }

    /// Adds arguments after `serve`.
    #[must_use]
    pub fn arguments<S: Into<String>>(mut self, arguments: impl IntoIterator<Item = S>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Writes a config file and passes it.
    #[must_use]
    pub fn config(self, toml: &str) -> Self {
        let path = self.home.path().join("pilothouse.toml");
        fs::write(&path, toml).expect("the temporary directory takes a file");
        self.arguments(["--config".to_owned(), path.display().to_string()])
    }

    /// Sets an environment variable. The test's own environment is not passed on.
    #[must_use]
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.set_env(name, value);
        self
    }

    /// The same, from the next start or command on.
    pub fn set_env(&mut self, name: &str, value: &str) {
        self.environment.push((name.to_owned(), value.to_owned()));
    }

    /// Takes an environment variable away again, from the next start on.
    pub fn forget_env(&mut self, name: &str) {
        self.environment.retain(|(key, _)| key != name);
    }

    /// Keeps the data in this directory.
    #[must_use]
    pub fn data_dir(mut self, path: &Path) -> Self {
        path.clone_into(&mut self.data);
        self
    }

    /// Listens here and not on a free port of loopback.
    #[must_use]
    pub fn listen(mut self, address: &str) -> Self {
        address.clone_into(&mut self.listen);
        self
    }

    /// Allows answers of 500 and above in the log.
    #[must_use]
    pub fn expect_5xx(mut self) -> Self {
        self.expects_5xx = true;
        self
    }

    /// Starts it and waits until it listens. Panics if it ends instead.
    #[must_use]
    pub fn start(mut self) -> Self {
        self.start_again();
        self
    }

    /// Starts it again over the same data directory. Panics if it ends instead.
    pub fn start_again(&mut self) {
        if let Err(ended) = self.try_start() {
            panic!("the server did not start: {ended:#?}");
        }
    }

    /// Starts it and waits until it listens, or until it ends.
    pub fn try_start(&mut self) -> Result<(), Ended> {
        assert!(self.child.is_none(), "the server runs already");
        let ready = self.home.path().join(format!("ready-{}", self.starts));
        self.starts += 1;
        let mut command = self.command(["serve"]);
        command
            .args(["--listen", &self.listen, "--log", "json", "--ready-file"])
            .arg(&ready)
            .args(&self.arguments)
            .stdout(self.output("stdout"))
            .stderr(self.output("stderr"));
        let child = command
            .spawn()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.program.display()));
        self.child = Some(child);
        let mut ended = None;
        wait_until("the server to listen", || {
            ended = self.try_wait();
            ended.is_some() || ready.exists()
        });
        if let Some(status) = ended {
            self.child = None;
            return Err(self.ended(status));
        }
        fs::read_to_string(&ready)
            .expect("the ready file can be read")
            .trim_end()
            .trim_end_matches('/')
            .clone_into(&mut self.url);
        // From now on it keeps its address, as a server in the field does.
        if let Some(address) = self.url.strip_prefix("http://") {
            address.clone_into(&mut self.listen);
        }
        Ok(())
    }

    fn try_wait(&mut self) -> Option<ExitStatus> {
        let child = self.child.as_mut()?;
        child.try_wait().expect("a child can be waited for")
    }

    /// `http://127.0.0.1:{port}`, without a slash at the end.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The default index, with a slash at the end.
    pub fn simple(&self) -> String {
        format!("{}/simple/", self.url)
    }

    /// An index by name, with a slash at the end.
    pub fn index(&self, name: &str) -> String {
        format!("{}/{name}/+simple/", self.url)
    }

    /// The data directory.
    pub fn data(&self) -> &Path {
        &self.data
    }

    /// The process id. Panics if it does not run.
    pub fn id(&self) -> u32 {
        self.child.as_ref().expect("the server runs").id()
    }

    /// The most bytes of memory that it has had at once, files that it maps included.
    pub fn peak_memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id()));
        let status = status.expect("the kernel tells of every process");
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kibibytes = line.and_then(|line| line.trim().strip_suffix(" kB"));
        let kibibytes = kibibytes.and_then(|number| number.trim().parse::<u64>().ok());
        kibibytes.expect("the kernel counts memory in kB") << 10
    }

    /// Runs another command of the binary with this data directory.
    pub fn run<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Ended {
        let output = self
            .command(arguments)
            .arg("--data-dir")
            .arg(&self.data)
            .output()
            .unwrap_or_else(|error| panic!("cannot run {}: {error}", self.program.display()));
        Ended {
            code: output.status.code(),
            stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
            stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
        }
    }

    fn command<S: AsRef<OsStr>>(&self, arguments: impl IntoIterator<Item = S>) -> Command {
        let mut command = Command::new(&self.program);
        command
            .env_clear()
            .env("HOME", self.home.path())
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("NO_COLOR", "1")
            .env("RUST_BACKTRACE", "1")
            .envs(self.environment.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .args(arguments);
        if command.get_args().any(|argument| argument == "serve") {
            command.arg("--data-dir").arg(&self.data);
        }
        command
    }

    fn output(&self, name: &str) -> fs::File {
        fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(self.home.path().join(name))
            .expect("the temporary directory takes a file")
    }

    /// What it has written to stderr so far, over all its starts.
    pub fn log(&self) -> String {
        self.read("stderr")
    }

    /// What it has written to stdout so far, over all its starts.
    pub fn stdout(&self) -> String {
        self.read("stdout")
    }

    /// The requests that it logged, once nothing more is on its way: it is stopped first.
    pub fn requests(&mut self) -> Vec<Logged> {
        if self.child.is_some() {
            self.stop();
        }
        let both = self.stdout() + &self.log();
        both.lines().filter_map(Logged::read).collect()
    }

    fn read(&self, name: &str) -> String {
        let mut bytes = Vec::new();
        if let Ok(mut file) = fs::File::open(self.home.path().join(name)) {
            file.read_to_end(&mut bytes)
                .expect("the temporary directory can be read");
        }
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn ended(&self, status: ExitStatus) -> Ended {
        Ended {
            code: status.code(),
            stdout: self.stdout(),
            stderr: self.log(),
        }
    }

    /// Ends it as a service manager would, and waits.
    pub fn stop(&mut self) -> Ended {
        self.signal(Signal::TERM);
        self.wait()
    }

    /// Presses Ctrl-C, and does not wait.
    pub fn interrupt(&self) {
        self.signal(Signal::INT);
    }

    /// Ends it as a power cut would.
    pub fn kill9(&mut self) -> Ended {
        self.signal(Signal::KILL);
        self.wait()
    }

    fn signal(&self, signal: Signal) {
        let pid = i32::try_from(self.id())
            .ok()
            .and_then(Pid::from_raw)
            .expect("a process id fits");
        // It may have ended by itself, which wait() will tell.
        let _ = kill_process(pid, signal);
    }

    /// Waits until it ends by itself. Panics after a bounded time.
    pub fn wait(&mut self) -> Ended {
        let mut status = None;
        let ended = holds_within(Duration::from_secs(40), || {
            status = self.try_wait();
            status.is_some()
        });
        if !ended {
            self.kill_quietly();
            panic!("the server did not end within 40 s:\n{}", self.log());
        }
        self.child = None;
        self.ended(status.expect("just seen"))
    }

    fn kill_quietly(&mut self) {
        if let Some(mut child) = self.child.take() {
            drop(child.kill());
            drop(child.wait());
        }
    }

    /// Ends it if it runs, and tells what it left behind.
    fn tidy(&mut self) -> Result<(), String> {
        if self.child.is_some() {
            self.signal(Signal::TERM);
            let ended = self.wait();
            if ended.code != Some(0) {
                return Err(format!("SIGTERM ended it with {:?}", ended.code));
            }
            let staged = self.staged();
            if !staged.is_empty() {
                return Err(format!("left in staged/: {staged:?}"));
            }
        }
        let log = self.log();
        if log.contains("panicked at") {
            return Err("it panicked".to_owned());
        }
        match log.lines().find(|line| is_5xx(line)) {
            Some(line) if !self.expects_5xx => Err(format!("unannounced server error: {line}")),
            _ => Ok(()),
        }
    }

    /// The names in the directory of files that are being written.
    pub fn staged(&self) -> Vec<String> {
        fs::read_dir(self.data.join("staged"))
            .into_iter()
            .flatten()
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned())
            .collect()
    }
}

/// Whether a line of the JSON log is about a request answered 500 or above.
fn is_5xx(line: &str) -> bool {
    fn status(value: &serde_json::Value) -> Option<u64> {
        value["status"]
            .as_u64()
            .or_else(|| value["fields"]["status"].as_u64())
    }
    serde_json::from_str(line)
        .ok()
        .and_then(|value| status(&value))
        .is_some_and(|status| status >= 500)
}

impl Drop for Server {
    fn drop(&mut self) {
        let fault = if std::thread::panicking() {
            self.kill_quietly();
            None
        } else {
            match self.tidy() {
                Ok(()) => return,
                Err(fault) => Some(fault),
            }
        };
        eprintln!("--- the server's stdout\n{}", self.stdout());
        eprintln!("--- the server's log\n{}---", self.log());
        if let Some(fault) = fault {
            panic!("the server did not end tidily: {fault}");
        }
    }
}
