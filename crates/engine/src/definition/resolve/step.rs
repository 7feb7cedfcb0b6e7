//! What every step may say about itself, whatever its kind.

use crate::definition::mention::Site;
use crate::definition::outline::{Found, Role};
use crate::definition::problem::complaint;
use crate::definition::raw::Raw;
use crate::definition::read::Spot;
use crate::definition::{ConcurrencyLimit, OnFailure, RetryPolicy, StepDef, StepIx, StepKind};
use crate::money::Budget;

use super::{Resolver, humanised};

/// Keys of a step that name its kind.
pub(in crate::definition) const KIND_KEYS: [&str; 8] =
    ["agent", "checkpoint", "gate", "loop", "for_each", "orchestration", "transform", "wait"];

/// All keys of a step.
pub(in crate::definition) const STEP_KEYS: [&str; 25] = [
    "id",
    "label",
    "agent",
    "checkpoint",
    "gate",
    "loop",
    "for_each",
    "orchestration",
    "transform",
    "wait",
    "input",
    "settings",
    "phase",
    "needs",
    "when",
    "output",
    "timeout",
    "retry",
    "on_failure",
    "background",
    "cache",
    "compensate",
    "budget",
    "estimate",
    "concurrency",
];

/// Keys of a compensation: a small agent or transform step without a place in the graph.
pub(in crate::definition) const UNDO_KEYS: [&str; 7] =
    ["agent", "transform", "input", "settings", "timeout", "retry", "label"];

