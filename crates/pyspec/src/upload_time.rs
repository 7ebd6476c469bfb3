//! When a file was uploaded, and who says so.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

/// The upload time of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct UploadTime {
    /// The instant.
    pub at: Timestamp,
    /// Where it is from.
    pub source: UploadTimeSource,
}

/// Where an upload time is from.
///
/// Rules that look at the age of a file must be able to tell a fact from a guess.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UploadTimeSource {
    /// The index stated it.
    Upstream,
    /// The `Last-Modified` of the file.
    LastModified,
    /// The moment we first saw the file listed.
    FirstSeen,
}

impl UploadTimeSource {
    /// How a page marks a time that upstream did not state; `None` for one it did.
    pub(crate) fn mark(self) -> Option<&'static str> {
        match self {
            Self::Upstream => None,
            Self::LastModified => Some("last-modified"),
            Self::FirstSeen => Some("first-seen"),
        }
    }

    /// The meaning of a mark; a mark we do not know is nobody's statement but a guess.
    pub(crate) fn of_mark(mark: Option<&str>) -> Self {
        match mark {
            None => Self::Upstream,
            Some("last-modified") => Self::LastModified,
            Some(_) => Self::FirstSeen,
        }
    }
}

impl UploadTime {
    /// Reads the time of a page. One without an offset is taken as UTC, which is
    /// what servers mean that print Python's naive datetimes.
    pub(crate) fn parse(text: &str, mark: Option<&str>) -> Option<Self> {
        let text = text.trim();
        let at = text.parse::<Timestamp>().ok().or_else(|| {
            let local: DateTime = text.parse().ok()?;
            Some(local.to_zoned(TimeZone::UTC).ok()?.timestamp())
        })?;
        Some(Self {
            at,
            source: UploadTimeSource::of_mark(mark),
        })
    }

    /// Appends `yyyy-mm-ddThh:mm:ss.ffffffZ`, the one form that
    /// [the specification](https://packaging.python.org/en/latest/specifications/simple-repository-api/) allows.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        let at = TimeZone::UTC.to_datetime(self.at);
        // A year before 0 has no four digits; no file is that old.
        digits(out, at.year().max(0).unsigned_abs().into(), 4);
        for (mark, value) in [
            (b'-', at.month()),
            (b'-', at.day()),
            (b'T', at.hour()),
            (b':', at.minute()),
            (b':', at.second()),
        ] {
            out.push(mark);
            digits(out, value.unsigned_abs().into(), 2);
        }
        out.push(b'.');
        digits(out, (at.subsec_nanosecond() / 1000).unsigned_abs(), 6);
        out.push(b'Z');
    }
}

fn digits(out: &mut Vec<u8>, mut value: u32, count: usize) {
    let start = out.len();
    out.resize(start + count, b'0');
    for digit in out[start..].iter_mut().rev() {
        *digit = b'0' + (value % 10) as u8;
        value /= 10;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rewritten(text: &str) -> Option<String> {
        let mut out = Vec::new();
        UploadTime::parse(text, None)?.write(&mut out);
        Some(String::from_utf8(out).unwrap())
    }

    #[test]
    fn a_time_is_written_in_the_one_allowed_form() {
        for (text, written) in [
            ("2024-02-29T23:59:59.123456Z", "2024-02-29T23:59:59.123456Z"),
            ("2024-02-29T23:59:59Z", "2024-02-29T23:59:59.000000Z"),
            (
                "2024-02-29T23:59:59.123456789Z",
                "2024-02-29T23:59:59.123456Z",
            ),
            ("2024-03-01T00:59:59+01:00", "2024-02-29T23:59:59.000000Z"),
            ("2024-02-29T23:59:59", "2024-02-29T23:59:59.000000Z"),
            (" 2024-02-29 23:59:59.5 ", "2024-02-29T23:59:59.500000Z"),
            ("0000-01-01T00:00:00Z", "0000-01-01T00:00:00.000000Z"),
        ] {
            assert_eq!(rewritten(text).as_deref(), Some(written));
        }
        for text in ["", "yesterday", "2024-13-01T00:00:00Z", "1709251199"] {
            assert_eq!(rewritten(text), None, "{text}");
        }
    }

    #[test]
    fn a_mark_says_who_stated_the_time() {
        for source in [
            UploadTimeSource::Upstream,
            UploadTimeSource::LastModified,
            UploadTimeSource::FirstSeen,
        ] {
            assert_eq!(UploadTimeSource::of_mark(source.mark()), source);
        }
        assert_eq!(
            UploadTimeSource::of_mark(Some("tea leaves")),
            UploadTimeSource::FirstSeen
        );
    }
}
