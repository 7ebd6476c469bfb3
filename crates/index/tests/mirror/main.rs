//! The mirror over a scripted upstream, without HTTP in front.

mod cache;
mod disk;
mod files;
mod flat;
mod rig;
mod sidecars;
