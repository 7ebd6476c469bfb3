//! The one image that engines know: a static busybox, and two people.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

const BUSYBOX: &str = "/bin/busybox";

/// What it is made of, and the package that has it.
pub(super) const NEEDS: (&str, &str) = (BUSYBOX, "busybox-static");

const TOOLS: [&str; 12] = [
    "sh", "cat", "cp", "date", "echo", "find", "ln", "ls", "mkdir", "rm", "stat", "touch",
];

/// Lays its files out.
pub(super) fn lay_out(root: &Path) {
    for directory in ["bin", "etc", "home/app", "root", "tmp"] {
        fs::create_dir_all(root.join(directory)).expect("the directory takes a directory");
    }
    fs::copy(BUSYBOX, root.join("bin/busybox")).expect("busybox can be copied");
    for tool in TOOLS {
        symlink("busybox", root.join("bin").join(tool)).expect("a link can be made");
    }
    let people = "root:x:0:0::/root:/bin/sh\napp:x:1000:1000::/home/app:/bin/sh\n";
    fs::write(root.join("etc/passwd"), people).expect("the directory takes a file");
    let groups = "root:x:0:\napp:x:1000:\n";
    fs::write(root.join("etc/group"), groups).expect("the directory takes a file");
}

/// Makes it another image.
pub(super) fn fill(root: &Path, content: &str) {
    fs::write(root.join("etc/name"), content).expect("the directory takes a file");
}
