//! The clients that publish, with credentials given so that none of them asks.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Run, Scratch, program, run};
use crate::tree::Tree;

/// The clients that publish.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Uploader {
    /// twine, which most people's CI runs.
    Twine,
    /// The newest uv.
    Uv,
    /// Poetry.
    Poetry,
    /// flit, which publishes nothing but what it has just built itself.
    Flit,
    /// hatch.
    Hatch,
}

/// Where to publish, and as whom.
#[derive(Debug, Clone, Copy)]
pub struct Account<'a> {
    /// Where the form is sent.
    pub url: &'a str,
    /// The user's name.
    pub user: &'a str,
    /// A password, or a token.
    pub password: &'a str,
}

impl Uploader {
    /// Every one of them.
    pub const ALL: [Self; 5] = [Self::Twine, Self::Uv, Self::Poetry, Self::Flit, Self::Hatch];

    /// Publishes what is in the tree's `dist` directory. Only flit builds it first.
    pub fn publish(self, scratch: &Scratch, account: Account<'_>, tree: &Tree) -> Run {
        let mut command = match self {
            Self::Twine => twine(scratch, account, &tree.dists()),
            Self::Uv => uv(scratch, account, &tree.dists()),
            Self::Poetry => poetry(scratch, account),
            Self::Flit => flit(scratch, account),
            Self::Hatch => hatch(scratch, account),
        };
        command.current_dir(tree.path());
        run(command)
    }
}

fn twine(scratch: &Scratch, account: Account<'_>, files: &[PathBuf]) -> Command {
    let mut command = scratch.command(&program("twine", "twine"));
    command
        .args(["upload", "--non-interactive", "--disable-progress-bar"])
        .args(["--repository-url", account.url])
        .args(["--username", account.user, "--password", account.password])
        // It leaves them out unless it is told to send them, and uv sends what it finds.
        .args(
            files
                .iter()
                .any(|file| is_attestation(file))
                .then_some("--attestations"),
        )
        .args(files);
    command
}

fn is_attestation(file: &Path) -> bool {
    file.extension()
        .is_some_and(|ending| ending == "attestation")
}

fn uv(scratch: &Scratch, account: Account<'_>, files: &[PathBuf]) -> Command {
    let mut command = scratch.command(&program("uv-newest", "uv"));
    command
        .args(["publish", "--trusted-publishing", "never"])
        .args(["--publish-url", account.url])
        .args(["--username", account.user, "--password", account.password])
        .args(files);
    command
}

fn poetry(scratch: &Scratch, account: Account<'_>) -> Command {
    let mut command = publisher(scratch, "poetry");
    command
        .args(["publish", "--no-interaction", "--repository", "next-door"])
        .env("POETRY_VIRTUALENVS_CREATE", "false")
        .env("POETRY_REPOSITORIES_NEXT_DOOR_URL", account.url)
        .env("POETRY_HTTP_BASIC_NEXT_DOOR_USERNAME", account.user)
        .env("POETRY_HTTP_BASIC_NEXT_DOOR_PASSWORD", account.password);
    command
}

fn flit(scratch: &Scratch, account: Account<'_>) -> Command {
    let mut command = publisher(scratch, "flit");
    command
        .arg("publish")
        .env("FLIT_INDEX_URL", account.url)
        .env("FLIT_USERNAME", account.user)
        .env("FLIT_PASSWORD", account.password)
        // So that the same tree gives the same bytes.
        .env("SOURCE_DATE_EPOCH", "1704164645");
    command
}

fn hatch(scratch: &Scratch, account: Account<'_>) -> Command {
    let mut command = publisher(scratch, "hatch");
    command
        .args(["--no-interactive", "publish", "--no-prompt"])
        .args(["--repo", account.url])
        .args(["--user", account.user, "--auth", account.password]);
    command
}

/// One of those that live together. None of them may look for a keyring on the
/// machine's message bus.
fn publisher(scratch: &Scratch, name: impl AsRef<OsStr>) -> Command {
    let name = name.as_ref().to_str().expect("we name it ourselves");
    let mut command = scratch.command(&program("publishers", name));
    command.env("PYTHON_KEYRING_BACKEND", "keyring.backends.null.Keyring");
    command
}
