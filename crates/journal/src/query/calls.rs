//! Recorded calls. They have no rows of their own: the journal has them, and only they who look
//! at one run ask for them.

use std::sync::Arc;

use showrunner_engine::at::Timestamp;
use showrunner_engine::event::Event;
use showrunner_engine::id::{RunId, StepKey, Token};
use showrunner_engine::turn::CallRecord;

use crate::Journal;
use crate::error::JournalError;

/// A call that was made and answered, and where it belongs.
#[derive(Clone, Debug, PartialEq)]
pub struct CallView {
    /// The number of the event that recorded it.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// Which step made it.
    pub step: StepKey,
    /// In which attempt; `None` when a person gave the output.
    pub token: Option<Token>,
    /// The call.
    pub call: Arc<CallRecord>,
}

impl dyn Journal {
    /// The calls of a run in the order in which they were recorded.
    pub async fn calls_of(&self, run: &RunId) -> Result<Vec<CallView>, JournalError> {
        let mut views = Vec::new();
        for batch in self.read(run, 0).await? {
            for (seq, event) in (batch.seq_first..).zip(batch.events()?) {
                views.extend(calls_in(seq, batch.at, &event));
            }
        }
        Ok(views)
    }
}

fn calls_in(seq: u64, at: Timestamp, event: &Event) -> Vec<CallView> {
    let (token, calls) = match event {
        Event::CallRecorded { token, call, .. } => (Some(*token), std::slice::from_ref(call)),
        Event::AttemptFailed { token, calls, .. } | Event::AttemptSettled { token, calls, .. } => {
            (Some(*token), calls.as_slice())
        },
        Event::StepSucceeded { token, calls, .. } => (*token, calls.as_slice()),
        _ => return Vec::new(),
    };
    let Some(step) = event.step() else { return Vec::new() };
    let view = |call: &Arc<CallRecord>| CallView {
        seq,
        at,
        step: step.clone(),
        token,
        call: Arc::clone(call),
    };
    calls.iter().map(view).collect()
}
