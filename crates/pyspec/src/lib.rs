//! What the PEPs say: names, versions, filenames, digests, metadata and Simple pages.
//!
//! This crate turns what an index sends into values that cannot be wrong, and
//! such values back into what installers read. It does no input or output,
//! knows no clock and never panics: any bytes give a page or a reason.
//!
//! - [`ProjectName`], [`Version`], [`Filename`], [`Digest`] and [`Hashes`] are
//!   built only by checked constructors.
//! - [`Metadata`] is what a release says of itself, in a file or in a form.
//! - [`ProjectPage`] is one project of an index, whatever it was written in.
//! - [`simple_json`] and [`simple_html`] read pages, [`render`] writes them.
//! - [`negotiate`] picks what a client gets to read.
//!
//! One bad link never costs the page: it is left out and reported in
//! [`Parsed::dropped`].

mod digest;
mod error;
mod filename;
mod hashes;
mod link;
mod metadata;
mod name;
pub mod negotiate;
mod page;
pub mod render;
pub mod simple_html;
pub mod simple_json;
mod specifiers;
mod text;
mod upload_time;
mod version;

pub use digest::{Digest, InvalidDigest};
pub use error::Error;
pub use filename::{FileKind, Filename, InvalidFilename};
pub use hashes::{Hashes, InvalidHash};
pub use metadata::{Field, InvalidMetadata, Metadata};
pub use name::{InvalidName, ProjectName};
pub use page::{CoreMetadata, Dropped, PageFile, Parsed, ProjectPage, ProjectStatus, Yanked};
pub use specifiers::{InvalidSpecifiers, Specifiers};
pub use upload_time::{UploadTime, UploadTimeSource};
pub use version::{InvalidVersion, Version};
