//! Blobs that nothing names, left by processes that died between two steps.

use std::collections::HashSet;
use std::time::{Duration, SystemTime};

use pyspec::Digest;

use crate::{Blobs, Db, Error};

/// How old a blob must be to count as an orphan: a server may be about to name it.
pub const ORPHAN_GRACE: Duration = Duration::from_hours(1);

/// Removes the blobs last written longer than `grace` ago that nothing names; how many
/// there were, and their bytes.
///
/// May run beside a server and a visitor, and be killed at any line. Reads no blob.
pub async fn collect_orphans(db: &Db, blobs: &Blobs, grace: Duration) -> Result<(u64, u64), Error> {
    let before = ago(grace);
    let named = db.named_blobs().await?;
    let (mut removed, mut bytes) = (0, 0);
    for (digest, _) in find(db, blobs, named, before).await? {
        if let Some(freed) = remove(db, blobs, &digest, before).await? {
            removed += 1;
            bytes += freed;
        }
    }
    Ok((removed, bytes))
}

/// The orphans written before a time, by digest, with their length.
///
/// `named` only saves asking for each blob; what was named since is asked for.
pub(crate) async fn find(
    db: &Db,
    blobs: &Blobs,
    named: HashSet<Digest>,
    before: SystemTime,
) -> Result<Vec<(Digest, u64)>, Error> {
    let walk = blobs.walk();
    let candidates = move || -> Result<Vec<(Digest, u64)>, Error> {
        let unnamed = walk.filter(|found| {
            found.as_ref().map_or(true, |found| {
                found.modified <= before && !named.contains(&found.digest)
            })
        });
        unnamed
            .map(|found| found.map(|found| (found.digest, found.len)))
            .collect()
    };
    let mut orphans = blocking(candidates).await?;
    orphans.sort_unstable();
    let mut unnamed = Vec::with_capacity(orphans.len());
    for orphan in orphans {
        if db.blob_references(&orphan.0).await? == 0 {
            unnamed.push(orphan);
        }
    }
    Ok(unnamed)
}

/// Removes one orphan if it still is one; how many bytes that freed.
pub(crate) async fn remove(
    db: &Db,
    blobs: &Blobs,
    digest: &Digest,
    before: SystemTime,
) -> Result<Option<u64>, Error> {
    // The same bytes may have been fetched again, and are about to be named.
    match blobs.modified(digest) {
        Some(at) if at <= before => db.release(blobs, digest).await,
        _ => Ok(None),
    }
}

/// The time as the disk's files bear it.
#[expect(
    clippy::disallowed_methods,
    reason = "compared with the times that the disk's files bear, not with anything the caller knows"
)]
pub(crate) fn now() -> SystemTime {
    SystemTime::now()
}

pub(crate) fn ago(age: Duration) -> SystemTime {
    now().checked_sub(age).unwrap_or(SystemTime::UNIX_EPOCH)
}

pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Error> + Send + 'static,
) -> Result<T, Error> {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|e| match e.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(e) => Err(Error::io(
                "going through the blobs",
                std::path::Path::new("blobs"),
                e.into(),
            )),
        })
}
