//! What upstream says of one project now: asked, read, and completed where it leaves something out.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use pyspec::{ProjectName, ProjectPage};

use super::{How, Pages};
use crate::mirror::client::Failure;
use crate::mirror::fetch::{self, Fetched, Page};
use crate::mirror::flat::Flat;
use crate::mirror::known::{Known, project_of};
use crate::mirror::{freshness, read};
use crate::{Error, Project};

impl Pages {
    pub(super) async fn ask_flat(
        &self,
        flat: &Arc<Flat>,
        name: &ProjectName,
        known: Option<&Known>,
    ) -> Result<(Known, How), Error> {
        let (page, fresh_until) = flat.project(name).await?;
        let now = Timestamp::now();
        let project = match page {
            Some(mut page) => {
                let before = known.and_then(|known| known.project.as_deref());
                self.complete_times(&mut page, before, now).await;
                Some(Arc::new(project_of(page, BTreeSet::new())))
            }
            None => None,
        };
        let known = Known {
            project,
            validators: fetch::Validators::default(),
            fetched_at: now,
            fresh_until,
        };
        Ok((known, How::Fetched))
    }

    pub(super) async fn ask_simple(
        &self,
        name: &ProjectName,
        known: Option<&Known>,
    ) -> Result<(Known, How), Failure> {
        let base = self
            .shared
            .config
            .upstream
            .url()
            .ok_or_else(|| Failure::wrong("this mirror has no URL"))?;
        let url = base
            .join(&format!("{name}/"))
            .map_err(|error| Failure::wrong(error.to_string()))?;
        let validators = known
            .filter(|known| known.project.is_some())
            .map(|known| &known.validators);
        let fetched = fetch::page(&self.shared, &url, validators).await?;
        let now = Timestamp::now();
        match (fetched, known) {
            (Fetched::Unchanged { cache_control }, Some(known)) => {
                let known = Known {
                    fetched_at: now,
                    fresh_until: now + self.fresh_for(cache_control.as_deref()),
                    ..known.clone()
                };
                Ok((known, How::Confirmed))
            }
            (Fetched::Page(page), _) => {
                self.doubt.dispel();
                Ok((self.parsed(name, page, known, now).await?, How::Fetched))
            }
            (Fetched::Missing | Fetched::Unchanged { .. }, _) => {
                self.doubt.raise(&self.shared, name).await;
                Ok((self.missing(now), How::Fetched))
            }
        }
    }

    async fn parsed(
        &self,
        name: &ProjectName,
        page: Page,
        known: Option<&Known>,
        now: Timestamp,
    ) -> Result<Known, Failure> {
        let fresh_until = now + self.fresh_for(page.cache_control.as_deref());
        let validators = page.validators.clone();
        let (index, name) = (self.shared.name.clone(), name.clone());
        let parsing = tokio::task::spawn_blocking(move || read::page(&index, &name, &page));
        let mut page = parsing
            .await
            .unwrap_or_else(|_| Err(Failure::wrong("its page cannot be read")))?;
        let before = known.and_then(|known| known.project.as_deref());
        self.complete_times(&mut page, before, now).await;
        Ok(Known {
            project: Some(Arc::new(project_of(page, BTreeSet::new()))),
            validators,
            fetched_at: now,
            fresh_until,
        })
    }

    /// Upload times that upstream does not give, from what can honestly be known.
    async fn complete_times(
        &self,
        page: &mut ProjectPage,
        before: Option<&Project>,
        now: Timestamp,
    ) {
        if page.files.iter().all(|file| file.upload_time.is_some()) {
            return;
        }
        let stored = self
            .shared
            .storage
            .db()
            .files_of(&self.shared.name, &page.name)
            .await
            .unwrap_or_default();
        read::complete_times(page, before, &stored, now);
    }

    fn missing(&self, now: Timestamp) -> Known {
        Known {
            project: None,
            validators: fetch::Validators::default(),
            fetched_at: now,
            fresh_until: now
                + self
                    .shared
                    .config
                    .missing_for
                    .min(self.shared.config.fresh_for),
        }
    }

    fn fresh_for(&self, cache_control: Option<&str>) -> Duration {
        freshness::fresh_for(self.shared.config.fresh_for, cache_control)
    }
}
