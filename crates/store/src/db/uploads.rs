//! Keeping what people upload: all of a release's files or none, and one sync for everybody
//! who saves at once.
//!
//! Who saves first begins a change and, once it has the right to write, takes along all who
//! came meanwhile. So fifty uploaders pay for a few syncs of the disk and not for fifty.

use std::sync::atomic::Ordering;
use std::sync::{Mutex, PoisonError};

use pyspec::{Digest, Filename};
use sqlx::any::AnyRow;
use sqlx::{Any, AnyConnection, Transaction};
use tokio::sync::oneshot;

mod place;
mod write;

use super::hosted::{HostedRow, ReleaseRow, named_by};
use super::indexes::is_index;
use super::{Db, count};
use crate::{Blobs, Error, Event, Unsynced, fail_point};
use place::{Place, place};

const DOING: &str = "saving a release";

/// What happens to a file that is there with other bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Overwrite {
    /// It stays, and the upload is turned down.
    Refuse,
    /// It goes, with its test results.
    Replace,
}

/// On which terms an upload is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What happens to a file that is there with other bytes.
    pub overwrite: Overwrite,
    /// Bytes that the index may take.
    pub quota: Option<u64>,
}

/// What became of an upload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Saved {
    /// It is kept, and survives a power cut.
    Stored,
    /// All of its files were there already, with these bytes; nothing changed.
    Same,
    /// One of its files is there with other bytes; nothing changed.
    Exists {
        /// The file.
        filename: Filename,
        /// The bytes it has.
        digest: Digest,
    },
    /// The index would take more room than it may; nothing changed.
    OverQuota {
        /// What it takes now.
        used: u64,
    },
}

/// What waits to be committed together.
#[derive(Debug, Default)]
pub(super) struct Queue(Mutex<Vec<Waiting>>);

#[derive(Debug)]
struct Waiting {
    upload: Upload,
    answer: oneshot::Sender<Result<Saved, Error>>,
}

#[derive(Debug)]
struct Upload {
    release: Option<ReleaseRow>,
    files: Vec<HostedRow>,
    unsynced: Vec<Unsynced>,
    terms: Terms,
    event: Event,
}

/// What one upload comes to if the change is committed: the answer, and the blobs it replaced.
type Outcome = Result<(Saved, Vec<Digest>), Error>;

impl Queue {
    /// Adds one; whether it is the first, whose task takes all.
    fn push(&self, waiting: Waiting) -> bool {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        queue.push(waiting);
        queue.len() == 1
    }

