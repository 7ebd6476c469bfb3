//! The Python clients that tests run, each in a virtual environment of its own.
//!
//! What is pinned is in `xtask/clients/*.txt`, with digests. An environment
//! that was made from the same file is left alone, so that a second run needs
//! no network.
//!
//! The oldest pip is 20.3.4: Debian 11 and the last images of Python 2.7 and
//! 3.5 carry it, it asks for HTML only, and nothing older can build an sdist
//! whose backend is in its own tree on the Python that tests run. From Python
//! 3.12 on no pip before 23.1.2 starts, so that one stands in there.
//!
//! To pin newer versions, name what an environment is for and let uv find the
//! rest, for every Python from 3.10 on:
//!
//! ```sh
//! echo 'devpi-server<7 devpi-web' | tr ' ' '\n' | uv pip compile - \
//!     --universal --python-version 3.10 --generate-hashes --no-header \
//!     --no-annotate --no-emit-index-url --output-file xtask/clients/devpi-server.txt
//! ```

use std::fs;
use std::path::Path;
use std::process::Command;

use anyhow::{Context as _, Result};

use crate::skipped::Skipped;
use crate::tools::{answers, is_root, root, run};

/// Made by the pip that every Python brings along.
const BY_PIP: [&str; 6] = [
    "pip-oldest",
    "pip-newest",
    "uv-oldest",
    "uv-newest",
    "twine",
    "hadolint",
];

/// Made by the newest of our uvs: they are large, and pip takes four times as
/// long. `devpi-client` has tox and build beside it, `devpi-server` its web
/// pages, and `publishers` are Poetry, flit and hatch.
const BY_UV: [&str; 3] = ["devpi-client", "devpi-server", "publishers"];

/// Makes every environment that is missing or made from other pins.
pub(crate) fn set_up(skipped: &mut Skipped) -> Result<()> {
    let target = root().join("target/python");
    let by_pip = missing(&target, &BY_PIP);
    let by_uv = missing(&target, &BY_UV);
    if by_pip.is_empty() && by_uv.is_empty() {
        return Ok(());
    }
    if !can_make_environments() {
        install_venv(skipped);
    }
    fs::create_dir_all(&target).context("cannot make target/python")?;
    for name in by_pip {
        make(&target, name, with_pip)?;
    }
    // After those: one of them is the uv.
    for name in by_uv {
        make(&target, name, with_uv)?;
    }
    Ok(())
}

fn missing(target: &Path, names: &[&'static str]) -> Vec<&'static str> {
    let mut names = names.to_vec();
    names.retain(|name| !is_current(target, name));
    names
}

fn is_current(target: &Path, name: &str) -> bool {
    let pins = fs::read(pins(name)).ok();
    let stamp = fs::read(target.join(name).join("pins.txt")).ok();
    pins.is_some() && pins == stamp && answers(&python(target, name), ["--version"])
}

fn pins(name: &str) -> std::path::PathBuf {
    root()
        .join("xtask/clients")
        .join(name)
        .with_extension("txt")
}

fn python(target: &Path, name: &str) -> String {
    target.join(name).join("bin/python").display().to_string()
}

fn can_make_environments() -> bool {
    answers("python3", ["-c", "import venv, ensurepip"])
}

/// Debian splits venv off; as root it can be had in one step.
fn install_venv(skipped: &mut Skipped) {
    if !is_root() || !answers("apt-get", ["--version"]) {
        skipped.note(
            "installing Python's venv module",
            "this is not Debian or not root; please install it by hand",
        );
        return;
    }
    let installed = run(Command::new("apt-get").args(["update", "--quiet"])).and_then(|()| {
        run(Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            .args(["python3", "python3-venv"]))
    });
    if let Err(error) = installed {
        skipped.note("installing Python's venv module", &format!("{error:#}"));
    }
}

/// Fills one environment, and says in it from which pins.
fn make(target: &Path, name: &str, fill: fn(&Path, &str) -> Result<()>) -> Result<()> {
    fill(target, name).with_context(|| format!("cannot install the client `{name}`"))?;
    // Last, so that an environment cut short is made again.
    fs::copy(pins(name), target.join(name).join("pins.txt")).context("cannot write the stamp")?;
    Ok(())
}

fn with_pip(target: &Path, name: &str) -> Result<()> {
    run(Command::new("python3")
        .args(["-m", "venv", "--clear"])
        .arg(target.join(name)))?;
    run(Command::new(python(target, name))
        .args([
            "-m",
            "pip",
            "install",
            "--quiet",
            "--disable-pip-version-check",
        ])
        .args(["--require-hashes", "--requirement"])
        .arg(pins(name)))
}

fn with_uv(target: &Path, name: &str) -> Result<()> {
    run(Command::new("python3")
        .args(["-m", "venv", "--clear", "--without-pip"])
        .arg(target.join(name)))?;
    run(Command::new(target.join("uv-newest/bin/uv"))
        .args(["pip", "install", "--quiet", "--python"])
        .arg(python(target, name))
        // Compiled now, for tests start these programs in great numbers.
        .args(["--compile-bytecode", "--link-mode", "copy"])
        .args(["--require-hashes", "--requirement"])
        .arg(pins(name)))
}
