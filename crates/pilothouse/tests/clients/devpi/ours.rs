//! Every story, told to our binary: devpi's client cannot tell the difference.

use super::{Target, every_story, upstream};
use crate::mirror;

every_story! { by tell }

fn tell(story: fn(Target<'_>)) {
    let upstream = upstream();
    let server = mirror(&upstream);
    story(Target {
        url: server.url(),
        upstream: &upstream,
    });
}
