//! The one store that all indexes of a server share, and how it stays bounded.
//!
//! Records and blobs are `store`'s; here is what needs memory across requests:
//! which blobs are open, which files were used since the last note of it, and
//! how much room is taken.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use jiff::Timestamp;
use pyspec::Digest;
use quick_cache::sync::Cache;
use quick_cache::{DefaultHashBuilder, Lifecycle, UnitWeighter};
use store::{Blob, Blobs, Db, FileRow};

use crate::{Error, Stats};

/// How many blobs are kept open; each costs a file descriptor.
const MOST_OPEN: usize = 256;
const NOTE_USE_EVERY: Duration = Duration::from_secs(30);
/// How long small uploads wait for the disk in the records, many together.
const SYNC_EVERY: Duration = Duration::from_secs(10);
/// Eviction frees a little more than it must, so that it does not run for every file.
const EVICT_DOWN_TO: f64 = 0.95;

/// How long an expired "no such project" is kept.
const ABSENT_FOR: Duration = Duration::from_hours(1);

type FileKey = (String, String);

/// Keeps the handle of a blob for as long as somebody reads it, so that eviction sees that.
#[derive(Debug, Clone)]
struct WhileRead;

impl Lifecycle<Digest, Blob> for WhileRead {
    type RequestState = ();

    fn is_pinned(&self, _: &Digest, blob: &Blob) -> bool {
        blob.holders() > 1
    }
}

/// The one store that all indexes of a server share.
pub struct Storage {
    db: Db,
    blobs: Blobs,
    stats: Arc<Stats>,
    limit: Option<u64>,
    open: Cache<Digest, Blob, UnitWeighter, DefaultHashBuilder, WhileRead>,
    used: Mutex<HashMap<FileKey, Timestamp>>,
    evicting: tokio::sync::Mutex<()>,
}

impl Storage {
    /// Opens the store and counts what is in it. `limit` is in bytes.
    pub async fn open(
        db: Db,
        blobs: Blobs,
        stats: Arc<Stats>,
        limit: Option<u64>,
    ) -> Result<Arc<Self>, Error> {
        let usage = db.usage().await?;
        stats.disk_used.set(usage.bytes as i64);
        stats.disk_limit.set(limit.unwrap_or(0) as i64);
        Ok(Arc::new(Self {
            db,
            blobs,
            stats,
            limit,
            open: Cache::with(
                MOST_OPEN,
                MOST_OPEN as u64,
                UnitWeighter,
                DefaultHashBuilder::default(),
                WhileRead,
            ),
            used: Mutex::default(),
            evicting: tokio::sync::Mutex::default(),
        }))
    }

    /// Notes uses and keeps the disk bounded until the future is dropped; run it in the background.
    pub async fn keep(self: Arc<Self>) {
        let mut tick = tokio::time::interval(NOTE_USE_EVERY);
        let mut sync = tokio::time::interval(SYNC_EVERY);
        loop {
            tokio::select! {
                _ = tick.tick() => {}
                _ = sync.tick() => {
                    self.sync_blobs().await;
                    continue;
                }
            }
            for kept in [
                self.note_uses().await,
                self.recount().await,
                self.forget_absences().await,
            ] {
                if let Err(error) = kept {
                    tracing::warn!(%error, "the store could not be kept in order");
                }
            }
            self.evict_if_needed().await;
        }
    }

    /// Brings small uploads to the disk, whose bytes lie in the records until then.
    pub async fn sync_blobs(&self) {
        if let Err(error) = self.db.sync_blobs().await {
            tracing::error!(%error, "small uploads could not be brought to the disk; their bytes stay in the records");
        }
    }

    /// Writes down which files were used since the last time.
    pub async fn note_uses(&self) -> Result<(), Error> {
        let used: Vec<_> = {
            let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            used.drain()
                .map(|((mirror, path), at)| (mirror, path, at))
                .collect()
        };
        if used.is_empty() {
            return Ok(());
        }
        let noted = self.db.touch_files(&used).await;
        if noted.is_err() {
            let mut again = self.used.lock().unwrap_or_else(PoisonError::into_inner);
            for (mirror, path, at) in used {
                again.entry((mirror, path)).or_insert(at);
            }
        }
        Ok(noted?)
    }

    /// Counts again what is taken: another process may have pruned beside us.
    async fn recount(&self) -> Result<(), Error> {
        let usage = self.db.usage().await?;
        self.stats.disk_used.set(usage.bytes as i64);
        Ok(())
    }

    /// Forgets absences that nobody has asked about for a while.
    async fn forget_absences(&self) -> Result<(), Error> {
        self.db
            .forget_missing_pages(Timestamp::now() - ABSENT_FOR)
            .await?;
        Ok(())
    }

    pub(crate) fn db(&self) -> &Db {
        &self.db
    }

    pub(crate) fn blobs(&self) -> &Blobs {
        &self.blobs
    }

    pub(crate) fn stats(&self) -> &Arc<Stats> {
        &self.stats
    }

