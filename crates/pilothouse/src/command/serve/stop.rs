//! When to stop: at the first SIGINT or SIGTERM gently, at a second SIGINT at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Comes back when we are asked to stop.
pub(super) async fn wanted() {
    let mut interrupt = listen(SignalKind::interrupt());
    let mut terminate = listen(SignalKind::terminate());
    tokio::select! {
        () = next(&mut interrupt) => {}
        () = next(&mut terminate) => {}
    }
    eprintln!("stopping once the answers under way are sent; interrupt again to stop at once");
    tokio::spawn(async move {
        next(&mut interrupt).await;
        // Whatever is half-written is staged, and cleared at the next start.
        std::process::exit(130);
    });
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind)
        .inspect_err(|error| tracing::warn!(%error, "signals cannot be received; the server can only be killed"))
        .ok()
}

async fn next(signal: &mut Option<Signal>) {
    match signal {
        Some(signal) => {
            signal.recv().await;
        }
        None => std::future::pending().await,
    }
}
