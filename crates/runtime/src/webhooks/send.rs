//! The sender: claims what is due, sends it through the guard, notes what came of it.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use showrunner_engine::at::{Millis, Timestamp};
use showrunner_journal::JournalError;
use showrunner_journal::query::deliveries::{Delivery, Try, Verdict};
use showrunner_journal::query::endpoints::Endpoint;
use showrunner_providers::egress::{Ask, Caps, EgressError, Excess, HeaderMap, HeaderValue, Reply};
use showrunner_providers::error::parse_retry_after;
use showrunner_providers::signing::Secret;

use super::policy::{Came, FAILING_MAX, Next, next};
use crate::Runtime;

/// Sent at once, over all endpoints.
const SENDING_MAX: u32 = 32;
/// Sent at once to one endpoint.
const SENDING_EACH: u32 = 4;
/// A claim lasts longer than sending and noting can take.
const LEASE: Millis = Millis(60_000);
/// What is due is looked for this often without being told to.
const LOOK_AT_LEAST: Millis = Millis(5_000);
/// Between two looks after the journal could not be asked.
const TROUBLE_PAUSE: Millis = Millis(1_000);
/// Receivers have so long (15 to 30 s by the standard); of their answer so much is kept.
const CAPS: Caps = Caps {
    time_max: Duration::from_secs(20),
    body_max: 1024,
    excess: Excess::Cut,
    redirects_max: 0,
};

impl Runtime {
    /// Sends until the server stops.
    pub(super) async fn send_due(self) {
        let sending = Arc::new(AtomicU32::new(0));
        while !self.is_stopping() {
            let room = SENDING_MAX.saturating_sub(sending.load(Ordering::Acquire));
            let until = match self.send_some(room, &sending).await {
                Ok(Some(next)) => next,
                Ok(None) => self.clock().now().plus(LOOK_AT_LEAST),
                Err(error) => {
                    tracing::warn!(%error, "webhooks that are due could not be read");
                    self.clock().now().plus(TROUBLE_PAUSE)
                },
            };
            tokio::select! {
                biased;
                () = self.stopping().cancelled() => return,
                () = self.webhooks().to_send.notified() => {},
                () = self.clock().sleep_until(until) => {},
            }
        }
    }

    /// Sends what is due and fits, and says when to look again.
    async fn send_some(
        &self,
        room: u32,
        sending: &Arc<AtomicU32>,
    ) -> Result<Option<Timestamp>, JournalError> {
        let now = self.clock().now();
        let latest = now.plus(LOOK_AT_LEAST);
        if room == 0 {
            return Ok(Some(latest)); // whoever is done says so
        }
        let claimed =
            self.journal().claim_deliveries(now, now.plus(LEASE), (room, SENDING_EACH)).await?;
        let is_full = claimed.len() >= room as usize;
        let nothing = claimed.is_empty();
        for (delivery, endpoint) in claimed {
            sending.fetch_add(1, Ordering::AcqRel);
            let (runtime, sending) = (self.clone(), Arc::clone(sending));
            self.spawn(async move {
                let id = delivery.new.id.clone();
                if let Err(error) = runtime.send_one(delivery, endpoint).await {
                    // Its claim runs out, and it is sent again.
                    tracing::warn!(delivery.id = %id, %error, "a webhook could not be noted");
                }
                sending.fetch_sub(1, Ordering::AcqRel);
                runtime.webhooks().to_send.notify_one();
            });
        }
        if is_full || !nothing {
            return Ok(Some(latest));
        }
        let next = self.journal().next_delivery_at().await?;
        // What is due and was not claimed waits for a place of its endpoint: that will be said.
        Ok(next.filter(|next| *next > now).map(|next| next.min(latest)))
    }

