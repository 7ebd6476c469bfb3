//! Comparing records with blobs, both ways, and mending what differs.

use std::time::{Duration, SystemTime};

use pyspec::Digest;

use crate::orphans::{self, ORPHAN_GRACE, ago, blocking};
use crate::{Blobs, Db, Error, SidecarKind};

/// How far [`verify()`] is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Progress {
    /// Blobs checked.
    pub done: u64,
    /// Blobs that records name.
    pub total: u64,
    /// Bytes read.
    pub bytes: u64,
}

/// A record that names a blob.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reference {
    /// Whose file: a mirror, or an index that people upload to.
    pub index: String,
    /// The file's key within it.
    pub path: String,
    /// Which sidecar of it; `None`: the file itself.
    pub sidecar: Option<SidecarKind>,
    /// The blob.
    pub digest: Digest,
    /// The blob's length, as recorded.
    pub size: u64,
    /// Somebody uploaded it: it cannot be fetched again.
    pub hosted: bool,
}

/// A blob that is not what its records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damaged {
    /// The blob.
    pub digest: Digest,
    /// A digest or a length, in words.
    pub expected: String,
    /// The same, as it is.
    pub found: String,
    /// What names it.
    pub named_by: Vec<Reference>,
}

/// What [`verify()`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Blobs read.
    pub checked: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records whose blob is not there.
    pub missing: Vec<Reference>,
    /// Blobs that are not what their records say.
    pub corrupt: Vec<Damaged>,
    /// Blobs that nothing names, with their length.
    pub orphans: Vec<(Digest, u64)>,
    /// Files on their way in, or left by a process that died.
    pub staged: usize,
    /// Only blobs written before this can be orphans.
    orphans_before: SystemTime,
}

/// What [`repair`] did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mended {
    /// Records forgotten, so that their files are fetched again.
    pub records: u64,
    /// Blobs removed.
    pub blobs: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Records of uploaded files whose bytes are missing or damaged still: they are left as
    /// they are, for only a person can bring those bytes back.
    pub lost: u64,
}

impl Report {
    /// Whether there is nothing to mend.
    pub fn is_clean(&self) -> bool {
        self.missing.is_empty() && self.corrupt.is_empty() && self.orphans.is_empty()
    }
}

/// Reads every blob again and compares blobs with records; changes nothing.
///
/// May run beside a server. Blobs younger than [`ORPHAN_GRACE`] are no orphans.
pub async fn verify(
    db: &Db,
    blobs: &Blobs,
    progress: impl FnMut(Progress),
) -> Result<Report, Error> {
    verify_with(db, blobs, ORPHAN_GRACE, progress).await
}

/// The same with another grace time.
pub async fn verify_with(
    db: &Db,
    blobs: &Blobs,
    grace: Duration,
    mut progress: impl FnMut(Progress),
) -> Result<Report, Error> {
    let references = db.all_references().await?;
    let waiting = db.waiting_blobs().await?;
    let named: Vec<&[Reference]> = references.chunk_by(|a, b| a.digest == b.digest).collect();
    let mut report = Report {
        checked: 0,
        bytes: 0,
        missing: Vec::new(),
        corrupt: Vec::new(),
        orphans: Vec::new(),
        staged: blobs.staged_count(),
        orphans_before: ago(grace),
    };
    for (done, references) in (1..).zip(&named) {
        match examine(blobs, references).await? {
            State::Whole { len } => report.bytes += len,
            State::Missing if waiting.contains(&references[0].digest) => {}
            State::Missing if db.blob_references(&references[0].digest).await? > 0 => {
                report.missing.extend_from_slice(references);
            }
            // Evicted since the records were read.
            State::Missing => {}
            State::Damaged(damaged) if waiting.contains(&damaged.digest) => {}
            State::Damaged(damaged) => report.corrupt.push(damaged),
        }
        report.checked = done;
        let (total, bytes) = (named.len() as u64, report.bytes);
        progress(Progress { done, total, bytes });
    }
    let named = named.iter().map(|references| references[0].digest);
    report.orphans = orphans::find(db, blobs, named.collect(), report.orphans_before).await?;
    Ok(report)
}

/// Forgets what mirrors know of missing and damaged blobs, and removes damaged blobs and orphans.
///
/// What people uploaded stays as it is, record and bytes. Looks again before each step, so an old report does no harm. Safe to run twice.
pub async fn repair(db: &Db, blobs: &Blobs, report: &Report) -> Result<Mended, Error> {
    let mut mended = Mended::default();
    for missing in &report.missing {
        let digest = missing.digest;
        mended.records += db.forget_blob(&digest, || !blobs.contains(&digest)).await?;
        mended.lost += u64::from(missing.hosted && !blobs.contains(&digest));
    }
    for damaged in &report.corrupt {
        if let State::Damaged(_) = examine(blobs, &damaged.named_by).await? {
            mended.records += db.forget_blob(&damaged.digest, || true).await?;
            // Stays where an upload names it.
            mended.add(db.release(blobs, &damaged.digest).await?);
            let hosted = damaged.named_by.iter().filter(|named| named.hosted);
            mended.lost += hosted.count() as u64;
        }
    }
    for (digest, _) in &report.orphans {
        mended.add(orphans::remove(db, blobs, digest, report.orphans_before).await?);
    }
    db.recount().await?;
    Ok(mended)
}

impl Mended {
    fn add(&mut self, freed: Option<u64>) {
        self.blobs += u64::from(freed.is_some());
        self.bytes += freed.unwrap_or(0);
    }
}

enum State {
    Whole { len: u64 },
    Missing,
    Damaged(Damaged),
}

/// Reads one blob, all of whose records are given.
async fn examine(blobs: &Blobs, references: &[Reference]) -> Result<State, Error> {
    let Some(first) = references.first() else {
        return Ok(State::Missing);
    };
    let damaged = |expected, found| {
        State::Damaged(Damaged {
            digest: first.digest,
            expected,
            found,
            named_by: references.to_vec(),
        })
    };
    match rehash(blobs.clone(), first.digest).await {
        Ok(len) => Ok(
            match references.iter().find(|reference| reference.size != len) {
                Some(wrong) => damaged(format!("{} bytes", wrong.size), format!("{len} bytes")),
                None => State::Whole { len },
            },
        ),
        Err(Error::NotFound { .. }) => Ok(State::Missing),
        Err(Error::Corrupt {
            expected, found, ..
        }) => Ok(damaged(expected, found)),
        // A bad sector is damage; anything else (rights, for one) is not the blob's fault.
        Err(Error::Io { source, .. })
            if source.error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) =>
        {
            Ok(damaged(
                format!("digest {}", first.digest),
                "bytes the disk cannot read".to_owned(),
            ))
        }
        Err(error) => Err(error),
    }
}

async fn rehash(blobs: Blobs, digest: Digest) -> Result<u64, Error> {
    blocking(move || blobs.verify(&digest)).await
}
