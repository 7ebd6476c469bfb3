//! Against an issuer of our own, with keys of its own, on loopback.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{EncodingKey, Header, encode};
use serde_json::json;
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;

use super::*;

/// Made for these tests and good for nothing else.
const KEYS: [&str; 2] = [
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/n9k5C9skYJKzpjpaYfIy3SSk+UHH3vm9wWrx9w4EFihRANCAAT57BgzlIW1m2VduQAW7KLGibz/Z/yKLb2uFTZKyJqsbHxRESva2N/3NfrTWm3pIis8eJLTVYqt7ZOeIS4W0kvY",
    "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgJRtxG/rkQvCjvw3xZnIdKUg3Zq6mQUp7y60jjklS8KyhRANCAASpsPy/3tqmLoGgSAJibhggTzBumv5pup2lpDxbSrjXxig2vKCzBS1YqJhaPK+QxQODWe11Ntk9HfrvSDcADMah",
];

fn key(number: usize) -> EncodingKey {
    EncodingKey::from_ec_der(&STANDARD.decode(KEYS[number]).unwrap())
}

/// Index, project and claims of a publisher.
type Written = (
    &'static str,
    Option<&'static str>,
    &'static [(&'static str, &'static str)],
);

struct Issuer {
    url: Url,
    /// Which keys it publishes.
    keys: Arc<Mutex<Vec<usize>>>,
    asked: Arc<AtomicUsize>,
}

impl Issuer {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url: Url = format!("http://{}", listener.local_addr().unwrap())
            .parse()
            .unwrap();
        let (keys, asked) = (Arc::new(Mutex::new(vec![0])), Arc::new(AtomicUsize::new(0)));
        let (served, counted, own) = (keys.clone(), asked.clone(), url.clone());
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let mut stream = BufReader::new(stream);
                let mut line = String::new();
                stream.read_line(&mut line).await.unwrap();
                counted.fetch_add(1, Ordering::SeqCst);
                let body = if line.contains("openid-configuration") {
                    json!({"issuer": own.as_str().trim_end_matches('/'), "jwks_uri": format!("{own}keys")})
                } else {
                    json!({"keys": served.lock().unwrap().iter().map(|n| jwk(*n)).collect::<Vec<_>>()})
                };
                let body = body.to_string();
                let head = format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                    body.len()
                );
                stream.write_all((head + &body).as_bytes()).await.unwrap();
            }
        });
        Self { url, keys, asked }
    }

    fn publishers(&self, all: &[Written]) -> Publishers {
        let all = all.iter().map(|(index, project, claims)| Publisher {
            issuer: self.url.clone(),
            index: index.parse().unwrap(),
            project: project.map(|name| name.parse().unwrap()),
            claims: claims
                .iter()
                .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
                .collect(),
        });
        Publishers::new("pilothouse".to_owned(), all.collect()).unwrap()
    }

    /// A good token, changed by `change`, signed with one of the keys.
    fn token(&self, number: usize, change: impl FnOnce(&mut Value)) -> String {
        let mut claims = json!({
            "iss": self.url.as_str().trim_end_matches('/'), "aud": "pilothouse", "sub": "repo:corp/foo",
            "repository": "corp/foo", "protected": true, "exp": now().as_second() + 300,
        });
        change(&mut claims);
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some(format!("key-{number}"));
        encode(&header, &claims, &key(number)).unwrap()
    }
}

fn jwk(number: usize) -> Jwk {
    let mut jwk = Jwk::from_encoding_key(&key(number), Algorithm::ES256).unwrap();
    jwk.common.key_id = Some(format!("key-{number}"));
    jwk
}

fn now() -> Timestamp {
    Timestamp::from_second(1_800_000_000).unwrap()
}

const FOO: &[Written] = &[(
    "corp/prod",
    Some("foo"),
    &[("repository", "corp/foo"), ("protected", "true")],
)];

#[tokio::test]
async fn a_job_whose_claims_fit_may_upload() {
    let issuer = Issuer::start().await;
    let publishers = issuer.publishers(FOO);
    let grant = publishers
        .grant(&issuer.token(0, |_| {}), now())
        .await
        .unwrap();
    let want = Grant {
        index: "corp/prod".parse().unwrap(),
        project: Some("foo".parse().unwrap()),
        subject: "repo:corp/foo".to_owned(),
    };
    assert_eq!(grant, want);
    publishers
        .grant(&issuer.token(0, |_| {}), now())
        .await
        .unwrap();
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 2, "its keys are kept");
}

