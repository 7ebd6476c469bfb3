//! What is to be fetched of one file, and what its answer is known by.

use jiff::Timestamp;
use pyspec::{PageFile, ProjectName};
use reqwest::StatusCode;
use sha2::{Digest as _, Sha256};
use url::Url;

use super::Shared;
use super::span::{Head, Remote, Trouble};
use crate::Error;

/// What is to be transferred.
pub(crate) struct Order {
    pub(crate) path: String,
    pub(crate) project: ProjectName,
    pub(crate) file: PageFile,
    pub(crate) url: Url,
}

impl Order {
    /// What upstream says of the file, and how long it is.
    pub(crate) async fn head(&self, shared: &Shared) -> Result<(Begun, Option<u64>), Error> {
        let head = match self.url.to_file_path() {
            Ok(path) if self.url.scheme() == "file" => {
                let file = tokio::fs::metadata(path).await;
                let file = file.map_err(|_| {
                    self.error(&shared.name, Trouble::Missing(StatusCode::NOT_FOUND))
                })?;
                Head::of_local(file.len(), None)
            }
            _ => {
                let remote = Remote {
                    client: shared.client.clone(),
                    url: self.url.clone(),
                };
                remote
                    .head()
                    .await
                    .map_err(|trouble| self.error(&shared.name, trouble))?
            }
        };
        let begun = Begun {
            etag: etag(self, &head),
            last_modified: head.last_modified,
        };
        Ok((begun, head.len))
    }

    pub(crate) fn what(&self) -> String {
        format!("file `{}`", self.file.filename)
    }

    pub(crate) fn error(&self, index: &str, trouble: Trouble) -> Error {
        match trouble {
            Trouble::Here(error) => error,
            Trouble::Upstream(failure) => failure.about(index, &self.what()),
            Trouble::Missing(StatusCode::NOT_FOUND | StatusCode::GONE) => Error::NoSuchFile {
                index: index.to_owned(),
                file: self.file.filename.to_string(),
            },
            Trouble::Missing(status) => Error::Forbidden {
                why: format!(
                    "upstream of `{index}` refuses {}: it answered {status}",
                    self.what()
                ),
            },
        }
    }
}

/// What is known of a file once upstream's answer has begun.
#[derive(Debug, Clone)]
pub(crate) struct Begun {
    pub(crate) etag: String,
    pub(crate) last_modified: Option<Timestamp>,
}

/// Strong and quoted: the digest where the page promises one, else what tells this version apart.
pub(crate) fn etag(order: &Order, head: &Head) -> String {
    if let Some(digest) = order.file.hashes.sha256() {
        return format!("\"{digest}\"");
    }
    let mut hash = Sha256::new();
    hash.update(order.path.as_bytes());
    hash.update(
        format!(
            "{:?} {:?} {:?}",
            head.validator, head.last_modified, head.len
        )
        .as_bytes(),
    );
    format!("\"u-{}\"", hex::encode(&hash.finalize()[..16]))
}
