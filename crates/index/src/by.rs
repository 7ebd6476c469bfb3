//! Who does something, and when: what the log of changes says of every change.

use jiff::Timestamp;
use serde_json::{Value, json};
use store::Event;

use crate::Caller;

/// Who does something, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct By {
    /// A user; `None` for somebody who did not say.
    pub who: Option<String>,
    /// What the token is called that they came with, if it has a name.
    pub token: Option<String>,
    /// Now.
    pub at: Timestamp,
}

/// Where an event tells of the token.
const TOKEN: &str = "by-token";

impl By {
    /// Whoever asks, now.
    pub fn new(caller: &Caller, at: Timestamp) -> Self {
        Self {
            who: caller.user().map(ToString::to_string),
            token: caller.token_name().map(str::to_owned),
            at,
        }
    }

    /// Nobody who is known, now.
    pub fn nobody(at: Timestamp) -> Self {
        Self::new(&Caller::anonymous(), at)
    }

    /// An event of theirs, with whatever else there is to say of it: a JSON object.
    pub(crate) fn event(&self, what: &str, mut detail: Value) -> Event {
        if let Some(token) = &self.token {
            detail[TOKEN] = json!(token);
        }
        Event {
            who: self.who.clone(),
            detail: detail.to_string(),
            ..Event::new(self.at, what)
        }
    }
}
