//! The mirror over a scripted upstream, without HTTP in front.

#![expect(
    clippy::unwrap_used,
    reason = "a test that cannot go on should say where"
)]

mod cache;
mod disk;
mod files;
mod flat;
mod replaced;
mod rig;
mod sidecars;
