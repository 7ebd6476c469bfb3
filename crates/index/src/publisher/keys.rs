//! The public keys of issuers, as their discovery documents name them.
//!
//! Kept for an hour, and fetched again when a token names a key that is not
//! among them, since issuers turn their keys over; but at most once a minute,
//! so that nobody can make us ask by sending nonsense.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::DecodingKey;
use jsonwebtoken::jwk::{Jwk, JwkSet};
use serde::de::DeserializeOwned;
use tokio::sync::Mutex;
use url::Url;

use super::Refused;

const KEPT_FOR: SignedDuration = SignedDuration::from_hours(1);
const ASKED_AT_MOST_EVERY: SignedDuration = SignedDuration::from_mins(1);
const PATIENCE: Duration = Duration::from_secs(10);
const LONGEST_DOCUMENT: usize = 1024 * 1024;

#[derive(Debug)]
pub(super) struct Keys {
    client: reqwest::Client,
    issuers: std::sync::Mutex<HashMap<Url, Arc<Mutex<Known>>>>,
}

/// What is known of one issuer. Its lock is held while it is asked, so that a
/// crowd of jobs asks once; other issuers do not wait for it.
#[derive(Debug, Default)]
struct Known {
    set: Option<JwkSet>,
    asked_at: Option<Timestamp>,
    /// When its keys came.
    fetched_at: Option<Timestamp>,
}

/// OpenID Connect Discovery 1.0, section 3.
#[derive(serde::Deserialize)]
struct Discovery {
    issuer: String,
    jwks_uri: Url,
}

impl Keys {
    pub(super) fn new() -> Result<Self, reqwest::Error> {
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .build()?;
        Ok(Self {
            client,
            issuers: std::sync::Mutex::default(),
        })
    }

    /// The key that signed a token.
    pub(super) async fn key(
        &self,
        issuer: &Url,
        kid: Option<&str>,
        now: Timestamp,
    ) -> Result<DecodingKey, Refused> {
        let known = {
            let mut issuers = self
                .issuers
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            issuers.entry(issuer.clone()).or_default().clone()
        };
        let mut known = known.lock().await;
        let age = |at: Option<Timestamp>| at.map(|at| now.duration_since(at));
        let is_kept = age(known.fetched_at).is_some_and(|age| age < KEPT_FOR);
        let may_ask = age(known.asked_at).is_none_or(|age| age >= ASKED_AT_MOST_EVERY);
        if !is_kept {
            // A key may have been withdrawn since.
            known.set = None;
        }
        let found = known.set.as_ref().and_then(|set| pick(set, kid));
        if let Some(jwk) = found {
            return usable(jwk);
        }
        if may_ask {
            known.asked_at = Some(now);
            known.set = Some(self.fetch(issuer).await?);
            known.fetched_at = Some(now);
        }
        match known.set.as_ref().and_then(|set| pick(set, kid)) {
            Some(jwk) => usable(jwk),
            None => Err(Refused::Invalid {
                why: "its key is none of its issuer's".to_owned(),
            }),
        }
    }

    async fn fetch(&self, issuer: &Url) -> Result<JwkSet, Refused> {
        let failed = |why: String| Refused::NoKeys {
            issuer: issuer.to_string(),
            why,
        };
        let base = issuer.as_str().trim_end_matches('/');
        let discovery: Discovery = self
            .document(&format!("{base}/.well-known/openid-configuration"))
            .await
            .map_err(failed)?;
        if !super::is_same(issuer, &discovery.issuer) {
            return Err(failed(format!("it calls itself `{}`", discovery.issuer)));
        }
        // A document that came over TLS must not send us to one that anybody can change.
        if issuer.scheme() == "https" && discovery.jwks_uri.scheme() != "https" {
            return Err(failed("they are not served over https".to_owned()));
        }
        self.document(discovery.jwks_uri.as_str())
            .await
            .map_err(failed)
    }

    async fn document<T: DeserializeOwned>(&self, url: &str) -> Result<T, String> {
        let told = |error: reqwest::Error| error.without_url().to_string();
        let mut response = self.client.get(url).send().await.map_err(told)?;
        if !response.status().is_success() {
            return Err(format!("`{url}` answers {}", response.status()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(told)? {
            bytes.extend_from_slice(&chunk);
            if bytes.len() > LONGEST_DOCUMENT {
                return Err(format!("`{url}` is endless"));
            }
        }
        serde_json::from_slice(&bytes).map_err(|error| format!("`{url}` is malformed: {error}"))
    }
}

/// The key of this id; without an id, the only one there is.
fn pick<'a>(set: &'a JwkSet, kid: Option<&str>) -> Option<&'a Jwk> {
    match (kid, set.keys.as_slice()) {
        (Some(kid), _) => set.find(kid),
        (None, [only]) => Some(only),
        (None, _) => None,
    }
}

fn usable(jwk: &Jwk) -> Result<DecodingKey, Refused> {
    DecodingKey::from_jwk(jwk).map_err(|error| Refused::Invalid {
        why: format!("its key cannot be used: {error}"),
    })
}
