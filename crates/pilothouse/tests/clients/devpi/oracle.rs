//! Every story, told to devpi's own server.
//!
//! This shows that the transcripts are devpi's and not what we take for it, so
//! it need not run more often than they change: `cargo xtask oracle`.

use testkit::DevpiServer;

use super::{Served, Target, every_story, upstream};

every_story! { by tell, tell }

fn tell(story: fn(Target<'_>)) {
    let upstream = upstream();
    let server = DevpiServer::new().mirroring(&upstream).start();
    story(Target {
        url: &server.url(),
        upstream: &upstream,
        by: Served::ByDevpi,
    });
}
