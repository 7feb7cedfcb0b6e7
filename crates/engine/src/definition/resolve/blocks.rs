//! Steps with a body: `loop` and `for_each`.

use crate::definition::mention::Site;
use crate::definition::problem::complaint;
use crate::definition::raw::Raw;
use crate::definition::read::Spot;
use crate::definition::{ForEachStep, Join, Keep, LoopStep, OnExhausted, StepIx};
use crate::template::{Mapping, Template};

use super::Resolver;

/// Most iterations of a loop.
const ITERATIONS_MAX: u32 = 1_000;

/// Most elements worked on at once.
const CONCURRENCY_MAX: u32 = 1_000;

/// Elements worked on at once when nothing is said.
const CONCURRENCY_USUAL: u32 = 8;

/// Most elements that `join: {at_least: n}` may ask for.
const AT_LEAST_MAX: u32 = 100_000;

/// Keys of `loop`.
pub(in crate::definition) const LOOP_KEYS: [&str; 6] =
    ["steps", "until", "max", "result", "keep", "on_exhausted"];

/// Keys of `for_each`.
pub(in crate::definition) const FOR_EACH_KEYS: [&str; 7] =
    ["items", "steps", "concurrency", "result", "join", "on_item_failure", "allow_empty"];

impl<'n> Resolver<'_, 'n> {
    /// `loop:`.
    pub(super) fn repeat(&mut self, ix: StepIx, spot: &Spot<'n>) -> Option<LoopStep> {
        if !self.report.keys(spot, &LOOP_KEYS) {
            return None;
        }
        let body = self.body(ix, spot, "loop");
        let until = self.required(spot, "until", "it says when an iteration is good enough");
        let until =
            until.and_then(|spot| self.mentions.expression(self.report, &spot, Site::Body(ix)));
        let max = self.required(spot, "max", "a loop without a limit may never end");
        let max = max.and_then(|spot| self.report.count(&spot, 1..=ITERATIONS_MAX));
        let result = self.result(ix, spot, &body);
        let keep = self.keep(ix, spot);
        let on_exhausted = spot.member("on_exhausted").and_then(|spot| {
            let choices = [("flag", OnExhausted::Flag), ("fail", OnExhausted::Fail)];
            self.report.choice(&spot, &choices)
        });
        let on_exhausted = on_exhausted.unwrap_or(OnExhausted::Flag);
        Some(LoopStep { body, until: until?, max: max?, result, keep, on_exhausted })
    }

    /// `for_each:`.
    pub(super) fn for_each(&mut self, ix: StepIx, spot: &Spot<'n>) -> Option<ForEachStep> {
        if !self.report.keys(spot, &FOR_EACH_KEYS) {
            return None;
        }
        let body = self.body(ix, spot, "for_each");
        let items = self.required(spot, "items", "it says which list is worked on");
        let items =
            items.and_then(|spot| self.mentions.expression(self.report, &spot, Site::Step(ix)));
        let concurrency = spot
            .member("concurrency")
            .and_then(|spot| self.report.count(&spot, 1..=CONCURRENCY_MAX));
        let fail_on_item = spot
            .member("on_item_failure")
            .and_then(|spot| self.report.choice(&spot, &[("fail", true), ("collect", false)]));
        let join = self.join(spot);
        let result = self.result(ix, spot, &body);
        let allow_empty = spot.member("allow_empty");
        let allow_empty = allow_empty.and_then(|spot| self.report.flag(&spot));
        Some(ForEachStep {
            items: items?,
            body,
            concurrency: concurrency.unwrap_or(CONCURRENCY_USUAL),
            result,
            join,
            fail_on_item: fail_on_item.unwrap_or(true),
            allow_empty: allow_empty.unwrap_or(true),
        })
    }

    fn required(&mut self, spot: &Spot<'n>, key: &str, why: &str) -> Option<Spot<'n>> {
        let found = spot.member(key);
        if found.is_none() {
            self.report.at(spot, complaint(format!("no `{key}`"), why));
        }
        found
    }

    fn body(&mut self, ix: StepIx, spot: &Spot<'n>, kind: &str) -> Vec<StepIx> {
        let why = format!("a {kind} without a body would do nothing");
        self.required(spot, "steps", &why);
        self.outline.block(Some(ix))
    }

    /// `result:`, or the output of the body's last step.
    fn result(&mut self, ix: StepIx, spot: &Spot<'n>, body: &[StepIx]) -> Mapping {
        if let Some(spot) = spot.member("result") {
            return self.map(&spot, Site::Body(ix));
        }
        let last = body.iter().rev().filter_map(|ix| self.outline.get(*ix));
        let last = last.map(|found| format!("{{{{ steps.{}.output }}}}", found.id)).next();
        let template = last.and_then(|text| Template::parse(&text).ok());
        template.map_or_else(Mapping::empty, Mapping::Text)
    }

    /// `keep: last` or `{best: score}`.
    fn keep(&mut self, ix: StepIx, spot: &Spot<'n>) -> Keep {
        let Some(spot) = spot.member("keep") else { return Keep::Last };
        if let Raw::Map(_) = spot.node.raw {
            self.report.keys(&spot, &["best"]);
            let score = self
                .required(&spot, "best", "it says which iteration has the highest score")
                .and_then(|spot| self.mentions.expression(self.report, &spot, Site::Body(ix)));
            return score.map_or(Keep::Last, Keep::Best);
        }
        self.report.choice(&spot, &[("last", ())]);
        Keep::Last
    }

    /// `join: all`, `any` or `{at_least: n}`.
    fn join(&mut self, spot: &Spot<'n>) -> Join {
        let Some(spot) = spot.member("join") else { return Join::All };
        if let Raw::Map(_) = spot.node.raw {
            self.report.keys(&spot, &["at_least"]);
            let count = self
                .required(&spot, "at_least", "it says how many elements are enough")
                .and_then(|spot| self.report.count(&spot, 1..=AT_LEAST_MAX));
            return count.map_or(Join::All, Join::AtLeast);
        }
        let choices = [("all", Join::All), ("any", Join::AtLeast(1))];
        self.report.choice(&spot, &choices).unwrap_or(Join::All)
    }
}
