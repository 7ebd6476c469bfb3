//! What a client gets to read: format by `Accept`, encoding by `Accept-Encoding`.
//!
//! The rules are those of [RFC 9110, section 12](https://www.rfc-editor.org/rfc/rfc9110#section-12)
//! and of [PEP 691](https://peps.python.org/pep-0691/#version-format-selection).

/// A form of a Simple page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// JSON.
    Json,
    /// HTML under the name of the Simple API.
    Html,
    /// HTML under its own name, for clients older than the Simple API's versions.
    LegacyHtml,
}

/// None of the forms that the client takes is one that we have.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this index speaks {JSON}, {HTML} and text/html")]
pub struct NotAcceptable;

/// A content coding.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Encoding {
    /// As it is.
    Identity,
    /// gzip.
    Gzip,
    /// Zstandard.
    Zstd,
}

const JSON: &str = "application/vnd.pypi.simple.v1+json";
const HTML: &str = "application/vnd.pypi.simple.v1+html";
const LATEST_JSON: &str = "application/vnd.pypi.simple.latest+json";
const LATEST_HTML: &str = "application/vnd.pypi.simple.latest+html";
const LEGACY: &str = "text/html";

impl Format {
    /// The value of `Content-Type`.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Json => JSON,
            Self::Html => HTML,
            Self::LegacyHtml => "text/html; charset=utf-8",
        }
    }

    fn named(media_type: &str) -> Option<Self> {
        let is = |name: &str| media_type.eq_ignore_ascii_case(name);
        if is(JSON) || is(LATEST_JSON) {
            Some(Self::Json)
        } else if is(HTML) || is(LATEST_HTML) {
            Some(Self::Html)
        } else if is(LEGACY) {
            Some(Self::LegacyHtml)
        } else {
            None
        }
    }
}

impl Encoding {
    /// The value of `Content-Encoding`, if there is to be one.
    pub fn token(self) -> Option<&'static str> {
        match self {
            Self::Identity => None,
            Self::Gzip => Some("gzip"),
            Self::Zstd => Some("zstd"),
        }
    }
}

/// Picks the format of a page.
///
/// `query_format` is the decoded `?format=` of the URL and beats the header.
/// A client that says nothing, or takes anything, is a browser or an old
/// installer and gets `text/html`.
pub fn format(accept: Option<&str>, query_format: Option<&str>) -> Result<Format, NotAcceptable> {
    if let Some(format) = query_format {
        // In a query `+` is a space, and few remember to write `%2B`.
        return Format::named(&format.trim().replace(' ', "+")).ok_or(NotAcceptable);
    }
    match accept.map(str::trim) {
        None | Some("") => Ok(Format::LegacyHtml),
        Some(accept) => best_format(accept).ok_or(NotAcceptable),
    }
}

/// Picks the encoding of a page. There is always one: sending it plain is
/// better than sending nothing.
pub fn encoding(accept_encoding: Option<&str>) -> Encoding {
    let header = accept_encoding.unwrap_or("");
    let quality = |names: &[&str]| {
        let named = weighted(header)
            .find(|(name, _)| names.iter().any(|known| name.eq_ignore_ascii_case(known)));
        named
            .or_else(|| weighted(header).find(|(name, _)| *name == "*"))
            .map(|(_, quality)| quality)
    };
    // Unsaid, the plain form is acceptable, but anything said is liked better.
    let identity = weighted(header)
        .find(|(name, _)| name.eq_ignore_ascii_case("identity"))
        .map_or(0, |(_, quality)| quality);
    let zstd = quality(&["zstd"]).unwrap_or(0);
    let gzip = quality(&["gzip", "x-gzip"]).unwrap_or(0);
    if zstd > 0 && zstd >= gzip && zstd >= identity {
        Encoding::Zstd
    } else if gzip > 0 && gzip >= identity {
        Encoding::Gzip
    } else {
        Encoding::Identity
    }
}

/// How narrow a media range is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Width {
    Anything,
    Group,
    Exact,
}

fn best_format(accept: &str) -> Option<Format> {
    let mut best: Option<(u16, Width, Format)> = None;
    for format in [Format::Json, Format::Html, Format::LegacyHtml] {
        let Some((width, quality)) = liking(accept, format).filter(|(_, quality)| *quality > 0)
        else {
            continue;
        };
        let is_better = best.is_none_or(|(best_quality, best_width, _)| {
            // Who takes anything alike does not know the newer formats.
            (quality, width) > (best_quality, best_width)
                || ((quality, width) == (best_quality, Width::Anything)
                    && best_width == Width::Anything)
        });
        if is_better {
            best = Some((quality, width, format));
        }
    }
    best.map(|(_, _, format)| format)
}

/// How much a format is liked: by the narrowest range that holds it, and of those the highest.
fn liking(accept: &str, format: Format) -> Option<(Width, u16)> {
    weighted(accept)
        .filter_map(|(range, quality)| Some((width(range, format)?, quality)))
        .max()
}

fn width(range: &str, format: Format) -> Option<Width> {
    let group = if format == Format::LegacyHtml {
        "text/*"
    } else {
        "application/*"
    };
    if Format::named(range) == Some(format) {
        Some(Width::Exact)
    } else if range.eq_ignore_ascii_case(group) {
        Some(Width::Group)
    } else {
        (range == "*/*").then_some(Width::Anything)
    }
}

