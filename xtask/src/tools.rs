//! The verbs that call cargo.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context as _, Result, bail};

use crate::skipped::Skipped;

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .expect("xtask is a directory of the workspace")
        .to_owned()
}

/// Format and lints, over everything that is compiled for tests.
pub(crate) fn check(skipped: &mut Skipped) -> Result<()> {
    if answers("cargo", ["fmt", "--version"]) {
        cargo(["fmt", "--all", "--check"])?;
    } else {
        skipped.note(
            "format",
            "rustfmt is not installed (`rustup component add rustfmt`)",
        );
    }
    if answers("cargo", ["clippy", "--version"]) {
        let lint = ["clippy", "--locked", "--workspace", "--all-targets"];
        cargo(
            lint.into_iter()
                .chain(["--features", "pilothouse/fail-points,pilothouse/oracle"])
                .chain(["--", "-D", "warnings"]),
        )?;
    } else {
        skipped.note(
            "lints",
            "clippy is not installed (`rustup component add clippy`)",
        );
    }
    check_fuzz_targets(skipped)
}

/// They are outside of the workspace, and break unseen when nobody compiles them.
fn check_fuzz_targets(skipped: &mut Skipped) -> Result<()> {
    if !answers("c++", ["--version"]) {
        skipped.note("fuzz targets", "their runtime needs a C++ compiler");
        return Ok(());
    }
    let target =
        std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| root().join("target").into());
    let check = [
        "check",
        "--locked",
        "--bins",
        "--manifest-path",
        "fuzz/Cargo.toml",
    ];
    run(Command::new("cargo")
        .args(check)
        .env("CARGO_TARGET_DIR", target))
}

/// Tests run with the points where a process can be made to die.
const FEATURES: [&str; 2] = ["--features", "pilothouse/fail-points"];

/// Every test of the workspace, then the examples in its documentation.
pub(crate) fn test(arguments: &[String], skipped: &mut Skipped) -> Result<()> {
    let file = root().join("target/skipped-tests");
    match std::fs::remove_file(&file) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            bail!("cannot remove {}: {error}", file.display())
        }
        _ => {}
    }
    let tested = run_tests(arguments, skipped, &file);
    skipped.note_tests(&file);
    tested
}

fn run_tests(arguments: &[String], skipped: &mut Skipped, file: &Path) -> Result<()> {
    let threads = std::env::var("NEXTEST_TEST_THREADS");
    let threads = threads.unwrap_or_else(|_| half_as_many_again().to_string());
    let cargo = |arguments: &mut dyn Iterator<Item = &str>| {
        run(Command::new("cargo")
            .args(arguments)
            .env("NEXTEST_TEST_THREADS", &threads)
            .env("PILOTHOUSE_SKIPPED", file))
    };
    let arguments = || arguments.iter().map(String::as_str);
    let common = || ["--locked", "--workspace"].into_iter().chain(FEATURES);
    if answers("cargo", ["nextest", "--version"]) {
        let nextest = ["nextest", "run"].into_iter();
        cargo(&mut nextest.chain(common()).chain(arguments()))?;
        if arguments().next().is_none() {
            cargo(&mut ["test", "--quiet", "--doc"].into_iter().chain(common()))?;
        }
    } else {
        skipped.note(
            "limits on slow tests",
            "cargo-nextest is not installed, `cargo test` ran them (`cargo install --locked cargo-nextest`)",
        );
        let test = ["test"].into_iter().chain(common());
        cargo(&mut test.chain(["--"]).chain(arguments()))?;
    }
    Ok(())
}

/// Tests at once: a third of them waits for clients, disks and time-outs at any moment.
fn half_as_many_again() -> usize {
    let processors = std::thread::available_parallelism();
    let processors = processors.map_or(1, std::num::NonZero::get);
    processors + processors.div_ceil(2)
}

/// The stories of `tests/clients/devpi`, told to devpi's own server.
pub(crate) fn oracle(arguments: &[String]) -> Result<()> {
    let runner: &[_] = if answers("cargo", ["nextest", "--version"]) {
        &["nextest", "run"]
    } else {
        &["test"]
    };
    let test = ["--locked", "--package", "pilothouse", "--test", "clients"];
    let features = ["--features", "fail-points,oracle", "devpi::oracle"];
    cargo(
        runner
            .iter()
            .copied()
            .chain(test)
            .chain(features)
            .chain(arguments.iter().map(String::as_str)),
    )
}

/// One fuzz target, until stopped.
pub(crate) fn fuzz(name: &str, arguments: &[String]) -> Result<()> {
    if !answers("cargo", ["+nightly", "fuzz", "--version"]) {
        bail!(
            "fuzzing needs `rustup toolchain install nightly` and `cargo install --locked cargo-fuzz`"
        );
    }
    cargo(
        ["+nightly", "fuzz", "run", name]
            .into_iter()
            .chain(arguments.iter().map(String::as_str)),
    )
}

fn cargo<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<()> {
    run(Command::new("cargo").args(arguments))
}

/// Runs a command in the root of the workspace, and fails with it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    eprintln!("xtask: {}", shown(command));
    let status = command
        .current_dir(root())
        .status()
        .with_context(|| format!("cannot run `{}`", shown(command)))?;
    if !status.success() {
        bail!("`{}` failed: {status}", shown(command));
    }
    Ok(())
}

fn shown(command: &Command) -> String {
    let words = std::iter::once(command.get_program()).chain(command.get_args());
    let words: Vec<_> = words.map(OsStr::to_string_lossy).collect();
    words.join(" ")
}

/// Whether we may install system packages and mount file systems.
pub(crate) fn is_root() -> bool {
    Command::new("id")
        .arg("-u")
        .output()
        .is_ok_and(|output| output.stdout == b"0\n")
}

/// Whether a program is there and ends well.
pub(crate) fn answers<'a>(program: &str, arguments: impl IntoIterator<Item = &'a str>) -> bool {
    Command::new(program)
        .args(arguments)
        .current_dir(root())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}
