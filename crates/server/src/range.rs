//! Which part of a file or a page is asked for (RFC 9110, section 14).
//!
//! One range is served; several are answered with the whole, which the standard
//! allows and which no installer minds. A part of a page is one of the very bytes
//! that its tag stands for: of this media type, in this coding.

use http::header::{CONTENT_LENGTH, CONTENT_RANGE, IF_RANGE, RANGE};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use jiff::Timestamp;

use crate::conditional::date;
use crate::fault::Fault;

/// Which part is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    /// All of it.
    Whole,
    /// The bytes from `start` up to, not including, `end`.
    Part {
        /// First byte.
        start: u64,
        /// One past the last.
        end: u64,
    },
    /// Something that is not there.
    Unsatisfiable,
}

/// Reads `Range` and `If-Range` for something of `len` bytes.
pub(crate) fn wanted(
    headers: &HeaderMap,
    len: u64,
    etag: &str,
    last_modified: Option<Timestamp>,
) -> Wanted {
    let Some(range) = headers.get(RANGE).and_then(|value| value.to_str().ok()) else {
        return Wanted::Whole;
    };
    let same = headers
        .get(IF_RANGE)
        .is_none_or(|held| is_same(held.as_bytes(), etag, last_modified));
    if same {
        parse(range, len)
    } else {
        Wanted::Whole
    }
}

/// Says in an answer that it is the part `start..end` of `len` bytes.
pub(crate) fn mark<B>(response: &mut Response<B>, (start, end): (u64, u64), len: u64) {
    let range = format!("bytes {start}-{}/{len}", end.saturating_sub(1));
    let headers = response.headers_mut();
    headers.insert(CONTENT_RANGE, value(range));
    headers.insert(CONTENT_LENGTH, HeaderValue::from(end - start));
    *response.status_mut() = StatusCode::PARTIAL_CONTENT;
}

/// The answer to who asks `what` of `len` bytes for others than those.
pub(crate) fn unsatisfiable(what: &str, len: u64) -> Fault {
    Fault::new(
        StatusCode::RANGE_NOT_SATISFIABLE,
        "range-not-satisfiable",
        format!("{what} has {len} bytes: the range asked for is outside of it"),
    )
    .with(CONTENT_RANGE, value(format!("bytes */{len}")))
}

fn value(text: String) -> HeaderValue {
    HeaderValue::try_from(text).expect("digits and a few signs make a header")
}

/// Whether an `If-Range` names this very file: a strong tag or the exact date.
fn is_same(held: &[u8], etag: &str, last_modified: Option<Timestamp>) -> bool {
    if held.starts_with(b"\"") {
        return held == etag.as_bytes();
    }
    match (date(held), last_modified) {
        (Some(held), Some(modified)) => held == modified.as_second(),
        _ => false,
    }
}

fn parse(range: &str, len: u64) -> Wanted {
    let Some((unit, spec)) = range.split_once('=') else {
        return Wanted::Whole;
    };
    if !unit.trim().eq_ignore_ascii_case("bytes") || spec.contains(',') {
        return Wanted::Whole;
    }
    let Some((first, last)) = spec.trim().split_once('-') else {
        return Wanted::Whole;
    };
    match (
        first.is_empty(),
        number(first),
        last.is_empty(),
        number(last),
    ) {
        (false, Some(start), true, _) => part(start, u64::MAX, len),
        (false, Some(start), false, Some(last)) if start <= last => part(start, last, len),
        (true, _, false, Some(0)) => Wanted::Unsatisfiable,
        (true, _, false, Some(suffix)) => part(len.saturating_sub(suffix), u64::MAX, len),
        _ => Wanted::Whole,
    }
}

fn part(start: u64, last: u64, len: u64) -> Wanted {
    if start >= len {
        return Wanted::Unsatisfiable;
    }
    let end = last.saturating_add(1).min(len);
    Wanted::Part { start, end }
}

/// Digits only: `u64::from_str` would take a sign. Too large means "to the end".
fn number(text: &str) -> Option<u64> {
    let digits = !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_range_is_read_as_the_standard_says() {
        let part = |start, end| Wanted::Part { start, end };
        for (range, want) in [
            ("bytes=0-0", part(0, 1)),
            ("bytes=0-9", part(0, 10)),
            ("bytes=5-", part(5, 10)),
            ("bytes=9-", part(9, 10)),
            ("bytes=-3", part(7, 10)),
            ("bytes=-100", part(0, 10)),
            ("bytes=5-100", part(5, 10)),
            ("BYTES=5-6", part(5, 7)),
            ("bytes=2-99999999999999999999999", part(2, 10)),
            ("bytes=10-", Wanted::Unsatisfiable),
            ("bytes=10-12", Wanted::Unsatisfiable),
            ("bytes=-0", Wanted::Unsatisfiable),
            ("bytes=6-5", Wanted::Whole),
            ("bytes=0-1,4-5", Wanted::Whole),
            ("bytes=+1-5", Wanted::Whole),
            ("bytes=a-b", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes", Wanted::Whole),
            ("lines=0-1", Wanted::Whole),
        ] {
            assert_eq!(parse(range, 10), want, "{range}");
        }
        assert_eq!(parse("bytes=0-", 0), Wanted::Unsatisfiable);
        assert_eq!(parse("bytes=-5", 0), Wanted::Unsatisfiable);
    }

    #[test]
    fn if_range_wants_a_strong_tag_or_the_exact_date() {
        let modified = Some("2024-01-02T03:04:05Z".parse().unwrap());
        for (held, same) in [
            ("\"a\"", true),
            ("W/\"a\"", false),
            ("\"b\"", false),
            ("Tue, 02 Jan 2024 03:04:05 GMT", true),
            ("Tue, 02 Jan 2024 03:04:06 GMT", false),
            ("nonsense", false),
        ] {
            assert_eq!(is_same(held.as_bytes(), "\"a\"", modified), same, "{held}");
        }
    }
}
