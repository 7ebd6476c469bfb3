//! Starting and ending: ports, locks, versions, settings, signals, offline.

use std::net::TcpListener;

use testkit::http::{self, Request};
use testkit::{Installer, Project, Scratch, Upstream};

use crate::{WHEEL, file, server, upstream};

#[test]
fn an_interrupt_lets_running_answers_end_and_exits_with_0() {
    let upstream = upstream(1_000_000);
    upstream.change(|settings| settings.rate = Some(1_000_000));
    let mut server = server().mirroring(&upstream).start();
    let url = file(&server);
    let mut answer = Request::get(&url).open();
    answer.take(1000).unwrap();
    server.interrupt();
    let rest = answer.finish();
    assert!(rest.whole || rest.body.len() + 1000 == upstream.content_of(WHEEL).len());
    assert_eq!(rest.body.len() + 1000, upstream.content_of(WHEEL).len());
    assert_eq!(server.wait().code, Some(0));
    assert!(server.staged().is_empty());
}

#[test]
fn a_port_that_is_taken_is_said() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let ended = server().listen(&address).try_start().unwrap_err();
    assert_eq!(ended.code, Some(2));
    let said = format!("error: `{address}` is taken\n");
    assert!(ended.stderr.contains(&said), "{ended:#?}");
    assert!(
        ended.stderr.contains("hint: another program listens there"),
        "{ended:#?}"
    );
}

#[test]
fn a_port_that_another_pilothouse_has_is_said() {
    let upstream = upstream(0);
    let running = server().mirroring(&upstream).start();
    let address = running.url().strip_prefix("http://").unwrap();
    let ended = server().listen(address).try_start().unwrap_err();
    assert_eq!(ended.code, Some(2));
    assert!(
        ended
            .stderr
            .contains("hint: another pilothouse answers there"),
        "{ended:#?}"
    );
}

#[test]
fn a_data_directory_in_use_is_said_with_the_process() {
    let upstream = upstream(0);
    let running = server().mirroring(&upstream).start();
    let ended = server()
        .mirroring(&upstream)
        .data_dir(running.data())
        .try_start()
        .unwrap_err();
    assert_eq!(ended.code, Some(2));
    assert!(
        ended.stderr.contains(&running.id().to_string()),
        "{ended:#?}"
    );
    // And the first one did not notice.
    assert_eq!(http::get(&file(&running)).body, upstream.content_of(WHEEL));
}

#[test]
fn a_data_directory_of_a_newer_version_is_left_alone() {
    let upstream = upstream(0);
    let mut server = server().mirroring(&upstream).start();
    server.stop();
    let version = server.data().join("VERSION");
    std::fs::write(&version, "999\n").unwrap();
    let ended = server.try_start().unwrap_err();
    assert_eq!(ended.code, Some(2));
    assert!(ended.stderr.contains("999"), "{ended:#?}");
    assert_eq!(std::fs::read_to_string(&version).unwrap(), "999\n");
}

#[test]
fn all_faults_of_a_config_are_said_at_once_with_their_lines() {
    let ended = server()
        .config(
            "listen = \"nowhere\"\nunknown = 1\n[mirror.\"root/pypi\"]\nupstream = \"ftp://x/\"\nfresh-for = \"soon\"\n",
        )
        .try_start()
        .unwrap_err();
    assert_eq!(ended.code, Some(2));
    for part in [
        "has 4 faults",
        "line 1: listen: ",
        "line 2: unknown: ",
        "line 4: mirror.\"root/pypi\".upstream: ",
        "line 5: mirror.\"root/pypi\".fresh-for: ",
    ] {
        assert!(ended.stderr.contains(part), "no `{part}`: {}", ended.stderr);
    }
}

#[test]
fn offline_serves_what_is_stored_and_lists_nothing_else() {
    let upstream = Upstream::start([
        Project::new("foo").wheel("1.0").wheel("2.0"),
        Project::new("bar").wheel("1.0"),
    ]);
    let mut online = server().mirroring(&upstream).start();
    let uv = Installer::UvNewest;
    uv.install(&Scratch::new(), &online.simple(), &["foo==1.0"])
        .projects();
    assert_eq!(http::get(&format!("{}bar/", online.simple())).status, 200);
    online.stop();
    let asked = upstream.requests().len();
    let offline = server()
        .mirroring(&upstream)
        .arguments(["--offline"])
        .data_dir(online.data())
        .expect_5xx()
        .start();
    for installer in Installer::ALL {
        let installed = installer.install(&Scratch::new(), &offline.simple(), &["foo"]);
        assert_eq!(installed.projects(), ["foo==1.0"]);
    }
    for name in ["bar", "nothing"] {
        let answer = http::get(&format!("{}{name}/", offline.simple()));
        assert_eq!(answer.status, 504, "{}", answer.reason);
        assert!(answer.reason.contains("runs offline"), "{}", answer.reason);
    }
    assert_eq!(upstream.requests().len(), asked);
}
