//! What a step looks at, for questions such as "what must be done again when this changes".

use super::{AgentStep, Definition, Keep, StepIx, StepKind, WaitUntil};
use crate::template::{Expression, Mapping, Reference, Template};

impl Definition {
    /// Whether step `ix`, or anything in its body, looks at the run's input.
    pub fn reads_input(&self, ix: StepIx) -> bool {
        let mut found = false;
        self.references(ix, &mut |reference| {
            found |= reference.first().is_some_and(|root| root == "input");
        });
        found
    }

    /// Calls `see` with every reference that step `ix` makes, its body and compensation included.
    fn references(&self, ix: StepIx, see: &mut dyn FnMut(&Reference)) {
        let step = self.step(ix);
        if let Some(when) = &step.when {
            expression(when, see);
        }
        if let Some(limit) = &step.concurrency {
            template(&limit.key, see);
        }
        match &step.kind {
            StepKind::Agent(agent) => of_agent(agent, see),
            StepKind::Checkpoint(checkpoint) => {
                template(&checkpoint.question, see);
                checkpoint.question_ja.iter().for_each(|text| template(text, see));
                mapping(&checkpoint.show, see);
            },
            StepKind::Gate(gate) => {
                gate.judge.iter().for_each(|judge| of_agent(judge, see));
                for rule in &gate.rules {
                    expression(&rule.when, see);
                    rule.reason.iter().for_each(|reason| template(reason, see));
                }
            },
            StepKind::Loop(body) => {
                expression(&body.until, see);
                mapping(&body.result, see);
                if let Keep::Best(score) = &body.keep {
                    expression(score, see);
                }
                body.body.iter().for_each(|&inner| self.references(inner, see));
            },
            StepKind::ForEach(body) => {
                expression(&body.items, see);
                mapping(&body.result, see);
                body.body.iter().for_each(|&inner| self.references(inner, see));
            },
            StepKind::Orchestration(child) => mapping(&child.input, see),
            StepKind::Transform(values) => mapping(values, see),
            StepKind::Wait(wait) => match &wait.until {
                WaitUntil::Duration(text)
                | WaitUntil::Instant(text)
                | WaitUntil::Callback(text) => {
                    template(text, see);
                },
            },
        }
    }
}

fn of_agent(agent: &AgentStep, see: &mut dyn FnMut(&Reference)) {
    mapping(&agent.input, see);
    mapping(&agent.settings, see);
}

fn expression(expression: &Expression, see: &mut dyn FnMut(&Reference)) {
    expression.references().iter().for_each(see);
}

fn template(template: &Template, see: &mut dyn FnMut(&Reference)) {
    template.references().into_iter().for_each(see);
}

fn mapping(mapping: &Mapping, see: &mut dyn FnMut(&Reference)) {
    mapping.references().into_iter().for_each(see);
}
