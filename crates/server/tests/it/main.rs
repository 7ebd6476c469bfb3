//! The server over real connections, in front of a small source made for the test.

#![expect(clippy::unwrap_used, reason = "a test ends at the first surprise")]

mod access_matrix;
mod client;
mod drain;
mod files;
mod growing;
mod listing;
mod operation;
mod pages;
mod ranges;
mod silence;
mod site;
mod source;
