//! Real pip and real uv against the running binary, over a scripted upstream.
//!
//! One module per story. What the clients send and accept is measured, not
//! assumed, so each fact about them that steers the server has its test here.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod absent;
mod attested;
mod busy;
mod client_cache;
mod connections;
mod cooldown;
mod crowd;
mod devpi;
mod documentation;
mod door;
mod drafts;
mod foreign;
mod guards;
mod install;
mod large;
mod lock;
mod login;
mod metadata;
mod page;
mod range_reads;
mod resume;
mod strategy;
mod tokens;
mod trouble;
mod upstreams;
mod views;
mod webhooks;

use serde_json::{Value, json};
use testkit::http::Request;
use testkit::{Installer, Run, Server, Upstream};

/// The binary, mirroring this upstream as root/pypi.
fn mirror(upstream: &Upstream) -> Server {
    server().mirroring(upstream).start()
}

/// The same with more keys in the mirror's table.
fn mirror_with(upstream: &Upstream, keys: &str) -> Server {
    server().mirroring_with(upstream, keys).start()
}

fn server() -> Server {
    Server::new(env!("CARGO_BIN_EXE_pilothouse"))
}

/// User alice, whose password is `secret`, and her index `alice/dev` with these settings.
#[track_caller]
fn alice(server: &Server, settings: &Value) {
    let put = |path: &str| Request::new("PUT", &format!("{}/{path}", server.url()));
    let user = json!({"password": "secret"}).to_string();
    let made = put("alice").body(user).send();
    assert_eq!(made.status, 201, "{}", made.text());
    let dev = put("alice/dev").basic("alice", "secret");
    let made = dev.body(settings.to_string()).send();
    assert_eq!(made.status, 200, "{}", made.text());
}

/// Asserts that a client failed and showed our reason, or the status if it cannot read reasons.
#[track_caller]
fn says_why(installer: Installer, run: &Run, status: &str, reason: &str) {
    // It learned to read problem+json after 0.4.
    let can_read = installer != Installer::UvOldest;
    run.fails().says(if can_read { reason } else { status });
}

/// Writes a story once and runs it with each client.
macro_rules! with_every_installer {
    ($(fn $story:ident($installer:ident) $body:block)+) => {
        $(mod $story {
            use super::*;

            fn story($installer: testkit::Installer) $body

            #[test]
            fn with_the_oldest_pip() {
                story(testkit::Installer::PipOldest);
            }

            #[test]
            fn with_the_newest_pip() {
                story(testkit::Installer::PipNewest);
            }

            #[test]
            fn with_the_oldest_uv() {
                story(testkit::Installer::UvOldest);
            }

            #[test]
            fn with_the_newest_uv() {
                story(testkit::Installer::UvNewest);
            }
        })+
    };
}
use with_every_installer;
