//! The files of a mirror: from the store, from a transfer under way, or from upstream.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyspec::{Filename, PageFile, ProjectName};
use store::{Blob, FileRow};
use url::Url;

use super::order::Order;
use super::pages::Pages;
use super::read::{Verdict, contradicts, verdict};
use super::records::Records;
use super::refusals::Refusals;
use super::transfer::{Running, Transfer};
use super::{FilesFrom, Shared};
use crate::{Body, Cache, Error, Open};

/// The files of a mirror.
pub(crate) struct Files {
    shared: Arc<Shared>,
    pages: Arc<Pages>,
    records: Arc<Records>,
    running: Mutex<HashMap<String, Arc<Running>>>,
    refusals: Refusals,
}

/// A transfer that was asked for.
pub(crate) enum Started {
    Running(Arc<Running>),
    /// It has come and gone: the file is in the store.
    Arrived,
}

/// What came of looking for a file upstream.
enum Found {
    Arriving(Box<Open>),
    Arrived,
    Nothing,
}

impl Files {
    pub(crate) fn new(shared: Arc<Shared>, records: Arc<Records>, pages: Arc<Pages>) -> Self {
        Self {
            refusals: Refusals::new(shared.clone()),
            shared,
            pages,
            records,
            running: Mutex::default(),
        }
    }

    /// The file at `path`, to be read from the store or while it arrives.
    pub(crate) async fn open(self: &Arc<Self>, path: &str) -> Result<Option<Open>, Error> {
        let stats = &self.shared.client.stats().files;
        loop {
            if let Some((row, blob)) = self.stored(path).await? {
                stats.hits.add(1);
                self.shared.storage.used(&self.shared.name, path);
                let offline = self.shared.config.offline;
                let cache = if offline { Cache::Offline } else { Cache::Hit };
                return Ok(Some(open(&row, blob, cache)));
            }
            if self.is_upstreams() {
                return self.elsewhere(path).await;
            }
            match self.arriving(path).await {
                Ok(Found::Arriving(open)) => {
                    stats.misses.add(1);
                    return Ok(Some(*open));
                }
                Ok(Found::Arrived) => {}
                Ok(Found::Nothing) => return Ok(None),
                Err(error) => {
                    stats.failures.add(1);
                    return Err(error);
                }
            }
        }
    }

    /// Whose file `path` is, as far as can be said without a page.
    pub(crate) async fn project_at(&self, path: &str) -> Result<Option<ProjectName>, Error> {
        let stored = self.stored(path).await?;
        Ok(stored.map(|(row, _)| row.project.clone()))
    }

    /// The file at `path` if it is in the store, and still what upstream has there.
    pub(crate) async fn stored(&self, path: &str) -> Result<Option<(Arc<FileRow>, Blob)>, Error> {
        let Some(row) = self.records.current(path).await? else {
            return Ok(None);
        };
        match self.shared.storage.blob(&row.digest, row.size) {
            Ok(Some(blob)) => Ok(Some((row, blob))),
            Ok(None) => {
                // Evicted or pruned; the record may be gone as well.
                self.records.forget(path);
                Ok(None)
            }
            Err(error) => {
                tracing::error!(index = %self.shared.name, %error, "the stored copy of `{}` cannot be used and is fetched again", row.filename);
                self.records.forget(path);
                Ok(None)
            }
        }
    }

    /// The page entry behind `path`, asking upstream once more when a page that is not
    /// brand new lacks it: a lock file may know a release that we have not seen yet.
    pub(crate) async fn listed(
        &self,
        path: &str,
    ) -> Result<Option<(ProjectName, PageFile)>, Error> {
        let filename = path
            .rsplit('/')
            .next()
            .and_then(|name| name.parse::<Filename>().ok());
        let Some(filename) = filename else {
            return Ok(None);
        };
        for name in filename.candidates() {
            let Some(answer) = self.pages.project(&name).await? else {
                continue;
            };
            if let Some(file) = answer.project.file_at(path) {
                return Ok(Some((name, file.clone())));
            }
            // Only an answer of this moment is upstream's last word.
            let is_new = matches!(
                answer.cache,
                Cache::Miss | Cache::Revalidated | Cache::Offline
            );
            if !is_new
                && let Some(project) = self.pages.refreshed(&name).await?
                && let Some(file) = project.file_at(path)
            {
                return Ok(Some((name, file.clone())));
            }
        }
        Ok(None)
    }

    /// Whether clients get files from upstream, and none is kept here.
    pub(crate) fn is_upstreams(&self) -> bool {
        // Nobody else gets at the files of a folder here.
        let config = &self.shared.config;
        config.files_from == FilesFrom::Upstream && config.upstream.url().is_some()
    }

