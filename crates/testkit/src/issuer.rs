//! A CI platform that vouches for its jobs: an OpenID Connect issuer with a key of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, EncodingKey, Header, encode};
use serde_json::{Value, json};

/// Made for tests and good for nothing else.
const KEY: &str = "MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg/n9k5C9skYJKzpjpaYfIy3SSk+UHH3vm9wWrx9w4EFihRANCAAT57BgzlIW1m2VduQAW7KLGibz/Z/yKLb2uFTZKyJqsbHxRESva2N/3NfrTWm3pIis8eJLTVYqt7ZOeIS4W0kvY";

/// In the year 2096.
const EXPIRES: u64 = 4_000_000_000;

/// An issuer on loopback.
#[derive(Debug)]
pub struct Issuer {
    url: String,
    tokens: AtomicU64,
}

impl Issuer {
    /// Publishes its key from now on.
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let address = listener.local_addr().expect("it listens");
        let url = format!("http://{address}");
        let own = url.clone();
        // It ends with the process: a test has one.
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut line = String::new();
                // Whoever leaves at once gets no answer.
                let _ = BufReader::new(&stream).read_line(&mut line);
                let body = document(&own, &line).to_string();
                let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n", body.len());
                let _ = write!(stream, "{head}Connection: close\r\n\r\n{body}");
            }
        });
        Self {
            url,
            tokens: AtomicU64::default(),
        }
    }

    /// As its tokens name it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// An ID token for a job with these claims.
    pub fn token(&self, audience: &str, claims: &[(&str, &str)]) -> String {
        let number = self.tokens.fetch_add(1, Ordering::SeqCst);
        let mut all = json!({
            "iss": self.url, "aud": audience, "exp": EXPIRES,
            "sub": "job", "jti": number.to_string(),
        });
        for (name, value) in claims {
            all[name] = Value::from(*value);
        }
        let mut header = Header::new(Algorithm::ES256);
        header.kid = Some("key".to_owned());
        encode(&header, &all, &key()).expect("the claims are JSON")
    }
}

fn key() -> EncodingKey {
    EncodingKey::from_ec_der(&STANDARD.decode(KEY).expect("the key is base64"))
}

fn document(url: &str, request: &str) -> Value {
    if request.contains("openid-configuration") {
        return json!({"issuer": url, "jwks_uri": format!("{url}/keys")});
    }
    let key = Jwk::from_encoding_key(&key(), Algorithm::ES256);
    let mut key = key.expect("it is a key of this algorithm");
    key.common.key_id = Some("key".to_owned());
    json!({"keys": [key]})
}