    fn take(&self) -> Vec<Waiting> {
        std::mem::take(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Db {
    /// Keeps a release and files of it, all or none, whose blobs must be committed: `NotFound` if
    /// one is not there, or the index, or the release, or the file that was tested.
    ///
    /// A release that is there is described anew. `quota` is what the index may take in
    /// bytes. Blobs that are replaced are removed if nothing else names them. Once begun it is
    /// completed even if nobody waits for it.
    pub async fn save_hosted(
        &self,
        release: Option<&ReleaseRow>,
        files: &[HostedRow],
        rule: Overwrite,
        quota: Option<u64>,
        event: &Event,
    ) -> Result<Saved, Error> {
        let terms = Terms {
            overwrite: rule,
            quota,
        };
        self.save_uploaded(release, files, &[], terms, event).await
    }

    /// The same for files of which some blobs are not on the disk yet: their bytes are
    /// kept in the same change, until [`Self::sync_blobs`].
    pub async fn save_uploaded(
        &self,
        release: Option<&ReleaseRow>,
        files: &[HostedRow],
        unsynced: &[Unsynced],
        terms: Terms,
        event: &Event,
    ) -> Result<Saved, Error> {
        debug_assert!(
            files.windows(2).all(|pair| pair[0].stage == pair[1].stage),
            "an upload goes to one index"
        );
        let (answer, answered) = oneshot::channel();
        let upload = Upload {
            release: release.cloned(),
            files: files.to_vec(),
            unsynced: unsynced.to_vec(),
            terms,
            event: event.clone(),
        };
        if self.uploads.push(Waiting { upload, answer }) {
            tokio::spawn(self.clone().save_waiting());
        }
        // Its task ends without an answer only if the whole runtime does.
        answered
            .await
            .unwrap_or_else(|_| Err(Error::db(DOING, sqlx::Error::PoolClosed)))
    }

    /// Describes a release, new or known; `NotFound` if there is no such index.
    pub async fn save_release(&self, release: &ReleaseRow, event: &Event) -> Result<(), Error> {
        let saved = self
            .save_hosted(Some(release), &[], Overwrite::Refuse, None, event)
            .await;
        saved.map(drop)
    }

    async fn save_waiting(self) {
        let begun = self.begin(DOING).await;
        // Only now, with the right to write: all who came while others wrote are in.
        let waiting = self.uploads.take();
        let (uploads, answers): (Vec<_>, Vec<_>) = waiting
            .into_iter()
            .map(|waiting| (waiting.upload, waiting.answer))
            .unzip();
        let mut outcomes = match begun {
            Ok(change) => self.save_together(change, &uploads).await,
            Err(error) => Err(error),
        };
        if outcomes.is_err() && uploads.len() > 1 {
            outcomes = Ok(self.save_one_by_one(&uploads).await);
        }
        let outcomes = outcomes.unwrap_or_else(|error| vec![Err(error)]);
        let mut replaced = Vec::new();
        for (answer, outcome) in answers.into_iter().zip(outcomes) {
            match outcome {
                Ok((saved, loose)) if loose.is_empty() => drop(answer.send(Ok(saved))),
                Ok(done) => replaced.push((answer, done)),
                Err(error) => drop(answer.send(Err(error))),
            }
        }
        for (answer, (saved, loose)) in replaced {
            self.release_loose(loose).await;
            drop(answer.send(Ok(saved)));
        }
    }

    /// What is wrong with one must not fail the others.
    async fn save_one_by_one(&self, uploads: &[Upload]) -> Vec<Outcome> {
        let mut outcomes = Vec::with_capacity(uploads.len());
        for upload in uploads {
            let alone = match self.begin(DOING).await {
                Ok(change) => {
                    self.save_together(change, std::slice::from_ref(upload))
                        .await
                }
                Err(error) => Err(error),
            };
            outcomes.push(alone.and_then(|mut outcomes| outcomes.remove(0)));
        }
        outcomes
    }

    /// Commits several uploads at once; an error means that none is kept.
    async fn save_together(
        &self,
        mut change: Transaction<'static, Any>,
        uploads: &[Upload],
    ) -> Result<Vec<Outcome>, Error> {
        let failed = |e| Error::db(DOING, e);
        let mut outcomes = Vec::with_capacity(uploads.len());
        for upload in uploads {
            let outcome = upload.save(&mut change, &self.blobs).await;
            outcomes.push(outcome.map_err(failed)?);
        }
        fail_point("hosted.before-record");
        change.commit().await.map_err(failed)?;
        if uploads.iter().any(|upload| !upload.unsynced.is_empty()) {
            self.unsynced.store(true, Ordering::Release);
        }
        fail_point("hosted.after-record");
        Ok(outcomes)
    }
}

impl Upload {
    /// Does everything but the commit. Whatever turns it down does so before the first change.
    async fn save(
        &self,
        change: &mut AnyConnection,
        blobs: &Blobs,
    ) -> Result<Outcome, sqlx::Error> {
        if let Some(what) = self.missing(change, blobs).await? {
            return Ok(Err(Error::NotFound { what }));
        }
        let (mut new, mut replaced) = (Vec::new(), Vec::new());
        for file in &self.files {
            match (place(change, file).await?, self.terms.overwrite) {
                (Place::NoIndex, _) => return Ok(Err(no_index(&file.stage))),
                (Place::Free, _) => new.push(file),
                (Place::Same, _) => {}
                (Place::Other { digest, .. }, Overwrite::Refuse) => {
                    let filename = file.filename.clone();
                    return Ok(Ok((Saved::Exists { filename, digest }, Vec::new())));
                }
                (Place::Other { path, .. }, Overwrite::Replace) => {
                    new.push(file);
                    replaced.push((file, path));
                }
            }
        }
        if new.is_empty() && !self.files.is_empty() {
            return Ok(Ok((Saved::Same, Vec::new())));
        }
        if let Some(used) = self.over_quota(change, &new, &replaced).await? {
            return Ok(Ok((Saved::OverQuota { used }, Vec::new())));
        }
        let mut loose = Vec::new();
        for (file, path) in replaced {
            loose.extend(displace(change, file, &path).await?);
        }
        self.write(change, &new).await?;
        Ok(Ok((Saved::Stored, loose)))
    }

    /// What must be there and is not.
    async fn missing(
        &self,
        change: &mut AnyConnection,
        blobs: &Blobs,
    ) -> Result<Option<String>, sqlx::Error> {
        // With a file, its place is asked for, which tells of the index as well.
        if let Some(release) = self.release.as_ref().filter(|_| self.files.is_empty())
            && !is_index(change, &release.stage).await?
        {
            return Ok(Some(index_in_words(&release.stage)));
        }
        for file in &self.files {
            // Asked while we hold the right to write: `release` removes blobs under the same right.
            if let Some(digest) = file.blobs().find(|digest| !blobs.contains(digest)) {
                return Ok(Some(format!("blob `{digest}`")));
            }
            if !self.describes(file) && !is_release(change, file).await? {
                let (project, version) = (&file.project, &file.version);
                return Ok(Some(format!("release `{version}` of `{project}`")));
            }
            if let Some(path) = &file.for_path
                && !self.files.iter().any(|file| file.path == *path)
                && !is_file(change, &file.stage, path).await?
            {
                return Ok(Some(format!("file `{path}`")));
            }
        }
        Ok(None)
    }

    fn describes(&self, file: &HostedRow) -> bool {
        self.release.as_ref().is_some_and(|release| {
            release.project == file.project && release.version == file.version
        })
    }

    /// What the index takes now, if it would take too much.
    async fn over_quota(
        &self,
        change: &mut AnyConnection,
        new: &[&HostedRow],
        replaced: &[(&HostedRow, String)],
    ) -> Result<Option<u64>, sqlx::Error> {
        let (Some(quota), Some(first)) = (self.terms.quota, new.first()) else {
            return Ok(None);
        };
        let used: Option<i64> =
            sqlx::query_scalar("select bytes from hosted_totals where stage = $1")
                .bind(&first.stage)
                .fetch_optional(&mut *change)
                .await?;
        let used = used.unwrap_or(0) as u64;
        let mut after = used + new.iter().map(|file| file.bytes()).sum::<u64>();
        for (file, path) in replaced {
            let freed = sqlx::query(
                "select cast(coalesce(sum(size + coalesce(metadata_size, 0) + coalesce(provenance_size, 0)), 0)
                     as bigint) as bytes
                 from hosted_files where stage = $1 and project = $2 and (path = $3 or for_path = $3)",
            )
            .bind(&file.stage)
            .bind(file.project.as_str())
            .bind(path)
            .fetch_one(&mut *change)
            .await?;
            after = after.saturating_sub(count(&freed, "bytes")?);
        }
        // What only makes an index smaller is let in.
        Ok((after > quota && after > used).then_some(used))
    }
}

fn no_index(stage: &str) -> Error {
    Error::NotFound {
        what: index_in_words(stage),
    }
}

fn index_in_words(stage: &str) -> String {
    format!("index `{stage}`")
}

async fn is_release(change: &mut AnyConnection, file: &HostedRow) -> Result<bool, sqlx::Error> {
    let found =
        sqlx::query("select 1 from releases where stage = $1 and project = $2 and version = $3")
            .bind(&file.stage)
            .bind(file.project.as_str())
            .bind(&file.version);
    Ok(found.fetch_optional(change).await?.is_some())
}

async fn is_file(change: &mut AnyConnection, stage: &str, path: &str) -> Result<bool, sqlx::Error> {
    let found = sqlx::query("select 1 from hosted_files where stage = $1 and path = $2")
        .bind(stage)
        .bind(path);
    Ok(found.fetch_optional(change).await?.is_some())
}

/// Forgets what a file comes in place of, with its test results; the blobs this named.
async fn displace(
    change: &mut AnyConnection,
    file: &HostedRow,
    path: &str,
) -> Result<Vec<Digest>, sqlx::Error> {
    let rows: Vec<AnyRow> = sqlx::query(
        "delete from hosted_files where stage = $1 and project = $2 and (path = $3 or for_path = $3)
         returning digest, metadata_digest, provenance_digest",
    )
    .bind(&file.stage)
    .bind(file.project.as_str())
    .bind(path)
    .fetch_all(change)
    .await?;
    named_by(&rows)
}
