//! What an installer's path is about: an index as the caller may see it.
//!
//! An index that anybody may read with all that is below it is the same for
//! everybody: its pages are shared, and nobody's credentials are looked at. Of
//! any other, each caller sees what they may read; to whom that is nothing, it
//! does not exist.

use std::sync::Arc;

use axum::extract::FromRequestParts;
use http::HeaderValue;
use http::request::Parts;
use index::{Entry, IndexName, IndexSettings, Snapshot, Source};
use pyspec::ProjectName;

use crate::app::App;
use crate::asking::Asking;
use crate::fault::Fault;
use crate::routes::{Named, no_such};

/// A page that somebody may change at any moment: kept, but asked about each time.
const CHECKED: HeaderValue = HeaderValue::from_static("public, no-cache");
const CHECKED_PRIVATE: HeaderValue = HeaderValue::from_static("private, no-cache");

/// A file's bytes never change under its address.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
const FOREVER_PRIVATE: HeaderValue =
    HeaderValue::from_static("private, max-age=31536000, immutable");

/// An index that exists, as the caller may see it, and what is named within it.
pub(crate) struct At {
    pub(crate) name: IndexName,
    pub(crate) source: Arc<dyn Source>,
    /// Who else sees just what the caller sees.
    pub(crate) audience: Audience,
    /// How often anything had changed here before this was looked at.
    pub(crate) changes: u64,
    /// The only project that the caller's token is for.
    pub(crate) only: Option<ProjectName>,
    /// Whether people may change what it has.
    is_hosted: bool,
    named: Named,
}

/// Who sees the same of an index.
#[derive(Clone)]
pub(crate) enum Audience {
    /// Everybody.
    All,
    /// Whoever may read all of these: the index and what is below it.
    ReadersOf(Arc<[Arc<Entry>]>),
    /// Whoever sees part of it; nobody asks who else sees that part.
    Some,
}

impl Audience {
    /// That of an index of these parts, of which the caller may read what `may_read` says.
    fn of(parts: Vec<Arc<Entry>>, may_read: impl Fn(&Entry) -> bool) -> Self {
        if parts.iter().all(|part| may_read(part)) {
            Self::ReadersOf(parts.into())
        } else {
            Self::Some
        }
    }

    fn is_everybody(&self) -> bool {
        matches!(self, Self::All)
    }
}

impl At {
    /// The project, whichever way it is written.
    pub(crate) fn project(&self) -> Result<ProjectName, Fault> {
        let no_such = || {
            Fault::from(index::Error::NoSuchProject {
                index: self.name.to_string(),
                project: self.project_as_written().to_owned(),
            })
        };
        let project: ProjectName = self.project_as_written().parse().map_err(|_| no_such())?;
        match &self.only {
            Some(only) if *only != project => Err(no_such()),
            _ => Ok(project),
        }
    }

    /// The project, percent-decoded only.
    pub(crate) fn project_as_written(&self) -> &str {
        self.named.project_as_written()
    }

    /// What follows `+f/`, percent-decoded.
    pub(crate) fn tail(&self) -> &str {
        self.named.tail()
    }

    /// How long a client may keep a page.
    pub(crate) fn page_cache_control(&self, app: &App) -> HeaderValue {
        match (self.audience.is_everybody(), self.is_hosted) {
            (false, _) => CHECKED_PRIVATE,
            (true, true) => CHECKED,
            (true, false) => app.page_cache_control().clone(),
        }
    }

    /// How long a client may keep a file.
    pub(crate) fn file_cache_control(&self) -> HeaderValue {
        if self.audience.is_everybody() {
            FOREVER
        } else {
            FOREVER_PRIVATE
        }
    }

    async fn of_view(view: &str, named: Named, parts: &Parts, app: &App) -> Result<Self, Fault> {
        let label = format!("views/{view}");
        let name: IndexName = label.parse().map_err(|_| no_such(&label))?;
        let changes = app.catalog().changes().count();
        let now = app.catalog().now();
        let indexes = now.views().find(|(known, _)| *known == view);
        let indexes = indexes.map_or(&[][..], |(_, indexes)| indexes);
        let shared = !indexes.is_empty() && indexes.iter().all(|index| now.is_public(index));
        let is_hosted = indexes.iter().any(|index| is_hosted(&now, index));
        let asking = asking(shared, parts, app).await?;
        let may_read = |entry: &Entry| asking.may_read(app, entry, None);
        let mut entries = indexes.iter().filter_map(|index| now.get(index));
        if !entries.any(|entry| may_read(entry)) {
            return Err(asking.hidden(&name));
        }
        let source = now.view(view, may_read)?;
        let source = source.ok_or_else(|| asking.hidden(&name))?;
        let audience = if shared {
            Audience::All
        } else {
            let parts = indexes.iter().flat_map(|index| now.order(index));
            Audience::of(parts.collect(), may_read)
        };
        Ok(Self {
            name,
            source: Arc::new(source),
            audience,
            changes,
            only: asking
                .caller
                .limits()
                .and_then(|limits| limits.project.clone()),
            is_hosted,
            named,
        })
    }
}

impl FromRequestParts<App> for At {
    type Rejection = Fault;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Fault> {
        let named = Named::from_request_parts(parts, app).await?;
        if let Some(view) = named.view() {
            let view = view.to_owned();
            return Self::of_view(&view, named, parts, app).await;
        }
        let name = if named.is_default() {
            app.catalog().default_name().clone()
        } else {
            named.name()?
        };
        let changes = app.catalog().changes().count();
        let now = app.catalog().now();
        let shared = now.is_public(&name);
        let asking = asking(shared, parts, app).await?;
        let reading = asking.reading_through(&name);
        let may_read = |entry: &Entry| reading.may_read(app, entry, None);
        let source = now.seen(&name, may_read);
        let source = source.ok_or_else(|| asking.hidden(&name))?;
        let audience = if shared {
            Audience::All
        } else {
            Audience::of(now.order(&name), may_read)
        };
        Ok(Self {
            is_hosted: is_hosted(&now, &name),
            only: asking
                .caller
                .limits()
                .and_then(|limits| limits.project.clone()),
            source,
            audience,
            changes,
            named,
            name,
        })
    }
}

/// Nobody's credentials matter where everybody sees the same.
async fn asking(shared: bool, parts: &Parts, app: &App) -> Result<Asking, Fault> {
    if shared {
        Ok(Asking::anonymous())
    } else {
        Asking::of(app, &parts.headers).await
    }
}

fn is_hosted(now: &Snapshot, name: &IndexName) -> bool {
    let is_stage = |entry: &Arc<Entry>| matches!(*entry.settings, IndexSettings::Stage(_));
    now.get(name).is_some_and(is_stage)
}