impl<'n> Resolver<'_, 'n> {
    /// The step at `ix`.
    pub(super) fn step(&mut self, ix: StepIx) -> StepDef {
        let Some(found) = self.outline.found.get(usize::from(ix)) else {
            return blank(ix);
        };
        let Found { spot, id, parent, position, role } = found;
        let (spot, parent, position, role) = (spot.clone(), *parent, *position, *role);
        let mut step = StepDef {
            id: id.clone(),
            parent,
            position,
            label: humanised(id),
            written_at: (spot.place().line, spot.place().column),
            ..blank(ix)
        };
        let site = match role {
            Role::Own => Site::Step(ix),
            Role::Undoes(_) => Site::Undo(ix),
        };
        let known: &[&str] = if role == Role::Own { &STEP_KEYS } else { &UNDO_KEYS };
        // What is no object has been told of by the outline.
        if !matches!(spot.node.raw, Raw::Map(_)) || !self.report.keys(&spot, known) {
            return step;
        }
        if let Some(label) = spot.member("label").and_then(|spot| self.report.label(&spot)) {
            step.label = label;
        }
        step.is_compensation = role != Role::Own;
        step.kind = self.kind(ix, &spot, site);
        self.keys_without_effect(&spot, &step.kind);
        step.retry = self.retry(&spot, &step.kind);
        step.timeout = spot.member("timeout").and_then(|spot| self.report.duration(&spot));
        if role == Role::Own {
            self.graph_keys(ix, &spot, &mut step);
            self.effort_keys(&spot, site, &mut step);
        }
        step
    }

    /// Keys that are known, but would be waited for in vain on a step of this kind.
    fn keys_without_effect(&mut self, spot: &Spot<'n>, kind: &StepKind) {
        let (retry, timeout) = match kind {
            StepKind::Agent(_) | StepKind::Orchestration(_) => (None, None),
            StepKind::Gate(gate) if gate.judge.is_some() => (None, None),
            StepKind::Loop(_) | StepKind::ForEach(_) => {
                (Some("put `retry` on the steps of its body"), None)
            },
            StepKind::Checkpoint(_) => (
                Some("how often people may send work back is `checkpoint.retries_max`"),
                Some("how long people have is `checkpoint.deadline`"),
            ),
            StepKind::Wait(_) => (Some("remove it: nothing is called that could fail"), None),
            StepKind::Gate(_) | StepKind::Transform(_) => {
                let hint = "remove it: it is computed at once, always with the same result";
                (Some(hint), Some(hint))
            },
        };
        for (key, hint) in [("retry", retry), ("timeout", timeout)] {
            if let (Some(hint), Some(spot)) = (hint, spot.member(key)) {
                let what = format!("`{key}` has no effect on a {} step", kind.name());
                let wrong = complaint(what, "nothing reads it").newer();
                self.report.at(&spot, wrong.hint(hint));
            }
        }
    }

    /// Keys that say when the step runs and what follows from it.
    fn graph_keys(&mut self, ix: StepIx, spot: &Spot<'n>, step: &mut StepDef) {
        step.phase = spot.member("phase").and_then(|spot| self.phase(&spot));
        step.needs = spot.member("needs").map(|s| self.needs(ix, &s)).unwrap_or_default();
        step.when = spot
            .member("when")
            .and_then(|spot| self.mentions.expression(self.report, &spot, Site::Step(ix)));
        step.output_schema = spot.member("output").and_then(|spot| self.report.schema(&spot));
        step.on_failure = self.on_failure(ix, spot);
        step.background = self.flag(spot, "background");
        if step.background && step.parent.is_some() {
            let inner = complaint(
                "a background step inside a body",
                "an iteration is over only when all of its steps are",
            );
            let at = spot.member("background").unwrap_or_else(|| spot.clone());
            self.report.at(&at, inner.hint("put `background: true` on the loop or for_each"));
        }
        let undo = |other: StepIx| {
            self.outline.get(other).is_some_and(|found| found.role == Role::Undoes(ix))
        };
        step.compensate = self.outline.indices().find(|other| undo(*other));
    }

    /// Keys that limit what the step may take.
    fn effort_keys(&mut self, spot: &Spot<'n>, site: Site, step: &mut StepDef) {
        step.cache = self.flag(spot, "cache");
        if let Some(spot) = spot.member("budget") {
            step.budget = self.report.budget(&spot);
        }
        if let Some(spot) = spot.member("estimate") {
            step.estimate = self.report.estimate(&spot);
        }
        step.concurrency =
            spot.member("concurrency").and_then(|spot| self.concurrency(&spot, site));
    }

    pub(super) fn flag(&mut self, spot: &Spot<'n>, key: &str) -> bool {
        spot.member(key).and_then(|spot| self.report.flag(&spot)).unwrap_or(false)
    }

    fn phase(&mut self, spot: &Spot<'n>) -> Option<u16> {
        let name = self.report.text(spot)?;
        let found = self.phases.iter().position(|phase| phase == name);
        if found.is_none() {
            let why = if self.phases.is_empty() {
                "the definition declares no `phases`".to_owned()
            } else {
                format!("the phases are {}", self.phases.join(", "))
            };
            let wrong = complaint(format!("unknown phase `{name}`"), why);
            self.report.at(spot, wrong.meant(name, self.phases.iter().map(String::as_str)));
        }
        found.and_then(|at| u16::try_from(at).ok())
    }

    /// The steps named in `needs`, all of the same block.
    fn needs(&mut self, ix: StepIx, spot: &Spot<'n>) -> Vec<StepIx> {
        let named = self.report.texts(spot);
        named.into_iter().filter_map(|(_, spot)| self.sibling(ix, &spot)).collect()
    }

    /// The step that `spot` names in the block of step `ix`.
    pub(super) fn sibling(&mut self, ix: StepIx, spot: &Spot<'n>) -> Option<StepIx> {
        let id = self.report.text(spot)?;
        let parent = self.outline.get(ix).and_then(|found| found.parent);
        let other = self.outline.ids.get(id).copied();
        let found = other.and_then(|other| self.outline.get(other));
        let wrong = match (found, other) {
            (Some(found), Some(other)) if found.role == Role::Own && found.parent == parent => {
                if other != ix {
                    return Some(other);
                }
                complaint(format!("step `{id}` names itself"), "a step cannot come before itself")
            },
            (Some(_), _) => complaint(
                format!("step `{id}` stands in another block"),
                "only steps of the same block can be named here",
            )
            .hint("to wait for it, name it at the loop or for_each around this step"),
            (None, _) => {
                let siblings = self.outline.block(parent);
                let ids = siblings.iter().filter_map(|ix| self.outline.get(*ix));
                complaint(format!("unknown step `{id}`"), "no step has this id")
                    .meant(id, ids.map(|found| found.id.as_str()))
            },
        };
        self.report.at(spot, wrong);
        None
    }

    fn concurrency(&mut self, spot: &Spot<'n>, site: Site) -> Option<ConcurrencyLimit> {
        const LIMIT_MAX: u32 = 10_000;
        if !self.report.keys(spot, &["key", "limit"]) {
            return None;
        }
        let (Some(key), Some(limit)) = (spot.member("key"), spot.member("limit")) else {
            let half = complaint("`concurrency` is incomplete", "it needs a key and a limit");
            self.report.at(spot, half.hint("for example `{key: gpu, limit: 2}`"));
            return None;
        };
        let key = self.mentions.template(self.report, &key, site);
        let limit = self.report.count(&limit, 1..=LIMIT_MAX);
        Some(ConcurrencyLimit { key: key?, limit: limit? })
    }
}

/// A step that does nothing, the stand-in for one that cannot be read.
fn blank(ix: StepIx) -> StepDef {
    StepDef {
        ix,
        id: String::new(),
        parent: None,
        position: 0,
        label: super::Label::default(),
        phase: None,
        needs: Vec::new(),
        when: None,
        kind: StepKind::Transform(crate::template::Mapping::empty()),
        output_schema: None,
        timeout: None,
        retry: RetryPolicy::usual(),
        on_failure: OnFailure::Stop,
        background: false,
        cache: false,
        compensate: None,
        budget: Budget::default(),
        estimate: crate::definition::Estimate::default(),
        concurrency: None,
        is_fallback: false,
        is_compensation: false,
        written_at: (0, 0),
    }
}
