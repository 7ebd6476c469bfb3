//! What must survive a crash: blobs (bytes named by their SHA-256) and records
//! (SQLite rows about what mirrors keep and what people make here).
//!
//! One rule holds everywhere: nothing half-written is visible. A blob is staged,
//! synced and renamed, and only then named by a record; deleting goes the other
//! way round. Small uploads are renamed unsynced, and their record holds the bytes until
//! the disk has them. A crash at any line leaves at worst a blob that no record names,
//! which [`collect_orphans`] removes.
//!
//! Nothing here knows HTTP, pages or policies.

#![warn(missing_docs)]

mod blob;
mod blobs;
mod data_dir;
mod db;
mod error;
mod fail_point;
mod orphans;
mod prune;
mod staged;
mod verify;
mod window;

pub use blob::Blob;
pub use blobs::{Blobs, SMALL, Space, Unsynced};
pub use data_dir::{DataDir, Mode};
pub use db::Db;
pub use db::deliveries::DeliveryRow;
pub use db::events::{Event, EventFilter, EventRow};
pub use db::files::{FileRow, Filter};
pub use db::hosted::{Beside, HostedRow, ReleaseRow, Role};
pub use db::indexes::IndexRow;
pub use db::pages::PageRow;
pub use db::refused::RefusedRow;
pub use db::root::RootRow;
pub use db::sidecars::{LooseSidecar, SidecarKind, SidecarRow};
pub use db::tokens::{TokenKind, TokenRow};
pub use db::uploads::{Overwrite, Saved, Terms};
pub use db::usage::{ProjectUsage, Usage};
pub use db::users::{PasswordHash, UserRow};
pub use error::{AtPath, Error};
pub use fail_point::fail_point;
pub use orphans::{ORPHAN_GRACE, collect_orphans};
pub use prune::{evict, evict_sidecars};
pub use staged::Staged;
pub use verify::{Damaged, Mended, Progress, Reference, Report, repair, verify, verify_with};
