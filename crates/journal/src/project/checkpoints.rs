//! What becomes of the questions people are asked.

use serde_json::json;
use showrunner_engine::definition::{CheckpointStep, StepKind};
use showrunner_engine::event::Event;
use showrunner_engine::id::StepKey;
use showrunner_engine::run::Run;

use super::rows::{CheckpointChange, CheckpointOpening};

/// Changes in order: within one append a question may be answered, withdrawn and asked again.
pub(super) fn changes(run: &Run, first_seq: u64, events: &[Event]) -> Vec<CheckpointChange> {
    (first_seq..).zip(events).flat_map(|(seq, event)| change(run, seq, event)).collect()
}

fn change(run: &Run, seq: u64, event: &Event) -> Vec<CheckpointChange> {
    let at = run.updated_at;
    match event {
        Event::CheckpointOpened { step, .. } => {
            definition_of(run, step).map(|def| opened(seq, event, def, run)).into_iter().collect()
        },
        Event::CheckpointAnswered { step, answer, decides } => {
            let mut changes = vec![CheckpointChange::Answered {
                step: step.clone(),
                seq,
                answer: answer.clone(),
                decides: *decides,
            }];
            if *decides {
                let status = answer.verb.name();
                changes.push(CheckpointChange::Closed { step: step.clone(), status, at });
            }
            changes
        },
        Event::CheckpointEscalated { step, to, until } => vec![CheckpointChange::Escalated {
            step: step.clone(),
            roles: json!(to).to_string(),
            until: *until,
        }],
        // The question is over without an answer that decides: by time, by hand, with its run.
        Event::StepSucceeded { step, .. }
        | Event::StepFailed { step, .. }
        | Event::StepSkipped { step, .. }
        | Event::StepCancelled { step }
            if definition_of(run, step).is_some() =>
        {
            let status =
                if matches!(event, Event::StepFailed { .. }) { "expired" } else { "withdrawn" };
            vec![CheckpointChange::Closed { step: step.clone(), status, at }]
        },
        Event::StepsReset { steps, .. } => steps
            .iter()
            .filter(|step| definition_of(run, step).is_some())
            .map(|step| CheckpointChange::Closed { step: step.clone(), status: "withdrawn", at })
            .collect(),
        _ => Vec::new(),
    }
}

fn definition_of<'a>(run: &'a Run, step: &StepKey) -> Option<&'a CheckpointStep> {
    match &run.def(run.find(step)?).kind {
        StepKind::Checkpoint(checkpoint) => Some(checkpoint),
        _ => None,
    }
}

fn opened(seq: u64, event: &Event, def: &CheckpointStep, run: &Run) -> CheckpointChange {
    let Event::CheckpointOpened { step, question, question_ja, show, digest, until } = event else {
        return CheckpointChange::Nothing;
    };
    let options: Vec<_> = def
        .options
        .iter()
        .map(|verb| match def.option_labels.get(verb) {
            Some(label) => json!({ "verb": verb, "label": label }),
            None => json!({ "verb": verb }),
        })
        .collect();
    CheckpointChange::Opened(Box::new(CheckpointOpening {
        step: step.clone(),
        seq,
        question: question.clone(),
        question_ja: question_ja.clone(),
        show: show.to_string(),
        digest: digest.clone(),
        options: json!(options).to_string(),
        roles: json!(def.roles).to_string(),
        quorum: def.quorum,
        opened_at: run.updated_at,
        until: *until,
    }))
}
