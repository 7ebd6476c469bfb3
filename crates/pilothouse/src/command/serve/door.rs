//! Whether it is right to open the door: a server on the network must not be anybody's,
//! and none must ask itself.
//!
//! On loopback a fresh server works as devpi does: root has an empty password and
//! whoever asks becomes a user. Anywhere else that would let a stranger take it over.

use std::net::{IpAddr, SocketAddr};

use index::access::{Admins, ROOT};
use index::accounts::Accounts;

use url::Host;

use crate::config::{Config, Mirror};
use crate::failure::Explained;

/// Refuses to serve the network as long as anybody may become root or a user,
/// unless the operator has said that this is wanted.
pub(super) async fn check(
    config: &Config,
    addresses: &[SocketAddr],
    accounts: &Accounts,
) -> anyhow::Result<()> {
    let Some(open) = open_to_the_network(config, addresses) else {
        return Ok(());
    };
    if accounts.is_password(ROOT, "").await {
        Err(unsafe_at(open, OF_ANYBODY))
    } else if *accounts.admins() == Admins::Owners {
        Err(unsafe_at(
            open,
            "whoever reaches it could become a user and upload",
        ))
    } else {
        Ok(())
    }
}

/// The same before there is a data directory: root has no password then, and a server
/// that is refused should leave nothing behind.
pub(super) fn check_new(config: &Config, addresses: &[SocketAddr]) -> anyhow::Result<()> {
    match open_to_the_network(config, addresses) {
        Some(open) if !config.data_dir.value.exists() => Err(unsafe_at(open, OF_ANYBODY)),
        _ => Ok(()),
    }
}

const OF_ANYBODY: &str =
    "root has an empty password: whoever reaches it could take this server over";

/// An address that others can reach, unless that was said to be wanted.
fn open_to_the_network(config: &Config, addresses: &[SocketAddr]) -> Option<SocketAddr> {
    let mut open = addresses.iter().filter(|at| !at.ip().is_loopback());
    open.next()
        .copied()
        .filter(|_| !config.open_to_anyone.value)
}

fn unsafe_at(open: SocketAddr, what: &str) -> anyhow::Error {
    let hint = "`pilothouse passwd root` sets a password and `--restrict-modify root` lets only root make users; or say `--open-to-anyone` if everybody who reaches this server may have it";
    let what = format!("this server is not safe to listen on `{open}`: {what}");
    Explained::new(what, hint).into()
}

/// Refuses a mirror of this very server: its questions would have no end.
pub(super) fn asks_others(config: &Config, addresses: &[SocketAddr]) -> anyhow::Result<()> {
    let is_own = |mirror: &&Mirror| addresses.iter().any(|at| leads_to(mirror, *at));
    let Some(mirror) = config.mirrors.iter().find(is_own) else {
        return Ok(());
    };
    Err(Explained::new(
        format!(
            "`{}` mirrors {}, where this server itself listens",
            mirror.name, mirror.upstream.value
        ),
        "name the index that it should mirror with `--upstream URL` or in the config file",
    )
    .into())
}

/// Whether the upstream's URL is, as it is written, this address.
fn leads_to(mirror: &Mirror, at: SocketAddr) -> bool {
    let Some(url) = mirror.upstream.value.url() else {
        return false;
    };
    let is_any = at.ip().is_unspecified();
    let is_here = |ip: IpAddr| ip == at.ip() || (is_any && ip.is_loopback());
    let is_host = match url.host() {
        Some(Host::Ipv4(ip)) => is_here(ip.into()),
        Some(Host::Ipv6(ip)) => is_here(ip.into()),
        Some(Host::Domain(name)) => name == "localhost" && (is_any || at.ip().is_loopback()),
        None => false,
    };
    is_host && url.port_or_known_default() == Some(at.port())
}
