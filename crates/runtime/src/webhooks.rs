//! Webhooks out. One task follows the journal and makes a delivery for every endpoint that wants
//! what happened ([`follow`]); another sends what is due ([`send`]). Between them stands the
//! outbox: whichever dies, the next start goes on, and a message is sent at least once, always
//! under the same id.
//!
//! Standard Webhooks 1.0.0, and the sources' `X-Webhook-Signature`; see `providers/signing.rs`.

mod follow;
mod message;
mod policy;
mod send;

use std::sync::OnceLock;

use serde_json::json;
use showrunner_engine::at::{Millis, Timestamp};
use showrunner_engine::id::{OrgId, RunId, sortable};
use showrunner_journal::JournalError;
use showrunner_journal::query::deliveries::{Delivery, NewDelivery};
use showrunner_journal::query::endpoints::Endpoint;
use showrunner_journal::query::follow::Reached;
use tokio::sync::{Mutex, Notify};

use crate::Runtime;

pub use message::{EVENT_TYPES, RUN_ENDINGS};
pub use policy::RETRY_PAUSES;

/// Deliveries that are over are remembered for so long.
const REMEMBERED: Millis = Millis::from_secs(30 * 24 * 60 * 60);
/// So long after a run is over it is remembered where it was told about.
const RUN_REMEMBERED: Millis = Millis::from_secs(24 * 60 * 60);
/// How often what is too old is forgotten.
const TIDY_EVERY: Millis = Millis::from_secs(60 * 60);

/// What the two tasks share.
#[derive(Debug, Default)]
pub(crate) struct Webhooks {
    /// Where people reach this server, without a slash at the end.
    base_url: OnceLock<String>,
    /// How far the journal was followed; one follows at a time.
    reached: Mutex<Option<Reached>>,
    /// Something new is to be sent, or a place is free again.
    to_send: Notify,
    /// There is somebody new who wants to be told.
    to_follow: Notify,
}

impl Runtime {
    /// Begins to send webhooks. `base_url` is where people reach this server.
    pub fn start_webhooks(&self, base_url: &str) {
        let base = base_url.trim_end_matches('/').to_owned();
        if self.webhooks().base_url.set(base).is_err() {
            return; // begun already
        }
        self.spawn(self.clone().follow_journal());
        self.spawn(self.clone().send_due());
        self.spawn(self.clone().tidy_webhooks());
        let runtime = self.clone();
        self.spawn(async move {
            if let Err(error) = runtime.take_all_kept().await {
                tracing::warn!(%error, "callbacks that were kept could not be read");
            }
        });
    }

    /// There is a new endpoint, or one that was changed.
    pub fn endpoints_changed(&self) {
        self.webhooks().to_follow.notify_one();
        self.webhooks().to_send.notify_one();
    }

