//! What the expressions of a step can see of its run.

use std::borrow::Cow;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::definition::StepKind;
use crate::run::{Run, ScopeNo, Step, StepNo};
use crate::template::Scope;

/// A run as seen from one of its blocks, and from one step there.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    run: &'a Run,
    scope: ScopeNo,
    step: Option<StepNo>,
}

impl<'a> View<'a> {
    /// What step `no` sees.
    pub fn of_step(run: &'a Run, no: StepNo) -> Self {
        Self { run, scope: run.step(no).scope, step: Some(no) }
    }

    /// What a block's own expressions see (`until`, `result`, `outputs`).
    pub fn of_scope(run: &'a Run, scope: ScopeNo) -> Self {
        Self { run, scope, step: None }
    }

    /// The blocks around this one, innermost first.
    fn scopes(self) -> impl Iterator<Item = ScopeNo> {
        std::iter::successors(Some(self.scope), move |&scope| self.run.enclosing(scope))
    }

    /// The instance of a step visible from here.
    pub fn find(self, id: &str) -> Option<&'a Step> {
        let run = self.run;
        let def = run.definition.find(id)?;
        let no = self.scopes().find_map(|scope_no| {
            let scope = run.scope(scope_no);
            let container = scope.container.map(|no| run.step(no).def);
            (container == def.parent && !def.is_compensation)
                .then(|| scope.first + StepNo::from(def.position))
        })?;
        Some(run.step(no))
    }

    fn item(self) -> Option<(u32, Arc<Value>)> {
        self.scopes().find_map(|no| {
            let scope = self.run.scope(no);
            Some((scope.index, Arc::clone(scope.item.as_ref()?)))
        })
    }

    fn round(self) -> Option<Value> {
        let run = self.run;
        self.scopes().find_map(|no| {
            let scope = run.scope(no);
            let container = scope.container?;
            let StepKind::Loop(def) = &run.def(container).kind else { return None };
            let body = run.step(container).body.as_ref()?;
            let previous = scope.index.checked_sub(1).and_then(|ix| body.results.get(ix as usize));
            let previous = previous.and_then(Option::as_deref).cloned().unwrap_or(Value::Null);
            Some(json!({ "iteration": scope.index + 1, "max": def.max, "previous": previous }))
        })
    }
}

impl Scope for View<'_> {
    fn root(&self, name: &str) -> Option<Cow<'_, Value>> {
        match name {
            "input" => Some(Cow::Borrowed(&*self.run.input)),
            "item" => self.item().map(|(_, item)| Cow::Owned((*item).clone())),
            "index" => self.item().map(|(index, _)| Cow::Owned(json!(index))),
            "loop" => self.round().map(Cow::Owned),
            "feedback" => {
                let step = self.run.step(self.step?);
                Some(step.feedback.as_deref().map_or(Cow::Owned(Value::Null), Cow::Borrowed))
            },
            "run" => Some(Cow::Owned(json!({
                "id": self.run.id,
                "title": self.run.title,
                "labels": self.run.labels,
                "started_by": self.run.started_by,
                "started_at": self.run.started_at.to_rfc3339(),
                "phase": self.run.phase_name(),
            }))),
            _ => None,
        }
    }

    fn output(&self, step: &str) -> Option<Cow<'_, Value>> {
        let step = self.find(step)?;
        Some(step.output.as_deref().map_or(Cow::Owned(Value::Null), Cow::Borrowed))
    }

    fn step(&self, step: &str) -> Option<Value> {
        let step = self.find(step)?;
        Some(json!({
            "output": step.output,
            "status": step.status.name(),
            "failure": step.failure,
            "attempts": step.attempts,
        }))
    }
}
