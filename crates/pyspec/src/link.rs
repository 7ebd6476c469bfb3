//! Links of a page, made absolute.
//!
//! A page has thousands of links of one shape, so the common shapes are
//! recognised and copied; everything else goes through `url`. Both give the
//! same text, which a test compares.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;
use url::Url;

use crate::filename::{Filename, InvalidFilename};
use crate::hashes::{self, Hashes};

/// What the links of one page are relative to.
#[derive(Debug)]
pub(crate) struct Base {
    url: Url,
    /// `https://host[:port]`, as `url` writes it.
    own_origin: String,
    /// The origin of the last absolute link, once `url` has confirmed its spelling.
    seen_origin: String,
}

/// A link, resolved and parted.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Link<'a> {
    /// Absolute, without fragment.
    pub(crate) url: String,
    /// What followed `#`.
    pub(crate) fragment: &'a str,
}

/// No client sends longer ones, and a page could multiply them.
const MAX_LENGTH: usize = 8 * 1024;
const MAX_BASE_LENGTH: usize = 1024;

impl Base {
    /// The page's own URL. Its user and password do not pass on to its links.
    pub(crate) fn new(page_url: &Url) -> Self {
        let mut url = page_url.clone();
        // Both fail only for URLs that cannot have a user at all.
        let _ = url.set_username("");
        let _ = url.set_password(None);
        let own_origin = origin(&url);
        Self {
            url,
            own_origin,
            seen_origin: String::new(),
        }
    }

    /// The base that the page itself declares, relative to its own URL. One that
    /// is no good is ignored, as browsers and installers do.
    pub(crate) fn declared(&self, href: &str) -> Option<Self> {
        if href.len() > MAX_BASE_LENGTH {
            return None;
        }
        let url = self.url.join(href.trim()).ok()?;
        is_web(&url).then(|| Self::new(&url))
    }

    /// Makes a link absolute.
    pub(crate) fn resolve<'a>(&mut self, href: &'a str) -> Result<Link<'a>, &'static str> {
        let href = href.trim_matches(|c: char| c.is_ascii_whitespace());
        let (href, fragment) = href.split_once('#').unwrap_or((href, ""));
        if href.len() > MAX_LENGTH {
            return Err("the link is too long");
        }
        let url = match self.copied(href) {
            Some(url) => url,
            None => self.joined(href)?,
        };
        Ok(Link { url, fragment })
    }

    fn copied(&mut self, href: &str) -> Option<String> {
        if href.starts_with('/') {
            return (is_plain(href) && !href.starts_with("//"))
                .then(|| [&self.own_origin, href].concat());
        }
        let rest = href
            .strip_prefix("https://")
            .or_else(|| href.strip_prefix("http://"))?;
        let path = href.len() - rest.len() + rest.find('/')?;
        let (origin, path) = href.split_at(path);
        if !is_plain(path) {
            return None;
        }
        if self.seen_origin != origin {
            let url = Url::parse(origin).ok()?;
            if !is_web(&url) || url.as_str().strip_suffix('/') != Some(origin) {
                return None;
            }
            origin.clone_into(&mut self.seen_origin);
        }
        Some(href.to_owned())
    }

    fn joined(&self, href: &str) -> Result<String, &'static str> {
        let mut url = self.url.join(href).map_err(|_| "the link is not a URL")?;
        if !is_web(&url) {
            return Err("the link is neither http nor https");
        }
        url.set_fragment(None);
        Ok(url.into())
    }
}

fn is_web(url: &Url) -> bool {
    matches!(url.scheme(), "http" | "https") && url.has_host()
}

fn origin(url: &Url) -> String {
    let text = &url[..url::Position::BeforePath];
    text.to_owned()
}

/// The bytes that `url` leaves alone in a path.
const PLAIN: [bool; 256] = {
    let mut plain = [false; 256];
    let bytes = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/-._~%+=&@:,;!$()*";
    let mut at = 0;
    while at < bytes.len() {
        plain[bytes[at] as usize] = true;
        at += 1;
    }
    plain
};

/// Whether a path is one that `url` would leave as it is.
fn is_plain(path: &str) -> bool {
    let mut after_slash = false;
    path.bytes().all(|byte| {
        // A segment that starts like this may be `.` or `..`, which get resolved.
        let may_be_dots = after_slash && matches!(byte, b'.' | b'%');
        after_slash = byte == b'/';
        PLAIN[usize::from(byte)] && !may_be_dots
    })
}

/// The decoded last part of a URL's path: what installers take for the filename.
pub(crate) fn filename(url: &str) -> Result<Filename, InvalidFilename> {
    last_segment(url).parse()
}

/// The decoded text behind the last slash of the path.
pub(crate) fn last_segment(url: &str) -> Cow<'_, str> {
    // One character at a time is searched for many bytes at a time.
    let path = url.split_once('#').map_or(url, |(path, _)| path);
    let path = path.split_once('?').map_or(path, |(path, _)| path);
    let last = path.rsplit('/').next().unwrap_or(path);
    if last.contains('%') {
        percent_decode_str(last).decode_utf8_lossy()
    } else {
        Cow::Borrowed(last)
    }
}

