//! Archives as people send them: good ones, old ones, and those made to harm.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod any;
mod docs;
mod forged;
mod large;
mod make;
mod sdist;
mod tarball;
mod wheel;
mod zipfile;
