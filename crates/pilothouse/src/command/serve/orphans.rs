//! Now and then removes the blobs that processes which died left without a record.

use std::time::Duration;

use store::{Blobs, Db, ORPHAN_GRACE};
use tokio::time::{Instant, interval_at};

use crate::units::ByteSize;

/// Soon after the start, since a crash may have come before it, but not while the first
/// clients wait for the disk.
pub(super) const FIRST: Duration = Duration::from_mins(1);
const EVERY: Duration = Duration::from_hours(24);

/// Runs until it is aborted, which is safe at any time.
pub(super) async fn collect(db: Db, blobs: Blobs, first: Duration) {
    let mut due = interval_at(Instant::now() + first, EVERY);
    loop {
        due.tick().await;
        once(&db, &blobs, ORPHAN_GRACE).await;
    }
}

async fn once(db: &Db, blobs: &Blobs, grace: Duration) {
    match store::collect_orphans(db, blobs, grace).await {
        Ok((0, _)) => tracing::debug!("no file is left over"),
        Ok((files, bytes)) => tracing::info!(
            files,
            bytes,
            "removed what processes that died had left over, {}",
            ByteSize(bytes).rounded()
        ),
        Err(error) => tracing::warn!(
            %error,
            "cannot remove what processes that died have left over; trying again tomorrow"
        ),
    }
}

#[cfg(test)]
mod tests {
    use store::{DataDir, Mode};

    use super::*;

    #[tokio::test]
    async fn left_over_blobs_go_in_the_background() {
        let directory = tempfile::tempdir().unwrap();
        let data_dir = DataDir::open(directory.path(), Mode::Serve).unwrap();
        let (db, blobs) = (data_dir.db().await.unwrap(), data_dir.blobs());
        let shelf = directory.path().join("blobs/sha256/ab/ab");
        std::fs::create_dir_all(&shelf).unwrap();
        let blob = |hex: &str| std::fs::File::create(shelf.join(hex.repeat(16))).unwrap();
        let (old, young) = (blob("abab"), blob("abac"));
        let now = young.metadata().unwrap().modified().unwrap();
        old.set_modified(now - ORPHAN_GRACE * 2).unwrap();
        let collector = tokio::spawn(collect(db, blobs.clone(), Duration::from_millis(1)));
        while blobs.list().count() > 1 {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert!(shelf.join("abac".repeat(16)).exists());
        assert!(!collector.is_finished(), "it comes again tomorrow");
        collector.abort();
    }
}