    async fn send_one(
        &self,
        delivery: Delivery,
        endpoint: Option<Endpoint>,
    ) -> Result<(), JournalError> {
        let (journal, id) = (self.journal(), delivery.new.id.as_str());
        let at = self.clock().now();
        let Some(endpoint) = endpoint else {
            return journal.give_up(id, "the endpoint was removed", at).await;
        };
        if !endpoint.is_enabled() {
            return journal.give_up(id, "the endpoint is disabled", at).await;
        }
        if let Some(until) = endpoint.held_until.filter(|until| *until > at) {
            return journal.put_off(id, until).await;
        }
        let ask = Ask {
            headers: headers(&delivery, &endpoint, at),
            ..Ask::post(endpoint.url.as_str(), delivery.new.body.clone().into(), CAPS)
        };
        let answer = self.providers().egress().fetch(ask).await;
        let now = self.clock().now();
        let no = delivery.attempts + 1;
        let next = next(came(&answer, now), no, now, self.clock().random());
        let tried = Try {
            no,
            at,
            status: answer.as_ref().ok().map(|reply| u32::from(reply.status)),
            duration_ms: now.millis_since(at).0,
            error: wrong(&answer, next.verdict),
            excerpt: answer.as_ref().ok().and_then(excerpt),
        };
        if let Some(until) = next.hold_until {
            // First: whoever sees the try noted may count on it.
            journal.hold_endpoint(&endpoint.id, until).await?;
        }
        journal.note_try(&delivery, &tried, next.verdict).await?;
        metrics::counter!("showrunner_webhook_deliveries_total", "outcome" => named(next.verdict))
            .increment(1);
        self.look_after(&endpoint, next, now).await
    }

    /// Leaves an endpoint alone for good that is gone or dead.
    async fn look_after(
        &self,
        endpoint: &Endpoint,
        next: Next,
        now: Timestamp,
    ) -> Result<(), JournalError> {
        let is_dead = next.verdict != Verdict::Delivered
            && endpoint.failing_since.is_some_and(|since| now.millis_since(since) > FAILING_MAX);
        let why = match (next.is_gone, is_dead) {
            (true, _) => "it answered 410 Gone",
            (false, true) => "nothing has arrived for five days",
            (false, false) => return Ok(()),
        };
        if self.journal().disable_endpoint(&endpoint.id, why, now).await? {
            tracing::warn!(endpoint.id = %endpoint.id, why, "a webhook endpoint was disabled");
            self.tell_disabled(endpoint, why).await?;
        }
        Ok(())
    }
}

/// The standard's headers and the source's, fresh for each try; the id stays.
fn headers(delivery: &Delivery, endpoint: &Endpoint, now: Timestamp) -> HeaderMap {
    let (id, body) = (delivery.new.message.as_str(), delivery.new.body.as_bytes());
    let seconds = now.0.div_euclid(1_000_000);
    let secrets: Vec<Secret> = endpoint.signing(now).into_iter().filter_map(Secret::read).collect();
    let signatures: Vec<String> =
        secrets.iter().map(|secret| secret.sign(id, seconds, body)).collect();
    let mut pairs = vec![
        ("content-type", "application/json".to_owned()),
        ("webhook-id", id.to_owned()),
        ("webhook-timestamp", seconds.to_string()),
        ("x-webhook-event", delivery.new.event.clone()),
    ];
    if let Some(newest) = secrets.first() {
        pairs.push(("webhook-signature", signatures.join(" ")));
        pairs.push(("x-webhook-signature", newest.sign_plainly(body)));
    }
    let pairs = pairs.into_iter().filter_map(|(name, value)| {
        // Ids, numbers and base64: always a header's text.
        Some((name.parse().ok()?, HeaderValue::from_str(&value).ok()?))
    });
    pairs.collect()
}

fn came(answer: &Result<Reply, EgressError>, now: Timestamp) -> Came {
    match answer {
        Ok(reply) => {
            let asked = reply.headers.get("retry-after").and_then(|value| value.to_str().ok());
            Came::Answer(reply.status, asked.and_then(|text| parse_retry_after(text, now)))
        },
        Err(EgressError::Refused(_)) => Came::Refused,
        Err(_) => Came::Nothing,
    }
}

fn wrong(answer: &Result<Reply, EgressError>, verdict: Verdict) -> Option<String> {
    match answer {
        Ok(_) if verdict == Verdict::Delivered => None,
        Ok(reply) => Some(format!("it answered {}", reply.status)),
        Err(error) => Some(error.to_string()),
    }
}

/// The beginning of an answer, as text.
fn excerpt(reply: &Reply) -> Option<String> {
    let text = String::from_utf8_lossy(&reply.body);
    let plain: String = text.chars().filter(|c| !c.is_control() || *c == '\n').collect();
    (!plain.is_empty()).then_some(plain)
}

fn named(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Delivered => "delivered",
        Verdict::Again(_) => "again",
        Verdict::GivenUp => "given_up",
    }
}
