//! Indexes are made, changed and removed, with devpi's rules and in devpi's words.
//!
//! What people make is recorded first and appears in the [`Catalog`] after that.
//! What the config file describes is there as well and is changed only there.
//! Whether a caller may do what is asked is decided before.

use std::sync::Arc;

use async_trait::async_trait;
use jiff::Timestamp;
use serde_json::{Map, Value};
use store::{Db, Event, IndexRow};
use tokio::sync::Mutex;

use crate::catalog::{Entry, Origin, Views};
use crate::hosted::Hosted;
use crate::settings::{IndexSettings, InvalidSettings, MirrorSettings, Patch};
use crate::{By, Catalog, Changes, Error, IndexName, Source};

/// What an index has itself, opened.
pub struct Opened {
    source: Arc<dyn Source>,
    hosted: Option<Arc<Hosted>>,
}

impl Opened {
    /// What people upload to.
    pub fn hosted(hosted: Arc<Hosted>) -> Self {
        Self {
            source: hosted.clone(),
            hosted: Some(hosted),
        }
    }

    /// What is only read.
    pub fn source(source: Arc<dyn Source>) -> Self {
        Self {
            source,
            hosted: None,
        }
    }
}

/// Opens what an index has itself.
#[async_trait]
pub trait Factory: Send + Sync {
    /// What was uploaded to a stage. Fails in one sentence.
    async fn stage(&self, name: &IndexName) -> Result<Opened, String>;

    /// A mirror with these settings. Fails in one sentence.
    async fn mirror(&self, name: &IndexName, settings: &MirrorSettings) -> Result<Opened, String>;
}

/// Whether a patch may be one that changes nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Noop {
    /// It may.
    Fine,
    /// Whoever sent it wants to be told.
    Wrong,
}

/// Who makes or changes an index.
pub struct Editor {
    by: By,
    sees: Box<dyn Fn(&Entry) -> bool + Send + Sync>,
}

impl Editor {
    /// Somebody from whom nothing is hidden.
    pub fn who_sees_all(by: By) -> Self {
        Self::new(by, |_| true)
    }

    /// Somebody for whom only some indexes are there: what they cannot see cannot be
    /// a base of theirs, since its shield would tell them what is on it.
    pub fn new(by: By, sees: impl Fn(&Entry) -> bool + Send + Sync + 'static) -> Self {
        Self {
            by,
            sees: Box::new(sees),
        }
    }
}

/// Makes, changes and removes indexes.
pub struct Indexes {
    catalog: Catalog,
    db: Db,
    factory: Arc<dyn Factory>,
    /// Changes go one after the other, so that each sees what the last one left.
    changing: Mutex<()>,
}

/// What the operator has decided of the indexes.
pub struct Plan {
    /// The index behind `/simple/`.
    pub default: IndexName,
    /// The mirrors of the config file, opened.
    pub fixed: Vec<Entry>,
    /// The views of the config file.
    pub views: Views,
}

impl Indexes {
    /// Opens every index that is recorded, beside those of the plan.
    ///
    /// Fails, in one sentence, if one of them cannot be read: without it, other
    /// indexes would lack a base that keeps strangers' files out of them.
    pub async fn open(
        plan: Plan,
        db: Db,
        factory: Arc<dyn Factory>,
        changes: Changes,
    ) -> Result<Self, String> {
        let Plan {
            default,
            fixed: mut entries,
            views,
        } = plan;
        for row in db.indexes().await.map_err(|error| error.to_string())? {
            let index = format!("{}/{}", row.owner, row.name);
            if entries.iter().any(|fixed| fixed.name.as_str() == index) {
                tracing::warn!(
                    index,
                    "the config file describes a mirror of this name: the index that somebody made is left alone"
                );
                continue;
            }
            let opened = opened(&*factory, &row, &index).await;
            entries.push(
                opened.map_err(|why| format!("the index `{index}` cannot be opened: {why}"))?,
            );
        }
        let catalog = Catalog::new(default, entries, views, changes);
        for (index, base) in catalog.now().missing_bases() {
            tracing::warn!(%index, "its base `{base}` does not exist and is passed over");
        }
        Ok(Self {
            catalog,
            db,
            factory,
            changing: Mutex::default(),
        })
    }

