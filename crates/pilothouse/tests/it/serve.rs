//! `pilothouse serve`: what it says, and why it does not start.

use std::net::TcpListener;

use testkit::{Ended, Fault, Project, Server, Upstream, http, wait_until};

use crate::binary::PROGRAM;

fn upstream() -> Upstream {
    Upstream::start([Project::new("foo").wheel("1.0")])
}

/// What a run printed, with what differs from run to run taken out.
fn told(server: &Server, ended: &Ended) -> String {
    let home = server
        .data()
        .parent()
        .expect("the data directory is in a home")
        .display()
        .to_string();
    let code = ended
        .code
        .map_or("a signal".to_owned(), |code| code.to_string());
    format!("exit {code}\n{}", ended.stderr.replace(&home, "[home]"))
}

fn refused(mut server: Server) -> String {
    let ended = server.try_start().expect_err("the server should not start");
    assert_eq!(ended.stdout, "");
    told(&server, &ended)
}

#[test]
fn it_says_what_it_assumed_and_what_to_paste() {
    let upstream = upstream();
    let mut server = Server::new(PROGRAM)
        .mirroring(&upstream)
        .arguments(["--max-size", "5 GiB"])
        .start();
    let (url, simple) = (server.url().to_owned(), upstream.simple());
    let ended = server.stop();
    let text = told(&server, &ended)
        .replace(&url, "http://127.0.0.1:[port]")
        .replace(&simple, "[upstream]");
    let host = url.trim_start_matches("http://");
    // How containers reach this machine depends on the machine; unit tests have each case.
    let (text, _) = text
        .split_once("Dockerfile")
        .expect("a Dockerfile is told what to say");
    insta::assert_snapshot!(text.replace(host, "127.0.0.1:[port]"), @r"
    exit 0
    pilothouse 0.1.0 listens on http://127.0.0.1:[port]
      root/pypi mirrors [upstream] (from --upstream)
      data in [home]/data (from --data-dir)
      files take at most 5 GiB (from --max-size)
      no settings file; `pilothouse config example` prints one for [home]/.config/pilothouse/pilothouse.toml

    pip:
      pip install --index-url http://127.0.0.1:[port]/simple/ --trusted-host 127.0.0.1 PROJECT
    or for good:
      pip config set global.index-url http://127.0.0.1:[port]/simple/
      pip config set global.trusted-host 127.0.0.1
    uv:
      export UV_DEFAULT_INDEX=http://127.0.0.1:[port]/simple/ UV_INSECURE_HOST=127.0.0.1:[port]
    ");
    assert!(ended.stderr.contains("  ARG PIP_INDEX_URL=http://"));
}

#[test]
fn a_first_interrupt_drains_and_a_second_stops_at_once() {
    let upstream = upstream();
    upstream.fault("/simple/foo/", Fault::hang());
    let mut server = Server::new(PROGRAM)
        .mirroring(&upstream)
        .expect_5xx()
        .start();
    let url = format!("{}foo/", server.simple());
    let waiting = std::thread::spawn(move || http::Request::get(&url).try_open().is_ok());
    upstream.wait_for("the page to be asked for", |requests| !requests.is_empty());
    server.interrupt();
    wait_until("the server to say that it stops", || {
        server.log().contains("interrupt again")
    });
    server.interrupt();
    assert_eq!(server.wait().code, Some(130));
    assert!(!waiting.join().expect("the client does not panic"));
}

#[test]
fn an_interrupt_without_work_is_a_clean_end() {
    let upstream = upstream();
    let mut server = Server::new(PROGRAM).mirroring(&upstream).start();
    assert_eq!(http::get(&format!("{}foo/", server.simple())).status, 200);
    server.interrupt();
    assert_eq!(server.wait().code, Some(0));
}

#[test]
fn a_port_that_another_pilothouse_has_is_told_as_such() {
    let upstream = upstream();
    let first = Server::new(PROGRAM).mirroring(&upstream).start();
    let address = first.url().trim_start_matches("http://").to_owned();
    let text = refused(Server::new(PROGRAM).mirroring(&upstream).listen(&address));
    insta::assert_snapshot!(neighbours(&text, &address), @r"
    exit 2
    error: `127.0.0.1:[port]` is taken

    hint: another pilothouse answers there: use that one, or stop it first, or listen elsewhere, like `--listen 127.0.0.1:[next port]`
    ");
}

#[test]
fn a_mirror_of_itself_is_refused() {
    let port = {
        let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        free.local_addr().unwrap().port()
    };
    let server = Server::new(PROGRAM)
        .listen(&format!("127.0.0.1:{port}"))
        .arguments(["--upstream", &format!("http://localhost:{port}/simple/")]);
    let told = refused(server).replace(&port.to_string(), "PORT");
    insta::assert_snapshot!(told, @r"
    exit 2
    error: `root/pypi` mirrors http://localhost:PORT/simple/, where this server itself listens

    hint: name the index that it should mirror with `--upstream URL` or in the config file
    ");
}

#[test]
fn a_port_that_a_stranger_has_is_told_as_such() {
    let upstream = upstream();
    let stranger = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    let address = stranger.local_addr().expect("it is bound").to_string();
    let text = refused(Server::new(PROGRAM).mirroring(&upstream).listen(&address));
    insta::assert_snapshot!(neighbours(&text, &address), @r"
    exit 2
    error: `127.0.0.1:[port]` is taken

    hint: another program listens there: stop it, or listen elsewhere, like `--listen 127.0.0.1:[next port]`
    ");
}

/// Takes the port out, and the one after it.
fn neighbours(text: &str, address: &str) -> String {
    let port: u16 = address
        .rsplit_once(':')
        .expect("an address has a port")
        .1
        .parse()
        .expect("a port is a number");
    let next = format!("127.0.0.1:{}", port.wrapping_add(1));
    text.replace(address, "127.0.0.1:[port]")
        .replace(&next, "127.0.0.1:[next port]")
}

#[test]
fn an_address_that_is_not_ours_is_told_as_such() {
    let upstream = upstream();
    insta::assert_snapshot!(refused(Server::new(PROGRAM).mirroring(&upstream).listen("192.0.2.200:3141")), @r"
    exit 2
    error: cannot listen on `192.0.2.200:3141`
    cause: Cannot assign requested address (os error 99)

    hint: this machine does not have that address now; `--listen 0.0.0.0:3141` means all that it has
    ");
}

#[test]
fn a_server_that_cannot_write_is_not_ready() {
    let upstream = upstream();
    let server = Server::new(PROGRAM)
        .mirroring(&upstream)
        .expect_5xx()
        .start();
    let ready = format!("{}/+ready", server.url());
    assert_eq!(http::get(&ready).status, 200);
    assert_eq!(server.staged(), [""; 0], "nothing is left of the attempt");
    let staged = server.data().join("staged");
    // Rights would not keep root from writing; and the file system still tells its free space here.
    std::fs::remove_dir(&staged).expect("it is empty");
    std::fs::write(&staged, "").expect("the directory is ours");
    // An outcome holds for a second.
    wait_until("it notices", || http::get(&ready).status == 503);
    let answer = http::get(&ready);
    assert_eq!(answer.status, 503);
    let told = String::from_utf8_lossy(&answer.body);
    assert!(
        told.contains("not ready: opening a staged file failed"),
        "{told}"
    );
    std::fs::remove_file(&staged).expect("the directory is ours");
    std::fs::create_dir(&staged).expect("the directory is ours");
    wait_until("it notices", || http::get(&ready).status == 200);
}

#[test]
fn a_data_directory_has_one_server() {
    let upstream = upstream();
    let first = Server::new(PROGRAM).mirroring(&upstream).start();
    let text = refused(
        Server::new(PROGRAM)
            .mirroring(&upstream)
            .data_dir(first.data()),
    );
    let pid = format!("process {}", first.id());
    assert!(text.contains(&pid), "{text}");
    insta::assert_snapshot!(text.replace(&pid, "process [pid]"), @r"
    exit 2
    error: the data directory `[home]/data` cannot be opened
    cause: the data directory is in use by another pilothouse (process [pid]): stop it first, or name another data directory

    hint: `--data-dir DIR` names another one
    ");
}

#[test]
fn a_data_directory_of_a_later_version_is_left_alone() {
    let upstream = upstream();
    let mut server = Server::new(PROGRAM).mirroring(&upstream).start();
    server.stop();
    let version = server.data().join("VERSION");
    std::fs::write(&version, "2\n").expect("the directory is ours");
    let ended = server.try_start().expect_err("the server should not start");
    let text = told(&server, &ended);
    let (_, text) = text.split_once("error:").expect("there is an error");
    insta::assert_snapshot!(text, @r"
     the data directory `[home]/data` cannot be opened
    cause: the data directory has format 2 and this pilothouse knows only up to 1: run the later pilothouse that wrote it, or name another data directory

    hint: `--data-dir DIR` names another one
    ");
    std::fs::write(&version, "1\n").expect("the directory is ours");
    server.start_again();
}

#[test]
fn a_directory_of_somebody_elses_is_left_alone() {
    let upstream = upstream();
    let server = Server::new(PROGRAM).mirroring(&upstream);
    std::fs::create_dir_all(server.data()).expect("a directory can be made");
    std::fs::write(server.data().join("thesis.txt"), "…").expect("a file can be written");
    insta::assert_snapshot!(refused(server), @r"
    exit 2
    error: the data directory `[home]/data` cannot be opened
    cause: the data directory holds `thesis.txt`, which is not ours, and no VERSION file: name an empty or a new directory

    hint: `--data-dir DIR` names another one
    ");
}
