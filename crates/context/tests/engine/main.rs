//! The model of the cache held against real engines.
//!
//! A scenario builds a small context, changes one thing, says what will be cached, and
//! builds again. A step that the engine judges otherwise is a fault of the model.
//! `SCENARIO=owner` runs only those with that in their names.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod fixture;
mod grammar;
mod lab;
mod mended;
mod random;
mod scenario;
mod table;
