//! Every story, told to our binary: devpi's client cannot tell the difference but where
//! `told` and `Session::apart` say so.

use super::{Served, Target, every_story, upstream};
use crate::{mirror, server};

every_story! { by tell, tell_of_502 }

fn tell(story: fn(Target<'_>)) {
    let upstream = upstream();
    let server = mirror(&upstream);
    story(Target {
        url: server.url(),
        upstream: &upstream,
        by: Served::ByUs,
    });
}

fn tell_of_502(story: fn(Target<'_>)) {
    let upstream = upstream();
    let server = server().mirroring(&upstream).expect_5xx().start();
    story(Target {
        url: server.url(),
        upstream: &upstream,
        by: Served::ByUs,
    });
}
