//! Sizes and times as people write them: `50 GiB`, `10 min`.

use std::fmt;
use std::num::IntErrorKind;
use std::str::FromStr;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

/// A number of bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ByteSize(pub u64);

/// Why a text is not a size.
#[derive(Debug, PartialEq, Eq)]
pub enum InvalidSize {
    /// No number, or no unit that we know.
    Unreadable(String),
    /// More than any disk has.
    TooBig(String),
}

/// A length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period(pub Duration);

impl Period {
    /// So long before an instant.
    pub fn before(self, now: Timestamp) -> Timestamp {
        now.checked_sub(self.signed()).unwrap_or(Timestamp::MIN)
    }

    /// So long after it.
    pub fn after(self, now: Timestamp) -> Timestamp {
        now.checked_add(self.signed()).unwrap_or(Timestamp::MAX)
    }

    fn signed(self) -> SignedDuration {
        SignedDuration::try_from(self.0).unwrap_or(SignedDuration::MAX)
    }
}

/// Why a text is not a length of time.
#[derive(Debug, PartialEq, Eq)]
pub enum InvalidPeriod {
    /// No number, or no unit that we know.
    Unreadable(String),
    /// Longer than ten years.
    TooLong(String),
}

/// Beyond 2^53 a float no longer counts single bytes, and no disk is that big.
const BIGGEST: u64 = 1 << 53;

/// Ten years: adding it to any present time stays far within what a time can hold.
const LONGEST: Duration = Duration::from_hours(24 * 3653);

/// From the largest, with the names people use; the first is the one we write.
const SIZES: [(u64, &[&str]); 9] = [
    (1 << 40, &["TiB"]),
    (1_000_000_000_000, &["TB", "T"]),
    (1 << 30, &["GiB"]),
    (1_000_000_000, &["GB", "G"]),
    (1 << 20, &["MiB"]),
    (1_000_000, &["MB", "M"]),
    (1 << 10, &["KiB"]),
    (1_000, &["kB", "K"]),
    (1, &["bytes", "byte", "B"]),
];

const PERIODS: [(u64, &[&str]); 6] = [
    (604_800_000, &["w", "week", "weeks"]),
    (86_400_000, &["d", "day", "days"]),
    (3_600_000, &["h", "hr", "hrs", "hour", "hours"]),
    (60_000, &["min", "m", "mins", "minute", "minutes"]),
    (1_000, &["s", "sec", "secs", "second", "seconds"]),
    (1, &["ms"]),
];

impl ByteSize {
    /// The size for a person's eye: three or four digits and a unit.
    pub fn rounded(self) -> String {
        let binary = SIZES.iter().filter(|(_, names)| names[0].ends_with("iB"));
        for (unit, names) in binary {
            if self.0 >= *unit {
                return format!("{:.1} {}", self.0 as f64 / *unit as f64, names[0]);
            }
        }
        format!("{} B", self.0)
    }
}

impl FromStr for ByteSize {
    type Err = InvalidSize;

    fn from_str(text: &str) -> Result<Self, InvalidSize> {
        let invalid = || InvalidSize::Unreadable(text.to_owned());
        let (number, unit) = split(text.trim());
        let unit = find(&SIZES, unit, str::eq_ignore_ascii_case).ok_or_else(invalid)?;
        let number: f64 = number.parse().map_err(|_| invalid())?;
        let bytes = number * unit as f64;
        if bytes <= BIGGEST as f64 {
            Ok(Self(bytes as u64))
        } else {
            Err(InvalidSize::TooBig(text.to_owned()))
        }
    }
}

impl fmt::Display for ByteSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, names) = largest_divisor(&SIZES, self.0);
        write!(f, "{} {}", self.0 / unit, names[0])
    }
}

impl fmt::Display for InvalidSize {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(text) => write!(
                f,
                "`{text}` is not a size: write a number and a unit, like `50 GiB` or `500 MB`"
            ),
            Self::TooBig(text) => write!(
                f,
                "`{text}` is bigger than any disk: write at most {}",
                ByteSize(BIGGEST)
            ),
        }
    }
}

impl std::error::Error for InvalidSize {}

impl FromStr for Period {
    type Err = InvalidPeriod;

    fn from_str(text: &str) -> Result<Self, InvalidPeriod> {
        let invalid = || InvalidPeriod::Unreadable(text.to_owned());
        let mut rest = text.trim();
        let mut millis = 0_u64;
        if rest.is_empty() {
            return Err(invalid());
        }
        while !rest.is_empty() {
            let (number, tail) = split(rest);
            let end = tail
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(tail.len());
            let unit = find(&PERIODS, &tail[..end], |a, b| a == b).ok_or_else(invalid)?;
            let number = match number.parse::<u64>() {
                Ok(number) => number,
                Err(error) if *error.kind() == IntErrorKind::PosOverflow => u64::MAX,
                Err(_) => return Err(invalid()),
            };
            millis = millis.saturating_add(number.saturating_mul(unit));
            rest = tail[end..].trim_start();
        }
        if Duration::from_millis(millis) > LONGEST {
            return Err(InvalidPeriod::TooLong(text.to_owned()));
        }
        Ok(Self(Duration::from_millis(millis)))
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let millis = u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX);
        if millis == 0 {
            return f.write_str("0 s");
        }
        let (unit, names) = largest_divisor(&PERIODS, millis);
        write!(f, "{} {}", millis / unit, names[0])
    }
}

