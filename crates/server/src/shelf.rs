//! Rendered pages kept in memory, bounded by their bytes.
//!
//! Looked up with borrowed parts of the request's path, so that a warm answer
//! allocates nothing for its key.

use std::hash::{Hash, Hasher};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use http::HeaderValue;
use index::{Answer, Cache, IndexName};
use pyspec::ProjectName;
use quick_cache::sync::{Cache as QuickCache, DefaultLifecycle};
use quick_cache::{DefaultHashBuilder, Equivalent, OptionsBuilder, Weighter};

use crate::app::App;
use crate::at::{At, Audience};
use crate::fault::printable;
use crate::rendered::Rendered;
use crate::told::CacheState;

/// Rendered pages kept in memory.
pub(crate) struct Shelf {
    pages: QuickCache<Key, Arc<Shelved>, ByWeight>,
    /// Held while an answer is put in its place, so that a crowd waiting for
    /// one cold page shares one rendering.
    placing: Mutex<()>,
}

/// A rendered page and how long it may be given without asking its source.
pub(crate) struct Shelved {
    pub(crate) rendered: Arc<Rendered>,
    pub(crate) fresh_until: Instant,
    /// What to say of it within that time.
    pub(crate) state: CacheState,
    /// Said with it when it is stale.
    pub(crate) warning: Option<HeaderValue>,
    /// Who may have it without their answer being put together again.
    pub(crate) audience: Audience,
    /// It holds as long as no more than this has changed on this server.
    pub(crate) changes: u64,
    /// How long a client may keep it.
    pub(crate) cache_control: HeaderValue,
    weight: u64,
}

#[derive(Clone)]
struct Key {
    index: IndexName,
    project: ProjectName,
}

/// A key as the path spells it.
pub(crate) struct KeyRef<'a> {
    pub(crate) index: &'a str,
    pub(crate) project: &'a str,
}

impl Hash for Key {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.as_str().hash(state);
        self.project.as_str().hash(state);
    }
}

impl Hash for KeyRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.index.hash(state);
        self.project.hash(state);
    }
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.index == other.index && self.project == other.project
    }
}

impl Eq for Key {}

impl Equivalent<Key> for KeyRef<'_> {
    fn equivalent(&self, key: &Key) -> bool {
        self.project == key.project.as_str() && self.index == key.index.as_str()
    }
}

#[derive(Clone)]
struct ByWeight;

impl Weighter<Key, Arc<Shelved>> for ByWeight {
    fn weight(&self, _: &Key, page: &Arc<Shelved>) -> u64 {
        page.weight
    }
}

impl Shelf {
    /// A shelf for so many bytes.
    pub(crate) fn new(bytes: u64) -> Self {
        // Each shard takes its share of the bytes, and a page larger than a
        // shard is never kept: few shards, so that the largest pages fit.
        let options = OptionsBuilder::new()
            .shards(2)
            .estimated_items_capacity((bytes / 16_384).max(64) as usize)
            .weight_capacity(bytes)
            .build()
            .expect("both capacities are given");
        let lifecycle = DefaultLifecycle::default();
        Self {
            pages: QuickCache::with_options(
                options,
                ByWeight,
                DefaultHashBuilder::default(),
                lifecycle,
            ),
            placing: Mutex::new(()),
        }
    }

    /// The page under this key, fresh or not.
    pub(crate) fn get(&self, key: &KeyRef<'_>) -> Option<Arc<Shelved>> {
        self.pages.get(key)
    }

    /// Puts a source's answer in its place; the forms made of the same project stay.
    pub(crate) fn place(
        &self,
        app: &App,
        at: &At,
        project: &ProjectName,
        answer: &Answer,
    ) -> Arc<Shelved> {
        let index = &at.name;
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let rendered = match self.held(index, project) {
            Some(held) if held.rendered.is_of(&answer.project) => held.rendered.clone(),
            _ => Arc::new(Rendered::new(answer.project.clone())),
        };
        let (state, warning) = later(&answer.cache);
        let shelved = Arc::new(Shelved {
            weight: rendered.weight(),
            rendered,
            fresh_until: answer.fresh_until,
            state,
            warning,
            audience: at.audience.clone(),
            changes: at.changes,
            cache_control: at.page_cache_control(app),
        });
        self.insert(index, project, shelved.clone());
        shelved
    }

    /// Weighs a page again after another form of it was made.
    pub(crate) fn reweigh(&self, index: &IndexName, project: &ProjectName, page: &Shelved) {
        let _placing = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(held) = self.held(index, project) else {
            return;
        };
        if !Arc::ptr_eq(&held.rendered, &page.rendered) {
            return;
        }
        let weighed = Shelved {
            rendered: held.rendered.clone(),
            fresh_until: held.fresh_until,
            state: held.state,
            warning: held.warning.clone(),
            audience: held.audience.clone(),
            changes: held.changes,
            cache_control: held.cache_control.clone(),
            weight: held.rendered.weight(),
        };
        self.insert(index, project, Arc::new(weighed));
    }

    /// Pages and bytes held.
    pub(crate) fn size(&self) -> (usize, u64) {
        (self.pages.len(), self.pages.weight())
    }

    fn held(&self, index: &IndexName, project: &ProjectName) -> Option<Arc<Shelved>> {
        self.get(&KeyRef {
            index: index.as_str(),
            project: project.as_str(),
        })
    }

    fn insert(&self, index: &IndexName, project: &ProjectName, page: Arc<Shelved>) {
        let key = Key {
            index: index.clone(),
            project: project.clone(),
        };
        self.pages.insert(key, page);
    }
}

/// What to say of an answer that is given again within its time.
fn later(cache: &Cache) -> (CacheState, Option<HeaderValue>) {
    match cache {
        Cache::Stale { why } => (CacheState::Stale, Some(warning(why))),
        Cache::Offline => (CacheState::Offline, None),
        Cache::Hit | Cache::Miss | Cache::Revalidated => (CacheState::Hit, None),
    }
}

/// The `Warning` header of a stale answer (RFC 7234, 5.5.1).
pub(crate) fn warning(why: &str) -> HeaderValue {
    let mut text = b"110 - \"Response is Stale: ".to_vec();
    text.extend(
        printable(why, 300)
            .into_iter()
            .map(|b| if matches!(b, b'"' | b'\\') { b'\'' } else { b }),
    );
    text.push(b'"');
    HeaderValue::from_bytes(&text)
        .unwrap_or(HeaderValue::from_static("110 - \"Response is Stale\""))
}
