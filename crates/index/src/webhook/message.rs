//! What is posted, and how it is signed: Standard Webhooks 1.0.0.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use jiff::Timestamp;
use serde_json::{Value, json};
use sha2::Sha256;
use store::DeliveryRow;

use crate::mirror::Secret;

/// One attempt to tell of an event.
pub(super) struct Message {
    /// The same for every attempt, so that a receiver can tell what it has heard before.
    pub(super) id: String,
    /// Of the attempt, in seconds: what is old may be somebody's repetition.
    pub(super) timestamp: i64,
    pub(super) body: String,
}

impl Message {
    pub(super) fn of(row: &DeliveryRow, now: Timestamp) -> Self {
        let event = &row.event.event;
        let detail: Value = serde_json::from_str(&event.detail).unwrap_or_default();
        let body = json!({
            "type": event.what,
            "timestamp": event.at.to_string(),
            "data": {
                "serial": row.event.serial,
                "who": event.who,
                "index": event.stage,
                "project": event.project.as_ref().map(ToString::to_string),
                "version": event.version,
                "file": event.file,
                "detail": detail,
            },
        });
        Self {
            id: format!("msg_{}", row.id),
            timestamp: now.as_second(),
            body: body.to_string(),
        }
    }

    /// `v1,` and the base64 of an HMAC-SHA256 over id, time and body.
    pub(super) fn signature(&self, secret: &Secret) -> String {
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&key(secret)).expect("HMAC takes a key of any length");
        mac.update(format!("{}.{}.", self.id, self.timestamp).as_bytes());
        mac.update(self.body.as_bytes());
        format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes()))
    }
}

/// A secret of the standard's form is the base64 of the key.
fn key(secret: &Secret) -> Vec<u8> {
    let text = secret.reveal();
    let decoded = text
        .strip_prefix("whsec_")
        .and_then(|encoded| STANDARD.decode(encoded).ok());
    decoded.unwrap_or_else(|| text.as_bytes().to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the standard's own libraries.
    #[test]
    fn the_signature_is_the_standards() {
        let message = Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            timestamp: 1_614_265_330,
            body: r#"{"test": 2432232314}"#.to_owned(),
        };
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        assert_eq!(
            message.signature(&secret),
            "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
        );
    }
}
