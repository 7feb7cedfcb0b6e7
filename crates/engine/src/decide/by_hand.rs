//! A person or an outside agent does an agent's work.

use serde_json::Value;

use super::{Decider, shared, wrong_step_state};
use crate::command::Principal;
use crate::definition::StepKind;
use crate::event::Event;
use crate::id::StepKey;
use crate::refusal::Refusal;
use crate::run::{Run, StepNo, StepStatus};

impl Decider<'_> {
    pub(super) fn complete_by_hand(
        &mut self,
        key: &StepKey,
        output: Value,
        by: &Principal,
    ) -> Result<(), Refusal> {
        let no = self.known(key)?;
        let step = self.run.step(no);
        if !can_complete(self.run, no) {
            return Err(wrong_step_state(step, "complete_by_hand"));
        }
        self.refuse_unfit(no, &output)?;
        self.abandon(no);
        let event = Event::StepSucceeded {
            step: key.clone(),
            token: None,
            output: shared(output),
            calls: Vec::new(),
            assets: Vec::new(),
            by: Some(by.id.clone()),
            cached: false,
            failure: None,
        };
        self.succeed(no, event);
        Ok(())
    }

    /// An output that a person gives is held to the same schema as an agent's.
    pub(super) fn refuse_unfit(&self, no: StepNo, output: &Value) -> Result<(), Refusal> {
        let schema = self.run.def(no).output_schema.as_ref();
        let breaches = schema.map(|schema| schema.breaches(output)).unwrap_or_default();
        if breaches.is_empty() {
            return Ok(());
        }
        Err(Refusal::Invalid { what: "the output".into(), breaches })
    }
}

/// Whether this is an agent's work that is under way.
pub(super) fn can_complete(run: &Run, no: StepNo) -> bool {
    let step = run.step(no);
    let in_work = matches!(step.status, StepStatus::Running | StepStatus::Waiting);
    in_work && matches!(run.def(no).kind, StepKind::Agent(_)) && step.compensates.is_none()
}
