//! A project page in every form it is asked for, each made once per change.
//!
//! Rendering and compressing happen on the blocking pool when a form is first
//! asked for; after that an answer is a clone of a header map and of a
//! reference to the bytes. Once a format was asked for in one coding, its other
//! compressed codings are made ahead, since uv asks for zstd and pip for gzip.
//! The forms differ in their entity tags, because a strong tag stands for exact
//! bytes of one media type.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use http::header::{ACCEPT_RANGES, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, ETAG, VARY};
use http::{HeaderMap, HeaderName, HeaderValue};
use index::Project;
use pyspec::negotiate::{Encoding, Format};
use pyspec::render;
use sha2::{Digest, Sha256};
use tokio::runtime::Handle;
use tokio::sync::OnceCell;

use crate::fault::Fault;

/// devpi's and PyPI's own header for a page's serial.
const LAST_SERIAL: HeaderName = HeaderName::from_static("x-pypi-last-serial");

/// The codings that cost too much to be made while somebody waits.
const AHEAD: [Encoding; 2] = [Encoding::Gzip, Encoding::Zstd];

/// What a parsed file costs in memory, roughly.
const BYTES_PER_FILE: u64 = 600;

/// A project page in every form it was asked for so far.
#[derive(Debug)]
pub(crate) struct Rendered {
    project: Arc<Project>,
    variants: [OnceCell<Variant>; 9],
    /// Of each format, whether somebody makes its other codings ahead.
    ahead: [AtomicBool; 3],
}

/// One form of a page, ready to be sent.
#[derive(Debug)]
pub(crate) struct Variant {
    /// Everything but what depends on the moment.
    pub(crate) headers: HeaderMap,
    /// Strong and quoted.
    pub(crate) etag: String,
    pub(crate) body: Bytes,
}

impl Rendered {
    pub(crate) fn new(project: Arc<Project>) -> Self {
        Self {
            project,
            variants: Default::default(),
            ahead: Default::default(),
        }
    }

    /// Whether this is the rendering of just that project.
    pub(crate) fn is_of(&self, project: &Arc<Project>) -> bool {
        Arc::ptr_eq(&self.project, project)
    }

    /// The form, if it is made already.
    pub(crate) fn ready(&self, format: Format, encoding: Encoding) -> Option<&Variant> {
        self.variants[slot(format, encoding)].get()
    }

    /// The form, made now if nobody asked for it before.
    pub(crate) async fn variant(
        self: &Arc<Self>,
        format: Format,
        encoding: Encoding,
        main: &Handle,
    ) -> Result<&Variant, Fault> {
        self.variants[slot(format, encoding)]
            .get_or_try_init(|| async {
                let own = self.clone();
                let made = main
                    .spawn_blocking(move || own.make(format, encoding))
                    .await;
                made.map_err(|_| Fault::broken())?
            })
            .await
    }

    /// Whether the compressed codings of a format are still to be made. Says so once.
    pub(crate) fn wants_ahead(&self, format: Format) -> bool {
        AHEAD
            .iter()
            .any(|encoding| self.ready(format, *encoding).is_none())
            && !self.ahead[row(format)].swap(true, Ordering::Relaxed)
    }

    /// Makes the compressed codings of a format that nobody asked for yet.
    pub(crate) async fn make_ahead(self: &Arc<Self>, format: Format, main: &Handle) {
        for encoding in AHEAD {
            // Whoever asks for it tries again, and hears of the failure.
            let _ = self.variant(format, encoding, main).await;
        }
    }

    /// Bytes held, for the shelf's bound. Shared bytes count once.
    pub(crate) fn weight(&self) -> u64 {
        let project = self.project.page.files.len() as u64 * BYTES_PER_FILE + 1024;
        let mut seen: [*const u8; 9] = [std::ptr::null(); 9];
        let mut bodies = 0;
        for (n, cell) in self.variants.iter().enumerate() {
            let Some(variant) = cell.get() else { continue };
            let start = variant.body.as_ptr();
            bodies += 1024;
            if !seen.contains(&start) {
                bodies += variant.body.len() as u64;
            }
            seen[n] = start;
        }
        project + bodies
    }

    fn make(&self, format: Format, encoding: Encoding) -> Result<Variant, Fault> {
        let body = match self.sibling(format, encoding) {
            Some(same) => same,
            None => encode(self.plain(format), encoding)?,
        };
        Ok(Variant::new(&self.project, format, encoding, body))
    }

    /// Both kinds of HTML are the same bytes.
    fn sibling(&self, format: Format, encoding: Encoding) -> Option<Bytes> {
        let twin = match format {
            Format::Json => return None,
            Format::Html => Format::LegacyHtml,
            Format::LegacyHtml => Format::Html,
        };
        self.ready(twin, encoding)
            .map(|variant| variant.body.clone())
    }