    /// What is there now.
    pub fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    /// Makes an index and says what is set on it.
    pub async fn create(
        &self,
        editor: &Editor,
        name: &IndexName,
        fields: &Map<String, Value>,
    ) -> Result<Arc<IndexSettings>, Error> {
        let _changing = self.changing.lock().await;
        let taken = || Error::Exists {
            what: format!("index '{name}' exists"),
        };
        if self.catalog.now().get(name).is_some() {
            return Err(taken());
        }
        let settings =
            IndexSettings::create(name.user(), fields).map_err(|error| refused(&error))?;
        self.check_bases(editor, &settings, &[])?;
        // Opened first: an upstream that cannot be used is not recorded.
        let source = self.source(name, &settings).await?;
        let row = row(name, &settings, editor.by.at);
        let event = event("index-create", &editor.by, name, &settings);
        match self.db.create_index(&row, &event).await {
            Ok(true) => {}
            Ok(false) => return Err(taken()),
            Err(store::Error::NotFound { .. }) => {
                return Err(Error::NoSuchUser {
                    user: name.user().to_owned(),
                });
            }
            Err(error) => return Err(error.into()),
        }
        Ok(self.put(name, settings, source))
    }

    /// Changes what is set on an index and says what that is now.
    pub async fn patch(
        &self,
        editor: &Editor,
        name: &IndexName,
        sent: &Value,
        noop: Noop,
    ) -> Result<Arc<IndexSettings>, Error> {
        let _changing = self.changing.lock().await;
        let entry = self.changeable(name)?;
        let patch = Patch::read(sent).map_err(|error| refused(&error))?;
        let settings = entry
            .settings
            .patched(&patch)
            .map_err(|error| refused(&error))?;
        if settings == *entry.settings {
            return match noop {
                Noop::Fine => Ok(entry.settings.clone()),
                Noop::Wrong => Err(Error::BadRequest {
                    why: "The requested modifications resulted in no changes".to_owned(),
                }),
            };
        }
        self.check_bases(editor, &settings, entry.settings.bases())?;
        let source = if same_source(&entry.settings, &settings) {
            Opened {
                source: entry.source.clone(),
                hosted: entry.hosted.clone(),
            }
        } else {
            self.source(name, &settings).await?
        };
        let row = row(name, &settings, editor.by.at);
        let event = event("index-modify", &editor.by, name, &settings);
        if !self.db.update_index(&row, &event).await? {
            return Err(no_such(name));
        }
        Ok(self.put(name, settings, source))
    }

