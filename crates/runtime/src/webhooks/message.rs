//! What is said about an event: its type by the names that the outside uses, and thin data, with
//! the address where the rest is. Names and size by Standard Webhooks 1.0.0 (dotted types, bodies
//! under 20 kB).

use serde_json::{Map, Value, json};
use showrunner_engine::at::Timestamp;
use showrunner_engine::event::{Asset, Event};
use showrunner_engine::failure::Failure;
use showrunner_journal::query::follow::Followed;

/// Every type of message, as endpoints can ask for it.
pub const EVENT_TYPES: [&str; 17] = [
    "run.started",
    "run.progressed",
    "run.delivered",
    "run.completed",
    "run.failed",
    "run.canceled",
    "run.paused",
    "run.resumed",
    "run.reopened",
    "step.failed",
    "step.in_doubt",
    "approval.requested",
    "approval.escalated",
    "approval.decided",
    "artifact.created",
    "webhook.test",
    "webhook.disabled",
];

/// What a run's own callback is told where it does not say otherwise: that the run is over.
pub const RUN_ENDINGS: [&str; 3] = ["run.completed", "run.failed", "run.canceled"];

/// What the journal calls that which messages are made of, to find it by.
pub(super) const NAMED: [&str; 15] = [
    "run.started",
    "run.phase_entered",
    "run.delivered",
    "run.completed",
    "run.failed",
    "run.cancelled",
    "run.paused",
    "run.resumed",
    "run.reopened",
    "step.failed",
    "attempt.in_doubt",
    "checkpoint.opened",
    "checkpoint.escalated",
    "checkpoint.answered",
    "assets",
];

/// Characters of a text that somebody wrote.
const TEXT_MAX: usize = 1_000;

/// A message, before it is known to whom it goes.
#[derive(Clone, Debug)]
pub(super) struct Message {
    /// Its id.
    pub(super) id: String,
    /// Its type.
    pub(super) event: &'static str,
    /// The number of the event it is about.
    pub(super) seq: u64,
    /// JSON text.
    pub(super) body: String,
}

/// The body that is signed and sent.
pub(super) fn body(event: &str, at: Timestamp, data: &Value) -> String {
    json!({ "type": event, "timestamp": at.to_rfc3339(), "data": data }).to_string()
}

/// What an append has to say.
pub(super) fn messages(followed: &Followed, events: &[Event], base_url: &str) -> Vec<Message> {
    let numbered = (followed.batch.seq_first..).zip(events);
    let mut found = Vec::new();
    for (seq, event) in numbered {
        for (no, (event, own)) in told(event, base_url).into_iter().enumerate() {
            let run = followed.run_id.as_str();
            let name = run.strip_prefix("run_").unwrap_or(run).replace('.', "-");
            // The first is the event's own; a step that made several files says so one by one.
            let id = if no == 0 {
                format!("msg_{name}_{seq}")
            } else {
                format!("msg_{name}_{seq}_{no}")
            };
            let mut data = Map::new();
            data.insert("seq".into(), seq.into());
            data.insert("run_id".into(), run.into());
            data.insert("run_url".into(), format!("{base_url}/runs/{run}").into());
            data.insert("api_url".into(), format!("{base_url}/api/v1/runs/{run}").into());
            data.insert("definition".into(), followed.slug.as_str().into());
            data.insert("version".into(), followed.version.into());
            data.insert("title".into(), cut(followed.title.as_deref().unwrap_or_default()).into());
            data.insert("simulated".into(), followed.is_simulated.into());
            data.extend(own);
            let body = body(event, followed.batch.at, &Value::Object(data));
            found.push(Message { id, event, seq, body });
        }
    }
    found
}

type Own = Map<String, Value>;

fn own(value: Value) -> Own {
    match value {
        Value::Object(own) => own,
        _ => Own::new(),
    }
}

/// The type of message that an event makes, and what it adds to the data.
fn told(event: &Event, base_url: &str) -> Vec<(&'static str, Own)> {
    let one = |event: &'static str, value: Value| vec![(event, own(value))];
    match event {
        Event::RunStarted(started) => one("run.started", json!({ "by": started.started_by })),
        Event::PhaseEntered { phase } => one("run.progressed", json!({ "phase": phase })),
        Event::RunDelivered { .. } => one("run.delivered", json!({})),
        Event::RunCompleted { .. } => one("run.completed", json!({ "status": "completed" })),
        Event::RunFailed { failure } => {
            one("run.failed", json!({ "status": "failed", "error": error(failure) }))
        },
        Event::RunCancelled { reason, by } => one(
            "run.canceled",
            json!({ "status": "cancelled", "reason": reason.as_deref().map(cut), "by": by }),
        ),
        Event::RunPaused { by } => one("run.paused", json!({ "by": by })),
        Event::RunResumed { by } => one("run.resumed", json!({ "by": by })),
        Event::RunReopened { by, .. } => one("run.reopened", json!({ "by": by })),
        Event::StepFailed { step, failure } => {
            one("step.failed", json!({ "step": step, "error": error(failure) }))
        },
        Event::AttemptInDoubt { step, message, .. } => {
            one("step.in_doubt", json!({ "step": step, "message": cut(message) }))
        },
        Event::CheckpointOpened { .. }
        | Event::CheckpointEscalated { .. }
        | Event::CheckpointAnswered { decides: true, .. } => told_of_approval(event),
        Event::StepSucceeded { step, assets, .. } => assets
            .iter()
            .map(|asset| {
                let data = json!({ "step": step, "asset": described(asset, base_url) });
                ("artifact.created", own(data))
            })
            .collect(),
        Event::CheckpointAnswered { .. }
        | Event::RunClosing { .. }
        | Event::RunRolledBack { .. }
        | Event::ParentNotified
        | Event::StepStarted { .. }
        | Event::ReservationRaised { .. }
        | Event::CallDispatched { .. }
        | Event::CallRecorded { .. }
        | Event::ProviderChosen { .. }
        | Event::JobAccepted { .. }
        | Event::JobGivenUp { .. }
        | Event::AttemptProgressed { .. }
        | Event::AttemptTimedOut { .. }
        | Event::DoubtResolved { .. }
        | Event::AttemptFailed { .. }
        | Event::AttemptAbandoned { .. }
        | Event::AttemptSettled { .. }
        | Event::StepWaiting { .. }
        | Event::StepFellBack { .. }
        | Event::StepSkipped { .. }
        | Event::StepCancelled { .. }
        | Event::StepsReset { .. }
        | Event::GateDecided { .. }
        | Event::IterationStarted { .. }
        | Event::IterationFinished { .. }
        | Event::ItemsExpanded { .. }
        | Event::ItemStarted { .. }
        | Event::ItemFinished { .. }
        | Event::CallbackReceived { .. } => Vec::new(),
    }
}

