//! Looking into an uploaded file, on a thread that may wait.

use std::io;

use archive::{Error as Unopened, Limits, Opened, ReadAt};
use pyspec::{FileKind, Filename};
use store::Blob;

use super::form::bad;
use crate::Error;

/// A blob, to be read by `archive`.
#[derive(Debug, Clone)]
pub(super) struct Reader(pub(super) Blob);

impl ReadAt for Reader {
    fn len(&self) -> io::Result<u64> {
        Ok(self.0.len())
    }

    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(offset, into).map_err(io::Error::other)
    }
}

/// Opens a wheel or an sdist and checks it against its name; `None` for what we have no reader for.
pub(super) async fn inspect(
    blob: Blob,
    filename: &Filename,
    limits: Limits,
) -> Result<Option<Opened>, Error> {
    let name = filename.clone();
    let opened = blocking(move || match name.kind() {
        FileKind::Wheel => archive::wheel(&Reader(blob), &name, &limits).map(Some),
        FileKind::Sdist => archive::sdist(&Reader(blob), &name, &limits),
        FileKind::Other => Ok(None),
    });
    opened
        .await
        .map_err(|error| unopened(filename.as_str(), error))
}

pub(crate) async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    tokio::task::spawn_blocking(work)
        .await
        .unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(_) => unreachable!("what runs on a thread of its own is never cancelled"),
        })
}

pub(super) fn unopened(filename: &str, error: Unopened) -> Error {
    match error {
        Unopened::Refused(refused) => bad(format!("{filename} is refused: {refused}")),
        Unopened::Io(error) => error
            .downcast::<store::Error>()
            .map_or_else(|_| gone(filename), Error::from),
    }
}

/// Our own files fail with an error of the store; this is for completeness.
fn gone(filename: &str) -> Error {
    store::Error::NotFound {
        what: format!("what was uploaded as `{filename}`"),
    }
    .into()
}
