//! An index with bases: what people uploaded to it, what its bases have, and mirrors last.
//!
//! It is one order of parts and one rule. The parts are asked in their order and
//! the first wins, file by file. The rule is that of `shield`: a project that
//! any stage here has is never completed from a mirror, unless a whitelist says
//! so. A part that fails fails the answer: leaving it out would show a project
//! without its files, or let a stranger's through.

mod merge;
mod merges;
mod order;
mod shield;

pub use merges::Merges;
pub(crate) use merges::worst;
pub(crate) use order::order;

use std::sync::Arc;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use futures_util::future::join_all;
use pyspec::{Filename, ProjectName};

use crate::settings::{Inheritance, Whitelist};
use crate::{Answer, Error, IndexName, IndexSettings, Listing, Open, Part, Source};
use shield::is_whitelisted;

/// How long "no such project" of a mirror is believed, as long as others have it.
pub(crate) const ABSENT_FOR: Duration = Duration::from_mins(1);

/// One index of those that an [`Overlay`] is made of.
#[derive(Clone)]
pub struct Stock {
    /// Its name.
    pub name: IndexName,
    /// What is set on it.
    pub settings: Arc<IndexSettings>,
    /// What it has itself, without its bases.
    pub source: Arc<dyn Source>,
    /// Whether the caller may read it.
    pub sight: Sight,
}

/// Whether a caller may read an index.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sight {
    /// It may.
    Shown,
    /// It may not. What is hidden adds nothing to any answer, but a project that
    /// is hosted there is still nobody else's.
    Hidden,
}

/// An index with everything below it, as one caller may see it.
pub struct Overlay {
    stages: Vec<Stock>,
    mirrors: Vec<Stock>,
    inheritance: Inheritance,
    merges: Arc<Merges>,
}

/// Which question about a file is asked.
#[derive(Clone, Copy)]
enum Wanted {
    Bytes,
    Head,
}

impl Overlay {
    /// The index of these parts, in the order in which they are asked.
    pub fn new(parts: impl IntoIterator<Item = Stock>, merges: Arc<Merges>) -> Self {
        let is_stage = |part: &Stock| matches!(*part.settings, IndexSettings::Stage(_));
        let (stages, mirrors): (Vec<_>, Vec<_>) = parts.into_iter().partition(is_stage);
        let inheritance = match stages.first().map(|stage| &*stage.settings) {
            Some(IndexSettings::Stage(stage)) => stage.mirror_whitelist_inheritance,
            _ => Inheritance::Intersection,
        };
        Self {
            stages,
            mirrors,
            inheritance,
            merges,
        }
    }

    fn shown(&self) -> impl Iterator<Item = &Stock> {
        shown(&self.stages).chain(shown(&self.mirrors))
    }

    /// Whether mirrors may add to a project that is hosted here.
    pub fn whitelists(&self, project: &ProjectName) -> bool {
        let lists = self.stages.iter().filter_map(|stage| stage.whitelist());
        is_whitelisted(project, self.inheritance, lists)
    }

