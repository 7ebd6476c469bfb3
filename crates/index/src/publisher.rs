//! Trusted publishing: a CI job proves with its platform's word (an OpenID
//! Connect ID token) which repository it runs for, and may upload for a moment.
//!
//! Nothing secret is configured: only whose word counts (the issuer) and which
//! of its claims must hold. What is asked and answered over HTTP is PyPI's own
//! protocol, so that uv and twine's action find it.

mod keys;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, HashMap};
use std::sync::{Mutex, PoisonError};

use jiff::{SignedDuration, Timestamp};
use jsonwebtoken::{Algorithm, Validation, decode, decode_header};
use pyspec::ProjectName;
use serde_json::Value;
use url::Url;

use crate::IndexName;
use keys::Keys;

/// Clocks of CI machines are a little off.
const LEEWAY: SignedDuration = SignedDuration::from_secs(60);

/// An ID token is a few kilobytes.
const LONGEST_TOKEN: usize = 64 * 1024;

/// Signatures that anybody can check and nobody else can make; no shared secrets, no `none`.
const ALGORITHMS: [Algorithm; 9] = [
    Algorithm::RS256,
    Algorithm::RS384,
    Algorithm::RS512,
    Algorithm::PS256,
    Algorithm::PS384,
    Algorithm::PS512,
    Algorithm::ES256,
    Algorithm::ES384,
    Algorithm::EdDSA,
];

/// Whose jobs may upload what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Publisher {
    /// As the token's `iss` says it, to the letter.
    pub issuer: Url,
    /// Where it may upload.
    pub index: IndexName,
    /// What it may upload; any project if not said.
    pub project: Option<ProjectName>,
    /// Claims of the token that must be there with just these values.
    pub claims: BTreeMap<String, String>,
}

/// What a job may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Where it may upload.
    pub index: IndexName,
    /// What it may upload; any project if not said.
    pub project: Option<ProjectName>,
    /// Who it is, by its issuer's word: for the log.
    pub subject: String,
}

/// Why a job gets nothing. The texts are for the person who set it up.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Refused {
    /// Nobody is trusted here.
    #[error("trusted publishing is not set up here: add a [[publisher]] to the configuration")]
    NotSetUp,
    /// The token cannot be read.
    #[error("the ID token is malformed: {why}")]
    Malformed {
        /// What is wrong with it.
        why: String,
    },
    /// Its issuer is nobody we trust.
    #[error("no publisher here trusts the issuer `{issuer}`")]
    UnknownIssuer {
        /// As the token says it.
        issuer: String,
    },
    /// Its issuer's keys cannot be had.
    #[error("the keys of `{issuer}` cannot be fetched: {why}")]
    NoKeys {
        /// Whose.
        issuer: String,
        /// What happened.
        why: String,
    },
    /// It is not signed by its issuer, or is for somebody else, or is too old.
    #[error("the ID token is not valid: {why}")]
    Invalid {
        /// What is wrong with it.
        why: String,
    },
    /// It was exchanged before.
    #[error("this ID token has been exchanged before: ask the CI platform for a new one")]
    Used,
    /// It is valid, but no publisher is set up for its claims.
    #[error("the ID token is valid, but no publisher here fits its claims: {seen}")]
    NoMatch {
        /// The claims that publishers of this issuer look at, as the token has them.
        seen: String,
    },
    /// Several publishers fit it and differ in what they allow.
    #[error(
        "several publishers here fit the claims of this ID token: make them narrower, or one of them wide"
    )]
    Ambiguous,
}

/// The publishers of this server.
#[derive(Debug)]
pub struct Publishers {
    audience: String,
    all: Vec<Publisher>,
    keys: Keys,
    /// The ids (`jti`) of tokens that were exchanged, until they expire.
    used: Mutex<HashMap<String, Timestamp>>,
}

impl Publishers {
    /// Publishers whose tokens must be made for `audience`.
    pub fn new(audience: String, all: Vec<Publisher>) -> Result<Self, reqwest::Error> {
        Ok(Self {
            audience,
            all,
            keys: Keys::new()?,
            used: Mutex::default(),
        })
    }

    /// What a token's `aud` must be (`/_/oidc/audience`).
    pub fn audience(&self) -> &str {
        &self.audience
    }

    /// What the bearer of an ID token may do.
    pub async fn grant(&self, token: &str, now: Timestamp) -> Result<Grant, Refused> {
        if self.all.is_empty() {
            return Err(Refused::NotSetUp);
        }
        let claimed = unverified_issuer(token)?;
        let issuer = self
            .all
            .iter()
            .map(|publisher| &publisher.issuer)
            .find(|issuer| is_same(issuer, &claimed))
            .ok_or(Refused::UnknownIssuer { issuer: claimed })?;
        let claims = self.verified(issuer, token, now).await?;
        let grant = self.fitting(issuer, &claims)?;
        self.use_up(issuer, &claims, now)?;
        Ok(grant)
    }

