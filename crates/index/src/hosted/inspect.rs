//! Looking into an uploaded file, on a thread that may wait.

use archive::{Error as Unopened, Limits, Opened};
use pyspec::{FileKind, Filename};

use super::content::Reader;
use super::form::bad;
use crate::Error;

/// Opens a wheel or an sdist and checks it against its name; `None` for what we have no reader for.
pub(super) async fn inspect(
    reader: Reader,
    filename: &Filename,
    limits: Limits,
) -> Result<Option<Opened>, Error> {
    let name = filename.clone();
    let opened = blocking(move || match name.kind() {
        FileKind::Wheel => archive::wheel(&reader, &name, &limits).map(Some),
        FileKind::Sdist => archive::sdist(&reader, &name, &limits),
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