    /// The page uncompressed: what is there already, or rendered for this one use.
    fn plain(&self, format: Format) -> Bytes {
        if let Some(variant) = self.ready(format, Encoding::Identity) {
            return variant.body.clone();
        }
        if let Some(same) = self.sibling(format, Encoding::Identity) {
            return same;
        }
        let project = &self.project;
        let (href, provenance) = (
            |file: &_| project.href(file),
            |file: &_| project.provenance(file),
        );
        match format {
            Format::Json => render::project_json(&project.page, href, provenance).into(),
            Format::Html | Format::LegacyHtml => {
                render::project_html(&project.page, href, provenance).into()
            }
        }
    }
}

impl Variant {
    fn new(project: &Project, format: Format, encoding: Encoding, body: Bytes) -> Self {
        let etag = etag(&body, format, encoding);
        // Room for what the moment adds, so that a clone never grows.
        let mut headers = HeaderMap::with_capacity(12);
        headers.insert(
            CONTENT_TYPE,
            HeaderValue::from_static(format.content_type()),
        );
        headers.insert(CONTENT_LENGTH, HeaderValue::from(body.len()));
        headers.insert(VARY, HeaderValue::from_static("Accept, Accept-Encoding"));
        headers.insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
        if let Ok(tag) = HeaderValue::from_str(&etag) {
            headers.insert(ETAG, tag);
        }
        if let Some(name) = encoding_name(encoding) {
            headers.insert(CONTENT_ENCODING, HeaderValue::from_static(name));
        }
        if let Some(serial) = project.page.last_serial {
            headers.insert(LAST_SERIAL, HeaderValue::from(serial));
        }
        Self {
            headers,
            etag,
            body,
        }
    }
}

fn row(format: Format) -> usize {
    match format {
        Format::Json => 0,
        Format::Html => 1,
        Format::LegacyHtml => 2,
    }
}

fn slot(format: Format, encoding: Encoding) -> usize {
    let encoding = match encoding {
        Encoding::Identity => 0,
        Encoding::Gzip => 1,
        Encoding::Zstd => 2,
    };
    row(format) * 3 + encoding
}

fn encoding_name(encoding: Encoding) -> Option<&'static str> {
    match encoding {
        Encoding::Identity => None,
        Encoding::Gzip => Some("gzip"),
        Encoding::Zstd => Some("zstd"),
    }
}

/// Of the very bytes: the same page rendered by another version of ours must
/// not pass for this one.
fn etag(body: &[u8], format: Format, encoding: Encoding) -> String {
    use std::fmt::Write;
    let mut etag = String::with_capacity(40);
    etag.push('"');
    for byte in &Sha256::digest(body)[..16] {
        let _ = write!(etag, "{byte:02x}");
    }
    let _ = write!(etag, "-{}\"", slot(format, encoding));
    etag
}

fn encode(plain: Bytes, encoding: Encoding) -> Result<Bytes, Fault> {
    let encoded = match encoding {
        Encoding::Identity => return Ok(plain),
        Encoding::Gzip => gzip(&plain),
        Encoding::Zstd => zstd::bulk::compress(&plain, 3),
    };
    encoded.map(Bytes::from).map_err(|_| Fault::broken())
}

fn gzip(plain: &[u8]) -> std::io::Result<Vec<u8>> {
    use std::io::Write;
    let room = Vec::with_capacity(plain.len() / 4 + 64);
    let mut encoder = flate2::write::GzEncoder::new(room, flate2::Compression::new(6));
    encoder.write_all(plain)?;
    let mut encoded = encoder.finish()?;
    encoded.shrink_to_fit();
    Ok(encoded)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_other_codings_of_a_format_are_made_ahead_once() {
        let page = pyspec::ProjectPage::new("foo".parse().unwrap());
        let rendered = Arc::new(Rendered::new(Arc::new(Project::new(page, String::new()))));
        let main = Handle::current();
        let asked = rendered.variant(Format::Json, Encoding::Zstd, &main).await;
        assert!(asked.is_ok());
        assert!(rendered.wants_ahead(Format::Json));
        assert!(!rendered.wants_ahead(Format::Json), "somebody is at it");
        rendered.make_ahead(Format::Json, &main).await;
        assert!(rendered.ready(Format::Json, Encoding::Gzip).is_some());
        assert!(rendered.ready(Format::Html, Encoding::Gzip).is_none());
        assert!(rendered.ready(Format::Json, Encoding::Identity).is_none());
    }
}