    /// Where upstream has the file at `path`: the address alone, without our credentials.
    async fn elsewhere(&self, path: &str) -> Result<Option<Open>, Error> {
        let order = self.order(path).await?;
        Ok(order.map(|Order { file, url, .. }| Open {
            etag: format!(
                "\"{}\"",
                file.hashes
                    .sha256()
                    .map_or_else(String::new, |digest| digest.to_string())
            ),
            filename: file.filename,
            len: file.size,
            last_modified: None,
            content_type: CONTENT_TYPE,
            body: Body::Elsewhere(bare(url)),
            cache: Cache::Hit,
        }))
    }

    async fn arriving(self: &Arc<Self>, path: &str) -> Result<Found, Error> {
        let running = match self.running(path).await? {
            Some(Started::Running(running)) => running,
            Some(Started::Arrived) => return Ok(Found::Arrived),
            None => return Ok(Found::Nothing),
        };
        let begun = running.begun().await?;
        Ok(Found::Arriving(Box::new(Open {
            filename: running.file.filename.clone(),
            etag: begun.etag,
            len: running.growing.len(),
            last_modified: begun.last_modified,
            content_type: CONTENT_TYPE,
            body: Body::Growing(running.growing.clone()),
            cache: Cache::Miss,
        })))
    }

    /// What there is to say of the file at `path` without fetching it.
    pub(crate) async fn head(self: &Arc<Self>, path: &str) -> Result<Option<Open>, Error> {
        if self.under_way(path).await?.is_some() || self.stored(path).await?.is_some() {
            return self.open(path).await;
        }
        if self.is_upstreams() {
            return self.elsewhere(path).await;
        }
        let Some(order) = self.order(path).await? else {
            return Ok(None);
        };
        let begun = order.head(&self.shared).await?;
        Ok(Some(Open {
            filename: order.file.filename,
            etag: begun.0.etag,
            len: begun.1,
            last_modified: begun.0.last_modified,
            content_type: CONTENT_TYPE,
            body: Body::Unopened,
            cache: Cache::Miss,
        }))
    }

    /// The transfer of `path`, begun now unless one is under way; `None` if no page lists it.
    pub(crate) async fn running(self: &Arc<Self>, path: &str) -> Result<Option<Started>, Error> {
        if let Some(running) = self.under_way(path).await? {
            return Ok(Some(Started::Running(running)));
        }
        let refused = self.refusals.check(path).await;
        let order = match (self.order(path).await, &refused) {
            (Ok(Some(order)), _) => order,
            (_, Err(refused)) => return Err(refused.clone()),
            (order, Ok(())) => return order.map(|_| None),
        };
        if let Err(refused) = refused {
            if !promises_other(&order, &refused) {
                return Err(refused);
            }
            self.refusals.clear(path);
            let db = self.shared.storage.db();
            db.forget_refused(&self.shared.name, path).await?;
        }
        // Its page may have been read just now, and may mean the stored bytes again.
        if self.stored(path).await?.is_some() {
            return Ok(Some(Started::Arrived));
        }
        self.start(order).map(Some)
    }

    /// Where to get the file at `path`, if it is listed and may be fetched.
    async fn order(&self, path: &str) -> Result<Option<Order>, Error> {
        let Some((project, file)) = self.listed(path).await? else {
            return Ok(None);
        };
        if self.shared.config.offline {
            return Err(Error::Offline {
                index: self.shared.name.clone(),
                what: format!("file `{}`", file.filename),
            });
        }
        let url = file
            .url
            .parse::<Url>()
            .map_err(|error| self.unusable(&file, &error.to_string()))?;
        if url.scheme() != "file" || self.shared.config.upstream.url().is_some() {
            self.shared
                .client
                .check(&url)
                .map_err(|failure| Error::Forbidden {
                    why: format!("`{}` is not fetched: {}", file.filename, failure.cause()),
                })?;
        }
        Ok(Some(Order {
            path: path.to_owned(),
            project,
            file,
            url,
        }))
    }

    /// The transfer of `path` that is under way, if it brings what the page means. One that
    /// does not is left to those who read it already: a client with the new page would refuse it.
    async fn under_way(&self, path: &str) -> Result<Option<Arc<Running>>, Error> {
        let Some(running) = self.transfers().get(path).cloned() else {
            return Ok(None);
        };
        let page = self.pages.last(&running.project).await?;
        if page.is_none_or(|page| running.is_meant_by(&page, path)) {
            return Ok(Some(running));
        }
        running.supersede();
        self.take_off(path, &running);
        Ok(None)
    }

