//! The context that every scenario begins with, and what is done to it.

use std::fs::{self, File, FileTimes};
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, SystemTime};

const FILES: [(&str, &str); 9] = [
    ("a.txt", "aaa\n"),
    ("b.txt", "bbb\n"),
    ("c.py", "ccc\n"),
    ("requirements.txt", "foo==1.0\n"),
    ("dir/x.txt", "xxx\n"),
    ("dir/y.py", "yyy\n"),
    ("dir/sub/z.txt", "zzz\n"),
    ("app/main.py", "main\n"),
    ("app/util.py", "util\n"),
];

/// Writes it, with times that do not depend on the clock.
pub(crate) fn lay_out(root: &Path) {
    for (number, (path, text)) in (1..).zip(FILES) {
        let path = root.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        set_time(&path, number);
    }
    symlink("a.txt", root.join("link")).unwrap();
    symlink("dir", root.join("dirlink")).unwrap();
}

fn set_time(path: &Path, day: u32) {
    let time = SystemTime::UNIX_EPOCH + Duration::from_hours(u64::from(day) * 24);
    let file = File::options().write(true).open(path).unwrap();
    file.set_times(FileTimes::new().set_modified(time)).unwrap();
}

/// One change, in a word and its arguments. Files written get a time of their own.
pub(crate) fn change(root: &Path, words: &[&str]) {
    let path = |word: &str| root.join(word);
    match words {
        ["write", one, text @ ..] => {
            fs::create_dir_all(path(one).parent().unwrap()).unwrap();
            fs::write(path(one), text.join(" ").replace("\\n", "\n")).unwrap();
            set_time(&path(one), 100);
        }
        // Other bytes of the same size at the same time.
        ["sneak", one, text] => {
            let times = fs::metadata(path(one)).unwrap().modified().unwrap();
            fs::write(path(one), text.replace("\\n", "\n")).unwrap();
            let file = File::options().write(true).open(path(one)).unwrap();
            file.set_times(FileTimes::new().set_modified(times))
                .unwrap();
        }
        ["touch", one] => set_time(&path(one), 200),
        ["rm", one] if path(one).is_dir() && !path(one).is_symlink() => {
            fs::remove_dir_all(path(one)).unwrap();
        }
        ["rm", one] => fs::remove_file(path(one)).unwrap(),
        ["mkdir", one] => fs::create_dir_all(path(one)).unwrap(),
        ["mv", one, other] => fs::rename(path(one), path(other)).unwrap(),
        ["ln", target, one] => {
            drop(fs::remove_file(path(one)));
            symlink(target, path(one)).unwrap();
        }
        ["hardlink", one, other] => fs::hard_link(path(one), path(other)).unwrap(),
        ["chmod", mode, one] => {
            let mode = u32::from_str_radix(mode, 8).unwrap();
            fs::set_permissions(path(one), fs::Permissions::from_mode(mode)).unwrap();
        }
        ["chown", owner, one] => run("chown", &[owner, one], root),
        ["mkfifo", one] => run("mkfifo", &[one], root),
        ["xattr", name, value, one] => {
            let flags = rustix::fs::XattrFlags::empty();
            rustix::fs::setxattr(path(one), *name, value.as_bytes(), flags).unwrap();
        }
        other => panic!("unknown change {other:?}"),
    }
}

fn run(program: &str, arguments: &[&str], root: &Path) {
    let status = Command::new(program)
        .args(arguments)
        .current_dir(root)
        .status();
    assert!(status.unwrap().success(), "{program} {arguments:?}");
}
