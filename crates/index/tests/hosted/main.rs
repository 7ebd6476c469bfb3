//! A hosted index on a real store.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

#[cfg(feature = "fail-points")]
mod crash;
mod crowd;
mod docs;
mod make;
mod push;
mod refused;
mod remove;
mod results;
mod rig;
mod upload;
