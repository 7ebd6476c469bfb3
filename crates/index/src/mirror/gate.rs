//! The hash gate: bytes become a file only when they are what the index page promised.

use blake2::digest::consts::U32;
use blake2::{Blake2b, Blake2b512, Blake2s256};
use md5::Md5;
use pyspec::{Digest, Hashes};
use sha1::Sha1;
use sha2::digest::DynDigest;
use sha2::{Digest as _, Sha224, Sha256, Sha384, Sha512};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};

/// Checks bytes, fed in order, against the hashes of an index page.
///
/// SHA-256 is always computed, since it names the blob. Of a page that promises
/// other kinds only, the strongest that we know is checked as well.
pub(crate) struct Gate {
    sha256: Sha256,
    other: Option<Other>,
    expected: Option<Digest>,
}

struct Other {
    kind: &'static str,
    hash: Box<dyn DynDigest + Send>,
    expected: String,
}

/// The bytes are not those that were promised; both as `kind=hex`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Mismatch {
    pub(crate) expected: String,
    pub(crate) found: String,
}

impl Gate {
    pub(crate) fn new(promised: &Hashes) -> Self {
        let expected = promised.sha256();
        Self {
            sha256: Sha256::new(),
            other: if expected.is_some() {
                None
            } else {
                strongest(promised)
            },
            expected,
        }
    }

    pub(crate) fn update(&mut self, bytes: &[u8]) {
        sha2::Digest::update(&mut self.sha256, bytes);
        if let Some(other) = &mut self.other {
            other.hash.update(bytes);
        }
    }

    /// The SHA-256, if all that was promised holds.
    pub(crate) fn finish(self) -> Result<Digest, Mismatch> {
        let found = Digest::from(<[u8; 32]>::from(self.sha256.finalize()));
        if let Some(expected) = self.expected.filter(|expected| *expected != found) {
            return Err(Mismatch {
                expected: format!("sha256={expected}"),
                found: format!("sha256={found}"),
            });
        }
        if let Some(other) = self.other {
            let hex = hex::encode(other.hash.finalize());
            if !hex.eq_ignore_ascii_case(&other.expected) {
                return Err(Mismatch {
                    expected: format!("{}={}", other.kind, other.expected),
                    found: format!("{}={hex}", other.kind),
                });
            }
        }
        Ok(found)
    }
}

type New = fn() -> Box<dyn DynDigest + Send>;

/// What Python's hashlib guarantees besides SHA-256, which is what PEP 503 allows; the strongest first.
fn known() -> [(&'static str, New); 12] {
    [
        ("sha512", || Box::new(Sha512::new())),
        ("sha3_512", || Box::new(Sha3_512::new())),
        ("blake2b", || Box::new(Blake2b512::new())),
        ("sha384", || Box::new(Sha384::new())),
        ("sha3_384", || Box::new(Sha3_384::new())),
        ("sha3_256", || Box::new(Sha3_256::new())),
        ("blake2b_256", || Box::new(Blake2b::<U32>::new())),
        ("blake2s", || Box::new(Blake2s256::new())),
        ("sha3_224", || Box::new(Sha3_224::new())),
        ("sha224", || Box::new(Sha224::new())),
        ("sha1", || Box::new(Sha1::new())),
        ("md5", || Box::new(Md5::new())),
    ]
}

/// Whether two pages state the same of a file, by the strongest kind that both state; `None` if
/// they share none. Only that kind was compared with any bytes, so a weaker one says nothing.
pub(crate) fn agree(one: &Hashes, other: &Hashes) -> Option<bool> {
    if let (Some(one), Some(other)) = (one.sha256(), other.sha256()) {
        return Some(one == other);
    }
    let kinds = known().into_iter().map(|(kind, _)| kind);
    // Kinds that nobody can compute come last.
    let mut kinds = kinds.chain(one.iter().map(|(kind, _)| kind));
    kinds.find_map(|kind| Some(one.value(kind)? == other.value(kind)?))
}

fn strongest(promised: &Hashes) -> Option<Other> {
    known().into_iter().find_map(|(kind, new)| {
        let (_, expected) = promised.iter().find(|(promised, _)| *promised == kind)?;
        Some(Other {
            kind,
            hash: new(),
            expected: expected.to_string(),
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checked(kind: &str, hex: &str, bytes: &[u8]) -> Result<Digest, Mismatch> {
        let mut hashes = Hashes::default();
        if !kind.is_empty() {
            hashes.insert(kind, hex).unwrap();
        }
        let mut gate = Gate::new(&hashes);
        gate.update(bytes);
        gate.finish()
    }

    #[test]
    fn pages_agree_by_the_strongest_kind_that_both_state() {
        let hashes = |text: &str| text.parse::<Hashes>().unwrap();
        let [a, b] = ["a", "b"].map(|digit| digit.repeat(32));
        let [long_a, long_b] = [&a, &b].map(|digits| digits.repeat(4));
        let both = hashes(&format!("md5={a} sha512={long_a}"));
        for (other, expected) in [
            (format!("md5={b} sha512={long_a}"), Some(true)),
            (format!("md5={a} sha512={long_b}"), Some(false)),
            (format!("md5={a}"), Some(true)),
            (format!("md5={b}"), Some(false)),
            (format!("sha1={}", "a".repeat(40)), None),
            (String::new(), None),
        ] {
            assert_eq!(agree(&both, &hashes(&other)), expected, "{other}");
        }
    }

    #[test]
    fn every_kind_of_promise_is_kept_or_refused() {
        for (kind, hex) in [
            ("", ""),
            (
                "sha256",
                "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            ),
            ("sha1", "a9993e364706816aba3e25717850c26c9cd0d89d"),
            ("md5", "900150983cd24fb0d6963f7d28e17f72"),
            (
                "sha3_256",
                "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532",
            ),
            (
                "blake2s",
                "508c5e8c327c14e2e1a72ba34eeb452f37458b209ed63a294d999b4c86675982",
            ),
        ] {
            assert!(checked(kind, hex, b"abc").is_ok(), "{kind}");
            assert_eq!(
                checked(kind, hex, b"abd").is_ok(),
                kind.is_empty(),
                "{kind}"
            );
        }
    }
}