/// What is said about a question to a person.
fn told_of_approval(event: &Event) -> Vec<(&'static str, Own)> {
    let one = |event: &'static str, value: Value| vec![(event, own(value))];
    match event {
        Event::CheckpointOpened { step, question, question_ja, digest, until, .. } => one(
            "approval.requested",
            json!({
                "step": step,
                "question": cut(question),
                "question_ja": question_ja.as_deref().map(cut),
                "digest": digest,
                "until": until.map(Timestamp::to_rfc3339),
            }),
        ),
        Event::CheckpointEscalated { step, to, until } => one(
            "approval.escalated",
            json!({ "step": step, "to": to, "until": until.map(Timestamp::to_rfc3339) }),
        ),
        Event::CheckpointAnswered { step, answer, .. } => one(
            "approval.decided",
            json!({
                "step": step,
                "decision": answer.verb.name(),
                "by": answer.by,
                "comment": answer.comment.as_deref().map(cut),
            }),
        ),
        _ => Vec::new(),
    }
}

fn error(failure: &Failure) -> Value {
    json!({
        "class": failure.class.name(), "code": failure.code, "message": cut(&failure.message),
    })
}

fn described(asset: &Asset, base_url: &str) -> Value {
    json!({
        "id": asset.id,
        "kind": asset.kind,
        "mime": asset.mime,
        "name": cut(&asset.name),
        "bytes": asset.bytes,
        "sha256": asset.sha256,
        "width": asset.width,
        "height": asset.height,
        "duration_ms": asset.duration_ms,
        "simulated": asset.simulated,
        "url": format!("{base_url}/api/v1/assets/{}/content", asset.id),
    })
}

/// Somebody's words, short enough for a thin message.
fn cut(text: &str) -> String {
    if text.chars().count() <= TEXT_MAX {
        return text.to_owned();
    }
    let head: String = text.chars().take(TEXT_MAX).collect();
    format!("{head}…")
}

#[cfg(test)]
mod tests {
    use super::*;
    use showrunner_engine::failure::ErrorClass;
    use showrunner_journal::query::events::StoredBatch;
    use showrunner_journal::query::follow::Reached;

    /// The specification's limit.
    const BODY_MAX: usize = 20_000;

    fn followed(title: &str) -> Followed {
        Followed {
            reached: Reached::default(),
            run_id: "run_1.x".into(),
            org: "org".into(),
            slug: "film".into(),
            version: 2,
            title: Some(title.into()),
            is_simulated: true,
            batch: StoredBatch {
                seq_first: 9,
                seq_last: 9,
                at: Timestamp(0),
                hash: [0; 32],
                body: String::new(),
            },
        }
    }

    #[test]
    fn words_of_any_length_make_a_thin_message() {
        let long = "長".repeat(100_000);
        let failure = Failure::new(ErrorClass::Provider, "no", long.clone());
        let event = Event::RunFailed { failure };
        let found = messages(&followed(&long), &[event], "http://localhost:1");
        assert_eq!((found.len(), found[0].event, found[0].seq), (1, "run.failed", 9));
        assert!(found[0].body.len() < BODY_MAX, "{}", found[0].body.len());
        assert!(!found[0].id.contains('.'), "{}", found[0].id);
        assert_eq!(found[0].id, "msg_1-x_9");
    }

    #[test]
    fn every_type_can_be_asked_for() {
        let events = [
            Event::RunPaused { by: "a".into() },
            Event::PhaseEntered { phase: "draft".into() },
            Event::RunCancelled { reason: None, by: None },
        ];
        let found = messages(&followed("t"), &events, "");
        assert!(found.iter().all(|message| EVENT_TYPES.contains(&message.event)), "{found:?}");
        assert_eq!(found.iter().map(|message| message.seq).collect::<Vec<_>>(), [9, 10, 11]);
        assert!(RUN_ENDINGS.iter().all(|ending| EVENT_TYPES.contains(ending)));
    }
}
