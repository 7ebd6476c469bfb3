//! Which indexes there are.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::{IndexName, Source};

/// The indexes of this server, by name, and the one that `/simple/` means.
#[derive(Clone)]
pub struct Catalog {
    sources: BTreeMap<IndexName, Arc<dyn Source>>,
    default: IndexName,
}

impl Catalog {
    /// A catalog; `default` names the index behind `/simple/`.
    pub fn new(
        default: IndexName,
        sources: impl IntoIterator<Item = (IndexName, Arc<dyn Source>)>,
    ) -> Self {
        Self {
            sources: sources.into_iter().collect(),
            default,
        }
    }

    /// The index of this name.
    pub fn get(&self, name: &IndexName) -> Option<&Arc<dyn Source>> {
        self.sources.get(name)
    }

    /// The index behind `/simple/`.
    pub fn default_name(&self) -> &IndexName {
        &self.default
    }

    /// Every index's name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &IndexName> {
        self.sources.keys()
    }
}
