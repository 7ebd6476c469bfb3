//! Taking the addresses we listen on, and saying who has them already.

use std::io::{self, Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::advice;
use crate::failure::Explained;

/// How long whoever has our address may take to say who it is.
const PATIENCE: Duration = Duration::from_millis(500);

/// Listens on every address, or on none.
pub(super) async fn all(addresses: &[SocketAddr]) -> anyhow::Result<Vec<TcpListener>> {
    server::bind(addresses).await.map_err(|error| match error {
        server::Error::Taken { address } => {
            Explained::new(format!("`{address}` is taken"), taken(address)).into()
        }
        server::Error::Bind { address, source } => {
            let explained =
                Explained::new(format!("cannot listen on `{address}`"), refused(&source));
            anyhow::Error::new(source).context(explained)
        }
        other @ server::Error::Start(_) => other.into(),
    })
}

fn taken(address: SocketAddr) -> String {
    let next = SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(0));
    if is_pilothouse(address) {
        format!(
            "another pilothouse answers there: use that one, or stop it first, or listen elsewhere, like `--listen {next}`"
        )
    } else {
        format!(
            "another program listens there: stop it, or listen elsewhere, like `--listen {next}`"
        )
    }
}

fn refused(error: &io::Error) -> &'static str {
    match error.kind() {
        io::ErrorKind::AddrNotAvailable => {
            "this machine does not have that address now; `--listen 0.0.0.0:3141` means all that it has"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 are for the system's administrator: take one above"
        }
        _ => "name another address with `--listen ADDRESS:PORT`",
    }
}

/// Whether one of us answers at `address`.
fn is_pilothouse(address: SocketAddr) -> bool {
    let address = SocketAddr::new(advice::reachable(address.ip()), address.port());
    ask(address).is_ok_and(|answer| answer.contains("pilothouse"))
}

fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.set_write_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "GET / HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n"
    )?;
    // Enough for our own page at `/`; a stranger may send without end.
    let mut answer = Vec::new();
    let read = stream.take(4096).read_to_end(&mut answer);
    if answer.is_empty() {
        read?;
    }
    Ok(String::from_utf8_lossy(&answer).to_ascii_lowercase())
}
