//! Named lines at which a test may end the process as kill -9 would.

/// Ends the process here if `PILOTHOUSE_FAIL_POINT` names this line.
///
/// Does nothing unless compiled with the feature `fail-points`.
#[cfg(feature = "fail-points")]
pub fn fail_point(name: &str) {
    if std::env::var_os("PILOTHOUSE_FAIL_POINT").is_some_and(|wanted| wanted == name) {
        std::process::abort();
    }
}

/// Does nothing: compiled without the feature `fail-points`.
#[cfg(not(feature = "fail-points"))]
#[inline]
pub fn fail_point(_name: &str) {}
