//! Where this server is, as the client sees it: what absolute URLs begin with.
//!
//! Simple pages need none of this, their links are relative. devpi's client does:
//! it builds its addresses from the ones that `+api` tells.

use http::header::HOST;
use http::{HeaderMap, HeaderName, Uri};

/// devpi's own header: the whole of it, prefix included, set by a proxy.
const OUTSIDE_URL: HeaderName = HeaderName::from_static("x-outside-url");

/// `scheme://host[:port][/prefix]`, without a slash at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outside {
    base: String,
    scheme_len: usize,
}

impl Outside {
    /// From the proxy's header, what the operator configured, or the request's own host.
    pub(crate) fn of(configured: Option<&str>, headers: &HeaderMap, uri: &Uri) -> Self {
        let header = |name: &HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
        header(&OUTSIDE_URL)
            .and_then(Self::parse)
            .or_else(|| configured.and_then(Self::parse))
            .unwrap_or_else(|| {
                let host = header(&HOST)
                    .or_else(|| uri.authority().map(http::uri::Authority::as_str))
                    .filter(|host| is_host(host))
                    .unwrap_or("localhost:3141");
                // A proxy that ends TLS says so.
                let forwarded = header(&HeaderName::from_static("x-forwarded-proto"));
                let scheme = if forwarded == Some("https") {
                    "https"
                } else {
                    "http"
                };
                Self {
                    base: format!("{scheme}://{host}"),
                    scheme_len: scheme.len(),
                }
            })
    }

    /// Nothing but a scheme, a host and a plain path: it is shown to be pasted into a shell.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let text = text.trim().trim_end_matches('/');
        let (scheme, rest) = text.split_once("://")?;
        let (host, prefix) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let is_plain = |b: u8| b.is_ascii_alphanumeric() || b"-._~+/".contains(&b);
        (matches!(scheme, "http" | "https") && is_host(host) && prefix.bytes().all(is_plain)).then(
            || Self {
                base: text.to_owned(),
                scheme_len: scheme.len(),
            },
        )
    }

    /// The URL of a path that begins with a slash and is encoded already.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    /// Whether nothing is encrypted on the way.
    pub(crate) fn is_plain_http(&self) -> bool {
        self.scheme_len == 4
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        let rest = &self.base[self.scheme_len + 3..];
        rest.split('/').next().unwrap_or(rest)
    }

    /// The host without its port.
    pub(crate) fn host_name(&self) -> &str {
        match self.host().rsplit_once(':') {
            Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
            _ => self.host(),
        }
    }
}

fn is_host(text: &str) -> bool {
    !text.is_empty()
        && text.len() < 256
        && text
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn the_proxy_knows_best_then_the_operator_then_the_client() {
        let uri = Uri::from_static("/+api");
        let host = [("host", "here:3141")];
        let both = [
            ("host", "here"),
            ("x-outside-url", "https://out.example/py/"),
        ];
        let of = |configured, pairs: &[_]| Outside::of(configured, &headers(pairs), &uri).url("/x");
        assert_eq!(of(None, &host), "http://here:3141/x");
        assert_eq!(
            of(Some("https://set.example"), &host),
            "https://set.example/x"
        );
        assert_eq!(
            of(Some("https://set.example"), &both),
            "https://out.example/py/x"
        );
        let tls = [("host", "here"), ("x-forwarded-proto", "https")];
        assert_eq!(of(None, &tls), "https://here/x");
        assert_eq!(of(None, &[("host", "a b")]), "http://localhost:3141/x");
    }

    #[test]
    fn only_a_clean_address_is_repeated() {
        for good in [
            "http://localhost",
            "https://10.0.0.1:3141",
            "http://[::1]:3141/",
            "https://py.example.org/a/b",
        ] {
            assert!(Outside::parse(good).is_some(), "{good}");
        }
        for bad in [
            "",
            "localhost",
            "ftp://a",
            "http://",
            "http://a b",
            "http://a/$(id)",
            "http://a/\"",
            "http://<script>",
        ] {
            assert!(Outside::parse(bad).is_none(), "{bad}");
        }
        let outside = Outside::parse("https://[::1]:3141/py").unwrap();
        assert_eq!(
            (outside.host(), outside.host_name()),
            ("[::1]:3141", "[::1]")
        );
        assert!(!outside.is_plain_http());
    }
}
