//! What an error stems from, however often it was wrapped on its way.

use std::error::Error;

/// Whether `error` is a `T`, or stems from one.
pub(crate) fn stems_from<T: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut error = Some(error);
    while let Some(one) = error {
        if one.is::<T>() {
            return true;
        }
        error = one.source();
    }
    false
}
