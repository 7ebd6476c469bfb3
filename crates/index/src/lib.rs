//! What an index is: the sources that projects come from, and the rules between them.
//!
//! An index is addressed by its [`IndexName`] and answers three questions through
//! [`Source`]: which projects, what is in this project, open this file. The one
//! source of today is [`mirror::Mirror`], whose projects live upstream and whose
//! answers we keep. This crate knows no HTTP server; `server` speaks for it.

pub mod acl;
mod catalog;
mod error;
mod growing;
pub mod mirror;
mod name;
mod project;
pub mod settings;
mod source;
mod stats;
mod storage;
pub mod units;

pub use catalog::Catalog;
pub use error::Error;
pub use growing::Growing;
pub use name::IndexName;
pub use project::Project;
pub use settings::IndexSettings;
pub use source::{Answer, Body, Cache, Listing, Open, Part, Source};
pub use stats::{Counter, Gauge, Kind, Stats};
pub use storage::Storage;
