//! Bytes that a failed assertion can show.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use crate::dist::sha256;

/// Bytes of any number; printed as text when they are few, else by length and digest.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Content(Bytes);

impl<T: Into<Bytes>> From<T> for Content {
    fn from(bytes: T) -> Self {
        Self(bytes.into())
    }
}

impl Content {
    /// Some of the bytes.
    #[must_use]
    pub fn cut(&self, from: usize, to: usize) -> Self {
        Self(self.0.slice(from..to))
    }
}

impl Deref for Content {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl AsRef<[u8]> for Content {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match std::str::from_utf8(&self.0) {
            Ok(text) if text.len() < 2000 => write!(f, "{text:?}"),
            _ => write!(f, "{} bytes with SHA-256 {}", self.len(), sha256(&self.0)),
        }
    }
}