/// The items of a list header with their quality in thousandths.
fn weighted(header: &str) -> impl Iterator<Item = (&str, u16)> {
    header.split(',').filter_map(|item| {
        let mut parts = item.split(';').map(str::trim);
        let name = parts.next().filter(|name| !name.is_empty())?;
        let quality = parts.find_map(|part| {
            let (key, value) = part.split_once('=')?;
            key.trim()
                .eq_ignore_ascii_case("q")
                .then(|| thousandths(value.trim()))
        });
        // A quality that cannot be read is as good as none given.
        Some((name, quality.flatten().unwrap_or(1000)))
    })
}

/// `0.25` is 250.
fn thousandths(text: &str) -> Option<u16> {
    let (whole, fraction) = text.split_once('.').unwrap_or((text, ""));
    if fraction.len() > 3 || !fraction.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let fraction = format!("{fraction:0<3}").parse::<u16>().ok()?;
    match whole {
        "0" | "" if !text.is_empty() => Some(fraction),
        "1" if fraction == 0 => Some(1000),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_format_follows_the_header() {
        use Format::{Html, Json, LegacyHtml};
        for (accept, picked) in [
            // uv and pip, word for word.
            (
                "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.01",
                Some(Json),
            ),
            (
                "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html; q=0.1, text/html; q=0.01",
                Some(Json),
            ),
            (
                "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
                Some(LegacyHtml),
            ),
            ("*/*", Some(LegacyHtml)),
            ("", Some(LegacyHtml)),
            ("text/html", Some(LegacyHtml)),
            ("text/*", Some(LegacyHtml)),
            ("application/*", Some(Json)),
            ("application/vnd.pypi.simple.v1+html", Some(Html)),
            ("application/vnd.pypi.simple.latest+json", Some(Json)),
            (
                "application/vnd.pypi.simple.latest+html, text/html",
                Some(Html),
            ),
            ("APPLICATION/VND.PYPI.SIMPLE.V1+JSON", Some(Json)),
            ("text/html, application/vnd.pypi.simple.v1+json", Some(Json)),
            (
                "application/vnd.pypi.simple.v1+json;q=0.5, text/html",
                Some(LegacyHtml),
            ),
            (
                "application/vnd.pypi.simple.v1+json;q=0, */*",
                Some(LegacyHtml),
            ),
            ("text/html;q=0, */*", Some(Html)),
            ("application/vnd.pypi.simple.v1+json, */*", Some(Json)),
            (
                "application/vnd.pypi.simple.v1+json;q=0.5, */*;q=0.5",
                Some(Json),
            ),
            (
                "application/vnd.pypi.simple.v2+json, text/html;q=0.1",
                Some(LegacyHtml),
            ),
            ("application/vnd.pypi.simple.v1+json;q=banana", Some(Json)),
            ("application/vnd.pypi.simple.v2+json", None),
            ("application/json", None),
            ("image/png", None),
            ("*/*;q=0", None),
            (",;,=", None),
        ] {
            assert_eq!(format(Some(accept), None).ok(), picked, "{accept}");
        }
        assert_eq!(format(None, None), Ok(LegacyHtml));
    }

    #[test]
    fn the_query_beats_the_header() {
        for (query, picked) in [
            ("application/vnd.pypi.simple.v1+json", Some(Format::Json)),
            ("application/vnd.pypi.simple.v1 json", Some(Format::Json)),
            (
                "application/vnd.pypi.simple.latest+html",
                Some(Format::Html),
            ),
            ("text/html", Some(Format::LegacyHtml)),
            ("application/json", None),
            ("", None),
        ] {
            assert_eq!(
                format(Some("image/png"), Some(query)).ok(),
                picked,
                "{query}"
            );
        }
    }

    #[test]
    fn the_encoding_follows_the_header() {
        use Encoding::{Gzip, Identity, Zstd};
        for (header, picked) in [
            ("gzip, deflate, zstd", Zstd),
            ("gzip, deflate", Gzip),
            ("deflate", Identity),
            ("identity", Identity),
            ("", Identity),
            ("*", Zstd),
            ("*;q=0", Identity),
            ("zstd;q=0, *", Gzip),
            ("zstd;q=0.5, gzip;q=0.8", Gzip),
            ("gzip;q=0.5, identity", Identity),
            ("gzip;q=1.0, identity; q=0.5, *;q=0", Gzip),
            ("gzip;q=0", Identity),
            ("X-GZIP", Gzip),
            ("br;q=1.0, gzip;q=0.001", Gzip),
        ] {
            assert_eq!(encoding(Some(header)), picked, "{header}");
        }
        assert_eq!(encoding(None), Identity);
    }

    #[test]
    fn qualities_are_thousandths() {
        for (text, value) in [
            ("1", Some(1000)),
            ("1.000", Some(1000)),
            ("0", Some(0)),
            ("0.5", Some(500)),
            (".25", Some(250)),
            ("0.001", Some(1)),
            ("1.5", None),
            ("2", None),
            ("0.0001", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(thousandths(text), value, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_header_is_answered(accept in r"\PC{0,60}|([a-z*]{0,4}/[a-z*]{0,4}(;q=[01.]{0,4})?,?){0,4}") {
            let _ = format(Some(&accept), None);
            let _ = format(None, Some(&accept));
            let _ = encoding(Some(&accept));
        }
    }
}
