//! Dumps that somebody, or some disk, has spoiled: what is imported of them, and what is left
//! behind.

#![expect(clippy::unwrap_used, reason = "the helpers of tests are tests too")]

mod good;
mod guarded;
mod house;
mod spoiled;
mod spoiling;