    /// Queues a message that says nothing but that messages arrive.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn send_test(&self, endpoint: &Endpoint) -> Result<NewDelivery, JournalError> {
        let now = self.clock().now();
        let message = format!("msg_test_{}", self.fresh());
        let data = json!({ "seq": 0, "endpoint": endpoint.id });
        let delivery = NewDelivery {
            id: self.fresh_delivery(),
            org: endpoint.org.clone(),
            endpoint: endpoint.id.clone(),
            message,
            event: "webhook.test".into(),
            run_id: None,
            seq: 0,
            body: message::body("webhook.test", now, &data),
            created_at: now,
        };
        self.queue(std::slice::from_ref(&delivery)).await?;
        Ok(delivery)
    }

    /// Sends a message again, as a delivery of its own under the message's old id.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn resend(&self, delivery: &Delivery) -> Result<NewDelivery, JournalError> {
        let again = NewDelivery {
            id: self.fresh_delivery(),
            created_at: self.clock().now(),
            ..delivery.new.clone()
        };
        self.queue(std::slice::from_ref(&again)).await?;
        Ok(again)
    }

    /// Tells an organisation's other endpoints that one was disabled.
    async fn tell_disabled(&self, endpoint: &Endpoint, why: &str) -> Result<(), JournalError> {
        const EVENT: &str = "webhook.disabled";
        let now = self.clock().now();
        let data = json!({
            "seq": 0, "endpoint": endpoint.id, "description": endpoint.description, "reason": why,
        });
        let (body, message) = (message::body(EVENT, now, &data), format!("msg_{}", self.fresh()));
        let (others, _) = self.journal().endpoints_enabled().await?;
        let wanting = others.iter().filter(|other| {
            other.org == endpoint.org
                && other.id != endpoint.id
                && other.wants(EVENT, &RunId::from(""))
        });
        let deliveries: Vec<NewDelivery> = wanting
            .map(|other| NewDelivery {
                id: delivery_id(&other.id, &message),
                org: other.org.clone(),
                endpoint: other.id.clone(),
                message: message.clone(),
                event: EVENT.into(),
                run_id: None,
                seq: 0,
                body: body.clone(),
                created_at: now,
            })
            .collect();
        self.queue(&deliveries).await
    }

    async fn queue(&self, deliveries: &[NewDelivery]) -> Result<(), JournalError> {
        self.journal().queue_deliveries(deliveries, None).await?;
        self.webhooks().to_send.notify_one();
        Ok(())
    }

    /// Forgets what is too old, from time to time.
    async fn tidy_webhooks(self) {
        loop {
            let now = self.clock().now();
            let before = earlier(now, REMEMBERED);
            let journal = self.journal();
            let forgot = async {
                journal.forget_deliveries(before).await?;
                // What runs that are over have to say is queued before their endpoints go.
                self.catch_up().await?;
                journal.forget_run_endpoints(earlier(now, RUN_REMEMBERED)).await?;
                journal.forget_receipts(before).await
            };
            if let Err(error) = forgot.await {
                tracing::warn!(%error, "old webhook deliveries could not be forgotten");
            }
            tokio::select! {
                biased;
                () = self.stopping().cancelled() => return,
                () = self.clock().sleep(TIDY_EVERY) => {},
            }
        }
    }

    fn fresh(&self) -> String {
        let clock = self.clock();
        sortable(clock.now(), [clock.random(), clock.random()])
    }

    fn fresh_delivery(&self) -> String {
        format!("dlv_{}", self.fresh())
    }
}

/// The delivery of a message to an endpoint: the same each time it is made.
fn delivery_id(endpoint: &str, message: &str) -> String {
    let digest = showrunner_engine::id::Digest::of(format!("{endpoint}/{message}").as_bytes());
    format!("dlv_{}", digest.as_str().get(..26).unwrap_or_default())
}

fn earlier(now: Timestamp, span: Millis) -> Timestamp {
    let micros = i64::try_from(span.0).unwrap_or(i64::MAX).saturating_mul(1000);
    Timestamp(now.0.saturating_sub(micros))
}

/// Where one run's ending is told, beside the organisation's endpoints.
#[derive(Clone)]
pub struct RunCallback {
    /// Where to. Its query is sent as it stands.
    pub url: String,
    /// What is signed with; nothing is when absent.
    pub secret: Option<String>,
    /// Types of messages; [`RUN_ENDINGS`] when empty.
    pub events: Vec<String>,
}

impl std::fmt::Debug for RunCallback {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RunCallback").field("events", &self.events).finish_non_exhaustive()
    }
}

impl Runtime {
    /// Notes where a run is told about, before it is started: what happens to it from its first
    /// event on is told there.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn call_back(
        &self,
        run: &RunId,
        (org, by): (&OrgId, &str),
        callback: RunCallback,
    ) -> Result<(), JournalError> {
        let RunCallback { url, secret, mut events } = callback;
        if events.is_empty() {
            events = RUN_ENDINGS.map(str::to_owned).to_vec();
        }
        let now = self.clock().now();
        let endpoint = Endpoint {
            id: run_endpoint(run),
            org: org.clone(),
            url,
            description: format!("callback of {run}"),
            events,
            run_id: Some(run.clone()),
            secret,
            secret_before: None,
            disabled_why: None,
            failing_since: None,
            held_until: None,
            created_at: now,
            created_by: by.to_owned(),
            updated_at: now,
        };
        self.journal().put_endpoint(&endpoint).await?;
        self.endpoints_changed();
        Ok(())
    }

    /// The run was not started after all.
    ///
    /// # Errors
    /// The journal cannot be written.
    pub async fn forget_call_back(&self, run: &RunId, org: &OrgId) -> Result<(), JournalError> {
        self.journal().remove_endpoint(org, &run_endpoint(run)).await.map(drop)
    }
}

fn run_endpoint(run: &RunId) -> String {
    format!("whe_{run}")
}
