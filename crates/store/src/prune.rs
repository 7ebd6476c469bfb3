//! Making room: the record first, the bytes after it.

use crate::{Blobs, Db, Error, FileRow, fail_point};

/// Forgets a file with what stands beside it; how many bytes that freed.
///
/// A blob that something else names stays. Safe to run twice, and safe to be killed
/// at any line: what is left then is at worst a blob that nothing names.
pub async fn evict(db: &Db, blobs: &Blobs, file: &FileRow) -> Result<u64, Error> {
    db.forget_version(file).await?;
    fail_point("evict.after-record");
    let freed = db.release(blobs, &file.digest).await?.unwrap_or(0);
    Ok(freed + db.forget_loose_sidecars(&file.mirror, &file.path).await?)
}

/// Forgets what stands beside a file that is not kept itself; how many bytes that freed.
pub async fn evict_sidecars(db: &Db, mirror: &str, path: &str) -> Result<u64, Error> {
    db.forget_loose_sidecars(mirror, path).await
}
