//! Peers that misbehave, power that fails, disks that fill, and the ways a
//! process starts and ends.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bad_pages;
mod digest;
mod disk;
mod power;
mod process;
mod redirects;
mod transfer;
mod uploads;

use testkit::http::Request;
use testkit::{Dist, Project, Server, Upstream};

fn server() -> Server {
    Server::new(env!("CARGO_BIN_EXE_pilothouse"))
}

const WHEEL: &str = "foo-1.0-py3-none-any.whl";

/// An upstream with one wheel of about this size.
fn upstream(bytes: usize) -> Upstream {
    Upstream::start([Project::new("foo").with(Dist::wheel("1.0").padding(bytes))])
}

/// The URL of that wheel as the server's page gives it.
fn file(server: &Server) -> String {
    let page = format!("{}foo/", server.simple());
    let json = Request::get(&page).json().send().json();
    format!("{page}{}", json["files"][0]["url"].as_str().unwrap())
}

/// Asserts that every stored byte is in order, with the binary's own command.
#[track_caller]
fn assert_verified(server: &Server) {
    let verified = server.run(["cache", "verify", "--json"]);
    assert_eq!(verified.code, Some(0), "{verified:#?}");
}
