//! The first steps of a new server: `init`, `passwd`, and for whom it opens.

use std::io::Write as _;
use std::process::Stdio;

use testkit::http::Request;
use testkit::{Project, Server, Upstream};

use crate::binary::{Ended, Home, PROGRAM};

/// `passwd root --stdin` with this on its stdin.
fn passwd(home: &Home, input: &str) -> Ended {
    let arguments = ["passwd", "root", "--stdin", "--serverdir", "srv"];
    let mut child = home
        .command(&arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary runs");
    let mut stdin = child.stdin.take().expect("it was asked for");
    // It may have ended without reading.
    drop(stdin.write_all(input.as_bytes()));
    drop(stdin);
    home.ended(&child.wait_with_output().expect("it ends"))
}

#[test]
fn a_server_beyond_loopback_wants_a_root_with_a_password_and_makes_no_users() {
    let home = Home::new();
    let serve = |more: &[&str]| {
        let arguments = [
            "serve",
            "--serverdir",
            "srv",
            "--host",
            "0.0.0.0",
            "--port",
            "0",
        ];
        let text = home.run(&[&arguments[..], more].concat()).to_string();
        let (before, after) = text.split_once("`0.0.0.0:").expect("it names the address");
        let after = after.trim_start_matches(|c: char| c.is_ascii_digit());
        format!("{before}`0.0.0.0:[port]{after}")
    };
    let refused = serve(&["--restrict-modify", "root"]);
    assert!(refused.contains("root has an empty password"), "{refused}");
    assert!(
        !home.path().join("srv").exists(),
        "a refused start leaves nothing"
    );
    insta::assert_snapshot!(home.run(&["init", "--serverdir", "srv"]));
    insta::assert_snapshot!(home.run(&["init", "--serverdir", "srv"]));
    let with_password = ["init", "--serverdir", "srv", "--root-passwd", "secret"];
    insta::assert_snapshot!(home.run(&with_password));
    insta::assert_snapshot!(serve(&["--restrict-modify", "root"]));
    for nothing in ["", "\n", "\r\n"] {
        let refused = passwd(&home, nothing);
        assert_eq!(refused.code, Some(2), "{nothing:?}");
    }
    insta::assert_snapshot!(passwd(&home, ""));
    insta::assert_snapshot!(passwd(&home, "much more secret\n"));
    insta::assert_snapshot!(serve(&[]));
}

#[test]
fn a_server_on_loopback_opens_as_devpis_does_and_one_that_is_told_so_anywhere() {
    let upstream = Upstream::start([Project::new("foo").wheel("1.0")]);
    for arguments in [&[][..], &["--listen", "0.0.0.0:0", "--open-to-anyone"]] {
        let server = Server::new(PROGRAM)
            .mirroring(&upstream)
            .arguments(arguments.iter().copied())
            .start();
        let port = server
            .url()
            .rsplit(':')
            .next()
            .expect("it has a port")
            .to_owned();
        let login = Request::new("POST", &format!("http://127.0.0.1:{port}/+login"));
        let login = login
            .body("{\"user\": \"root\", \"password\": \"\"}")
            .send();
        assert_eq!(login.status, 200, "{arguments:?}");
    }
}
