//! Whom a mirror trusts to vouch for its upstream, besides whom the machine trusts.

use reqwest::Certificate;

/// Certificates of authorities, such as a company's own.
#[derive(Debug, Clone, Default)]
pub struct Authorities(Vec<Certificate>);

/// A text that names no authority to trust.
#[derive(Debug, thiserror::Error)]
pub enum InvalidAuthorities {
    /// It is no PEM, or has none of a certificate in it.
    #[error("holds no certificate: it has to be in PEM, as in `-----BEGIN CERTIFICATE-----`")]
    None,
    /// A certificate of its cannot be read.
    #[error("holds something that is no certificate")]
    Unreadable,
}

impl Authorities {
    /// The certificates of a text in PEM, whatever stands between them.
    pub fn from_pem(pem: &[u8]) -> Result<Self, InvalidAuthorities> {
        let all = Certificate::from_pem_bundle(pem).map_err(|_| InvalidAuthorities::Unreadable)?;
        if all.is_empty() {
            return Err(InvalidAuthorities::None);
        }
        // What a certificate says is read only when a client is made of it.
        reqwest::Client::builder()
            .tls_certs_only(all.clone())
            .build()
            .map_err(|_| InvalidAuthorities::Unreadable)?;
        Ok(Self(all))
    }

    pub(crate) fn certificates(&self) -> impl Iterator<Item = Certificate> {
        self.0.iter().cloned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_certificate_is_refused() {
        let framed =
            |what| format!("-----BEGIN CERTIFICATE-----\n{what}\n-----END CERTIFICATE-----\n");
        for (text, expected) in [
            (String::new(), "holds no certificate:"),
            ("not PEM at all\n".to_owned(), "holds no certificate:"),
            (framed("AAAA"), "holds something that is no certificate"),
            (framed("!"), "holds something that is no certificate"),
        ] {
            let error = Authorities::from_pem(text.as_bytes()).unwrap_err();
            assert!(error.to_string().starts_with(expected), "{text}: {error}");
        }
        assert!(Authorities::from_pem(testkit::authority().as_bytes()).is_ok());
    }
}
