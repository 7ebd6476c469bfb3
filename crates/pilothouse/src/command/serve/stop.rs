//! When to stop: at the first SIGINT or SIGTERM gently, at a second SIGINT at once.

use tokio::signal::unix::{Signal, SignalKind, signal};

/// The signals that mean us, received from now on.
pub(super) struct Signals {
    interrupt: Option<Signal>,
    terminate: Option<Signal>,
}

impl Signals {
    /// Call this before anybody can know that we run.
    pub(super) fn receive() -> Self {
        Self {
            interrupt: listen(SignalKind::interrupt()),
            terminate: listen(SignalKind::terminate()),
        }
    }

    /// Comes back when we are asked to stop.
    pub(super) async fn asked(mut self) {
        tokio::select! {
            () = next(&mut self.interrupt) => {}
            () = next(&mut self.terminate) => {}
        }
        eprintln!("stopping once the answers under way are sent; interrupt again to stop at once");
        tokio::spawn(async move {
            next(&mut self.interrupt).await;
            // Whatever is half-written is staged, and cleared at the next start.
            std::process::exit(130);
        });
    }
}

fn listen(kind: SignalKind) -> Option<Signal> {
    signal(kind)
        .inspect_err(|error| tracing::warn!(%error, "a signal cannot be received; the server may have to be killed"))
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
