//! Moving in and out: the dumps that devpi's own `devpi-export` writes and `devpi-import` reads.
//!
//! A dump is a folder: `dataindex.json` tells of users, indexes, releases and files, and
//! the files lie beside it (dump version 2; version 1 is read as well).

pub mod export;
pub mod import;
mod read;
mod sentence;

pub use export::{Export, Manner, Plan, Written};
pub use import::{Import, Report};
pub use read::{Dump, Invalid, Kind, ListedFile, ListedIndex};

/// What becomes of files that a mirror has fetched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mirrored {
    /// They stay where they are: a mirror fetches them again.
    LeftOut,
    /// They come along.
    Included,
}
