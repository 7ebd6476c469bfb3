//! What sort of index the upstream is.

/// The habits of an index. The default is PyPI's.
#[derive(Debug, Clone)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one habit that an index has or has not, and tests set them by name"
)]
pub struct Settings {
    /// In which form pages come.
    pub pages: Pages,
    /// The status for names that are not there: 404, or 403 as object stores have it.
    pub missing: u16,
    /// `Cache-Control` of pages.
    pub cache_control: Option<String>,
    /// Where pages say that files are: another origin, without a slash at the end.
    pub files_at: Option<String>,
    /// A query string that pages append to every file URL and that files then insist on.
    pub file_query: Option<String>,
    /// Whether file URLs write `+` as `%2B`.
    pub escape_plus: bool,
    /// What callers must show.
    pub auth: Auth,
    /// Which digest pages give.
    pub hashes: HashKind,
    /// Whether `Range` is understood.
    pub ranges: bool,
    /// Whether `ETag` is sent, and `If-None-Match` understood.
    pub etags: bool,
    /// Whether files have a `Last-Modified`.
    pub last_modified: bool,
    /// Whether pages advertise metadata files, where the file has them.
    pub metadata: bool,
    /// Whether JSON pages give `upload-time`.
    pub upload_times: bool,
    /// Whether pages are compressed for those who accept it.
    pub gzip: bool,
    /// Bytes a second, for each connection by itself.
    pub rate: Option<usize>,
    /// `X-PyPI-Last-Serial`.
    pub serial: Option<u64>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pages: Pages::Negotiated,
            missing: 404,
            cache_control: Some("max-age=600, public".to_owned()),
            files_at: None,
            file_query: None,
            escape_plus: false,
            auth: Auth::None,
            hashes: HashKind::Sha256,
            ranges: true,
            etags: true,
            last_modified: true,
            metadata: true,
            upload_times: true,
            gzip: true,
            rate: None,
            serial: Some(12_345_678),
        }
    }
}

/// In which form pages come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pages {
    /// JSON for those who accept it, else HTML.
    Negotiated,
    /// Only `text/html`, as before PEP 691.
    Html,
    /// Only JSON.
    Json,
}

/// What callers must show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Auth {
    /// Nothing.
    None,
    /// A name and a password.
    Basic(String, String),
    /// A token.
    Bearer(String),
}

/// Which digest pages give.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HashKind {
    /// As PyPI.
    Sha256,
    /// Stronger, but not what clients compare by default.
    Sha512,
    /// As old indexes.
    Md5,
    /// None at all.
    None,
}
