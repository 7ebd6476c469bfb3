//! The blobs of an upload: big ones brought to the disk, small ones left to the record that names them.

use bytes::Bytes;
use store::{Beside, SMALL, Unsynced};

use super::{Hosted, Received, blocking};
use crate::Error;

/// The blobs of an upload, readable by now.
pub(super) struct Published {
    pub(super) metadata: Option<Beside>,
    pub(super) provenance: Option<Beside>,
    /// Those that survive a power cut only with the record.
    pub(super) unsynced: Vec<Unsynced>,
}

impl Hosted {
    /// Publishes a file and what stands beside it.
    pub(super) async fn publish(
        &self,
        content: &Received,
        metadata: Option<Vec<u8>>,
        provenance: Option<Vec<u8>>,
    ) -> Result<Published, Error> {
        let (metadata, few_metadata) = by_size(metadata);
        let (provenance, few_provenance) = by_size(provenance);
        let few = [content.small().cloned(), few_metadata, few_provenance];
        let file = async {
            match content.small() {
                Some(_) => Ok(()),
                None => content.commit().await,
            }
        };
        let (metadata, provenance, (), [few, few_metadata, few_provenance]) = tokio::try_join!(
            self.beside(metadata.as_deref()),
            self.beside(provenance.as_deref()),
            file,
            self.put_unsynced(few),
        )?;
        Ok(Published {
            metadata: metadata.or(few_metadata.as_ref().map(named)),
            provenance: provenance.or(few_provenance.as_ref().map(named)),
            unsynced: [few, few_metadata, few_provenance]
                .into_iter()
                .flatten()
                .collect(),
        })
    }

    /// All in one go, on a thread that may wait.
    async fn put_unsynced(&self, few: [Option<Bytes>; 3]) -> Result<[Option<Unsynced>; 3], Error> {
        let mut put = [const { None }; 3];
        if few.iter().all(Option::is_none) {
            return Ok(put);
        }
        let blobs = self.storage.blobs().clone();
        blocking(move || {
            for (put, bytes) in put.iter_mut().zip(few) {
                *put = bytes.map(|bytes| blobs.put_unsynced(bytes)).transpose()?;
            }
            Ok(put)
        })
        .await
    }
}

/// The bytes, as many or as few.
fn by_size(bytes: Option<Vec<u8>>) -> (Option<Vec<u8>>, Option<Bytes>) {
    match bytes {
        Some(bytes) if bytes.len() <= SMALL => (None, Some(bytes.into())),
        many => (many, None),
    }
}

fn named(blob: &Unsynced) -> Beside {
    Beside {
        digest: blob.digest(),
        size: blob.len(),
    }
}
