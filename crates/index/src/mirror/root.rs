//! The root listing of a mirror: every project's name, kept as one compressed record.
//!
//! PyPI's has most of a million names, so it is fetched only when somebody asks and
//! held in memory only while somebody reads it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use jiff::Timestamp;
use pyspec::{ProjectName, simple_html, simple_json};
use sha2::{Digest as _, Sha256};
use store::RootRow;
use tokio::sync::Mutex;

use super::client::Failure;
use super::config::RootListing;
use super::fetch::{self, Fetched, Language, Page, Validators};
use super::flat::Flat;
use super::flights::{Flight, Flights};
use super::{Shared, freshness};
use crate::{Cache, Error, Listing};

/// pip gives up after 15 s of silence; an old listing is better than that.
const PATIENCE: Duration = Duration::from_secs(4);

/// The root listing of a mirror.
pub(crate) struct Root {
    shared: Arc<Shared>,
    flat: Option<Arc<Flat>>,
    flights: Arc<Flights<(), (Arc<RootRow>, Cache)>>,
    /// The names while somebody reads them, with the digest they belong to.
    read: Mutex<Option<Reading>>,
}

type Reading = (String, Weak<[Box<str>]>);

impl Root {
    pub(crate) fn new(shared: Arc<Shared>, flat: Option<Arc<Flat>>) -> Self {
        Self {
            shared,
            flat,
            flights: Arc::default(),
            read: Mutex::default(),
        }
    }

    pub(crate) async fn projects(self: &Arc<Self>) -> Result<Listing, Error> {
        if self.shared.config.offline {
            let names = self
                .shared
                .storage
                .db()
                .projects_with_files(&self.shared.name)
                .await?;
            return Ok(listing(&names, Cache::Offline));
        }
        if self.shared.config.root_listing == RootListing::Known {
            let known = self.shared.storage.db().projects(&self.shared.name).await?;
            return Ok(listing(&known, Cache::Hit));
        }
        if let Some(flat) = &self.flat {
            return self.flat_projects(flat).await;
        }
        let (row, cache) = self.current().await?;
        let digest = short(&Sha256::digest(&row.body));
        // Held while the names are unpacked: whoever comes meanwhile wants the same.
        let mut read = self.read.lock().await;
        let held = read.as_ref().filter(|(known, _)| *known == digest);
        if let Some(names) = held.and_then(|(_, names)| names.upgrade()) {
            return Ok(Listing {
                names: names.into(),
                cache,
                digest,
            });
        }
        let names = tokio::task::spawn_blocking(move || unpack(&row.body)).await;
        let unreadable = || self.error(Failure::wrong("the stored listing cannot be read"));
        let names = names.ok().flatten().ok_or_else(unreadable)?;
        *read = Some((digest.clone(), Arc::downgrade(&names)));
        Ok(Listing {
            names: names.into(),
            cache,
            digest,
        })
    }

    async fn flat_projects(&self, flat: &Arc<Flat>) -> Result<Listing, Error> {
        match flat.names().await {
            Ok(names) => Ok(listing(&names.into_iter().collect::<Vec<_>>(), Cache::Miss)),
            Err(error) => {
                let known = self.shared.storage.db().projects(&self.shared.name).await?;
                if known.is_empty() {
                    return Err(error);
                }
                let why = error.to_string();
                Ok(listing(&known, Cache::Stale { why }))
            }
        }
    }

