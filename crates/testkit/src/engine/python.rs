//! A base image with a real Python, pip and uv, made of those that the tests have anyway.
//!
//! It looks like the official one: the interpreter and its library below `/usr/local`. What
//! it lacks is a distribution: commands are busybox's. pip and uv look in
//! one place only.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::Engine;
use crate::clients::program;
use crate::dist::Dist;

/// Parts of the library that nothing here runs, and that make most of its size.
const NEEDLESS: [&str; 7] = [
    "test",
    "site-packages",
    "idlelib",
    "tkinter",
    "turtledemo",
    "lib2to3",
    "pydoc_data",
];

/// Where pip and uv look, and nowhere else.
#[derive(Debug)]
pub enum Wheels<'a> {
    /// In `/wheels`, where these lie.
    Folder(&'a [(&'a str, Dist)]),
    /// In the index of this URL.
    Index(&'a str),
}

impl Wheels<'_> {
    fn settings(&self) -> Vec<String> {
        let own = match self {
            Self::Folder(_) => vec![
                "PIP_NO_INDEX=1".to_owned(),
                "PIP_FIND_LINKS=/wheels".to_owned(),
                "UV_OFFLINE=1".to_owned(),
                "UV_FIND_LINKS=/wheels".to_owned(),
            ],
            Self::Index(url) => vec![
                format!("PIP_INDEX_URL={url}"),
                // pip keeps nothing that came over `http://` from other hosts.
                "PIP_TRUSTED_HOST=127.0.0.1".to_owned(),
                format!("UV_DEFAULT_INDEX={url}"),
            ],
        };
        let common = SETTINGS.map(str::to_owned).into_iter();
        let all = common.chain(own);
        all.map(|setting| format!("ENV {setting}")).collect()
    }
}

/// What is set in the image.
const SETTINGS: [&str; 4] = [
    "PATH=/usr/local/bin:/bin",
    "PIP_DISABLE_PIP_VERSION_CHECK=1",
    "PIP_ROOT_USER_ACTION=ignore",
    "UV_PYTHON_DOWNLOADS=never",
];

impl Engine {
    /// Makes an image of this name (`python:3.11-slim`) with Python, pip and uv.
    pub fn import_python(&self, name: &str, wheels: &Wheels<'_>) {
        let root = self.directory.path().join("python");
        if !root.exists() {
            self.lay_out_python(&root);
        }
        let folder = root.join("wheels");
        drop(fs::remove_dir_all(&folder));
        if let Wheels::Folder(wheels) = wheels {
            fs::create_dir(&folder).expect("the directory takes one");
            for (project, dist) in *wheels {
                let (filename, content) = dist.file(project);
                fs::write(folder.join(filename), &*content).expect("the directory takes a file");
            }
        }
        let imported = self.import_directory(&root, name, &wheels.settings());
        imported.expect("an image that is like the first can be imported");
    }

    fn lay_out_python(&self, root: &Path) {
        copy(&self.base(), root);
        set_mode(&root.join("tmp"), 0o1777);
        let (python, uv) = (program("pip-newest", "python"), program("uv-newest", "uv"));
        let facts = facts(&python);
        let [prefix, version, packages] = [&facts[0], &facts[1], &facts[2]];
        let prefix = Path::new(prefix);
        let library = format!("lib/python{version}");
        let (origin, local) = (prefix.join(&library), root.join("usr/local"));
        lay_out_library(&origin, Path::new(packages), &local.join(library));
        let bin = local.join("bin");
        fs::create_dir_all(&bin).expect("the directory takes one");
        let name = format!("python{version}");
        let program = prefix.join("bin").join(&name);
        copy(&program, &bin.join(&name));
        for link in ["python", "python3"] {
            symlink(&name, bin.join(link)).expect("a link can be made");
        }
        write_program(&bin.join("pip"), PIP);
        copy(&uv, &bin.join("uv"));
        lay_out_shared(root, &[program, uv], &origin);
    }
}

const PIP: &str = "#!/usr/local/bin/python\nimport sys\nfrom pip._internal.cli.main import main\nsys.exit(main())\n";

/// Python's own modules, and pip.
fn lay_out_library(origin: &Path, packages: &Path, library: &Path) {
    let own = library.join("site-packages");
    fs::create_dir_all(&own).expect("the directory takes one");
    for (path, name) in listed(origin) {
        let is_needless = NEEDLESS.contains(&name.as_str()) || name.starts_with("config-");
        if !is_needless {
            copy(&path, &library.join(name));
        }
    }
    for (path, name) in listed(packages) {
        if name.starts_with("pip") {
            copy(&path, &own.join(name));
        }
    }
}

fn listed(folder: &Path) -> Vec<(PathBuf, String)> {
    let entries = fs::read_dir(folder).expect("Python and pip are installed");
    let entries = entries.map(|entry| entry.expect("a directory can be read"));
    let named = entries.map(|entry| {
        let name = entry.file_name().to_string_lossy().into_owned();
        (entry.path(), name)
    });
    named.collect()
}

/// The folder that Python is in, its version up to the minor, and the folder that pip is in.
fn facts(python: &Path) -> Vec<String> {
    let code = "import sys, sysconfig; print(sys.base_prefix, '%d.%d' % sys.version_info[:2], sysconfig.get_path('purelib'), sep='\\n')";
    let output = Command::new(python)
        .args(["-I", "-c", code])
        .output()
        .expect("Python can be run");
    let text = String::from_utf8(output.stdout).expect("paths here are text");
    text.lines().map(str::to_owned).collect()
}

/// What the programs are linked to, and what the modules of the library are.
fn lay_out_shared(root: &Path, programs: &[PathBuf], library: &Path) {
    let modules = listed(&library.join("lib-dynload"));
    let modules = modules.into_iter().map(|(path, _)| path);
    let all = programs.iter().cloned().chain(modules);
    let output = Command::new("ldd").args(all).output();
    let output = output.expect("ldd can be run");
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    for line in text.lines().filter(|line| line.starts_with('\t')) {
        let line = line.trim();
        // The loader is named by its path, and looked for there.
        let (from, to) = match line.split_once(" => ") {
            Some((name, from)) => (from, format!("lib/{name}")),
            None => (line, line.trim_start_matches('/').to_owned()),
        };
        let from = Path::new(from.split(" (").next().unwrap_or(from));
        let to = root.join(to.split(" (").next().unwrap_or(&to));
        if from.is_absolute() && !to.exists() {
            let parent = to.parent().expect("a library is in a directory");
            fs::create_dir_all(parent).expect("the directory takes one");
            fs::copy(from, to).expect("a library can be copied");
        }
    }
}

fn write_program(path: &Path, text: &str) {
    fs::write(path, text).expect("the directory takes a file");
    set_mode(path, 0o755);
}

fn set_mode(path: &Path, mode: u32) {
    let mode = fs::Permissions::from_mode(mode);
    fs::set_permissions(path, mode).expect("a mode can be set");
}

/// With modes and times, so that bytecode stays valid.
fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(
        status.expect("cp can be run").success(),
        "{} cannot be copied",
        from.display()
    );
}