impl fmt::Display for InvalidPeriod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unreadable(text) => write!(
                f,
                "`{text}` is not a length of time: write a number and a unit, like `30 s`, `10 min` or `1h 30m`"
            ),
            Self::TooLong(text) => {
                write!(f, "`{text}` is too long: write at most ten years, `3653 d`")
            }
        }
    }
}

impl std::error::Error for InvalidPeriod {}

/// The number at the start, and the unit after it.
fn split(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    (&text[..end], text[end..].trim_start())
}

fn find(units: &[(u64, &[&str])], name: &str, same: impl Fn(&str, &str) -> bool) -> Option<u64> {
    units
        .iter()
        .find(|(_, names)| names.iter().any(|known| same(known, name)))
        .map(|(unit, _)| *unit)
}

fn largest_divisor<'a>(units: &'a [(u64, &'a [&'a str])], value: u64) -> (u64, &'a [&'a str]) {
    let fits = |unit: u64| value >= unit && value.is_multiple_of(unit);
    let smallest = units[units.len() - 1];
    units
        .iter()
        .copied()
        .find(|(unit, _)| fits(*unit))
        .unwrap_or(smallest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_as_people_write_them() {
        for (text, bytes) in [
            ("50 GiB", 50 << 30),
            ("50GiB", 50 << 30),
            ("50gib", 50 << 30),
            ("10GB", 10_000_000_000),
            ("1.5 KiB", 1536),
            ("10G", 10_000_000_000),
            ("4096 B", 4096),
            ("0 bytes", 0),
        ] {
            assert_eq!(text.parse(), Ok(ByteSize(bytes)), "{text}");
        }
        for bad in [
            "",
            // Ten of what? Whoever means gigabytes would lose the cache.
            "10",
            "GiB",
            "ten GiB",
            "1 GiB!",
            "-1",
            "1e3",
            "9999999 TiB",
            "1..2 GiB",
        ] {
            assert!(bad.parse::<ByteSize>().is_err(), "{bad}");
        }
    }

    #[test]
    fn times_are_read_as_people_write_them() {
        for (text, seconds) in [
            ("2s", 2),
            ("1800s", 1800),
            ("30m", 1800),
            ("10 min", 600),
            ("1h 30m", 5400),
            ("1h30m", 5400),
            ("30d", 30 * 86_400),
            ("2 weeks", 14 * 86_400),
            ("0s", 0),
        ] {
            assert_eq!(
                text.parse(),
                Ok(Period(Duration::from_secs(seconds))),
                "{text}"
            );
        }
        for bad in [
            "",
            "10",
            "min",
            "1.5h",
            "-1s",
            "1 fortnight",
            "99999999999999999999s",
            "1h,30m",
        ] {
            assert!(bad.parse::<Period>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_out_of_bounds_is_told_as_such() {
        for long in [
            "3654 d",
            "3653 d 1 ms",
            "9999999999999 w",
            "18446744073709551615 w 1 w",
            "99999999999999999999 s",
        ] {
            let told = long.parse::<Period>().unwrap_err().to_string();
            let expected = format!("`{long}` is too long: write at most ten years, `3653 d`");
            assert_eq!(told, expected);
        }
        let longest: Period = "3653 d".parse().unwrap();
        assert_eq!(longest, Period(LONGEST));
        assert!(jiff::Timestamp::now().checked_add(longest.0).is_ok());
        for big in ["8193 TiB", "9999999 TiB", &format!("{} B", "9".repeat(400))] {
            let told = big.parse::<ByteSize>().unwrap_err().to_string();
            let expected = format!("`{big}` is bigger than any disk: write at most 8192 TiB");
            assert_eq!(told, expected);
        }
        assert_eq!("8192 TiB".parse(), Ok(ByteSize(BIGGEST)));
    }

    #[test]
    fn what_is_written_is_read_back() {
        for text in ["50 GiB", "10 GB", "1536 bytes", "0 bytes", "500 MB"] {
            assert_eq!(text.parse::<ByteSize>().unwrap().to_string(), text);
        }
        for text in ["2 s", "30 min", "90 min", "1 h", "30 d", "250 ms", "0 s"] {
            assert_eq!(text.parse::<Period>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_rounded_size_is_short() {
        assert_eq!(ByteSize(999).rounded(), "999 B");
        assert_eq!(ByteSize(1536).rounded(), "1.5 KiB");
        assert_eq!(ByteSize(50 << 30).rounded(), "50.0 GiB");
    }

    proptest::proptest! {
        #[test]
        fn every_size_is_read_back_as_written(bytes in 0..1_u64 << 53) {
            let size = ByteSize(bytes);
            proptest::prop_assert_eq!(size.to_string().parse(), Ok(size));
        }

        #[test]
        fn every_time_is_read_back_as_written(millis in 0..=LONGEST.as_millis() as u64) {
            let period = Period(Duration::from_millis(millis));
            proptest::prop_assert_eq!(period.to_string().parse(), Ok(period));
        }

        #[test]
        fn no_text_makes_the_readers_stumble(text in "[0-9a-zA-Z. ]{0,24}|\\PC{0,24}") {
            let _ = (text.parse::<ByteSize>(), text.parse::<Period>());
        }
    }
}
