//! The credentials of a request, as the clients send them.
//!
//! pip, uv, twine and their like send HTTP Basic; devpi's client sends the same
//! pair in a header of its own, since `Authorization` may be for a proxy in
//! front of us; scripts with an API token may send it as a Bearer.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderName};

const X_DEVPI_AUTH: HeaderName = HeaderName::from_static("x-devpi-auth");

/// No password is longer; what is longer is not looked at.
const LONGEST: usize = 8 * 1024;

/// A name and a secret, neither checked.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    /// Empty for a token that comes alone.
    pub(crate) user: String,
    /// A password, a login token or an API token.
    pub(crate) secret: String,
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("user", &self.user)
            .finish_non_exhaustive()
    }
}

impl Credentials {
    /// What the request brings; `None` if that is nothing, or nothing that can be read.
    pub(crate) fn of(headers: &HeaderMap) -> Option<Self> {
        if let Some(pair) = headers.get(X_DEVPI_AUTH) {
            return Self::pair(pair.as_bytes());
        }
        let value = headers.get(AUTHORIZATION)?.as_bytes();
        let at = value.iter().position(|b| *b == b' ')?;
        let (scheme, rest) = (&value[..at], value[at + 1..].trim_ascii());
        if scheme.eq_ignore_ascii_case(b"basic") {
            return Self::pair(rest);
        }
        if scheme.eq_ignore_ascii_case(b"bearer") && rest.len() <= LONGEST {
            return Some(Self {
                user: String::new(),
                secret: std::str::from_utf8(rest).ok()?.to_owned(),
            });
        }
        None
    }

    fn pair(encoded: &[u8]) -> Option<Self> {
        if encoded.len() > LONGEST {
            return None;
        }
        let bytes = STANDARD.decode(encoded).ok()?;
        let text = String::from_utf8(bytes).ok()?;
        let (user, secret) = text.split_once(':')?;
        Some(Self {
            user: user.to_owned(),
            secret: secret.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(name: &'static str, value: &str) -> Option<(String, String)> {
        let mut headers = HeaderMap::new();
        headers.insert(name, value.parse().unwrap());
        Credentials::of(&headers).map(|found| (found.user, found.secret))
    }

    #[test]
    fn each_client_sends_them_its_own_way() {
        let pair = |user: &str, secret: &str| Some((user.to_owned(), secret.to_owned()));
        // alice:se:cret
        assert_eq!(
            of("authorization", "Basic YWxpY2U6c2U6Y3JldA=="),
            pair("alice", "se:cret")
        );
        assert_eq!(
            of("authorization", "basic  YWxpY2U6c2U6Y3JldA== "),
            pair("alice", "se:cret")
        );
        assert_eq!(
            of("x-devpi-auth", "YWxpY2U6c2U6Y3JldA=="),
            pair("alice", "se:cret")
        );
        assert_eq!(of("authorization", "Bearer abc"), pair("", "abc"));
        for bad in ["", "Basic", "Basic !", "Basic YWxpY2U=", "Digest x"] {
            assert_eq!(of("authorization", bad), None, "{bad}");
        }
        assert_eq!(
            of("authorization", &format!("Bearer {}", "x".repeat(9000))),
            None
        );
        let mut headers = HeaderMap::new();
        headers.insert("authorization", "Bearer secret".parse().unwrap());
        assert!(!format!("{:?}", Credentials::of(&headers)).contains("secret"));
    }
}
