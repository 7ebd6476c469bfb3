//! Opens wheels, sdists and docs zips without believing them.
//!
//! What comes in was made by somebody else, so nothing that an archive says of
//! itself is taken for true: not its sizes, not its names, not how many there are.
//! Each way to open one answers with what we need of it, or refuses it with one
//! sentence for whoever sent it. Nothing is unpacked, and what is held in memory
//! is bounded by [`Limits`], however large the archive is.
//!
//! - [`wheel()`] and [`sdist()`] check a file against its own name and give its metadata.
//! - [`Docs`] is a zip of documentation whose pages are read straight from it.
//!
//! Everything here blocks. Bytes come through [`ReadAt`], so that a blob, a file and
//! a slice will do.
//!
//! Zip files are read by our own reader, because two readers that see two different
//! things in one file are what attackers look for: whatever could be read in two ways is refused.

#![warn(missing_docs)]

mod agreement;
mod docs;
mod entry_path;
mod limits;
mod read_at;
mod refused;
mod sdist;
mod tar;
mod wheel;
mod zip;

pub use docs::{Docs, Page};
pub use limits::Limits;
pub use read_at::ReadAt;
pub use refused::{Error, Refused};
pub use sdist::sdist;
pub use wheel::wheel;
pub use zip::Contents;

use pyspec::Metadata;

/// What an archive gave.
#[derive(Debug, Clone)]
pub struct Opened {
    /// METADATA or PKG-INFO, byte for byte.
    pub metadata_bytes: Vec<u8>,
    /// The same, read. It agrees with the file's name.
    pub metadata: Metadata,
    /// How many entries the archive has.
    pub entries: u64,
    /// How many bytes it unpacks to, by its own word.
    pub unpacked: u64,
}
