//! What an index is: the sources that projects come from, and the rules between them.
//!
//! An index is addressed by its [`IndexName`] and answers three questions through
//! [`Source`]: which projects, what is in this project, open this file. A
//! [`mirror::Mirror`] is a source whose projects live upstream and whose answers
//! we keep; a [`hosted::Hosted`] has what people upload to it; an [`Overlay`] is an
//! index with its bases, a [`View`] several indexes in a row. This crate knows no HTTP
//! server; `server` speaks for it.

pub mod access;
pub mod accounts;
pub mod acl;
mod by;
mod catalog;
pub mod dump;
mod error;
#[cfg(test)]
mod fake;
mod growing;
pub mod hosted;
pub mod indexes;
pub mod mirror;
mod name;
mod names;
mod overlay;
mod password;
mod project;
pub mod publisher;
mod secret;
pub mod settings;
mod source;
mod stats;
mod storage;
pub mod units;
mod view;
pub mod webhook;

pub use access::{Caller, UserName};
pub use accounts::Accounts;
pub use by::By;
pub use catalog::{Catalog, Changes, Entry, Origin, Snapshot, Views};
pub use error::Error;
pub use growing::Growing;
pub use indexes::Indexes;
pub use name::IndexName;
pub use names::{Names, Walk};
pub use overlay::{Merges, Overlay, Sight, Stock};
pub use password::{Busy, Cost};
pub use project::{Project, local_url};
pub use secret::Secret;
pub use settings::IndexSettings;
pub use source::{Answer, Body, Cache, Listing, Open, Part, Source};
pub use stats::{Counter, Gauge, Kind, Stats};
pub use storage::Storage;
pub use view::{Seen, View};