#[tokio::test]
async fn every_other_token_is_refused_in_words() {
    let issuer = Issuer::start().await;
    let publishers = issuer.publishers(FOO);
    let second = now().as_second();
    let forged = {
        let good = issuer.token(0, |_| {});
        let other = issuer.token(0, |claims| claims["repository"] = json!("evil/foo"));
        let (body, signature) = (
            other.split('.').nth(1).unwrap(),
            good.rsplit('.').next().unwrap(),
        );
        format!("{}.{body}.{signature}", good.split('.').next().unwrap())
    };
    let none = format!("eyJhbGciOiJub25lIn0.{}.", forged.split('.').nth(1).unwrap());
    let shared_secret = encode(
        &Header::new(Algorithm::HS256),
        &json!({"iss": issuer.url.as_str(), "aud": "pilothouse", "exp": second + 9}),
        &EncodingKey::from_secret(b"x"),
    );
    for (token, why) in [
        (String::new(), "the ID token is malformed"),
        ("a.b.c".to_owned(), "the ID token is malformed"),
        ("x".repeat(LONGEST_TOKEN + 1), "far too long"),
        (forged, "the ID token is not valid: InvalidSignature"),
        (none, "the ID token is malformed"),
        (
            shared_secret.unwrap(),
            "signed with HS256, which is not accepted",
        ),
        (
            issuer.token(0, |c| c["iss"] = json!("https://evil.example")),
            "no publisher here trusts the issuer `https://evil.example`",
        ),
        (
            issuer.token(0, |c| c["aud"] = json!("somebody")),
            "not valid: InvalidAudience",
        ),
        (
            issuer.token(0, |c| c["exp"] = json!(second - 61)),
            "it has expired",
        ),
        (
            issuer.token(0, |c| c["exp"] = json!(null)),
            "does not say when it expires",
        ),
        (
            issuer.token(0, |c| c["nbf"] = json!(second + 61)),
            "it is not valid yet",
        ),
        (
            issuer.token(0, |c| c["repository"] = json!("corp/other")),
            "fits its claims: protected = true, repository = \"corp/other\"",
        ),
        (
            issuer.token(0, |c| c["protected"] = json!(false)),
            "protected = false",
        ),
    ] {
        let refused = publishers
            .grant(&token, now())
            .await
            .unwrap_err()
            .to_string();
        assert!(refused.contains(why), "{refused}, not {why}");
    }
    let nobody = Publishers::new("pilothouse".to_owned(), Vec::new()).unwrap();
    let refused = nobody.grant("a.b.c", now()).await.unwrap_err();
    assert!(matches!(refused, Refused::NotSetUp));
}

#[tokio::test]
async fn a_new_key_is_fetched_but_not_for_every_token_that_names_one() {
    let issuer = Issuer::start().await;
    let publishers = issuer.publishers(FOO);
    publishers
        .grant(&issuer.token(0, |_| {}), now())
        .await
        .unwrap();
    issuer.keys.lock().unwrap().push(1);
    let token = issuer.token(1, |_| {});
    for _ in 0..3 {
        publishers.grant(&token, now()).await.unwrap_err();
    }
    assert_eq!(
        issuer.asked.load(Ordering::SeqCst),
        2,
        "asked less than a minute ago"
    );
    publishers
        .grant(&token, now() + SignedDuration::from_mins(1))
        .await
        .unwrap();
    assert_eq!(issuer.asked.load(Ordering::SeqCst), 4);
}

#[tokio::test]
async fn two_publishers_that_fit_must_mean_the_same() {
    let issuer = Issuer::start().await;
    let token = issuer.token(0, |_| {});
    let both = [
        FOO[0],
        (
            "corp/prod",
            Some("bar"),
            &[("repository", "corp/foo")] as &[_],
        ),
    ];
    let refused = issuer
        .publishers(&both)
        .grant(&token, now())
        .await
        .unwrap_err();
    assert!(matches!(refused, Refused::Ambiguous));
    let same = [
        FOO[0],
        (
            "corp/prod",
            Some("foo"),
            &[("repository", "corp/foo")] as &[_],
        ),
    ];
    issuer.publishers(&same).grant(&token, now()).await.unwrap();
}

#[tokio::test]
async fn an_issuer_that_does_not_answer_is_named() {
    let issuer = Issuer::start().await;
    let mut publishers = issuer.publishers(FOO);
    let silent: Url = "http://127.0.0.1:9/".parse().unwrap();
    publishers.all[0].issuer = silent.clone();
    let token = issuer.token(0, |claims| claims["iss"] = json!(silent.as_str()));
    let refused = publishers
        .grant(&token, now())
        .await
        .unwrap_err()
        .to_string();
    assert!(
        refused.starts_with("the keys of `http://127.0.0.1:9/` cannot be fetched"),
        "{refused}"
    );
}
