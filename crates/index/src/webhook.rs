//! Webhooks: what happened is told to URLs that the operator names.
//!
//! What is told, how it is signed and how often it is tried is that of Standard
//! Webhooks (<https://www.standardwebhooks.com>), so that receivers need nothing of
//! ours. An event and its delivery are rows: a receiver that is down hears of it
//! later, also after a restart, and each time under the same id.

mod message;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use jiff::{SignedDuration, Timestamp};
use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use store::{Db, DeliveryRow};
use url::Url;

use crate::mirror::Secret;
use crate::{Error, IndexName, Stats};
use message::Message;

/// What can be told, in the words of the log of changes.
pub const EVENTS: [&str; 11] = [
    "upload",
    "push",
    "register",
    "yank",
    "unyank",
    "remove-file",
    "remove-release",
    "remove-project",
    "index-create",
    "index-modify",
    "index-delete",
];

/// How long after a failure a delivery is tried again; after the last it is given up.
const PAUSES: [SignedDuration; 9] = [
    SignedDuration::from_secs(1),
    SignedDuration::from_secs(5),
    SignedDuration::from_secs(30),
    SignedDuration::from_mins(5),
    SignedDuration::from_mins(30),
    SignedDuration::from_hours(2),
    SignedDuration::from_hours(5),
    SignedDuration::from_hours(10),
    SignedDuration::from_hours(14),
];

/// How often it is looked whether something is to be told.
const EVERY: Duration = Duration::from_millis(500);

/// A receiver should answer first and work later.
const PATIENCE: Duration = Duration::from_secs(15);

/// Deliveries that are taken at a time.
const BATCH: u32 = 100;

/// Whom to tell, and of what.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Webhook {
    /// Where it is posted.
    pub url: Url,
    /// What the receiver knows it by. `whsec_` and base64, or any text.
    pub secret: Option<Secret>,
    /// Of this index alone.
    pub index: Option<IndexName>,
    /// Of these [`EVENTS`].
    pub events: Vec<String>,
}

/// All webhooks of this server.
pub struct Webhooks {
    db: Db,
    all: BTreeMap<String, Webhook>,
    client: reqwest::Client,
    stats: Arc<Stats>,
    /// Up to which event deliveries were queued.
    seen: AtomicU64,
}

/// What came of a delivery.
enum Outcome {
    Arrived,
    /// The receiver wants no more of them.
    Gone,
    Failed {
        why: String,
        after: Option<SignedDuration>,
    },
}

impl Webhooks {
    /// Begins to take note of what happens for these, and forgets those that are not set up any more.
    pub async fn open(
        db: Db,
        webhooks: Vec<Webhook>,
        stats: Arc<Stats>,
        now: Timestamp,
    ) -> Result<Arc<Self>, Error> {
        let all: BTreeMap<String, Webhook> = webhooks
            .into_iter()
            .map(|webhook| (webhook.url.to_string(), webhook))
            .collect();
        for url in db.hooks().await? {
            if !all.contains_key(&url) {
                db.forget_hook(&url).await?;
            }
        }
        let client = reqwest::Client::builder()
            .timeout(PATIENCE)
            .redirect(reqwest::redirect::Policy::none())
            .user_agent(concat!("pilothouse/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|error| Error::BadRequest {
                why: error.to_string(),
            })?;
        let webhooks = Arc::new(Self {
            db,
            all,
            client,
            stats,
            seen: AtomicU64::default(),
        });
        webhooks.queue(now).await?;
        Ok(webhooks)
    }

    /// Tells what happens until the future is dropped; run it in the background.
    pub async fn keep(self: Arc<Self>) {
        if self.all.is_empty() {
            return;
        }
        let mut tick = tokio::time::interval(EVERY);
        loop {
            tick.tick().await;
            if let Err(error) = self.run().await {
                tracing::warn!(%error, "webhooks could not be told of what happened");
            }
        }
    }

