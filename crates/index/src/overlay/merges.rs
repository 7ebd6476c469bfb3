//! Merges that were made, for as long as their parts say the same.
//!
//! All indexes of a server share them: a merge depends on its parts alone. An
//! unchanged merge is the same `Arc`, so that it is rendered once.

use std::sync::Arc;

use quick_cache::Weighter;
use quick_cache::sync::Cache as QuickCache;
use sha2::{Digest as _, Sha256};

use super::merge::merge;
use crate::names::{Names, Repeated, repeated};
use crate::{Cache, Listing, Project};

/// What merged projects may take in memory; others are merged again.
const MEMORY: u64 = 32 * 1024 * 1024;

/// How many joined listings are remembered; each is a note of repeated names.
const LISTINGS: usize = 64;

/// Merges that were made.
pub struct Merges {
    projects: QuickCache<Box<str>, Arc<Project>, ByFiles>,
    listings: QuickCache<Box<str>, Repeated>,
}

#[derive(Clone)]
struct ByFiles;

impl Weighter<Box<str>, Arc<Project>> for ByFiles {
    fn weight(&self, _: &Box<str>, project: &Arc<Project>) -> u64 {
        500 + project.page.files.len() as u64 * 600
    }
}

impl Default for Merges {
    fn default() -> Self {
        Self {
            projects: QuickCache::with_weighter(2_000, MEMORY, ByFiles),
            listings: QuickCache::new(LISTINGS),
        }
    }
}

impl Merges {
    /// The parts of one project as one; of a single part, that part itself.
    pub(crate) fn project(&self, parts: &[Arc<Project>]) -> Option<Arc<Project>> {
        if let [only] = parts {
            return Some(only.clone());
        }
        let key = key(parts.iter().map(|part| part.digest.as_str()));
        if let Some(known) = self.projects.get(&key) {
            return Some(known);
        }
        let merged = Arc::new(merge(parts)?);
        // Another request may have merged the same meanwhile: all keep to one.
        self.projects
            .get_or_insert_with(&key, || Ok::<_, std::convert::Infallible>(merged))
            .ok()
    }

    /// The listings of several parts as one.
    pub(crate) async fn listing(&self, parts: Vec<Listing>) -> Listing {
        let cache = worst(parts.iter().map(|part| &part.cache));
        if let [only] = parts.as_slice() {
            return only.clone();
        }
        let key = key(parts.iter().map(|part| part.digest.as_str()));
        let parts: Vec<Names> = parts.into_iter().map(|part| part.names).collect();
        let repeated = self.repeated(&key, &parts).await;
        Listing {
            names: Names::joined(&parts, &repeated),
            cache,
            digest: key.into(),
        }
    }

    async fn repeated(&self, key: &str, parts: &[Names]) -> Repeated {
        if let Some(known) = self.listings.get(key) {
            return known;
        }
        let parts = parts.to_vec();
        let looking = tokio::task::spawn_blocking(move || repeated(&parts));
        // Lost only when the server stops, or by a fault: then a name may be
        // listed twice, which is better than not at all.
        let Ok(found) = looking.await else {
            return Repeated::default();
        };
        self.listings.insert(key.into(), found.clone());
        found
    }
}

fn key<'a>(digests: impl Iterator<Item = &'a str>) -> Box<str> {
    let mut hash = Sha256::new();
    for digest in digests {
        hash.update(digest.as_bytes());
        hash.update(b"\n");
    }
    hex::encode(&hash.finalize()[..16]).into()
}

/// What is to be said of an answer that is made of several.
pub(crate) fn worst<'a>(of: impl Iterator<Item = &'a Cache>) -> Cache {
    let rank = |cache: &Cache| match cache {
        Cache::Hit => 0,
        Cache::Revalidated => 1,
        Cache::Miss => 2,
        Cache::Offline => 3,
        Cache::Stale { .. } => 4,
    };
    of.max_by_key(|cache| rank(cache))
        .cloned()
        .unwrap_or(Cache::Hit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_as_good_as_its_worst_part() {
        let stale = |why: &str| Cache::Stale {
            why: why.to_owned(),
        };
        for (parts, expected) in [
            (vec![], Cache::Hit),
            (vec![Cache::Hit, Cache::Miss], Cache::Miss),
            (vec![Cache::Revalidated, Cache::Hit], Cache::Revalidated),
            (vec![Cache::Offline, Cache::Miss], Cache::Offline),
            (vec![Cache::Hit, stale("a"), Cache::Miss], stale("a")),
        ] {
            assert_eq!(worst(parts.iter()), expected);
        }
    }
}
