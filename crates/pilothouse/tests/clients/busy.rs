//! Upstreams that are too busy for a moment and say when to come back.

use testkit::{Dist, Fault, Installer, Project, Scratch, Upstream};

use crate::{server, with_every_installer};

fn upstream() -> Upstream {
    Upstream::start([
        Project::new("foo").with(Dist::wheel("1.0").requires("bar")),
        Project::new("bar").wheel("1.0"),
    ])
}

/// Installs while everything of this sort is busy once, and gives how often that was
/// passed on to the client.
fn while_busy(installer: Installer, on: &str, fault: Fault) -> usize {
    let upstream = upstream();
    upstream.fault(on, fault.times(1));
    let mut server = server().mirroring(&upstream).expect_5xx().start();
    let installed = installer.install(&Scratch::new(), &server.simple(), &["foo"]);
    assert_eq!(installed.projects(), ["bar==1.0", "foo==1.0"]);
    let requests = server.requests();
    requests
        .iter()
        .filter(|request| request.status == 503)
        .count()
}

fn busy(status: u16, seconds: &str) -> Fault {
    Fault::status(status).header("Retry-After", seconds)
}

with_every_installer! {
    // One second is nothing to us: pip would wait as long and ask once more.
    fn a_short_wait_is_waited_here(installer) {
        for on in ["/simple/foo/", "*.whl"] {
            assert_eq!(while_busy(installer, on, busy(429, "1")), 0, "{on}");
        }
    }

    // Three are the client's to wait: it has its own idea of what is too long.
    fn a_longer_wait_is_the_clients(installer) {
        assert_eq!(while_busy(installer, "/simple/foo/", busy(429, "3")), 1);
        assert_eq!(while_busy(installer, "*.whl", busy(503, "3")), 1);
    }
}

// Whoever asks for metadata beside a wheel and hears no can do nothing but fail.
#[test]
fn metadata_that_upstream_is_too_busy_for_is_made_from_the_wheel() {
    for installer in [
        Installer::PipNewest,
        Installer::UvOldest,
        Installer::UvNewest,
    ] {
        assert_eq!(while_busy(installer, "*.metadata", busy(503, "30")), 0);
    }
}