    /// The record to answer from: fresh, renewed, or stale because upstream is of no use just now.
    async fn current(self: &Arc<Self>) -> Result<(Arc<RootRow>, Cache), Error> {
        let known = self
            .shared
            .storage
            .db()
            .root(&self.shared.name)
            .await?
            .map(Arc::new);
        if let Some(row) = known
            .as_ref()
            .filter(|row| Timestamp::now() < row.fresh_until)
        {
            return Ok((row.clone(), Cache::Hit));
        }
        let flight = self.flight(known.clone());
        let Some(row) = known else {
            return flight.await;
        };
        let why = match tokio::time::timeout(PATIENCE, flight).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(error)) => error.to_string(),
            Err(_) => "upstream has not answered yet".to_owned(),
        };
        Ok((row, Cache::Stale { why }))
    }

    fn flight(self: &Arc<Self>, known: Option<Arc<RootRow>>) -> Flight<(Arc<RootRow>, Cache)> {
        let root = self.clone();
        let lost = self.error(Failure::down("the request was given up"));
        self.flights.join(&self.shared.runtime, &(), lost, |landing| async move {
            let busy = root.shared.busy();
            let asked = root.ask(known.as_deref()).await;
            let (row, cache) = asked.map_err(|failure| root.error(failure))?;
            let saved = root.shared.storage.db().save_root(&root.shared.name, &row).await;
            if let Err(error) = saved {
                tracing::error!(index = %root.shared.name, %error, "the list of projects cannot be stored");
            }
            drop((busy, landing));
            Ok((Arc::new(row), cache))
        })
    }

    async fn ask(&self, known: Option<&RootRow>) -> Result<(RootRow, Cache), Failure> {
        let url = self
            .shared
            .config
            .upstream
            .url()
            .ok_or_else(|| Failure::wrong("this mirror has no URL"))?;
        let validators = known.map(|row| Validators {
            etag: row.etag.clone(),
            last_modified: row.last_modified.clone(),
        });
        let fetched = fetch::page(&self.shared, url, validators.as_ref()).await?;
        let now = Timestamp::now();
        let fresh_until =
            |header: Option<&str>| now + freshness::fresh_for(self.shared.config.fresh_for, header);
        match (fetched, known) {
            (Fetched::Unchanged { cache_control }, Some(row)) => {
                let row = RootRow {
                    fetched_at: now,
                    fresh_until: fresh_until(cache_control.as_deref()),
                    ..row.clone()
                };
                Ok((row, Cache::Revalidated))
            }
            (Fetched::Page(page), _) => {
                let (etag, last_modified) = (
                    page.validators.etag.clone(),
                    page.validators.last_modified.clone(),
                );
                let fresh_until = fresh_until(page.cache_control.as_deref());
                let packing = tokio::task::spawn_blocking(move || pack(&page));
                let body = packing
                    .await
                    .unwrap_or_else(|_| Err(Failure::wrong("its listing cannot be read")))?;
                let row = RootRow {
                    etag,
                    last_modified,
                    fetched_at: now,
                    fresh_until,
                    body,
                };
                Ok((row, Cache::Miss))
            }
            (Fetched::Missing | Fetched::Unchanged { .. }, _) => {
                Err(Failure::wrong("it has no root listing"))
            }
        }
    }

    fn error(&self, failure: Failure) -> Error {
        failure.about(&self.shared.name, "the list of projects")
    }
}

fn listing(names: &[ProjectName], cache: Cache) -> Listing {
    let mut hash = Sha256::new();
    for name in names {
        hash.update(name.as_str().as_bytes());
        hash.update(b"\n");
    }
    let names: Vec<Box<str>> = names.iter().map(|name| name.as_str().into()).collect();
    Listing {
        names: names.into(),
        cache,
        digest: short(&hash.finalize()),
    }
}

fn short(digest: &[u8]) -> String {
    hex::encode(&digest[..16])
}

/// Names, one a line, under zstd.
fn pack(page: &Page) -> Result<Vec<u8>, Failure> {
    let names = match page.language {
        Language::Json => simple_json::parse_root(&page.body),
        Language::Html => simple_html::parse_root(&page.body),
    };
    let names =
        names.map_err(|error| Failure::wrong(format!("its listing is malformed: {error}")))?;
    let lines = names.join("\n");
    zstd::encode_all(lines.as_bytes(), 3)
        .map_err(|error| Failure::wrong(format!("its listing cannot be stored ({error})")))
}

fn unpack(body: &[u8]) -> Option<Arc<[Box<str>]>> {
    let lines = String::from_utf8(zstd::decode_all(body).ok()?).ok()?;
    Some(lines.lines().map(Into::into).collect())
}