    async fn run(&self) -> Result<(), Error> {
        self.queue(Timestamp::now()).await?;
        let due = self.db.due_deliveries(Timestamp::now(), BATCH).await?;
        let mut each: BTreeMap<String, Vec<DeliveryRow>> = BTreeMap::new();
        for row in due {
            each.entry(row.url.clone()).or_default().push(row);
        }
        // A receiver that is slow keeps no other waiting.
        let told = join_all(each.iter().map(|(url, rows)| self.tell(url, rows))).await;
        told.into_iter().collect()
    }

    /// Notes what is to be told, if anything happened since.
    async fn queue(&self, now: Timestamp) -> Result<(), Error> {
        let last = self.db.last_serial().await?;
        if last > 0 && self.seen.load(Ordering::Relaxed) == last {
            return Ok(());
        }
        for (url, webhook) in &self.all {
            let words: Vec<&str> = webhook.events.iter().map(String::as_str).collect();
            self.db.queue_deliveries(url, &words, now).await?;
        }
        self.seen.store(last, Ordering::Relaxed);
        Ok(())
    }

    /// Tells one receiver what is due, in order, until it fails.
    async fn tell(&self, url: &str, rows: &[DeliveryRow]) -> Result<(), Error> {
        for row in rows {
            let Some(webhook) = self.all.get(url) else {
                self.db.end_delivery(row.id).await?;
                continue;
            };
            let index = webhook.index.as_ref().map(IndexName::as_str);
            if index.is_some() && index != row.event.event.stage.as_deref() {
                self.db.end_delivery(row.id).await?;
                continue;
            }
            match self.deliver(webhook, row).await {
                Outcome::Arrived => {
                    self.stats.webhooks_delivered.add(1);
                    self.db.end_delivery(row.id).await?;
                }
                Outcome::Gone => {
                    let to = place(&webhook.url);
                    tracing::warn!(to, "the receiver of a webhook is gone and missed an event");
                    self.db.end_delivery(row.id).await?;
                }
                Outcome::Failed { why, after } => {
                    self.stats.webhooks_failed.add(1);
                    return self.failed(webhook, row, &why, after).await;
                }
            }
        }
        Ok(())
    }

    async fn deliver(&self, webhook: &Webhook, row: &DeliveryRow) -> Outcome {
        let message = Message::of(row, Timestamp::now());
        let mut request = self
            .client
            .post(webhook.url.clone())
            .header(CONTENT_TYPE, "application/json")
            .header("webhook-id", &message.id)
            .header("webhook-timestamp", message.timestamp);
        if let Some(secret) = &webhook.secret {
            request = request.header("webhook-signature", message.signature(secret));
        }
        let response = match request.body(message.body).send().await {
            Ok(response) => response,
            Err(error) => {
                return Outcome::Failed {
                    why: error.without_url().to_string(),
                    after: None,
                };
            }
        };
        let status = response.status();
        if status.is_success() {
            return Outcome::Arrived;
        }
        if status == StatusCode::GONE {
            return Outcome::Gone;
        }
        let after = response.headers().get(RETRY_AFTER);
        let after = after.and_then(|after| after.to_str().ok()?.parse().ok());
        Outcome::Failed {
            why: format!("it answered {status}"),
            after: after.map(SignedDuration::from_secs),
        }
    }

    async fn failed(
        &self,
        webhook: &Webhook,
        row: &DeliveryRow,
        why: &str,
        after: Option<SignedDuration>,
    ) -> Result<(), Error> {
        let to = place(&webhook.url);
        let Some(pause) = PAUSES.get(row.attempts as usize) else {
            let times = row.attempts + 1;
            tracing::error!(
                to,
                "a webhook was told of an event {times} times in vain, and is told no more of it: {why}"
            );
            return Ok(self.db.end_delivery(row.id).await?);
        };
        // A receiver may ask for more time, but not for ever.
        let longest = PAUSES[PAUSES.len() - 1];
        let pause = after.map_or(*pause, |after| after.clamp(*pause, longest));
        tracing::warn!(to, "a webhook could not be told of an event: {why}");
        let next = Timestamp::now() + pause;
        Ok(self.db.delivery_failed(row.id, why, next).await?)
    }
}

/// Where a URL leads, for the log: its path and query are often a secret.
fn place(url: &Url) -> String {
    url.origin().ascii_serialization()
}
