//! Conditional requests (RFC 9110, section 13): has the client the answer already?

use http::HeaderMap;
use http::header::{IF_MODIFIED_SINCE, IF_NONE_MATCH};
use jiff::Timestamp;

/// Whether the client's copy is still good, so that 304 is the answer.
///
/// `If-None-Match` alone decides where it is sent; `If-Modified-Since` is only
/// read without it, and only counts where we know a date.
pub(crate) fn not_modified(
    headers: &HeaderMap,
    etag: &str,
    last_modified: Option<Timestamp>,
) -> bool {
    let mut tags = headers.get_all(IF_NONE_MATCH).iter().peekable();
    if tags.peek().is_some() {
        return tags.any(|list| names(list.as_bytes(), etag.as_bytes()));
    }
    let since = headers
        .get(IF_MODIFIED_SINCE)
        .and_then(|value| date(value.as_bytes()));
    match (since, last_modified) {
        (Some(since), Some(modified)) => modified.as_second() <= since,
        _ => false,
    }
}

/// Seconds since the epoch of an HTTP date.
pub(crate) fn date(text: &[u8]) -> Option<i64> {
    let at = httpdate::parse_http_date(std::str::from_utf8(text).ok()?).ok()?;
    let since = at.duration_since(std::time::UNIX_EPOCH).ok()?;
    i64::try_from(since.as_secs()).ok()
}

/// Whether a list of entity tags names this one, by weak comparison.
fn names(list: &[u8], etag: &[u8]) -> bool {
    if list == etag || list.trim_ascii() == b"*" {
        return true;
    }
    let mut rest = list;
    while let Some(open) = rest.iter().position(|b| *b == b'"') {
        let Some(len) = rest[open + 1..].iter().position(|b| *b == b'"') else {
            return false;
        };
        let close = open + 1 + len;
        if &rest[open..=close] == etag {
            return true;
        }
        rest = &rest[close + 1..];
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.append(*name, http::HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn if_none_match_is_a_list_of_weakly_compared_tags() {
        for (list, held) in [
            ("\"a\"", true),
            ("W/\"a\"", true),
            ("\"b\", \"a\"", true),
            ("\"b\",W/\"a\" ", true),
            ("\"with, comma\", \"a\"", true),
            ("*", true),
            (" * ", true),
            ("\"b\"", false),
            ("a", false),
            ("\"a", false),
            ("", false),
        ] {
            assert_eq!(
                not_modified(&headers(&[("if-none-match", list)]), "\"a\"", None),
                held,
                "{list}"
            );
        }
        let twice = headers(&[("if-none-match", "\"b\""), ("if-none-match", "\"a\"")]);
        assert!(not_modified(&twice, "\"a\"", None));
    }

    #[test]
    fn a_date_counts_only_without_tags_and_with_a_date_of_ours() {
        let modified = Some("2024-01-02T03:04:05.678Z".parse().unwrap());
        let exact = "Tue, 02 Jan 2024 03:04:05 GMT";
        let before = "Tue, 02 Jan 2024 03:04:04 GMT";
        assert!(not_modified(
            &headers(&[("if-modified-since", exact)]),
            "\"a\"",
            modified
        ));
        assert!(!not_modified(
            &headers(&[("if-modified-since", before)]),
            "\"a\"",
            modified
        ));
        assert!(!not_modified(
            &headers(&[("if-modified-since", exact)]),
            "\"a\"",
            None
        ));
        assert!(!not_modified(
            &headers(&[("if-modified-since", "yesterday")]),
            "\"a\"",
            modified
        ));
        let both = headers(&[("if-none-match", "\"b\""), ("if-modified-since", exact)]);
        assert!(!not_modified(&both, "\"a\"", modified));
    }
}
