//! Whether upstream is a Simple index at all: where none is, every name is answered with 404.

use std::sync::atomic::{AtomicBool, Ordering};

use pyspec::ProjectName;

use super::Shared;
use super::config::shown;

/// Whether upstream has shown a page, or was doubted already.
#[derive(Debug, Default)]
pub(super) struct Doubt(AtomicBool);

impl Doubt {
    /// A page came.
    pub(super) fn dispel(&self) {
        self.0.store(true, Ordering::Relaxed);
    }

    /// Says once what a "no such project" may mean if no page has ever come.
    pub(super) async fn raise(&self, shared: &Shared, name: &ProjectName) {
        if self.0.swap(true, Ordering::Relaxed) {
            return;
        }
        let (Some(url), Ok(false)) = (
            shared.config.upstream.url(),
            shared.storage.db().has_pages(&shared.name).await,
        ) else {
            return;
        };
        tracing::warn!(
            index = %shared.name,
            "{} has no project `{name}`, and has shown none yet: if others are missing as well, its address may not be that of a Simple index (many end in `/simple/`)",
            shown(url)
        );
    }
}
