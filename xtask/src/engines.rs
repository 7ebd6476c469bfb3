//! The engines that tests build images with, out of Debian's packages.

use std::path::Path;
use std::process::Command;

use crate::skipped::Skipped;
use crate::tools::{answers, is_root, run};

/// A program, and the package that has it.
const PROGRAMS: [(&str, &str); 3] = [
    ("/usr/sbin/dockerd", "docker.io"),
    ("/usr/bin/buildah", "buildah"),
    ("/bin/busybox", "busybox-static"),
];

/// Installs what is missing where that can be done; tests pass over what stays missing.
pub(crate) fn set_up(skipped: &mut Skipped) {
    let missing: Vec<&str> = PROGRAMS
        .iter()
        .filter(|(program, _)| !Path::new(program).exists())
        .map(|(_, package)| *package)
        .collect();
    if missing.is_empty() {
        return;
    }
    let what = "builds by real engines";
    if !is_root() || !answers("apt-get", ["--version"]) {
        let why = format!("this is not Debian or not root; missing: {missing:?}");
        skipped.note(what, &why);
        return;
    }
    let installed = run(Command::new("apt-get").args(["update", "--quiet"])).and_then(|()| {
        run(Command::new("apt-get")
            .args(["install", "--yes", "--quiet", "--no-install-recommends"])
            // The tests start their own; none runs beside them.
            .env("RUNLEVEL", "1")
            .args(&missing))
    });
    if let Err(error) = installed {
        skipped.note(what, &format!("{error:#}"));
    }
}
