//! Whether it is safe to open the door: a server on the network must not be anybody's.
//!
//! On loopback a fresh server works as devpi does: root has an empty password and
//! whoever asks becomes a user. Anywhere else that would let a stranger take it over.

use std::net::SocketAddr;

use index::access::{Admins, ROOT};
use index::accounts::Accounts;

use crate::config::Config;
use crate::failure::Explained;

/// Refuses to serve the network as long as anybody may become root or a user,
/// unless the operator has said that this is wanted.
pub(super) async fn check(
    config: &Config,
    addresses: &[SocketAddr],
    accounts: &Accounts,
) -> anyhow::Result<()> {
    let Some(open) = addresses.iter().find(|at| !at.ip().is_loopback()) else {
        return Ok(());
    };
    if config.open_to_anyone.value {
        return Ok(());
    }
    let hint = "`pilothouse passwd root` sets a password and `--restrict-modify root` lets only root make users; or say `--open-to-anyone` if everybody who reaches this server may have it";
    let what = if accounts.is_password(ROOT, "").await {
        "root has an empty password: whoever reaches it could take this server over"
    } else if *accounts.admins() == Admins::Owners {
        "whoever reaches it could become a user and upload"
    } else {
        return Ok(());
    };
    Err(Explained::new(
        format!("this server is not safe to listen on `{open}`: {what}"),
        hint,
    )
    .into())
}
