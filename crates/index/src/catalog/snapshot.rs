//! All indexes as they are at one moment, and each as a caller may see it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use pyspec::ProjectName;

use super::Views;
use crate::hosted::{Hosted, Rules};
use crate::overlay::order;
use crate::settings::MirrorSettings;
use crate::{Error, IndexName, IndexSettings, Merges, Overlay, Seen, Sight, Source, Stock, View};

/// All indexes as they are at one moment.
pub struct Snapshot {
    indexes: BTreeMap<IndexName, Arc<Entry>>,
    /// Those that anybody may read with all that is below them.
    public: BTreeSet<IndexName>,
    views: Arc<Views>,
    merges: Arc<Merges>,
}

/// One index.
#[derive(Clone)]
pub struct Entry {
    /// Its name.
    pub name: IndexName,
    /// What is set on it.
    pub settings: Arc<IndexSettings>,
    /// What it has itself, without its bases.
    pub source: Arc<dyn Source>,
    /// What people upload to, if it is a stage of this server.
    pub hosted: Option<Arc<Hosted>>,
    /// Where it comes from.
    pub origin: Origin,
}

/// Where an index comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// The operator wrote it into the config file, and changes it there.
    Config,
    /// Somebody made it while the server ran.
    Made,
}

impl Entry {
    /// A mirror that the config file describes.
    pub fn fixed(name: IndexName, settings: MirrorSettings, source: Arc<dyn Source>) -> Self {
        Self {
            name,
            settings: Arc::new(IndexSettings::Mirror(settings)),
            source,
            hosted: None,
            origin: Origin::Config,
        }
    }

    /// What its settings let be done to what it hosts.
    pub fn rules(&self) -> Rules {
        Rules {
            volatile: self.settings.is_volatile(),
            quota: match &*self.settings {
                IndexSettings::Stage(stage) => stage.quota,
                IndexSettings::Mirror(_) => None,
            },
        }
    }
}

impl Snapshot {
    pub(super) fn new(
        indexes: impl IntoIterator<Item = Arc<Entry>>,
        views: Arc<Views>,
        merges: Arc<Merges>,
    ) -> Self {
        let indexes = indexes.into_iter();
        let mut snapshot = Self {
            indexes: indexes.map(|entry| (entry.name.clone(), entry)).collect(),
            public: BTreeSet::new(),
            views,
            merges,
        };
        let anyone = |entry: &Entry| entry.settings.readers().is_for_anyone();
        let names = snapshot.names();
        snapshot.public = names
            .filter(|name| all_shown(snapshot.parts(name, anyone)))
            .cloned()
            .collect();
        snapshot
    }

    /// The same with one index in its place, or gone.
    pub(super) fn with(&self, name: &IndexName, entry: Option<Arc<Entry>>) -> Self {
        let others = self.indexes.values().filter(|entry| entry.name != *name);
        let indexes = others.cloned().chain(entry);
        Self::new(indexes, self.views.clone(), self.merges.clone())
    }

    /// The index of this name.
    pub fn get(&self, name: &IndexName) -> Option<&Arc<Entry>> {
        self.indexes.get(name)
    }

    /// Every index's name, sorted.
    pub fn names(&self) -> impl Iterator<Item = &IndexName> {
        self.indexes.keys()
    }

    /// The indexes of one user, sorted.
    pub fn of_user(&self, user: &str) -> impl Iterator<Item = &Arc<Entry>> {
        let indexes = self.indexes.values();
        indexes.filter(move |entry| entry.name.user() == user)
    }

    /// Whether everybody sees the same of an index: anybody may read it and all
    /// that is below it.
    pub fn is_public(&self, name: &IndexName) -> bool {
        self.public.contains(name)
    }

    /// An index with its bases, as somebody sees it who may read what `may_read` says.
    ///
    /// `None` if there is no such index, or if it may not be read: nobody is told which.
    pub fn seen(
        &self,
        name: &IndexName,
        may_read: impl Fn(&Entry) -> bool,
    ) -> Option<Arc<dyn Source>> {
        let entry = self.get(name).filter(|entry| may_read(entry))?;
        let parts: Vec<Stock> = self.parts(&entry.name, may_read).collect();
        Some(match parts.as_slice() {
            [only] => only.source.clone(),
            _ => Arc::new(Overlay::new(parts, self.merges.clone())),
        })
    }

    /// A view by its name, as somebody sees it who may read what `may_read` says.
    ///
    /// A view of an index that is gone is an error: the next index would answer
    /// for its projects.
    pub fn view(
        &self,
        name: &str,
        may_read: impl Fn(&Entry) -> bool,
    ) -> Result<Option<View>, Error> {
        let Some(indexes) = self.views.get(name) else {
            return Ok(None);
        };
        let seen = |index: &IndexName| {
            let gone = || Error::NoSuchIndex {
                index: index.to_string(),
            };
            let whole = self.seen(index, |_| true).ok_or_else(gone)?;
            let shown = if all_shown(self.parts(index, &may_read)) {
                Some(whole.clone())
            } else {
                self.seen(index, &may_read)
            };
            Ok(Seen { whole, shown })
        };
        let seen: Vec<Seen> = indexes.iter().map(seen).collect::<Result<_, Error>>()?;
        Ok(Some(View::new(seen, self.merges.clone())))
    }

    /// The views there are, sorted.
    pub fn views(&self) -> impl Iterator<Item = (&str, &[IndexName])> {
        let views = self.views.iter();
        views.map(|(name, indexes)| (name.as_ref(), indexes.as_slice()))
    }

    /// Indexes with a base that does not exist, each with the base.
    pub fn missing_bases(&self) -> impl Iterator<Item = (&IndexName, &IndexName)> {
        self.indexes.values().flat_map(|entry| {
            let bases = entry.settings.bases().iter();
            let missing = bases.filter(|base| !self.indexes.contains_key(*base));
            missing.map(|base| (&entry.name, base))
        })
    }

    /// An index and everything below it, in the order in which they are asked.
    pub fn order(&self, name: &IndexName) -> Vec<Arc<Entry>> {
        let settings = |name: &IndexName| self.get(name).map(|entry| &*entry.settings);
        let names = order(name, settings).parts.into_iter();
        names.filter_map(|name| self.get(name)).cloned().collect()
    }

    /// Whether mirrors below an index may add to a project that is hosted there.
    pub fn whitelists(&self, name: &IndexName, project: &ProjectName) -> bool {
        let parts = self.parts(name, |_| true);
        Overlay::new(parts, self.merges.clone()).whitelists(project)
    }

    /// What an index is made of, in the order in which it is asked.
    fn parts<'a>(
        &'a self,
        name: &'a IndexName,
        may_read: impl Fn(&Entry) -> bool + 'a,
    ) -> impl Iterator<Item = Stock> + 'a {
        let settings = |name: &IndexName| self.get(name).map(|entry| &*entry.settings);
        let entries = order(name, settings).parts.into_iter();
        let entries = entries.filter_map(|name| self.get(name));
        entries.map(move |entry| Stock {
            name: entry.name.clone(),
            settings: entry.settings.clone(),
            source: entry.source.clone(),
            sight: if may_read(entry) {
                Sight::Shown
            } else {
                Sight::Hidden
            },
        })
    }
}

fn all_shown(mut parts: impl Iterator<Item = Stock>) -> bool {
    parts.all(|part| part.sight == Sight::Shown)
}
