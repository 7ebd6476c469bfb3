//! buildah out of Debian's package, over a storage of its own.
//!
//! It needs root, but no daemon. What it runs is in a chroot, so that it works within
//! containers too.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use super::built::{self, Built};
use super::{base, missing};

const PROGRAM: &str = "/usr/bin/buildah";

/// A storage that buildah builds in; it knows one image, `base`.
#[derive(Debug)]
pub struct Buildah {
    directory: TempDir,
}

impl Buildah {
    /// Makes one, or says loudly why it cannot.
    pub fn start() -> Option<Self> {
        let what = "builds by a real buildah";
        if let Some(missing) = missing(&[(PROGRAM, "buildah")]) {
            crate::skipped(what, &missing);
            return None;
        }
        // It syncs whatever it writes, which memory takes lightly.
        let memory = Path::new("/dev/shm");
        let directory = TempDir::with_prefix_in("pilothouse-buildah-", memory)
            .or_else(|_| TempDir::with_prefix("pilothouse-buildah-"))
            .expect("there is room for an engine's directory");
        let buildah = Self { directory };
        base::lay_out(&buildah.directory.path().join("base"));
        if let Err(why) = buildah.try_it() {
            // A container may have the package and not the rights.
            crate::skipped(what, &why);
            return None;
        }
        Some(buildah)
    }

    /// Whether commands can be run in images here.
    fn try_it(&self) -> Result<(), String> {
        self.import("")?;
        self.keep("base");
        let context = self.directory.path().join("trial");
        fs::create_dir_all(&context).expect("the directory takes a directory");
        let dockerfile = "FROM base\nRUN echo 1\n";
        fs::write(context.join("Dockerfile"), dockerfile).expect("the directory takes a file");
        let built = self.build(&context, &[]);
        if built.succeeded {
            return Ok(());
        }
        let last = built.output.lines().last().unwrap_or_default();
        Err(format!("buildah cannot run commands here: {last}"))
    }

    /// Forgets all that was built.
    pub fn forget(&self) {
        assert!(self.restore("base"), "the base is kept first of all");
    }

    /// Keeps what was built until now, under a name.
    pub fn keep(&self, name: &str) {
        self.unmount();
        link_tree(&self.storage(), &self.kept(name));
    }

    /// Goes back to what was kept under a name, if anything was.
    pub fn restore(&self, name: &str) -> bool {
        if !self.kept(name).exists() {
            return false;
        }
        self.unmount();
        for path in [self.storage(), self.directory.path().join("run")] {
            fs::remove_dir_all(path).expect("nothing of it is in use");
        }
        link_tree(&self.kept(name), &self.storage());
        true
    }

    /// What buildah leaves mounted of a stage that a command had mounted.
    fn unmount(&self) {
        let mounts = fs::read_to_string("/proc/self/mounts").expect("mounts are known");
        let places = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        let ours = places.filter(|place| Path::new(place).starts_with(self.directory.path()));
        // The inner ones come last.
        for place in ours.collect::<Vec<_>>().into_iter().rev() {
            let unmounted = Command::new("umount").arg(place).status();
            assert!(unmounted.expect("umount can be run").success(), "{place}");
        }
    }

    /// Makes `base` another image: what was built on the one before is of no use for it.
    ///
    /// Its environment is `PATH=/bin`.
    pub fn import_base(&self, content: &str) {
        let imported = self.import(content);
        imported.expect("what was imported once can be imported again");
    }

    fn import(&self, content: &str) -> Result<(), String> {
        let root = self.directory.path().join("base");
        base::fill(&root, content);
        let dockerfile = self.directory.path().join("Dockerfile.base");
        let text = "FROM scratch\nADD . /\nENV PATH=/bin\n";
        fs::write(&dockerfile, text).expect("the directory takes a file");
        let mut command = self.command();
        command.args(["--tag", "base", "--file"]).arg(dockerfile);
        let output = command.arg(root).output().expect("buildah can be run");
        if output.status.success() {
            return Ok(());
        }
        let message = String::from_utf8_lossy(&output.stderr);
        Err(format!("no image can be made here: {}", message.trim()))
    }

    /// Builds a directory with these arguments of `buildah build`.
    pub fn build(&self, context: &Path, arguments: &[&str]) -> Built {
        let mut command = self.command();
        command.arg("--layers").args(arguments).arg(context);
        let output = command.output().expect("buildah can be run");
        Built::read(&output, built::buildah)
    }

    fn command(&self) -> Command {
        let path = self.directory.path();
        let mut command = Command::new(PROGRAM);
        command
            .env_clear()
            .env("HOME", path)
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("TMPDIR", path)
            .arg("--root")
            .arg(self.storage())
            .arg("--runroot")
            .arg(path.join("run"))
            .args(["build", "--isolation=chroot"])
            .stdin(Stdio::null());
        command
    }

    fn storage(&self) -> PathBuf {
        self.directory.path().join("root")
    }

    fn kept(&self, name: &str) -> PathBuf {
        self.directory.path().join(format!("kept-{name}"))
    }
}

impl Drop for Buildah {
    fn drop(&mut self) {
        self.unmount();
    }
}

/// Files are the same in both: buildah replaces them, and writes only its locks.
fn link_tree(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-al").arg(from).arg(to).status();
    assert!(copied.expect("cp can be run").success(), "cp failed");
}
