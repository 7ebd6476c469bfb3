//! Why a page as a whole cannot be read.

/// What makes a page unreadable as a whole.
///
/// One bad link or file is no such thing: it is a [`Dropped`](crate::Dropped).
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The body is not JSON, or not a page in JSON.
    #[error("not a Simple API page in JSON: {0}")]
    NotJson(String),
    /// The body is not HTML.
    #[error("not a Simple API page in HTML: {0}")]
    NotHtml(&'static str),
    /// The page follows a version of the Simple API with rules we do not know.
    #[error("the page follows version `{0}` of the Simple API; this program reads versions 1.x")]
    ApiVersion(String),
    /// The page lists more than any real page does.
    #[error("the page lists more than {0} entries")]
    TooMany(usize),
}
