//! The project pages of a mirror: fresh, stale, or fetched once for all who ask.

mod ask;

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use pyspec::{PageFile, ProjectName};
use quick_cache::Weighter;
use quick_cache::sync::Cache as QuickCache;

use super::doubt::Doubt;
use super::flat::Flat;
use super::flights::{Flight, Flights};
use super::freshness::{self, Patience};
use super::known::Known;
use super::records::Records;
use super::replaced::Changed;
use super::{Shared, offline, read, replaced};
use crate::{Answer, Cache, Error, Project};

/// What parsed pages may take in memory; the rest is read from the store again.
const MEMORY: u64 = 32 * 1024 * 1024;

/// A page this young is not asked for again because a file is missing on it.
const JUST_NOW: Duration = Duration::from_secs(10);

/// How a flight came to its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum How {
    Fetched,
    Confirmed,
}

/// The project pages of a mirror.
pub(crate) struct Pages {
    shared: Arc<Shared>,
    records: Arc<Records>,
    flat: Option<Arc<Flat>>,
    doubt: Doubt,
    memory: QuickCache<ProjectName, Arc<Known>, ByBytes>,
    /// Newer than what the store has, until it has them.
    unsaved: Mutex<HashMap<ProjectName, Arc<Known>>>,
    /// Whose notes were put right since the start.
    agreed: Mutex<HashSet<ProjectName>>,
    flights: Arc<Flights<ProjectName, (Arc<Known>, How)>>,
    loads: Arc<Flights<ProjectName, Option<Arc<Known>>>>,
}

#[derive(Clone)]
struct ByBytes;

impl Weighter<ProjectName, Arc<Known>> for ByBytes {
    fn weight(&self, _: &ProjectName, known: &Arc<Known>) -> u64 {
        known.weight()
    }
}

impl Pages {
    pub(crate) fn new(shared: Arc<Shared>, records: Arc<Records>, flat: Option<Arc<Flat>>) -> Self {
        Self {
            shared,
            records,
            flat,
            doubt: Doubt::default(),
            memory: QuickCache::with_weighter(2_000, MEMORY, ByBytes),
            unsaved: Mutex::default(),
            agreed: Mutex::default(),
            flights: Arc::default(),
            loads: Arc::default(),
        }
    }

    /// The project as it is to be served now.
    pub(crate) async fn project(
        self: &Arc<Self>,
        name: &ProjectName,
    ) -> Result<Option<Answer>, Error> {
        let stats = &self.shared.client.stats().pages;
        let answer = self.answer(name).await;
        match &answer {
            Ok(Some(answer)) => match answer.cache {
                Cache::Hit | Cache::Offline => stats.hits.add(1),
                Cache::Miss => stats.misses.add(1),
                Cache::Revalidated => stats.revalidated.add(1),
                Cache::Stale { .. } => stats.stale.add(1),
            },
            Ok(None) => {}
            Err(_) => stats.failures.add(1),
        }
        answer
    }

    async fn answer(self: &Arc<Self>, name: &ProjectName) -> Result<Option<Answer>, Error> {
        let known = self.known(name).await?;
        let now = Timestamp::now();
        if self.shared.config.offline {
            return offline::answer(&self.shared, name, known.as_deref()).await;
        }
        match known {
            Some(known) if known.is_fresh(now) => Ok(answer(&known, Cache::Hit, now)),
            Some(known) => self.renewed(name, known, now).await,
            None => {
                let (known, _) = self.flight(name, None).await?;
                Ok(answer(&known, Cache::Miss, now))
            }
        }
    }

    /// A known page that is no longer fresh: upstream's answer if it comes in time, else what we have.
    async fn renewed(
        self: &Arc<Self>,
        name: &ProjectName,
        known: Arc<Known>,
        now: Timestamp,
    ) -> Result<Option<Answer>, Error> {
        let trouble = self.shared.trouble.cause(Instant::now());
        let patience =
            freshness::patience(known.stale_for(now), known.lifetime(), trouble.is_some());
        let flight = self.flight(name, Some(known.clone()));
        let why = match patience {
            Patience::Serve => {
                trouble.unwrap_or_else(|| "revalidating in the background".to_owned())
            }
            Patience::Wait(limit) => match tokio::time::timeout(limit, flight).await {
                Ok(Ok((renewed, how))) => {
                    let cache = if how == How::Confirmed {
                        Cache::Revalidated
                    } else {
                        Cache::Miss
                    };
                    return Ok(answer(&renewed, cache, now));
                }
                Ok(Err(error)) => error.to_string(),
                Err(_) => "upstream has not answered yet".to_owned(),
            },
        };
        if known.project.is_none() {
            // "No such project" is not served stale: the project may have come since.
            let (renewed, _) = self.flight(name, Some(known)).await?;
            return Ok(answer(&renewed, Cache::Miss, now));
        }
        Ok(answer(&known, Cache::Stale { why }, now))
    }

