//! Loops and `for_each`: rounds begin, end, and are counted together.

use std::sync::Arc;

use serde_json::Value;

use super::Decider;
use super::outcome::misfit;
use super::reset::Wish;
use crate::definition::{ForEachStep, Join, Keep, LoopStep, OnExhausted, StepKind};
use crate::event::Event;
use crate::failure::{ErrorClass, Failure};
use crate::run::{Body, ScopeNo, StepNo};
use crate::view::View;

/// A list longer than this is refused rather than worked on.
const ITEMS_MAX: usize = 10_000;

/// A run with more step instances than this does not go on: ten steps for each of the longest
/// list's elements, some hundred megabytes.
const STEPS_MAX: usize = 100_000;

impl Decider<'_> {
    pub(super) fn begin_round(&mut self, no: StepNo, iteration: u32) {
        if let Some(failure) = self.too_large(no) {
            return self.fail_step(no, failure);
        }
        self.emit(Event::IterationStarted { step: self.key(no), iteration });
        let scope = self.run.step(no).body.as_ref().and_then(|body| body.scopes.last().copied());
        self.dirty.extend(scope);
    }

    /// A definition may multiply loops by loops; a run has an end all the same.
    fn too_large(&self, no: StepNo) -> Option<Failure> {
        let more = self.run.definition.block(Some(self.run.step(no).def)).len();
        let is_too_large = self.run.steps.len() + more > STEPS_MAX;
        let message = format!("a run has {STEPS_MAX} steps at most, repeated ones included");
        is_too_large.then(|| Failure::new(ErrorClass::Validation, "run_too_large", message))
    }

    /// Everything in a round has ended well enough.
    pub(super) fn round_finished(&mut self, container: StepNo, scope: ScopeNo) {
        let definition = Arc::clone(&self.run.definition);
        match &definition.step(self.run.step(container).def).kind {
            StepKind::Loop(def) => self.iteration_finished(container, scope, def),
            StepKind::ForEach(def) => match def.result.render(&View::of_scope(self.run, scope)) {
                Ok(result) => self.item_finished(container, scope, Ok(result), def),
                Err(fault) => {
                    let failure =
                        Failure::new(ErrorClass::Validation, "expression_fault", fault.to_string());
                    self.item_finished(container, scope, Err(failure), def);
                },
            },
            _ => {},
        }
    }

    /// A required step in a round failed.
    pub(super) fn round_failed(&mut self, container: StepNo, scope: ScopeNo, failure: Failure) {
        let definition = Arc::clone(&self.run.definition);
        match &definition.step(self.run.step(container).def).kind {
            StepKind::ForEach(def) => {
                self.cancel_block(scope);
                self.item_finished(container, scope, Err(failure), def);
            },
            _ => self.fail_step(container, failure),
        }
    }

    fn iteration_finished(&mut self, no: StepNo, round: ScopeNo, def: &LoopStep) {
        let iteration = self.run.scope(round).index;
        let view = View::of_scope(self.run, round);
        let judgement = (|| {
            let result = def.result.render(&view)?;
            let is_good = def.until.holds(&view)?;
            let score = match &def.keep {
                Keep::Last => None,
                Keep::Best(score) => score.eval(&view)?.as_f64(),
            };
            Ok((result, is_good, score))
        })();
        let (result, is_good, score) = match judgement {
            Ok(judged) => judged,
            Err(fault) => return self.fault(no, &fault),
        };
        let result = Arc::new(result);
        let step = self.key(no);
        let good = is_good;
        self.emit(Event::IterationFinished { step, iteration, result, score, good });
        if is_good {
            return self.hand_out(no, false);
        }
        if iteration + 1 < def.max {
            return self.begin_round(no, iteration + 1);
        }
        match def.on_exhausted {
            OnExhausted::Flag => self.hand_out(no, true),
            OnExhausted::Fail => {
                let failure = exhausted(self.run.step(no).body.as_deref());
                self.fail_step(no, failure);
            },
        }
    }

    /// The loop's output: the best iteration's result, or the last one's.
    fn hand_out(&mut self, no: StepNo, flagged: bool) {
        let kept = self.run.step(no).body.as_ref().and_then(|body| {
            let best = body.best.map(|(iteration, _)| iteration as usize);
            let last = body.results.len().checked_sub(1);
            body.results.get(best.or(last)?)?.clone()
        });
        let mut output = kept.map_or(Value::Null, Arc::unwrap_or_clone);
        if flagged && let Value::Object(fields) = &mut output {
            fields.insert("flagged".into(), Value::Bool(true));
        }
        if let Some(failure) = misfit(self.run.def(no).output_schema.as_ref(), &output) {
            return self.fail_step(no, failure);
        }
        // An output that is no object has no room for the flag: the failure beside it says so.
        let failure = flagged.then(|| exhausted(self.run.step(no).body.as_deref()));
        self.succeed(no, Event::succeeded(self.key(no), Arc::new(output), failure));
    }

    pub(super) fn expand(&mut self, no: StepNo, def: &ForEachStep) {
        let items = match def.items.eval(&View::of_step(self.run, no)) {
            Ok(Value::Array(items)) => items,
            Ok(other) => {
                let message =
                    format!("`{}` is {}, not a list", def.items.text(), type_name(&other));
                let failure = Failure::new(ErrorClass::Validation, "items_not_a_list", message);
                return self.fail_step(no, failure);
            },
            Err(fault) => return self.fault(no, &fault),
        };
        let refused = if items.len() > ITEMS_MAX {
            Some(format!("the list has {} elements; {ITEMS_MAX} are allowed", items.len()))
        } else if items.is_empty() && !def.allow_empty {
            Some("the list is empty".to_owned())
        } else {
            None
        };
        if let Some(message) = refused {
            let failure = Failure::new(ErrorClass::Validation, "items_count", message);
            return self.fail_step(no, failure);
        }
        self.emit(Event::ItemsExpanded { step: self.key(no), items: Arc::new(items) });
        self.more_items(no, def);
    }

    fn item_finished(
        &mut self,
        no: StepNo,
        scope: ScopeNo,
        outcome: Result<Value, Failure>,
        def: &ForEachStep,
    ) {
        let index = self.run.scope(scope).index;
        let (result, failure) = match outcome {
            Ok(result) => (Some(Arc::new(result)), None),
            Err(failure) => (None, Some(failure)),
        };
        let step = self.key(no);
        let event = Event::ItemFinished { step, index, result, failure: failure.clone() };
        self.emit(event);
        match failure {
            Some(failure) if def.stops_at_failure() => {
                let message = format!("element {index}: {}", failure.message);
                self.fail_step(no, Failure { message, ..failure });
            },
            _ => self.more_items(no, def),
        }
    }

    /// Starts as many elements as there is room for, or ends the step when it has enough.
    fn more_items(&mut self, no: StepNo, def: &ForEachStep) {
        let Some(body) = &self.run.step(no).body else { return };
        let count = body.items.as_ref().map_or(0, |items| items.len());
        let total = u32::try_from(count).unwrap_or(u32::MAX);
        let failed = u32::try_from(body.failures.len()).unwrap_or(u32::MAX);
        let succeeded = body.finished.saturating_sub(failed);
        let needed = match def.join {
            Join::All => total,
            Join::AtLeast(needed) => needed.min(total),
        };
        let started = u32::try_from(body.scopes.len()).unwrap_or(u32::MAX);
        let is_over = body.active == 0 && started >= total;
        let is_enough = def.join != Join::All && succeeded >= needed;
        let is_hopeless = def.join != Join::All && total.saturating_sub(failed) < needed;
        if is_over || is_enough || is_hopeless {
            return self.enough(no, succeeded, needed);
        }
        let room = def.concurrency.saturating_sub(body.active).min(total - started);
        for index in started..started + room {
            if let Some(failure) = self.too_large(no) {
                return self.fail_step(no, failure);
            }
            self.emit(Event::ItemStarted { step: self.key(no), index });
            let scope = self.run.step(no).body.as_ref().and_then(|b| b.scopes.last().copied());
            self.dirty.extend(scope);
        }
    }

    fn enough(&mut self, no: StepNo, succeeded: u32, needed: u32) {
        self.cancel_inside(no);
        let Some(body) = &self.run.step(no).body else { return };
        let first = body.failures.first().map(|(_, failure)| failure.clone());
        let none_worked = succeeded == 0 && body.finished > 0;
        let too_few = matches!(
            self.run.def(no).kind,
            StepKind::ForEach(ForEachStep { join: Join::AtLeast(_), .. })
        ) && succeeded < needed;
        if too_few || none_worked {
            let why =
                first.map_or_else(String::new, |failure| format!("; first: {}", failure.message));
            let message = format!("{succeeded} elements succeeded, {needed} are needed{why}");
            return self
                .fail_step(no, Failure::new(ErrorClass::Provider, "too_few_items", message));
        }
        let failures = &body.failures;
        let partial = first.map(|failure| {
            let missing: Vec<String> = failures.iter().map(|(ix, _)| ix.to_string()).collect();
            let message =
                format!("elements {} are missing: {}", missing.join(", "), failure.message);
            Failure { code: "partial".into(), message, ..failure }
        });
        let mut output: Vec<Value> =
            body.results.iter().map(|r| r.as_deref().cloned().unwrap_or(Value::Null)).collect();
        let total = body.items.as_ref().map_or(0, |items| items.len());
        output.resize(total, Value::Null);
        let output = Value::Array(output);
        if let Some(failure) = misfit(self.run.def(no).output_schema.as_ref(), &output) {
            return self.fail_step(no, failure);
        }
        self.succeed(no, Event::succeeded(self.key(no), Arc::new(output), partial));
    }

    /// Hands work back to an earlier step of this block or one around it.
    pub(super) fn send_back(
        &mut self,
        no: StepNo,
        from: crate::definition::StepIx,
        feedback: Value,
        by: &str,
    ) {
        let id = &self.run.definition.step(from).id;
        let target = View::of_step(self.run, no).find(id).and_then(|step| self.run.find(&step.key));
        if let Some(target) = target {
            self.reset(target, Wish { feedback: Some(Arc::new(feedback)), edits: None }, by);
        }
    }
}

fn exhausted(body: Option<&Body>) -> Failure {
    let rounds = body.map_or(0, |body| body.scopes.len());
    let message = format!("{rounds} iterations, none good enough");
    Failure::new(ErrorClass::Rejected, "loop_exhausted", message)
}

fn type_name(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "a truth value".into(),
        Value::Number(_) => "a number".into(),
        Value::String(_) => "text".into(),
        Value::Array(_) => "a list".into(),
        Value::Object(_) => "an object".into(),
    }
}