    /// Whether mirrors have no say in this project.
    async fn shields(&self, project: &ProjectName) -> Result<bool, Error> {
        if self.whitelists(project) {
            return Ok(false);
        }
        for stage in &self.stages {
            if stage.source.project(project).await?.is_some() {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// What every part has of a project that it may speak of and the caller may see.
    async fn answers(&self, name: &ProjectName) -> Result<Vec<Answer>, Error> {
        let mut answers = Vec::new();
        let mut is_hosted = false;
        for stage in &self.stages {
            let answer = stage.source.project(name).await?;
            is_hosted |= answer.is_some();
            answers.extend(answer.filter(|_| stage.sight == Sight::Shown));
        }
        // The names of what is private are not told to upstreams either.
        if is_hosted && !self.whitelists(name) {
            return Ok(answers);
        }
        let asked = shown(&self.mirrors).map(|mirror| mirror.source.project(name));
        let mut absent = false;
        for answer in join_all(asked).await {
            let answer = answer?;
            absent |= answer.is_none();
            answers.extend(answer);
        }
        if absent {
            answers.iter_mut().for_each(Answer::believe_briefly);
        }
        Ok(answers)
    }

    /// A file, or what there is to say of it.
    async fn reach(&self, path: &str, part: Part, wanted: Wanted) -> Result<Option<Open>, Error> {
        for stage in shown(&self.stages) {
            let found = stage.ask(path, part, wanted).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        // What a mirror has stored it can attribute without asking anybody.
        for mirror in shown(&self.mirrors) {
            let Some(project) = mirror.source.project_at(path).await? else {
                continue;
            };
            if self.shields(&project).await? {
                return Ok(None);
            }
            let found = mirror.ask(path, part, wanted).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        self.reach_upstream(path, part, wanted).await
    }

    /// A file that no part has stored: only from projects that are not shielded.
    async fn reach_upstream(
        &self,
        path: &str,
        part: Part,
        wanted: Wanted,
    ) -> Result<Option<Open>, Error> {
        let Some(filename) = filename(path) else {
            return Ok(None);
        };
        let (mut open, mut shielded) = (Vec::new(), Vec::new());
        for name in filename.candidates() {
            let list = if self.shields(&name).await? {
                &mut shielded
            } else {
                &mut open
            };
            list.push(name);
        }
        for mirror in shown(&self.mirrors) {
            // A name like `a-1-1.tar.gz` may be of a project that is ours or of one
            // that is not: then the page must say that it is of the latter.
            if !shielded.is_empty() && !mirror.lists(&open, path).await? {
                continue;
            }
            let found = mirror.ask(path, part, wanted).await?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }
}

#[async_trait]
impl Source for Overlay {
    async fn projects(&self) -> Result<Listing, Error> {
        let asked = self.shown().map(|part| part.source.projects());
        let listings: Result<Vec<_>, _> = join_all(asked).await.into_iter().collect();
        Ok(self.merges.listing(listings?).await)
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Answer>, Error> {
        let answers = self.answers(name).await?;
        let parts: Vec<_> = answers
            .iter()
            .map(|answer| answer.project.clone())
            .collect();
        let fresh_until = answers.iter().map(|answer| answer.fresh_until).min();
        let (Some(project), Some(fresh_until)) = (self.merges.project(&parts), fresh_until) else {
            return Ok(None);
        };
        Ok(Some(Answer {
            project,
            cache: worst(answers.iter().map(|answer| &answer.cache)),
            fresh_until,
        }))
    }

    async fn open(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        self.reach(path, part, Wanted::Bytes).await
    }

    async fn head(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        self.reach(path, part, Wanted::Head).await
    }

    async fn refresh(&self, name: &ProjectName) -> Result<(), Error> {
        // The names of what is private are not told to upstreams.
        if self.shields(name).await? {
            return Ok(());
        }
        for mirror in shown(&self.mirrors) {
            mirror.source.refresh(name).await?;
        }
        Ok(())
    }

    async fn project_at(&self, path: &str) -> Result<Option<ProjectName>, Error> {
        for part in self.shown() {
            let project = part.source.project_at(path).await?;
            if project.is_some() {
                return Ok(project);
            }
        }
        Ok(None)
    }
}

fn shown(parts: &[Stock]) -> impl Iterator<Item = &Stock> {
    parts.iter().filter(|part| part.sight == Sight::Shown)
}

impl Stock {
    fn whitelist(&self) -> Option<&Whitelist> {
        match &*self.settings {
            IndexSettings::Stage(stage) => Some(&stage.mirror_whitelist),
            IndexSettings::Mirror(_) => None,
        }
    }

    async fn ask(&self, path: &str, part: Part, wanted: Wanted) -> Result<Option<Open>, Error> {
        match wanted {
            Wanted::Bytes => self.source.open(path, part).await,
            Wanted::Head => self.source.head(path, part).await,
        }
    }

    /// Whether the page of one of these projects has the file.
    async fn lists(&self, projects: &[ProjectName], path: &str) -> Result<bool, Error> {
        for name in projects {
            let answer = self.source.project(name).await?;
            if answer.is_some_and(|answer| answer.project.file_at(path).is_some()) {
                return Ok(true);
            }
        }
        Ok(false)
    }
}

impl Answer {
    /// Somebody said "no such project" for this answer, which is not true for long.
    pub(crate) fn believe_briefly(&mut self) {
        self.fresh_until = self.fresh_until.min(Instant::now() + ABSENT_FOR);
    }
}

/// The name of the file at the end of a path.
pub(crate) fn filename(path: &str) -> Option<Filename> {
    path.rsplit('/').next()?.parse().ok()
}

#[cfg(test)]
mod tests;