    /// An ID token is good for one exchange: whoever reads it later in a log gets nothing.
    fn use_up(
        &self,
        issuer: &Url,
        claims: &BTreeMap<String, Value>,
        now: Timestamp,
    ) -> Result<(), Refused> {
        let Some(id) = claims.get("jti").and_then(Value::as_str) else {
            return Ok(());
        };
        let expires = time(claims, "exp").unwrap_or(now) + LEEWAY;
        let mut used = self.used.lock().unwrap_or_else(PoisonError::into_inner);
        used.retain(|_, expires| *expires >= now);
        match used.insert(format!("{issuer} {id}"), expires) {
            None => Ok(()),
            Some(_) => Err(Refused::Used),
        }
    }

    async fn verified(
        &self,
        issuer: &Url,
        token: &str,
        now: Timestamp,
    ) -> Result<BTreeMap<String, Value>, Refused> {
        let header = decode_header(token).map_err(|error| malformed(&error))?;
        if !ALGORITHMS.contains(&header.alg) {
            return Err(Refused::Invalid {
                why: format!("it is signed with {:?}, which is not accepted", header.alg),
            });
        }
        let key = self.keys.key(issuer, header.kid.as_deref(), now).await?;
        let mut validation = Validation::new(header.alg);
        // Times are checked against `now`, not against the library's own clock.
        validation.validate_exp = false;
        validation.set_required_spec_claims(&["aud", "iss"]);
        validation.set_audience(&[&self.audience]);
        validation.set_issuer(&[issuer.as_str(), issuer.as_str().trim_end_matches('/')]);
        let decoded = decode::<BTreeMap<String, Value>>(token, &key, &validation);
        let claims = decoded.map_err(|error| Refused::Invalid {
            why: error.to_string(),
        })?;
        check_times(&claims.claims, now)?;
        Ok(claims.claims)
    }

    fn fitting(&self, issuer: &Url, claims: &BTreeMap<String, Value>) -> Result<Grant, Refused> {
        let of_issuer = || self.all.iter().filter(|known| known.issuer == *issuer);
        let fits = |publisher: &&Publisher| {
            let mut wanted = publisher.claims.iter();
            wanted.all(|(name, value)| claims.get(name).is_some_and(|claim| says(claim, value)))
        };
        let mut fitting = of_issuer().filter(fits);
        let Some(first) = fitting.next() else {
            let mut names: Vec<&String> = of_issuer().flat_map(|p| p.claims.keys()).collect();
            names.sort();
            names.dedup();
            let seen = names.iter().map(|name| match claims.get(*name) {
                Some(value) => format!("{name} = {value}"),
                None => format!("{name} is absent"),
            });
            return Err(Refused::NoMatch {
                seen: seen.collect::<Vec<_>>().join(", "),
            });
        };
        if fitting.any(|other| (&other.index, &other.project) != (&first.index, &first.project)) {
            return Err(Refused::Ambiguous);
        }
        let subject = claims.get("sub").and_then(Value::as_str);
        Ok(Grant {
            index: first.index.clone(),
            project: first.project.clone(),
            subject: subject
                .unwrap_or(issuer.as_str())
                .chars()
                .take(300)
                .collect(),
        })
    }
}

fn malformed(error: &jsonwebtoken::errors::Error) -> Refused {
    Refused::Malformed {
        why: error.to_string(),
    }
}

/// Whom to ask for keys. Not believed until the signature holds.
fn unverified_issuer(token: &str) -> Result<String, Refused> {
    if token.len() > LONGEST_TOKEN {
        return Err(Refused::Malformed {
            why: "it is far too long".to_owned(),
        });
    }
    let claims: BTreeMap<String, Value> = jsonwebtoken::dangerous::insecure_decode_claims(token)
        .map_err(|error| malformed(&error))?;
    match claims.get("iss") {
        Some(Value::String(issuer)) => Ok(issuer.clone()),
        _ => Err(Refused::Malformed {
            why: "it names no issuer".to_owned(),
        }),
    }
}

/// A URL's normal form ends in a slash that issuers leave out.
fn is_same(issuer: &Url, claimed: &str) -> bool {
    issuer.as_str().trim_end_matches('/') == claimed.trim_end_matches('/')
}

fn check_times(claims: &BTreeMap<String, Value>, now: Timestamp) -> Result<(), Refused> {
    let why = match (time(claims, "exp"), time(claims, "nbf")) {
        (None, _) => "it does not say when it expires",
        (Some(expires), _) if expires + LEEWAY < now => "it has expired",
        (_, Some(begins)) if begins - LEEWAY > now => "it is not valid yet",
        _ => return Ok(()),
    };
    Err(Refused::Invalid {
        why: why.to_owned(),
    })
}

/// A claim in seconds since 1970.
fn time(claims: &BTreeMap<String, Value>, name: &str) -> Option<Timestamp> {
    let seconds = claims.get(name)?.as_f64()?;
    Timestamp::from_second(seconds as i64).ok()
}

fn says(claim: &Value, wanted: &str) -> bool {
    match claim {
        Value::String(text) => text == wanted,
        Value::Bool(flag) => wanted == if *flag { "true" } else { "false" },
        Value::Number(number) => wanted == number.to_string().as_str(),
        _ => false,
    }
}
