//! devpi's own client, and the clients that publish, in whole sessions.
//!
//! Each story is told to one server by its address and asserts all that the
//! person in it reads. `ours` tells every story to our binary; `oracle` tells it to
//! devpi's own server, which is where the transcripts come from.

#![expect(
    clippy::too_many_lines,
    reason = "what a person reads stands below what they type"
)]

mod contents;
mod documents;
mod export;
mod external;
mod guides;
mod indexes;
mod mirrored;
mod moving;
mod odd;
#[cfg(feature = "oracle")]
mod oracle;
mod ours;
mod people;
mod publishers;
mod push;
mod session;
mod told;
mod toxing;
mod uploads;

use testkit::{Dist, Project, Upstream};

/// A server that a story is told to.
#[derive(Debug, Clone, Copy)]
struct Target<'a> {
    /// `http://127.0.0.1:{port}`.
    url: &'a str,
    /// What its root/pypi mirrors.
    upstream: &'a Upstream,
    by: Served,
}

/// Whose server it is.
#[derive(Debug, Clone, Copy)]
enum Served {
    ByUs,
    #[cfg(feature = "oracle")]
    ByDevpi,
}

/// The public projects: one to depend on, and a stranger's of a private name.
fn upstream() -> Upstream {
    Upstream::start([
        Project::new("bar").wheel("1.0").wheel("1.1"),
        Project::new("foo").with(Dist::wheel("9.0")),
    ])
}

/// A test for each story, which `tell` tells to a server; in the last of them it answers 502.
macro_rules! every_story {
    (by $tell:ident, $tell_of_502:ident) => {
        $crate::devpi::every_story! { by $tell:
            the_guide_to_a_permanent_install: guides::permanent_install;
            the_guide_to_a_release_process: guides::release_process;
            accounts: people::accounts;
            logins: people::logins;
            changes_of_indexes: indexes::changes;
            refusals_of_indexes: indexes::refusals;
            uploads: uploads::successes;
            refusals_of_uploads: uploads::refusals;
            lists: contents::lists;
            removals: contents::removals;
            pushes_inside: push::inside;
            refusals_of_pushes: push::refusals;
            documents: documents::reads_and_patches;
            a_refresh: documents::refresh;
            results_of_tests: toxing::results;
            twine: publishers::twine;
            uv: publishers::uv;
            poetry: publishers::poetry;
            flit: publishers::flit;
            hatch: publishers::hatch;
        }
        $crate::devpi::every_story! { by $tell_of_502:
            pushes_away: push::away;
        }
    };
    (by $tell:ident: $($name:ident: $module:ident::$story:ident;)+) => {
        $(#[test]
        fn $name() {
            $tell($crate::devpi::$module::$story);
        })+
    };
}
use every_story;
