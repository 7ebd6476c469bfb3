//! The hashes that an index states for a file.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, Visitor};
use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::digest::Digest;
use crate::text::Text;

/// Hashes by kind, exactly those that were stated.
///
/// Kinds keep their spelling, values are lower-case hexadecimal. SHA-256 is
/// what nearly every file has and nothing else, so it is held without a heap.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Hashes {
    sha256: Option<Digest>,
    /// Sorted by kind; never holds `sha256`.
    others: Vec<(Box<str>, Box<str>)>,
}

/// The text is not a hash of that kind.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{kind}={value}` is not a hash")]
pub struct InvalidHash {
    kind: String,
    value: String,
}

const SHA256: &str = "sha256";

/// The strongest first; what a page shows where it can show only one.
const PREFERENCE: [&str; 5] = [SHA256, "sha512", "sha384", "sha224", "sha1"];

impl Hashes {
    /// SHA-256, if stated.
    pub fn sha256(&self) -> Option<Digest> {
        self.sha256
    }

    /// Adds a hash, or replaces the one of this kind.
    ///
    /// `kind` is a short word as in `hashlib`, `value` is hexadecimal and of
    /// the right length if the kind has a known one.
    pub fn insert(&mut self, kind: &str, value: &str) -> Result<(), InvalidHash> {
        let invalid = || InvalidHash {
            kind: kind.to_owned(),
            value: value.to_owned(),
        };
        if kind == SHA256 {
            self.sha256 = Some(value.parse().map_err(|_| invalid())?);
            return Ok(());
        }
        let right_length = digits(kind).map_or(value.len().is_multiple_of(2), |digits| {
            value.len() == digits
        });
        let is_hex = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_kind(kind) || !is_hex || !right_length {
            return Err(invalid());
        }
        let value = value.to_ascii_lowercase().into_boxed_str();
        match self
            .others
            .binary_search_by(|(known, _)| (**known).cmp(kind))
        {
            Ok(at) => self.others[at].1 = value,
            Err(at) => self.others.insert(at, (kind.into(), value)),
        }
        Ok(())
    }

    /// Kind and value of each hash, sorted by kind.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Cow<'_, str>)> {
        self.texts().map(|(kind, hex)| (kind, hex.text()))
    }

    /// The value of one kind.
    pub fn value(&self, kind: &str) -> Option<Cow<'_, str>> {
        self.hex(kind).map(HexText::text)
    }

    /// Whether none is stated.
    pub fn is_empty(&self) -> bool {
        self.sha256.is_none() && self.others.is_empty()
    }

    /// How many are stated.
    pub fn len(&self) -> usize {
        usize::from(self.sha256.is_some()) + self.others.len()
    }

    /// The one to state where there is room for one: HTML has a single fragment,
    /// and uv refuses a page with two hashes in one.
    pub fn best(&self) -> Option<(&str, Cow<'_, str>)> {
        self.best_text().map(|(kind, hex)| (kind, hex.text()))
    }

    /// As [`best`](Self::best), without making text.
    pub(crate) fn best_text(&self) -> Option<(&str, HexText<'_>)> {
        PREFERENCE
            .iter()
            .find_map(|kind| self.hex(kind).map(|hex| (*kind, hex)))
            .or_else(|| self.texts().next())
    }

    /// As [`iter`](Self::iter), without making text.
    pub(crate) fn texts(&self) -> impl Iterator<Item = (&str, HexText<'_>)> {
        let before = self.others.partition_point(|(kind, _)| &**kind < SHA256);
        let (left, right) = self.others.split_at(before);
        let sha256 = self.sha256.map(|digest| (SHA256, HexText::Sha256(digest)));
        left.iter()
            .map(other)
            .chain(sha256)
            .chain(right.iter().map(other))
    }

    fn hex(&self, kind: &str) -> Option<HexText<'_>> {
        self.texts()
            .find(|(known, _)| *known == kind)
            .map(|(_, hex)| hex)
    }
}

fn other((kind, hex): &(Box<str>, Box<str>)) -> (&str, HexText<'_>) {
    (kind, HexText::Other(hex))
}

/// The value of a hash, to be written without an allocation.
pub(crate) enum HexText<'a> {
    Sha256(Digest),
    Other(&'a str),
}

impl<'a> HexText<'a> {
    fn text(self) -> Cow<'a, str> {
        match self {
            Self::Sha256(digest) => Cow::Owned(digest.to_string()),
            Self::Other(hex) => Cow::Borrowed(hex),
        }
    }

    /// Appends the text to `out`.
    pub(crate) fn write(self, out: &mut Vec<u8>) {
        match self {
            Self::Sha256(digest) => digest.write(out),
            Self::Other(hex) => out.extend_from_slice(hex.as_bytes()),
        }
    }
}