    /// The project as upstream has it now, unless that was asked a moment ago.
    pub(crate) async fn refreshed(
        self: &Arc<Self>,
        name: &ProjectName,
    ) -> Result<Option<Arc<Project>>, Error> {
        let known = self.known(name).await?;
        let is_new = |known: &Arc<Known>| Timestamp::now() < known.fetched_at + JUST_NOW;
        if self.shared.config.offline || known.as_ref().is_none_or(is_new) {
            return Ok(known.and_then(|known| known.project.clone()));
        }
        let (renewed, _) = self.flight(name, known).await?;
        Ok(renewed.project.clone())
    }

    /// The page as last read, however long ago.
    pub(crate) async fn last(
        self: &Arc<Self>,
        name: &ProjectName,
    ) -> Result<Option<Arc<Project>>, Error> {
        let known = self.known(name).await?;
        Ok(known.and_then(|known| known.project.clone()))
    }

    /// What the page, as last read, has at `path`.
    pub(crate) async fn entry(
        self: &Arc<Self>,
        name: &ProjectName,
        path: &str,
    ) -> Result<Option<PageFile>, Error> {
        let project = self.last(name).await?;
        Ok(project.and_then(|project| project.file_at(path).cloned()))
    }

    /// Asks upstream again because a person says so, however new the page is. One that
    /// nobody has asked for yet is as new as can be.
    pub(crate) async fn refresh(self: &Arc<Self>, name: &ProjectName) -> Result<(), Error> {
        let known = self.known(name).await?;
        if !self.shared.config.offline && known.is_some() {
            self.flight(name, known).await?;
        }
        Ok(())
    }

    /// Forgets what memory holds, so that it is read again from the store.
    pub(crate) fn reread(&self, name: &ProjectName) {
        self.memory.remove(name);
        self.unsaved().remove(name);
    }

    fn unsaved(&self) -> MutexGuard<'_, HashMap<ProjectName, Arc<Known>>> {
        self.unsaved.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn in_memory(&self, name: &ProjectName) -> Option<Arc<Known>> {
        let known = self.memory.get(name);
        known.or_else(|| self.unsaved().get(name).cloned())
    }

    /// The page's knowledge from memory or the store.
    async fn known(self: &Arc<Self>, name: &ProjectName) -> Result<Option<Arc<Known>>, Error> {
        if let Some(known) = self.in_memory(name) {
            return Ok(Some(known));
        }
        let (pages, name_) = (self.clone(), name.clone());
        let load = self.loads.join(
            &self.shared.runtime,
            name,
            self.lost(name),
            |landing| async move {
                let known = pages.load(&name_).await;
                drop(landing);
                known
            },
        );
        load.await
    }

    async fn load(&self, name: &ProjectName) -> Result<Option<Arc<Known>>, Error> {
        if let Some(known) = self.in_memory(name) {
            return Ok(Some(known));
        }
        let db = self.shared.storage.db();
        let Some(row) = db.page(&self.shared.name, name).await? else {
            return Ok(None);
        };
        let (owned, longest) = (name.clone(), self.shared.config.fresh_for);
        let unpacking = tokio::task::spawn_blocking(move || Known::from_row(row, &owned, longest));
        let Some(known) = unpacking.await.unwrap_or_default() else {
            return Ok(None);
        };
        let known = Arc::new(self.with_made_metadata(known).await?);
        if let Some(project) = known.project.as_ref().filter(|_| self.is_first(name))
            && let Err(error) = replaced::agree(&self.shared, &self.records, project).await
        {
            tracing::error!(index = %self.shared.name, %error, "notes of replaced files of `{name}` cannot be put right");
        }
        if let Some(newer) = self.in_memory(name) {
            return Ok(Some(newer));
        }
        self.memory.insert(name.clone(), known.clone());
        Ok(Some(known))
    }

    /// Whether a page of this project is read for the first time since the start.
    fn is_first(&self, name: &ProjectName) -> bool {
        let mut agreed = self.agreed.lock().unwrap_or_else(PoisonError::into_inner);
        agreed.insert(name.clone())
    }

    /// One request upstream for all who ask at the same time; nobody's leaving stops it.
    fn flight(
        self: &Arc<Self>,
        name: &ProjectName,
        known: Option<Arc<Known>>,
    ) -> Flight<(Arc<Known>, How)> {
        let (pages, name_) = (self.clone(), name.clone());
        self.flights.join(
            &self.shared.runtime,
            name,
            self.lost(name),
            |landing| async move {
                let outcome = pages.ask_unless_done(&name_, known).await;
                drop(landing);
                outcome
            },
        )
    }

