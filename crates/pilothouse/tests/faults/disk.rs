//! A disk that is full: a clear answer, and the server lives on.
//!
//! Needs root to mount a small file system, and says when it cannot.

use std::path::PathBuf;
use std::process::Command;

use testkit::http;
use testkit::{Dist, Project, Upstream};

use crate::{assert_verified, server};

/// A file system of this size, unmounted when dropped.
struct Small {
    _directory: tempfile::TempDir,
    path: PathBuf,
}

impl Small {
    /// What `mount` says where it is not allowed.
    fn mount(size: &str) -> Result<Self, String> {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("disk");
        std::fs::create_dir(&path).unwrap();
        let mounted = Command::new("mount")
            .args(["-t", "tmpfs", "-o", &format!("size={size}"), "tmpfs"])
            .arg(&path)
            .output()
            .map_err(|error| error.to_string())?;
        if !mounted.status.success() {
            let why = String::from_utf8_lossy(&mounted.stderr);
            return Err(why.trim().replace('\n', " "));
        }
        Ok(Self {
            _directory: directory,
            path,
        })
    }
}

impl Drop for Small {
    fn drop(&mut self) {
        // Lazily: a server that is being killed may still have files open.
        drop(Command::new("umount").arg("-l").arg(&self.path).status());
    }
}

#[test]
fn a_full_disk_is_said_and_survived() {
    let disk = match Small::mount("6m") {
        Ok(disk) => disk,
        Err(why) => return testkit::skipped("a full disk", &why),
    };
    let upstream = Upstream::start([
        Project::new("big").with(Dist::wheel("1.0").padding(20_000_000)),
        Project::new("small").with(Dist::wheel("1.0").padding(100_000)),
    ]);
    let server = server()
        .mirroring(&upstream)
        .arguments(["--max-size", "unlimited"])
        .data_dir(&disk.path.join("data"))
        .expect_5xx()
        .start();
    let url = |name: &str| {
        let path = upstream.path_of(&format!("{name}-1.0-py3-none-any.whl"));
        format!("{}/+f{path}", server.url())
    };
    for name in ["big", "small"] {
        assert_eq!(
            http::get(&format!("{}{name}/", server.simple())).status,
            200
        );
    }
    let answer = http::get(&url("big"));
    // Either nothing was sent yet, and it is said in words; or the body is visibly cut.
    if answer.status == 200 {
        assert!(!answer.whole);
    } else {
        assert_eq!(answer.status, 507);
        assert!(answer.reason.contains("no room left"), "{}", answer.reason);
    }
    assert!(
        server.log().contains("no room left"),
        "said to the operator"
    );
    // What fits still works.
    assert_eq!(http::get(&format!("{}/+health", server.url())).status, 200);
    assert_eq!(
        http::get(&url("small")).body,
        upstream.content_of("small-1.0-py3-none-any.whl")
    );
    assert!(server.staged().is_empty());
    assert_verified(&server);
}

#[test]
fn the_least_recently_used_files_make_room() {
    let upstream = Upstream::start(
        ["a", "b", "c", "d"]
            .map(|name| Project::new(name).with(Dist::wheel("1.0").padding(1_000_000))),
    );
    let mut server = server()
        .mirroring(&upstream)
        .arguments(["--max-size", "2500 KiB"])
        .start();
    for name in ["a", "b", "c", "d"] {
        assert_eq!(
            http::get(&format!("{}{name}/", server.simple())).status,
            200
        );
        let filename = format!("{name}-1.0-py3-none-any.whl");
        let url = format!("{}/+f{}", server.url(), upstream.path_of(&filename));
        assert_eq!(http::get(&url).body, upstream.content_of(&filename));
    }
    let files = |server: &testkit::Server| {
        let listed = server.run(["cache", "ls", "--json"]);
        let json: serde_json::Value = serde_json::from_str(&listed.stdout).unwrap();
        let names = json["files"].as_array().unwrap().iter();
        names
            .map(|file| file["project"].as_str().unwrap().to_owned())
            .collect::<Vec<_>>()
    };
    testkit::wait_until("room to be made", || files(&server).len() <= 2);
    let left = files(&server);
    assert!(left.contains(&"d".to_owned()), "{left:?}");
    assert!(!left.contains(&"a".to_owned()), "{left:?}");
    server.stop();
    assert_verified(&server);
}