    fn transfers(&self) -> MutexGuard<'_, HashMap<String, Arc<Running>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a transfer off the list, where another may stand in its place by now.
    fn take_off(&self, path: &str, running: &Arc<Running>) {
        let mut all = self.transfers();
        if all
            .get(path)
            .is_some_and(|other| Arc::ptr_eq(other, running))
        {
            all.remove(path);
        }
    }

    fn start(self: &Arc<Self>, order: Order) -> Result<Started, Error> {
        let mut all = self.transfers();
        if let Some(running) = all.get(&order.path) {
            if !contradicts(&running.file.hashes, &order.file.hashes) {
                return Ok(Started::Running(running.clone()));
            }
            running.supersede();
        }
        // A transfer may have come and gone since the store was looked at.
        let arrived = self.records.remembered(&order.path);
        if arrived.is_some_and(|row| self.shared.storage.blobs().contains(&row.digest)) {
            return Ok(Started::Arrived);
        }
        let path = order.path.clone();
        let (transfer, running) = Transfer::prepare(&self.shared, order)?;
        let running = Arc::new(running);
        all.insert(path.clone(), running.clone());
        let (files, ours) = (self.clone(), running.clone());
        self.shared.runtime.spawn(async move {
            let _gone = Gone {
                files: &files,
                path: &path,
                running: &ours,
            };
            let _busy = files.shared.busy();
            files.ended(&path, transfer.run().await).await;
        });
        Ok(Started::Running(running))
    }

    /// Notes how a transfer ended.
    async fn ended(&self, path: &str, outcome: Result<Option<FileRow>, Error>) {
        match outcome {
            Ok(kept) => {
                self.refusals.clear(path);
                if let Some(row) = kept {
                    self.remember(row).await;
                }
            }
            Err(error @ Error::Refused { .. }) => self.refusals.note(path, error),
            Err(Error::Store(error)) => {
                tracing::error!(index = %self.shared.name, %error, "`{path}` could not be stored while it came");
            }
            Err(error) => tracing::warn!(index = %self.shared.name, "{error}"),
        }
    }

    /// Remembers a file that has arrived, unless the page has changed meanwhile.
    async fn remember(&self, row: FileRow) {
        // First remembered, then looked at again: a page that comes in between settles it.
        self.records.remember(row.clone());
        let noted = match self.pages.entry(&row.project, &row.path).await {
            Ok(Some(meant)) if verdict(&meant, &row) != Verdict::Other => {
                let db = self.shared.storage.db();
                match db.current_file(&row.mirror, &row.path).await {
                    // The very bytes that were noted as replaced are meant again.
                    Ok(None) => db.note_current(&row.mirror, &row.path).await,
                    Ok(Some(_)) => return,
                    Err(error) => Err(error),
                }
            }
            Ok(None) => return,
            Ok(Some(_)) => self.shared.storage.db().note_replaced(&row).await,
            Err(error) => {
                tracing::warn!(index = %self.shared.name, "{error}");
                return;
            }
        };
        self.records.forget(&row.path);
        if let Err(error) = noted {
            tracing::error!(index = %self.shared.name, %error, "whether `{}` was replaced cannot be noted", row.filename);
        }
    }

    fn unusable(&self, file: &PageFile, cause: &str) -> Error {
        Error::UpstreamWrong {
            index: self.shared.name.clone(),
            what: format!("file `{}`", file.filename),
            cause: format!("its address is not one ({cause})"),
        }
    }
}

/// An address without credentials, which upstream's links may hold.
fn bare(mut url: Url) -> Url {
    // Both fail only for URLs that cannot have user info in the first place.
    let _ = url.set_username("");
    let _ = url.set_password(None);
    url
}

/// Whether upstream promises other bytes by now than those that it did not send.
fn promises_other(order: &Order, refused: &Error) -> bool {
    let Error::Refused { expected, .. } = refused else {
        return false;
    };
    let mut promised = order.file.hashes.iter();
    !promised.any(|(kind, value)| *expected == format!("{kind}={value}"))
}

/// Takes a transfer off the list however it ends.
struct Gone<'a> {
    files: &'a Files,
    path: &'a str,
    running: &'a Arc<Running>,
}

impl Drop for Gone<'_> {
    fn drop(&mut self) {
        self.files.take_off(self.path, self.running);
    }
}

const CONTENT_TYPE: &str = "application/octet-stream";

fn open(row: &FileRow, blob: Blob, cache: Cache) -> Open {
    Open {
        filename: row.filename.clone(),
        etag: row.etag.clone(),
        len: Some(row.size),
        last_modified: row.last_modified,
        content_type: CONTENT_TYPE,
        body: Body::Stored(blob),
        cache,
    }
}