    /// The blob of this digest, kept open; `None` if it is gone.
    pub(crate) fn blob(&self, digest: &Digest, len: u64) -> Result<Option<Blob>, Error> {
        if let Some(blob) = self.open.get(digest) {
            // Somebody may have pruned the store beside us.
            if self.blobs.contains(digest) {
                return Ok(Some(blob));
            }
            self.open.remove(digest);
            return Ok(None);
        }
        // One handle for all: eviction counts who holds it.
        let opened =
            self.open
                .get_or_insert_with(digest, || match self.blobs.open(digest, Some(len)) {
                    Ok(blob) => blob.ok_or(None),
                    Err(error) => Err(Some(error)),
                });
        match opened {
            Ok(blob) => Ok(Some(blob)),
            Err(None) => Ok(None),
            Err(Some(error)) => Err(error.into()),
        }
    }

    /// Counts those who read a blob since before it was one.
    pub(crate) fn is_read(&self, digest: &Digest, blob: Blob) {
        self.open.insert(*digest, blob);
    }

    /// Keeps bytes as a blob, durably; answers its name.
    pub(crate) async fn put(&self, bytes: &[u8]) -> Result<Digest, Error> {
        let mut incoming = self.receive(&[])?;
        incoming.write(Bytes::copy_from_slice(bytes)).await?;
        let received = incoming.finish().await?;
        received.commit().await?;
        Ok(*received.digest())
    }

    /// Notes that a file was asked for; written down later in one go.
    pub(crate) fn used(&self, mirror: &str, path: &str) {
        let now = Timestamp::now();
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.insert((mirror.to_owned(), path.to_owned()), now);
    }

    /// Notes that a blob of `bytes` came in, and makes room in the background if that was too much.
    pub(crate) fn grew(self: &Arc<Self>, bytes: u64) {
        self.stats.disk_used.add(bytes as i64);
        if self.is_over() {
            let storage = self.clone();
            tokio::spawn(async move { storage.evict_if_needed().await });
        }
    }

    /// Frees at least `bytes` of disk if that is possible; answers whether it was.
    pub(crate) async fn make_room(&self, bytes: u64) -> bool {
        let before = self.stats.disk_used.value().max(0) as u64;
        let freed = self.evict_to(before.saturating_sub(bytes)).await;
        freed > 0 || self.is_within(before.saturating_sub(bytes))
    }

    fn is_over(&self) -> bool {
        self.limit.is_some_and(|limit| !self.is_within(limit))
    }

    async fn evict_if_needed(&self) {
        let Some(limit) = self.limit.filter(|_| self.is_over()) else {
            return;
        };
        self.evict_to((limit as f64 * EVICT_DOWN_TO) as u64).await;
    }

    /// Evicts the least recently used files until no more than `target` bytes are used; answers how many went.
    async fn evict_to(&self, target: u64) -> u64 {
        // Whoever waits here for another's eviction may find that nothing is left to do.
        let _evicting = self.evicting.lock().await;
        self.evict_until(target).await.unwrap_or_else(|error| {
            tracing::error!(%error, "files could not be evicted");
            0
        })
    }

    async fn evict_until(&self, target: u64) -> Result<u64, Error> {
        if let Err(error) = self.note_uses().await {
            tracing::warn!(%error, "the times of last use could not be saved");
        }
        self.recount().await?;
        let mut freed = 0;
        loop {
            let before = freed;
            for file in self.db.least_recently_used(100).await? {
                if self.is_within(target) {
                    return Ok(freed);
                }
                if !self.is_open(&file) {
                    freed += self.evict(&file).await?;
                }
            }
            if freed == before {
                return Ok(freed + self.evict_loose_sidecars(target).await?);
            }
        }
    }

    /// Metadata of files that were only looked at goes last: it is small and saves much.
    async fn evict_loose_sidecars(&self, target: u64) -> Result<u64, Error> {
        let mut freed = 0;
        for sidecar in self.db.loose_sidecars(1000).await? {
            if self.is_within(target) {
                break;
            }
            let bytes = store::evict_sidecars(&self.db, &sidecar.mirror, &sidecar.path).await?;
            self.stats.disk_used.add(-(bytes as i64));
            freed += bytes;
        }
        Ok(freed)
    }

    fn is_within(&self, target: u64) -> bool {
        self.stats.disk_used.value().max(0) as u64 <= target
    }

    /// Whether somebody is reading the file: the cache of open blobs holds one handle, readers hold more.
    fn is_open(&self, file: &FileRow) -> bool {
        self.open
            .get(&file.digest)
            .is_some_and(|blob| blob.holders() > 2)
    }

    async fn evict(&self, file: &FileRow) -> Result<u64, Error> {
        self.open.remove(&file.digest);
        let freed = store::evict(&self.db, &self.blobs, file).await?;
        self.stats.disk_used.add(-(freed as i64));
        self.stats.evicted_files.add(1);
        self.stats.evicted_bytes.add(freed);
        tracing::debug!(index = %file.mirror, file = %file.filename, bytes = freed, "evicted `{}`", file.filename);
        Ok(freed)
    }
}
