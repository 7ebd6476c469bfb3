//! What came of testing a release file.

use bytes::Bytes;
use jiff::tz::TimeZone;
use pyspec::{Digest, Filename};
use serde_json::json;
use store::{Event, HostedRow, Role};

use super::form::bad;
use super::{By, Hosted, LogEntry, Rules, log};
use crate::Error;

/// Two results within one second have the same name; whoever comes second takes the next one.
const TRIES: usize = 50;

/// A test result that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptResult {
    /// What follows `+f/` in its URL.
    pub path: String,
    /// Its SHA-256.
    pub digest: Digest,
}

impl Hosted {
    /// Keeps a test result, which is JSON, beside the release file at `path`.
    pub async fn add_result(
        &self,
        path: &str,
        result: Bytes,
        quota: Option<u64>,
        by: &By,
    ) -> Result<KeptResult, Error> {
        serde_json::from_slice::<serde::de::IgnoredAny>(&result)
            .map_err(|error| bad(format!("a test result must be JSON: {error}")))?;
        let missing = || self.no_such_file(path);
        self.row(path).await?.ok_or_else(missing)?;
        let digest = self.storage.put(&result).await?;
        let rules = Rules {
            volatile: false,
            quota,
        };
        let mut tries = 0;
        loop {
            let snapshot = self.row(path).await?.ok_or_else(missing)?;
            let tested = snapshot
                .file(path)
                .filter(|row| row.role == Role::ReleaseFile);
            let tested = tested.ok_or_else(missing)?;
            let before = snapshot.files.iter();
            let before = before
                .filter(|row| row.for_path.as_deref() == Some(path))
                .count();
            let row = self.result_row(tested, before, digest, result.len() as u64, by);
            let event = self.result_event(&row, by);
            let saved = self
                .save(None, std::slice::from_ref(&row), rules, &event)
                .await;
            self.changed(&row.project);
            tries += 1;
            match saved {
                Err(Error::Exists { .. }) if tries < TRIES => {}
                Err(error) => return Err(error),
                Ok(_) => {
                    return Ok(KeptResult {
                        path: row.path,
                        digest,
                    });
                }
            }
        }
    }

    fn result_row(
        &self,
        tested: &HostedRow,
        before: usize,
        digest: Digest,
        size: u64,
        by: &By,
    ) -> HostedRow {
        let at = TimeZone::UTC.to_datetime(by.at).strftime("%Y%m%d%H%M%S");
        let filename = result_name(&tested.filename, &format!("toxresult-{at}-{before}"));
        let folder = tested
            .path
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        HostedRow {
            path: format!("{folder}/{filename}"),
            filename,
            role: Role::ToxResult,
            for_path: Some(tested.path.clone()),
            digest,
            size,
            requires_python: None,
            metadata: None,
            provenance: None,
            yanked: None,
            uploaded_at: by.at,
            log: log::write(&[LogEntry::upload(by, self.stage())]),
            ..tested.clone()
        }
    }

    fn result_event(&self, row: &HostedRow, by: &By) -> Event {
        let detail = json!({ "kind": row.role.as_str(), "path": row.path, "size": row.size });
        Event {
            version: Some(row.version.clone()),
            file: Some(row.filename.to_string()),
            ..self.event("upload", &row.project, by, detail)
        }
    }
}

/// `{filename}.{ending}`, with the front of it cut off if that is longer than a name may be.
pub(super) fn result_name(tested: &Filename, ending: &str) -> Filename {
    const LONGEST: usize = 255;
    let name = format!("{tested}.{ending}");
    let cut = (0..name.len())
        .find(|at| name.is_char_boundary(*at) && name.len() - at <= LONGEST)
        .unwrap_or_default();
    name[cut..]
        .parse()
        .expect("the end of a good name and a good ending are one")
}
