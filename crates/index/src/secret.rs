//! Texts that must not be told: they hide from logs, and new ones are made of the system's
//! randomness.

use std::fmt;

use sha2::{Digest, Sha256};

const ALPHABET: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// A text that its holder proves to be somebody with. Neither `Debug` nor a log shows it.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// The text itself, for the one who may have it.
    pub fn reveal(&self) -> &str {
        &self.0
    }

    /// A new one of `length` letters and digits, about six bits each, that begins with `prefix`.
    pub(crate) fn new(prefix: &str, length: usize) -> Self {
        Self(format!("{prefix}{}", letters(length)))
    }

    /// What is kept of it.
    pub(crate) fn fingerprint(&self) -> Fingerprint {
        Fingerprint::of(&self.0)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

/// The SHA-256 of a secret. Enough for one of 256 random bits: nobody can guess those.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Fingerprint([u8; 32]);

impl Fingerprint {
    pub(crate) fn of(secret: &str) -> Self {
        Self(Sha256::digest(secret).into())
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        hex::decode_to_slice(text, &mut bytes).ok()?;
        Some(Self(bytes))
    }

    pub(crate) fn to_hex(self) -> String {
        hex::encode(self.0)
    }
}

/// Random letters and digits.
pub(crate) fn letters(length: usize) -> String {
    let mut text = String::with_capacity(length);
    while text.len() < length {
        for byte in random::<64>() {
            // 248 is four times 62: what is above would make some letters likelier.
            if byte < 248 && text.len() < length {
                text.push(ALPHABET[usize::from(byte % 62)].into());
            }
        }
    }
    text
}

/// Random bytes.
pub(crate) fn random<const N: usize>() -> [u8; N] {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).expect("every system that this runs on has randomness");
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_long_hidden_and_never_the_same() {
        let (one, other) = (Secret::new("pht_", 43), Secret::new("pht_", 43));
        assert_ne!(one, other);
        let text = one.reveal().strip_prefix("pht_").unwrap();
        assert_eq!(text.len(), 43);
        assert!(text.bytes().all(|byte| ALPHABET.contains(&byte)));
        assert_eq!(format!("{one:?}"), "Secret(hidden)");
    }

    #[test]
    fn a_fingerprint_is_kept_as_hex() {
        let fingerprint = Fingerprint::of("abc");
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(fingerprint.to_hex(), hex);
        assert_eq!(Fingerprint::from_hex(hex), Some(fingerprint));
        assert_eq!(Fingerprint::from_hex("ba78"), None);
    }

    #[test]
    fn every_letter_comes_up() {
        let text = letters(4000);
        assert!(ALPHABET.iter().all(|&byte| text.contains(char::from(byte))));
    }
}
