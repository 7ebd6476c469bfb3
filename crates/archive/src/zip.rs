//! Zip files, read in the one way in which they can be read.
//!
//! A zip file says everything twice: before each entry and in the list at its end.
//! Installers differ in which they trust, so both must say the same; and nothing may
//! lie before, between or behind the entries that one reader would find and another not.

mod central;
mod directory;
mod end;
mod entry;
mod fields;
mod local;

pub(crate) use directory::{Names, walk};
pub use entry::Contents;
pub(crate) use entry::Entry;