    /// Removes an index with all that is on it.
    pub async fn remove(&self, by: &By, name: &IndexName) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let entry = self.changeable(name)?;
        if !entry.settings.is_volatile() {
            return Err(Error::Forbidden {
                why: format!("index {name} non-volatile, cannot delete"),
            });
        }
        let event = event("index-delete", by, name, &entry.settings);
        // It goes out of sight first: nobody is to see it half empty.
        self.catalog.take(name);
        let removed = self
            .db
            .remove_index(name.user(), name.index(), &event)
            .await;
        match removed {
            Ok(true) => {}
            Ok(false) => return Err(no_such(name)),
            Err(error) => {
                self.catalog.put(Entry::clone(&entry));
                return Err(error.into());
            }
        }
        for (index, base) in self.catalog.now().missing_bases() {
            if base == name {
                tracing::warn!(%index, "its base `{base}` was removed and is passed over");
            }
        }
        Ok(())
    }

    /// Takes the indexes of a user out of sight, once the user was removed with them.
    pub async fn forget_user(&self, user: &str) {
        let _changing = self.changing.lock().await;
        for entry in self.catalog.now().of_user(user) {
            if entry.origin == Origin::Made {
                self.catalog.take(&entry.name);
            }
        }
    }

    fn changeable(&self, name: &IndexName) -> Result<Arc<Entry>, Error> {
        let now = self.catalog.now();
        let entry = now.get(name).ok_or_else(|| no_such(name))?;
        match entry.origin {
            Origin::Made => Ok(entry.clone()),
            Origin::Config => Err(Error::Forbidden {
                why: format!("{name} is set in this server's config file: change it there"),
            }),
        }
    }

    /// What was a base before stays one, whoever changes something else.
    fn check_bases(
        &self,
        editor: &Editor,
        settings: &IndexSettings,
        before: &[IndexName],
    ) -> Result<(), Error> {
        let now = self.catalog.now();
        let is_there = |base: &IndexName| match now.get(base) {
            Some(entry) => before.contains(base) || (editor.sees)(entry),
            None => false,
        };
        let bases = settings.bases().iter();
        let missing: Vec<String> = bases
            .filter(|base| !is_there(base))
            .map(|base| format!("base index '{base}' does not exist"))
            .collect();
        if missing.is_empty() {
            Ok(())
        } else {
            Err(refused(&InvalidSettings::all(missing)))
        }
    }

    async fn source(&self, name: &IndexName, settings: &IndexSettings) -> Result<Opened, Error> {
        let opened = source(&*self.factory, name, settings).await;
        opened.map_err(|why| Error::BadRequest { why })
    }

    fn put(&self, name: &IndexName, settings: IndexSettings, opened: Opened) -> Arc<IndexSettings> {
        let settings = Arc::new(settings);
        self.catalog.put(Entry {
            name: name.clone(),
            settings: settings.clone(),
            source: opened.source,
            hosted: opened.hosted,
            origin: Origin::Made,
        });
        settings
    }
}

/// The name of an index in a request to make it, or devpi's sentence about it.
pub fn named(user: &str, index: &str) -> Result<IndexName, Error> {
    format!("{user}/{index}").parse().map_err(|_| Error::BadRequest {
        why: format!("indexname '{index}' contains characters that aren't allowed. Any ascii symbol besides -.@_ is blocked."),
    })
}

async fn opened(factory: &dyn Factory, row: &IndexRow, index: &str) -> Result<Entry, String> {
    let name: IndexName = index.parse().map_err(|_| "its name is none".to_owned())?;
    let fields: Map<String, Value> =
        serde_json::from_str(&row.settings).map_err(|error| error.to_string())?;
    let settings = IndexSettings::kept(&row.owner, &fields).map_err(|error| error.to_string())?;
    let opened = source(factory, &name, &settings).await?;
    Ok(Entry {
        source: opened.source,
        hosted: opened.hosted,
        name,
        settings: Arc::new(settings),
        origin: Origin::Made,
    })
}

async fn source(
    factory: &dyn Factory,
    name: &IndexName,
    settings: &IndexSettings,
) -> Result<Opened, String> {
    match settings {
        IndexSettings::Stage(_) => factory.stage(name).await,
        IndexSettings::Mirror(mirror) => factory.mirror(name, mirror).await,
    }
}

/// Whether what an index has itself can stay open through a change of its settings.
fn same_source(before: &IndexSettings, after: &IndexSettings) -> bool {
    match (before, after) {
        (IndexSettings::Mirror(before), IndexSettings::Mirror(after)) => {
            before.url == after.url
                && before.cache_expiry == after.cache_expiry
                && before.no_project_list == after.no_project_list
                && before.use_external_urls == after.use_external_urls
                && before.provides_core_metadata == after.provides_core_metadata
        }
        _ => true,
    }
}

fn row(name: &IndexName, settings: &IndexSettings, now: Timestamp) -> IndexRow {
    IndexRow {
        owner: name.user().to_owned(),
        name: name.index().to_owned(),
        settings: Value::from(settings.to_kept()).to_string(),
        created_at: now,
    }
}

fn event(what: &str, by: &By, name: &IndexName, settings: &IndexSettings) -> Event {
    Event {
        stage: Some(name.to_string()),
        ..by.event(what, settings.to_json().into())
    }
}

fn refused(error: &InvalidSettings) -> Error {
    Error::BadRequest {
        why: error.to_string(),
    }
}

fn no_such(name: &IndexName) -> Error {
    Error::NoSuchIndex {
        index: name.to_string(),
    }
}

#[cfg(test)]
mod tests;