/// How many hexadecimal digits a hash of a well-known kind has.
pub(crate) fn digits(kind: &str) -> Option<usize> {
    Some(match kind {
        "md5" => 32,
        "sha1" => 40,
        "sha224" | "sha3_224" => 56,
        SHA256 | "sha3_256" | "blake2s" | "blake2b_256" => 64,
        "sha384" | "sha3_384" => 96,
        "sha512" | "sha3_512" | "blake2b" => 128,
        _ => return None,
    })
}

fn is_kind(kind: &str) -> bool {
    let bytes = kind.as_bytes();
    (1..=32).contains(&bytes.len())
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'))
}

impl From<Digest> for Hashes {
    fn from(digest: Digest) -> Self {
        Self {
            sha256: Some(digest),
            others: Vec::new(),
        }
    }
}

/// Each as `kind=hex`, with spaces between them.
impl fmt::Display for Hashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, (kind, value)) in self.iter().enumerate() {
            let space = if position == 0 { "" } else { " " };
            write!(f, "{space}{kind}={value}")?;
        }
        Ok(())
    }
}

/// Reads what [`Display`](fmt::Display) writes.
impl FromStr for Hashes {
    type Err = InvalidHash;

    fn from_str(text: &str) -> Result<Self, InvalidHash> {
        let mut hashes = Self::default();
        for word in text.split_ascii_whitespace() {
            let (kind, value) = word.split_once('=').unwrap_or((word, ""));
            hashes.insert(kind, value)?;
        }
        Ok(hashes)
    }
}

impl fmt::Debug for Hashes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_map().entries(self.iter()).finish()
    }
}

impl Serialize for Hashes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.len()))?;
        for (kind, value) in self.iter() {
            map.serialize_entry(kind, &value)?;
        }
        map.end()
    }
}

impl<'de> Deserialize<'de> for Hashes {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(HashesVisitor)
    }
}

struct HashesVisitor;

impl<'de> Visitor<'de> for HashesVisitor {
    type Value = Hashes;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a map of hashes")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Hashes, A::Error> {
        let mut hashes = Hashes::default();
        while let Some((kind, value)) = map.next_entry::<Text<'de>, Text<'de>>()? {
            hashes.insert(&kind.0, &value.0).map_err(A::Error::custom)?;
        }
        Ok(hashes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_kept_as_stated_and_sorted() {
        let mut hashes = Hashes::default();
        assert!(hashes.is_empty());
        hashes.insert("sha256", &"AB".repeat(32)).unwrap();
        hashes.insert("md5", &"00".repeat(16)).unwrap();
        hashes.insert("zeta", "F00D").unwrap();
        assert_eq!(hashes.to_string().parse(), Ok(hashes.clone()));
        assert_eq!("".parse(), Ok(Hashes::default()));
        assert!("md5".parse::<Hashes>().is_err());
        let listed: Vec<String> = hashes
            .iter()
            .map(|(kind, value)| format!("{kind}={value}"))
            .collect();
        assert_eq!(
            listed,
            [
                format!("md5={}", "00".repeat(16)),
                format!("sha256={}", "ab".repeat(32)),
                "zeta=f00d".to_owned(),
            ]
        );
        assert_eq!(hashes.sha256().unwrap().to_string(), "ab".repeat(32));
        assert_eq!(hashes.best().unwrap().0, "sha256");
        assert_eq!(hashes.value("zeta").as_deref(), Some("f00d"));
        assert_eq!(hashes.len(), 3);
    }

    #[test]
    fn what_is_not_a_hash_is_refused() {
        for (kind, value) in [
            ("sha256", ""),
            ("sha256", "00"),
            ("md5", "zz"),
            ("md5", "00"),
            ("", "00"),
            ("a b", "00"),
            ("other", "0"),
            ("other", ""),
            ("other", "xy"),
        ] {
            assert!(
                Hashes::default().insert(kind, value).is_err(),
                "{kind}={value}"
            );
        }
    }

    #[test]
    fn a_later_hash_of_a_kind_replaces_the_earlier() {
        let mut hashes = Hashes::default();
        hashes.insert("x", "00").unwrap();
        hashes.insert("x", "11").unwrap();
        assert_eq!(serde_json::to_string(&hashes).unwrap(), r#"{"x":"11"}"#);
    }

    #[test]
    fn hashes_survive_serde() {
        let text = format!(
            r#"{{"md5":"{}","sha256":"{}"}}"#,
            "0a".repeat(16),
            "0b".repeat(32)
        );
        let hashes: Hashes = serde_json::from_str(&text).unwrap();
        assert_eq!(serde_json::to_string(&hashes).unwrap(), text);
        assert!(serde_json::from_str::<Hashes>(r#"{"sha256":"x"}"#).is_err());
        assert!(serde_json::from_str::<Hashes>("[]").is_err());
    }
}
