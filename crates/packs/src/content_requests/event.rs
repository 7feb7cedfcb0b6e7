//! The events of a run, told in the ten types that requests have always had.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};
use showrunner_engine::at::Timestamp;
use showrunner_engine::definition::StepKind;
use showrunner_engine::event::{Ending, Event};
use showrunner_engine::failure::Failure;
use showrunner_engine::id::StepKey;
use showrunner_engine::run::Run;
use showrunner_journal::JournalError;
use showrunner_journal::query::events::StoredBatch;
use showrunner_web::view::Instant;

use super::task;

/// An event of a request.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct RequestEvent {
    /// `<request>:<number of the run's event>`.
    id: String,
    request_id: String,
    /// From 1, without a gap.
    seq: u64,
    /// `created`, `status_change`, `task_started`, `task_completed`, `task_failed`, `agent_log`,
    /// `provider_callback`, `error`, `retry`, `cancelled`.
    event_type: &'static str,
    /// For people.
    description: String,
    /// Who: a person, an agent's role, or `system`.
    actor: String,
    /// Depends on the type.
    metadata: Value,
    created_at: Instant,
}

/// An event before it has a number.
struct Told {
    event_type: &'static str,
    description: String,
    actor: String,
    metadata: Value,
}

fn told(event_type: &'static str, actor: &str, description: String, metadata: Value) -> Told {
    Told { event_type, description, actor: actor.to_owned(), metadata }
}

/// Who did what nobody did.
const SYSTEM: &str = "system";

/// Tells the events of a run.
pub(super) fn tell(run: &Run, batches: &[StoredBatch]) -> Result<Vec<RequestEvent>, JournalError> {
    let mut teller = Teller { run, status: "intake".into(), tries: BTreeMap::new() };
    let mut events: Vec<RequestEvent> = Vec::new();
    for batch in batches {
        for (seq, event) in (batch.seq_first..).zip(batch.events()?) {
            if let Some(told) = teller.tell(&event) {
                let number = u64::try_from(events.len()).unwrap_or(u64::MAX) + 1;
                events.push(finished(run, (number, seq), batch.at, told));
            }
        }
    }
    Ok(events)
}

fn finished(run: &Run, (number, seq): (u64, u64), at: Timestamp, told: Told) -> RequestEvent {
    RequestEvent {
        id: format!("{}:{seq}", run.id),
        request_id: run.id.to_string(),
        seq: number,
        event_type: told.event_type,
        description: told.description,
        actor: told.actor,
        metadata: told.metadata,
        created_at: at.into(),
    }
}

struct Teller<'r> {
    run: &'r Run,
    /// The status before the next change.
    status: String,
    /// Attempts begun, by task, and what was last wrong.
    tries: BTreeMap<StepKey, (u32, Option<String>)>,
}