    fn lost(&self, name: &ProjectName) -> Error {
        Error::UpstreamDown {
            index: self.shared.name.clone(),
            what: format!("project `{name}`"),
            cause: "the request was given up".to_owned(),
            retry_after: None,
        }
    }

    /// Another flight may have landed between the look into memory and the start of this one.
    async fn ask_unless_done(
        self: &Arc<Self>,
        name: &ProjectName,
        known: Option<Arc<Known>>,
    ) -> Result<(Arc<Known>, How), Error> {
        if let Some(newer) = self.memory.get(name)
            && known
                .as_ref()
                .is_none_or(|known| known.fetched_at < newer.fetched_at)
        {
            return Ok((newer, How::Fetched));
        }
        self.ask(name, known).await
    }

    async fn ask(
        self: &Arc<Self>,
        name: &ProjectName,
        known: Option<Arc<Known>>,
    ) -> Result<(Arc<Known>, How), Error> {
        let busy = self.shared.busy();
        let asked = if let Some(flat) = &self.flat {
            self.ask_flat(flat, name, known.as_deref()).await
        } else {
            let asked = self.ask_simple(name, known.as_deref()).await;
            asked.map_err(|failure| failure.about(&self.shared.name, &format!("project `{name}`")))
        };
        let (renewed, how) = asked?;
        let mut changed = Changed::default();
        let renewed = if how == How::Fetched {
            if let Some(project) = &renewed.project {
                let before = known.as_deref().and_then(|known| known.project.as_deref());
                changed = Changed::between(before, project);
                replaced::note(&self.shared, &self.records, project, &changed).await?;
            }
            self.with_made_metadata(renewed).await?
        } else {
            renewed
        };
        let renewed = Arc::new(same_project_if_unchanged(renewed, known.as_deref()));
        self.unsaved().insert(name.clone(), renewed.clone());
        self.memory.insert(name.clone(), renewed.clone());
        if let (How::Fetched, Some(project)) = (how, &renewed.project) {
            replaced::settle(&self.shared, &self.records, project, &changed).await?;
        }
        // Nobody who waits for the page has to wait for the disk.
        let (pages, name, known) = (self.clone(), name.clone(), renewed.clone());
        self.shared.runtime.spawn(async move {
            pages.save(&name, &known, how).await;
            let mut unsaved = pages.unsaved();
            if unsaved
                .get(&name)
                .is_some_and(|other| Arc::ptr_eq(other, &known))
            {
                unsaved.remove(&name);
            }
            drop((unsaved, busy));
        });
        Ok((renewed, how))
    }

    /// Advertises metadata for wheels whose upstream has none: we make it when it is asked for.
    async fn with_made_metadata(&self, mut known: Known) -> Result<Known, Error> {
        let Some(project) = known
            .project
            .as_ref()
            .filter(|project| read::lacks_metadata(&project.page))
        else {
            return Ok(known);
        };
        let made = self
            .shared
            .storage
            .db()
            .made_metadata(&self.shared.name, &project.page.name)
            .await?;
        known.project = Some(Arc::new(read::advertise(&project.page, &made)));
        Ok(known)
    }

    /// Keeps what was learned; a page that cannot be stored is served all the same.
    async fn save(&self, name: &ProjectName, known: &Known, how: How) {
        let db = self.shared.storage.db();
        let saved = match how {
            How::Confirmed => db
                .touch_page(&self.shared.name, name, known.fetched_at, known.fresh_until)
                .await
                .map_err(Error::from),
            How::Fetched => self.save_fetched(name, known.clone()).await,
        };
        if let Err(error) = saved {
            tracing::error!(index = %self.shared.name, project = %name, %error, "the page of `{name}` cannot be stored");
        }
    }

    async fn save_fetched(&self, name: &ProjectName, known: Known) -> Result<(), Error> {
        let packing = tokio::task::spawn_blocking(move || known.to_row());
        let row = packing
            .await
            .unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()))?;
        self.shared
            .storage
            .db()
            .save_page(&self.shared.name, name, &row)
            .await?;
        Ok(())
    }
}

/// A new page with the old content keeps the old `Arc`, so that nothing is rendered again.
fn same_project_if_unchanged(mut renewed: Known, known: Option<&Known>) -> Known {
    if let (Some(new), Some(old)) = (
        &renewed.project,
        known.and_then(|known| known.project.as_ref()),
    ) && new.digest == old.digest
    {
        renewed.project = Some(old.clone());
    }
    renewed
}

fn answer(known: &Known, cache: Cache, now: Timestamp) -> Option<Answer> {
    known.project.as_ref().map(|project| Answer {
        project: project.clone(),
        cache,
        fresh_until: known.fresh_until(now),
    })
}
