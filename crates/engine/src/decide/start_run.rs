//! A run begins.

use super::{Decider, shared};
use crate::command::StartRun;
use crate::event::{DefinitionRef, Event, RunStarted};
use crate::id::OrgId;
use crate::refusal::Refusal;

impl Decider<'_> {
    pub(super) fn start_run(&mut self, start: StartRun) -> Result<(), Refusal> {
        let definition = &self.run.definition;
        let breaches = definition.input_schema.breaches(&start.input);
        if !breaches.is_empty() {
            return Err(Refusal::Invalid { what: "the input".into(), breaches });
        }
        let is_outermost = |key: &str| {
            let step = definition.find(key);
            step.is_some_and(|step| step.parent.is_none() && !step.is_compensation)
        };
        if let Some(strange) = start.reused.iter().find(|r| !is_outermost(r.step.as_str())) {
            let known = definition.root.iter().map(|&ix| definition.step(ix).id.clone());
            let (step, known) = (strange.step.clone(), known.collect());
            return Err(Refusal::UnknownStep { step, known });
        }
        let own_deadline = definition.timeout.map(|timeout| self.at.now.plus(timeout));
        let started = RunStarted {
            org: start.org.unwrap_or_else(|| OrgId::from("org_default")),
            definition: DefinitionRef {
                slug: definition.slug.clone(),
                version: definition.version,
                digest: definition.digest.clone(),
            },
            input: shared(start.input),
            title: start.title,
            labels: start.labels,
            started_by: start.started_by,
            parent: start.parent,
            forked_from: start.forked_from,
            reused: start.reused,
            budget: definition.budget.tighter(start.budget),
            deadline: own_deadline.into_iter().chain(start.deadline).min(),
            priority: start.priority,
        };
        self.emit(Event::RunStarted(Box::new(started)));
        self.dirty.insert(0);
        Ok(())
    }
}
