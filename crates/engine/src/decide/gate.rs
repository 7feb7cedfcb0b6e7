//! Gates: rules decide, on earlier outputs or on a judge's answer.

use std::sync::Arc;

use serde_json::{Value, json};

use super::Decider;
use crate::call::CallRecord;
use crate::definition::{GateStep, GateVerdict, StepKind};
use crate::event::Event;
use crate::failure::{ErrorClass, Failure};
use crate::id::Token;
use crate::run::StepNo;
use crate::template::{EvalFault, Scope};
use crate::view::View;

impl Decider<'_> {
    /// The judge has answered: its output is what the rules look at.
    pub(super) fn judged(
        &mut self,
        no: StepNo,
        token: Token,
        output: Value,
        calls: Vec<Arc<CallRecord>>,
    ) {
        for call in calls {
            self.emit(Event::CallRecorded { step: self.key(no), token, call });
        }
        let definition = Arc::clone(&self.run.definition);
        if let StepKind::Gate(gate) = &definition.step(self.run.step(no).def).kind {
            self.decide_gate(no, gate, Some((token, output)));
        }
    }

    pub(super) fn decide_gate(
        &mut self,
        no: StepNo,
        gate: &GateStep,
        judged: Option<(Token, Value)>,
    ) {
        let (token, judgement) = judged.unzip();
        let (mut verdict, reason) = match self.first_rule(no, gate, judgement.as_ref()) {
            Ok(decided) => decided,
            Err(fault) => return self.fault(no, &fault),
        };
        if verdict == GateVerdict::Retry
            && (gate.retry_from.is_none() || self.run.step(no).sent_back >= gate.retries_max)
        {
            verdict = GateVerdict::Reject;
        }
        let step = self.key(no);
        self.emit(Event::GateDecided { step: step.clone(), verdict, reason: reason.clone() });
        match (verdict, gate.retry_from) {
            (GateVerdict::Retry, Some(from)) => {
                let feedback = json!({ "reason": reason, "judgement": judgement, "by": step });
                self.send_back(no, from, feedback, step.as_str());
            },
            (GateVerdict::Reject | GateVerdict::Retry, _) => {
                let message = reason.unwrap_or_else(|| "the gate said no".into());
                self.fail_step(no, Failure::new(ErrorClass::Rejected, "gate_rejected", message));
            },
            _ => {
                let output = json!({
                    "verdict": verdict.name(),
                    "reason": reason,
                    "judgement": judgement,
                });
                let event = Event::StepSucceeded {
                    step,
                    token,
                    output: Arc::new(output),
                    calls: Vec::new(),
                    assets: Vec::new(),
                    by: None,
                    cached: false,
                    failure: None,
                };
                self.succeed(no, event);
            },
        }
    }

    /// The first rule that holds.
    fn first_rule(
        &self,
        no: StepNo,
        gate: &GateStep,
        judgement: Option<&Value>,
    ) -> Result<(GateVerdict, Option<String>), EvalFault> {
        let view =
            Judged { view: View::of_step(self.run, no), own: &self.run.def(no).id, judgement };
        for rule in &gate.rules {
            if rule.when.holds(&view)? {
                let reason =
                    rule.reason.as_ref().map(|reason| reason.render_text(&view)).transpose()?;
                return Ok((rule.verdict, reason));
            }
        }
        Ok((GateVerdict::Accept, None))
    }
}

/// A step's view in which the gate itself already has its judge's output.
struct Judged<'a> {
    view: View<'a>,
    own: &'a str,
    judgement: Option<&'a Value>,
}

impl Scope for Judged<'_> {
    fn root(&self, name: &str) -> Option<std::borrow::Cow<'_, Value>> {
        self.view.root(name)
    }

    fn output(&self, step: &str) -> Option<std::borrow::Cow<'_, Value>> {
        match self.judgement {
            Some(judgement) if step == self.own => Some(std::borrow::Cow::Borrowed(judgement)),
            _ => self.view.output(step),
        }
    }

    fn step(&self, step: &str) -> Option<Value> {
        match self.judgement {
            Some(judgement) if step == self.own => {
                Some(json!({ "output": judgement, "status": "running", "failure": null }))
            },
            _ => Scope::step(&self.view, step),
        }
    }
}