/// The hashes of a link's fragment: `sha256=…`, and whatever else it says that is none.
pub(crate) fn fragment_hashes(fragment: &str) -> Result<Hashes, String> {
    let mut hashes = Hashes::default();
    for part in fragment.split('&') {
        let (kind, value) = part.split_once('=').unwrap_or((part, ""));
        let is_known = hashes::digits(kind).is_some();
        if !is_known && (value.is_empty() || matches!(kind, "egg" | "subdirectory")) {
            continue;
        }
        match hashes.insert(kind, value) {
            Err(error) if is_known => return Err(error.to_string()),
            // `#note=hello` is no hash that is broken, but no hash.
            Ok(()) | Err(_) => {}
        }
    }
    Ok(hashes)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn base() -> Base {
        Base::new(
            &"https://user:secret@h.example:8443/simple/foo/"
                .parse()
                .unwrap(),
        )
    }

    #[test]
    fn links_are_made_absolute() {
        for (href, url) in [
            ("foo-1.whl", "https://h.example:8443/simple/foo/foo-1.whl"),
            (
                "../../packages/a/foo-1.whl",
                "https://h.example:8443/packages/a/foo-1.whl",
            ),
            (
                "/packages/foo-1.whl",
                "https://h.example:8443/packages/foo-1.whl",
            ),
            ("//cdn.example/foo-1.whl", "https://cdn.example/foo-1.whl"),
            (
                "http://cdn.example/a/foo-1.whl#x",
                "http://cdn.example/a/foo-1.whl",
            ),
            (
                "HTTPS://CDN.example:443/a/../foo 1.whl",
                "https://cdn.example/foo%201.whl",
            ),
            (
                "https://cdn.example/whl/t-2%2Bcu128.whl",
                "https://cdn.example/whl/t-2%2Bcu128.whl",
            ),
            (
                "https://cdn.example/whl/t-2+cu128.whl?a=b",
                "https://cdn.example/whl/t-2+cu128.whl?a=b",
            ),
            (
                "\n https://cdn.example/foo-1.whl ",
                "https://cdn.example/foo-1.whl",
            ),
            ("", "https://h.example:8443/simple/foo/"),
        ] {
            assert_eq!(base().resolve(href).unwrap().url, url, "{href}");
        }
    }

    #[test]
    fn links_to_elsewhere_are_refused() {
        let long = "a".repeat(9000);
        for href in [
            "ftp://h.example/foo-1.whl",
            "javascript:foo-1.whl",
            "file:///etc/foo-1.whl",
            "mailto:a@b.example",
            "http://",
            "https://[",
            &long,
        ] {
            assert!(base().resolve(href).is_err(), "{href}");
        }
    }

    #[test]
    fn a_declared_base_counts_if_it_is_good() {
        let declared = |href| base().declared(href).map(|base| base.url.to_string());
        assert_eq!(
            declared("/other/").as_deref(),
            Some("https://h.example:8443/other/")
        );
        assert_eq!(
            declared("https://u:p@cdn.example/x/").as_deref(),
            Some("https://cdn.example/x/")
        );
        assert_eq!(declared("ftp://cdn.example/"), None);
        assert_eq!(declared(&"a".repeat(2000)), None);
    }

    #[test]
    fn a_filename_is_the_decoded_end_of_the_path() {
        for (url, name) in [
            (
                "https://h.example/a/t-2%2Bcu128.whl?token=a/b",
                "t-2+cu128.whl",
            ),
            ("https://h.example/a/t-2+cu128.whl", "t-2+cu128.whl"),
            ("https://h.example/a/%E2%82%AC.zip", "€.zip"),
        ] {
            assert_eq!(filename(url).unwrap().as_str(), name);
        }
        for url in [
            "https://h.example/a/",
            "https://h.example/a%2Fb",
            "https://h.example/%00",
        ] {
            assert!(filename(url).is_err(), "{url}");
        }
    }

    #[test]
    fn a_fragment_states_hashes() {
        let md5 = "0a".repeat(16);
        let sha256 = "0B".repeat(32);
        for (fragment, stated) in [
            (String::new(), String::from("{}")),
            (
                format!("sha256={sha256}"),
                format!(r#"{{"sha256": "{}"}}"#, "0b".repeat(32)),
            ),
            (
                format!("md5={md5}&egg=ab"),
                format!(r#"{{"md5": "{md5}"}}"#),
            ),
            ("other=F00D".into(), r#"{"other": "f00d"}"#.into()),
            ("top".into(), "{}".into()),
            ("note=hello".into(), "{}".into()),
        ] {
            assert_eq!(
                format!("{:?}", fragment_hashes(&fragment).unwrap()),
                stated,
                "{fragment}"
            );
        }
        for fragment in ["sha256=", "sha256", "sha256=abc", "md5=zz", "sha256=0b&"] {
            assert!(fragment_hashes(fragment).is_err(), "{fragment}");
        }
    }

    proptest! {
        #[test]
        fn a_copied_link_is_what_joining_would_give(
            href in "(https?://[a-zA-Z0-9.:-]{0,12}|//h|)(/{0,2}[-._~%+=&@:,;!$()*a-zA-Z0-9é]{0,6}){0,5}"
        ) {
            let mut base = base();
            if let Some(copied) = base.copied(&href) {
                prop_assert_eq!(Ok(copied), base.joined(&href));
            }
        }

        #[test]
        fn any_text_is_a_link_or_an_error(href in r"\PC{0,60}") {
            if let Ok(link) = base().resolve(&href) {
                prop_assert!(link.url.parse::<Url>().is_ok());
                let _ = filename(&link.url);
                let _ = fragment_hashes(link.fragment);
            }
        }
    }
}
