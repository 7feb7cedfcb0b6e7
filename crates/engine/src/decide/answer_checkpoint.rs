//! A person answers a checkpoint.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Decider, shared, wrong_step_state};
use crate::command::{AnswerCheckpoint, Principal};
use crate::definition::{CheckpointStep, StepKind, Verb};
use crate::event::{Answer, Ending, Event};
use crate::refusal::Refusal;
use crate::run::{CheckpointState, Step, StepNo, Wait};

/// The role that may answer every checkpoint.
const OWNER: &str = "owner";

impl Decider<'_> {
    pub(super) fn answer_checkpoint(&mut self, ask: AnswerCheckpoint) -> Result<(), Refusal> {
        let no = self.known(&ask.step)?;
        let definition = Arc::clone(&self.run.definition);
        let step = self.run.step(no);
        let StepKind::Checkpoint(def) = &definition.step(step.def).kind else {
            return Err(wrong_step_state(step, "answer_checkpoint"));
        };
        let open = open_checkpoint(step)?;
        refuse_wrong_answer(step, def, &ask)?;
        refuse_wrong_person(&self.run.started_by, step, def, &ask.by)?;
        if let Some(seen) = &ask.digest
            && *seen != open.digest
        {
            return Err(Refusal::StaleContent { step: ask.step, now: open.digest.clone() });
        }
        if open.voices().iter().any(|answer| answer.by == ask.by.id) {
            let missing = missing_voices(open, def);
            return Err(Refusal::AlreadyVoted { step: ask.step, by: ask.by.id, missing });
        }
        let modified = modified(open, def, ask.modifications)?;
        // Whoever changes the content speaks for the changed one, and is the first to do so.
        let missing = if modified.is_some() { def.quorum } else { missing_voices(open, def) };
        let missing_after = missing.saturating_sub(1);
        let decides = ask.verb != Verb::Continue || missing_after == 0;
        let answer = Answer {
            verb: ask.verb,
            by: ask.by.id,
            comment: ask.comment,
            modified,
            at: self.at.now,
        };
        if decides {
            self.conclude(no, def, answer);
        } else {
            self.emit(Event::CheckpointAnswered { step: ask.step, answer, decides });
        }
        Ok(())
    }

    /// The answer that decides, and what follows from it.
    pub(super) fn conclude(&mut self, no: StepNo, def: &CheckpointStep, answer: Answer) {
        let (step, decides) = (self.key(no), true);
        self.emit(Event::CheckpointAnswered { step, answer: answer.clone(), decides });
        match answer.verb {
            Verb::Continue => {
                let open = self.run.step(no).checkpoint.as_ref();
                let shown = open.map(|open| Arc::clone(&open.show));
                let content = answer.modified.clone().or(shown);
                let output = json!({
                    "decision": answer.verb.name(),
                    "by": answer.by,
                    "comment": answer.comment,
                    "content": content,
                });
                self.succeed_with(no, output);
            },
            Verb::Retry => {
                let feedback = json!({
                    "comment": answer.comment,
                    "by": answer.by,
                    "modified": answer.modified,
                });
                if let Some(from) = def.retry_from {
                    self.send_back(no, from, feedback, &answer.by);
                }
            },
            Verb::Abort => {
                let by = Principal { id: answer.by, roles: Vec::new() };
                let compensate = def.compensate_on_abort;
                self.close_with(Ending::Cancelled, answer.comment, Some(&by), (None, compensate));
            },
        }
    }
}

fn open_checkpoint(step: &Step) -> Result<&CheckpointState, Refusal> {
    match (&step.checkpoint, &step.wait) {
        (Some(open), Some(Wait::Person { .. })) => Ok(open),
        _ => match step.decision() {
            Some(first) => Err(Refusal::AlreadyAnswered {
                step: step.key.clone(),
                first: Box::new(first.clone()),
            }),
            None => Err(wrong_step_state(step, "answer_checkpoint")),
        },
    }
}

fn refuse_wrong_answer(
    step: &Step,
    def: &CheckpointStep,
    ask: &AnswerCheckpoint,
) -> Result<(), Refusal> {
    let mut offered: Vec<Verb> = def.options.clone();
    if step.sent_back >= def.retries_max || def.retry_from.is_none() {
        offered.retain(|&verb| verb != Verb::Retry);
    }
    if !offered.contains(&ask.verb) {
        return Err(Refusal::NotOffered {
            step: step.key.clone(),
            verb: ask.verb.name().into(),
            allowed: offered.iter().map(|verb| verb.name().to_owned()).collect(),
        });
    }
    let silent = ask.comment.as_ref().is_none_or(|comment| comment.trim().is_empty());
    if ask.verb == Verb::Retry && silent && ask.modifications.is_none() {
        let breach = crate::schema::Breach {
            pointer: "/comment".into(),
            message: "say what should change".into(),
        };
        return Err(Refusal::Invalid { what: "the answer".into(), breaches: vec![breach] });
    }
    Ok(())
}

fn refuse_wrong_person(
    started_by: &str,
    step: &Step,
    def: &CheckpointStep,
    by: &Principal,
) -> Result<(), Refusal> {
    let escalated = step.checkpoint.as_ref().map_or(&[][..], |open| &open.escalated_to);
    let has_role = def.roles.is_empty()
        || by.roles.iter().any(|r| r == OWNER || def.roles.contains(r) || escalated.contains(r));
    let why = if !has_role {
        format!("it needs one of the roles {}", def.roles.join(", "))
    } else if !def.allow_self && by.id == started_by {
        "whoever started the run may not approve it".to_owned()
    } else {
        return Ok(());
    };
    Err(Refusal::NotAllowed { step: step.key.clone(), by: by.id.clone(), why })
}

fn missing_voices(open: &CheckpointState, def: &CheckpointStep) -> u16 {
    let voices = open.voices().iter().filter(|answer| answer.verb == Verb::Continue).count();
    def.quorum.saturating_sub(u16::try_from(voices).unwrap_or(u16::MAX))
}

/// What was shown with the person's changes in it, checked against the schema of what may change.
fn modified(
    open: &CheckpointState,
    def: &CheckpointStep,
    patch: Option<Value>,
) -> Result<Option<Arc<Value>>, Refusal> {
    let Some(patch) = patch else { return Ok(None) };
    let Some(schema) = &def.modifications else {
        let breach = crate::schema::Breach {
            pointer: "/modifications".into(),
            message: "this checkpoint does not allow modifications".into(),
        };
        return Err(Refusal::Invalid { what: "the answer".into(), breaches: vec![breach] });
    };
    let mut content = (*open.show).clone();
    crate::patch::merge(&mut content, &patch);
    let breaches = schema.breaches(&content);
    if !breaches.is_empty() {
        return Err(Refusal::Invalid { what: "the modified content".into(), breaches });
    }
    Ok(Some(shared(content)))
}
