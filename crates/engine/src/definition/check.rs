//! Checks that need to know the whole definition: what refers to what, and in which order.

use super::mention::Mention;
use super::outline::Outline;
use super::problem::Report;
use super::{Definition, StepIx};

mod graph;
mod order;
mod reference;
mod shape;
mod types;

/// Runs all of them, and fills in what follows from the references: implied needs, fallbacks.
pub(super) fn check(
    report: &mut Report,
    definition: &mut Definition,
    outline: &Outline<'_>,
    mentions: &[Mention],
) {
    graph::mark_fallbacks(report, definition, outline);
    for mention in mentions {
        reference::check(report, definition, outline, mention);
    }
    types::check(report, definition, outline);
    graph::tidy_needs(definition);
    graph::check_needs(report, definition, outline);
    // What follows from the order makes sense only where there is one.
    if graph::check_cycles(report, definition, outline) {
        graph::check_fallbacks(report, definition, outline);
        order::check(report, definition, outline);
    }
}

/// The containers around a step, the innermost first.
fn around(definition: &Definition, ix: StepIx) -> impl Iterator<Item = StepIx> + '_ {
    std::iter::successors(parent(definition, ix), |ix| parent(definition, *ix))
}

fn parent(definition: &Definition, ix: StepIx) -> Option<StepIx> {
    definition.steps.get(usize::from(ix)).and_then(|step| step.parent)
}
