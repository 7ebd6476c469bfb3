//! What becomes of a step.

use super::cause::Cause;

/// What becomes of a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The stage's name, or `stage-` and its number from 0.
    pub stage: String,
    /// The stage's number, from 0.
    pub stage_number: usize,
    /// As the engine counts: within the stage, but the legacy builder within the build.
    pub number: usize,
    /// From 1.
    pub line: usize,
    /// On one line.
    pub instruction: String,
    /// Whether it is done again.
    pub cached: Cached,
    /// Why it is done again, or what that hangs on.
    pub causes: Vec<Cause>,
    /// What is different, too, but not looked at by the engine, if it is not done again.
    pub unseen: Vec<Cause>,
    /// Of other stages, the steps that it builds on or whose stage it takes files of; their
    /// numbers in the report, from 0.
    pub takes: Vec<usize>,
}

/// Whether a step is done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cached {
    /// It is taken from the cache.
    Yes,
    /// It is done again.
    No,
    /// That hangs on what a command writes.
    Depends,
}
