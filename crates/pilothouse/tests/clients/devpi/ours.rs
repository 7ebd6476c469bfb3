//! Stories told to our binary: in these, devpi's client cannot tell the difference.
//!
//! The others differ in what is printed, mostly because we say more than "Unauthorized"
//! or "Not Found"; they are told to devpi alone until each difference is looked at.

use super::{Target, every_story, upstream};
use crate::mirror;

every_story! { by tell:
    the_guide_to_a_permanent_install: guides::permanent_install;
    the_guide_to_a_release_process: guides::release_process;
    logins: people::logins;
    changes_of_indexes: indexes::changes;
    refusals_of_pushes: push::refusals;
    uv: publishers::uv;
}

fn tell(story: fn(Target<'_>)) {
    let upstream = upstream();
    let server = mirror(&upstream);
    story(Target {
        url: server.url(),
        upstream: &upstream,
    });
}