impl Teller<'_> {
    fn tell(&mut self, event: &Event) -> Option<Told> {
        match event {
            Event::RunStarted(started) => {
                let by = &started.started_by;
                Some(told("created", by, "Request created".into(), json!({ "created_by": by })))
            },
            Event::PhaseEntered { phase } => self.moved(phase, SYSTEM, None),
            Event::RunRolledBack { phase, by, reason } => self.moved(phase, by, reason.as_deref()),
            Event::RunFailed { failure } => self.moved("failed", SYSTEM, Some(&failure.message)),
            Event::RunClosing { ending: Ending::Cancelled, .. } => None,
            Event::RunCancelled { reason, by } => {
                let reason = reason.as_deref().unwrap_or("no reason given");
                let actor = by.as_deref().unwrap_or(SYSTEM);
                let words = format!("Request cancelled: {reason}");
                Some(told("cancelled", actor, words, json!({ "reason": reason })))
            },
            Event::CallbackReceived { key, payload } => {
                let metadata = json!({
                    "task_id": task::id(self.run.id.as_str(), key),
                    "provider_name": payload.get("provider_name"),
                    "external_job_id": payload.get("external_job_id"),
                    "status": payload.get("status"),
                    "output_url": payload.get("output_url"),
                    "error_message": payload.get("error_message"),
                });
                Some(told(
                    "provider_callback",
                    SYSTEM,
                    format!("Callback received: {key}"),
                    metadata,
                ))
            },
            _ => self.tell_step(event),
        }
    }

    /// A change of status; staying where one is is none.
    fn moved(&mut self, to: &str, actor: &str, reason: Option<&str>) -> Option<Told> {
        if to == self.status {
            return None;
        }
        let from = std::mem::replace(&mut self.status, to.to_owned());
        let mut metadata = json!({ "from_status": from, "to_status": to });
        if let (Some(reason), Some(members)) = (reason, metadata.as_object_mut()) {
            members.insert("reason".into(), reason.into());
        }
        Some(told("status_change", actor, format!("Status changed from {from} to {to}"), metadata))
    }

    fn tell_step(&mut self, event: &Event) -> Option<Told> {
        match event {
            Event::StepStarted { step, attempt, .. } => self.began(step, *attempt),
            Event::StepSucceeded { step, output, by, .. } => {
                let role = self.role(step)?;
                let summary: String = output.to_string().chars().take(200).collect();
                let metadata = json!({
                    "task_id": self.task(step),
                    "agent_role": role,
                    "output_summary": summary,
                });
                let actor = by.as_deref().unwrap_or(&role);
                Some(told(
                    "task_completed",
                    actor,
                    format!("{} completed", self.name(step)),
                    metadata,
                ))
            },
            Event::AttemptFailed { step, failure, retry_at: Some(_), .. } => {
                self.failed(step, failure, true)
            },
            Event::StepFailed { step, failure } => self.failed(step, failure, false),
            Event::AttemptInDoubt { step, message, .. } => {
                let metadata = json!({ "error_code": "in_doubt", "error_message": message });
                Some(told("error", SYSTEM, format!("{} is in doubt", self.name(step)), metadata))
            },
            Event::StepsReset { from, feedback, by, .. } => {
                let comment = feedback.as_deref().and_then(|f| f.get("comment")?.as_str());
                let reason = comment.unwrap_or("sent back");
                Some(self.again(from, by, reason))
            },
            Event::StepSkipped { step, reason, by, .. } => {
                let actor = by.as_deref().unwrap_or(SYSTEM);
                Some(self.logged(
                    step,
                    actor,
                    "skipped",
                    &json!({ "skipped": true, "reason": reason }),
                ))
            },
            Event::AttemptProgressed { step, percent, message, .. } => {
                let data = json!({ "percent": percent, "message": message });
                Some(self.logged(step, SYSTEM, "progress", &data))
            },
            Event::JobAccepted { step, job, .. } => {
                let data = json!({ "provider": job.provider, "external_job_id": job.id });
                Some(self.logged(step, SYSTEM, "job accepted", &data))
            },
            Event::GateDecided { step, verdict, reason } => {
                let data = json!({ "verdict": verdict.name(), "reason": reason });
                Some(self.logged(step, SYSTEM, verdict.name(), &data))
            },
            Event::CheckpointOpened { step, question, .. } => {
                Some(self.logged(step, SYSTEM, "asked", &json!({ "question": question })))
            },
            Event::CheckpointAnswered { step, answer, .. } => {
                let data = json!({ "decision": answer.verb.name(), "comment": answer.comment });
                Some(self.logged(step, &answer.by, answer.verb.name(), &data))
            },
            _ => None,
        }
    }

    fn began(&mut self, step: &StepKey, attempt: u32) -> Option<Told> {
        let role = self.role(step)?;
        let tries = self.tries.entry(step.clone()).or_default();
        tries.0 = attempt;
        if let (true, Some(reason)) = (attempt > 1, tries.1.take()) {
            return Some(self.again(step, SYSTEM, &reason));
        }
        let metadata = json!({ "task_id": self.task(step), "agent_role": role });
        Some(told("task_started", &role, format!("{} started", self.name(step)), metadata))
    }

    fn failed(&mut self, step: &StepKey, failure: &Failure, retriable: bool) -> Option<Told> {
        let role = self.role(step)?;
        self.tries.entry(step.clone()).or_default().1 = Some(failure.message.clone());
        let metadata = json!({
            "task_id": self.task(step),
            "agent_role": role,
            "error_code": failure.code,
            "error_message": failure.message,
            "retriable": retriable,
        });
        Some(told(
            "task_failed",
            &role,
            format!("{} failed: {}", self.name(step), failure.message),
            metadata,
        ))
    }

    fn again(&self, step: &StepKey, actor: &str, reason: &str) -> Told {
        let tried = self.tries.get(step).map_or(0, |(attempt, _)| *attempt);
        let metadata = json!({
            "task_id": self.task(step),
            "retry_count": tried.max(1),
            "reason": reason,
        });
        told("retry", actor, format!("{} is done again: {reason}", self.name(step)), metadata)
    }

    fn logged(&self, step: &StepKey, actor: &str, what: &str, data: &Value) -> Told {
        let role = self.role(step).unwrap_or_else(|| step.to_string());
        let metadata = json!({ "task_id": self.task(step), "agent_role": role, "data": data });
        told("agent_log", actor, format!("{}: {what}", self.name(step)), metadata)
    }

    fn task(&self, step: &StepKey) -> String {
        task::id(self.run.id.as_str(), step.as_str())
    }

    /// The role of a step that is a task.
    fn role(&self, step: &StepKey) -> Option<String> {
        let def = self.run.def(self.run.find(step)?);
        matches!(def.kind, StepKind::Agent(_)).then(|| def.id.clone())
    }

    fn name(&self, step: &StepKey) -> String {
        let no = self.run.find(step);
        no.map_or_else(|| step.to_string(), |no| self.run.def(no).label.en.clone())
    }
}
