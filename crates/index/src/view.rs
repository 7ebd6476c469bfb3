//! Several indexes in a row, of which one answers for a project.
//!
//! For indexes with builds of their own, like those for one kind of accelerator:
//! the first index that has a project answers for all of it, and what later ones
//! have of it is never mixed in. An index that fails fails the answer.

use std::sync::Arc;

use async_trait::async_trait;
use futures_util::future::try_join_all;
use pyspec::ProjectName;

use crate::overlay::filename;
use crate::{Answer, Error, Listing, Merges, Open, Part, Source};

/// Several indexes in a row, as one caller may see them.
pub struct View {
    indexes: Vec<Seen>,
    merges: Arc<Merges>,
}

/// An index of a view.
pub struct Seen {
    /// All of it, which decides whether it has a project.
    pub whole: Arc<dyn Source>,
    /// What the caller may see of it, if anything.
    pub shown: Option<Arc<dyn Source>>,
}

impl View {
    /// These indexes, the first of them first.
    ///
    /// A project that the caller may not see in one index is not shown from a later one.
    pub fn new(indexes: impl IntoIterator<Item = Seen>, merges: Arc<Merges>) -> Self {
        Self {
            indexes: indexes.into_iter().collect(),
            merges,
        }
    }

    /// What the first index that has a project shows of it.
    async fn first(&self, name: &ProjectName) -> Result<Option<(&Arc<dyn Source>, Answer)>, Error> {
        for (n, index) in self.indexes.iter().enumerate() {
            let shown = index.shown.as_ref();
            let is_all = shown.is_some_and(|shown| Arc::ptr_eq(shown, &index.whole));
            let found = index.whole.project(name).await;
            let found = found.map_err(|error| if is_all { error } else { unnamed(name) });
            let Some(mut answer) = found? else {
                continue;
            };
            let Some(shown) = shown else {
                return Ok(None);
            };
            if !is_all {
                match shown.project(name).await? {
                    Some(seen) => answer = seen,
                    None => return Ok(None),
                }
            }
            if n > 0 {
                answer.believe_briefly();
            }
            return Ok(Some((shown, answer)));
        }
        Ok(None)
    }

    /// The index that may hand out a file: the one that answers for its project.
    async fn home(&self, path: &str) -> Result<Option<&Arc<dyn Source>>, Error> {
        for index in self.shown() {
            if let Some(project) = index.project_at(path).await?
                && let Some((first, _)) = self.first(&project).await?
                && Arc::ptr_eq(first, index)
            {
                return Ok(Some(index));
            }
        }
        let candidates = filename(path).map(|name| name.candidates());
        for name in candidates.unwrap_or_default() {
            if let Some((index, answer)) = self.first(&name).await?
                && answer.project.file_at(path).is_some()
            {
                return Ok(Some(index));
            }
        }
        Ok(None)
    }

    fn shown(&self) -> impl Iterator<Item = &Arc<dyn Source>> {
        self.indexes.iter().filter_map(|index| index.shown.as_ref())
    }
}

/// What is told of an index that the caller may not see, or not all of.
fn unnamed(project: &ProjectName) -> Error {
    Error::UpstreamDown {
        index: "this view".to_owned(),
        what: format!("the page of `{project}`"),
        cause: "one of its indexes fails".to_owned(),
        retry_after: None,
    }
}

#[async_trait]
impl Source for View {
    async fn projects(&self) -> Result<Listing, Error> {
        let listings = try_join_all(self.shown().map(|index| index.projects())).await?;
        Ok(self.merges.listing(listings).await)
    }

    async fn project(&self, name: &ProjectName) -> Result<Option<Answer>, Error> {
        Ok(self.first(name).await?.map(|(_, answer)| answer))
    }

    async fn open(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        match self.home(path).await? {
            Some(index) => index.open(path, part).await,
            None => Ok(None),
        }
    }

    async fn head(&self, path: &str, part: Part) -> Result<Option<Open>, Error> {
        match self.home(path).await? {
            Some(index) => index.head(path, part).await,
            None => Ok(None),
        }
    }

    async fn project_at(&self, path: &str) -> Result<Option<ProjectName>, Error> {
        for index in self.shown() {
            let project = index.project_at(path).await?;
            if project.is_some() {
                return Ok(project);
            }
        }
        Ok(None)
    }
}

#[cfg(test)]
mod tests;
