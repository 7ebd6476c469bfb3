//! What the file says about webhooks.

use std::path::Path;

use index::IndexName;
use index::webhook::{EVENTS, Webhook};
use url::Url;

use super::reader::Table;
use super::secret::secret;
use super::{Environment, Setting};

pub(super) const KEYS: &[&str] = &[
    "url",
    "secret",
    "secret-env",
    "secret-file",
    "index",
    "events",
];

pub(super) fn read(root: &Table, directory: &Path, environment: &Environment) -> Vec<Webhook> {
    let mut all: Vec<Webhook> = Vec::new();
    root.named_tables("webhook", KEYS, |_, table| {
        let Some(webhook) = webhook(table, directory, environment) else {
            return;
        };
        if all.iter().any(|other| other.url == webhook.url) {
            let what = "another webhook has this URL: give each its own, with a query if need be";
            table.fault("url", what.to_owned());
        }
        all.push(webhook);
    });
    all
}

fn webhook(table: &Table, directory: &Path, environment: &Environment) -> Option<Webhook> {
    if !table.has("url") {
        table.fault("", "needs a `url` to post to".to_owned());
    }
    let url = table.text("url", url);
    let keys = ["secret", "secret-env", "secret-file"];
    let secret = secret(table, keys, directory, environment);
    let index = table.text("index", str::parse::<IndexName>);
    let events = table.texts("events", event);
    Some(Webhook {
        url: url?.value,
        secret: secret.ok()?.map(|setting| setting.value),
        index: index.map(|setting| setting.value),
        events: events.map_or_else(default, |setting: Setting<Vec<String>>| setting.value),
    })
}

/// What most receivers wait for.
fn default() -> Vec<String> {
    ["upload", "push"].map(str::to_owned).to_vec()
}

fn url(text: &str) -> Result<Url, String> {
    match text.parse::<Url>() {
        Ok(url) if matches!(url.scheme(), "https" | "http") && url.has_host() => Ok(url),
        _ => Err(format!("`{text}` is not an https or http URL")),
    }
}

fn event(text: &str) -> Result<String, String> {
    if EVENTS.contains(&text) {
        return Ok(text.to_owned());
    }
    Err(format!(
        "`{text}` is no event: there are {}",
        EVENTS.join(", ")
    ))
}
