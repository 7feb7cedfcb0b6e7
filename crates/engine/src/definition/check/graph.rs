//! The graph that needs and references make: fallbacks, foreground and background, no cycles.

use std::collections::BTreeSet;

use crate::definition::outline::Outline;
use crate::definition::problem::{Report, complaint};
use crate::definition::read::Spot;
use crate::definition::{Definition, OnFailure, StepIx};

/// Files a complaint at a step, or at one of its keys where that is written.
pub(super) fn at_step(
    report: &mut Report,
    outline: &Outline<'_>,
    ix: StepIx,
    key: &str,
    complaint: crate::definition::problem::Complaint,
) {
    let Some(found) = outline.get(ix) else { return };
    let spot: Spot<'_> = found.spot.member(key).unwrap_or_else(|| found.spot.clone());
    report.at(&spot, complaint);
}

/// Marks the steps that others name as their fallback. A fallback replaces one step only, for its
/// output is that step's.
pub(super) fn mark_fallbacks(
    report: &mut Report,
    definition: &mut Definition,
    outline: &Outline<'_>,
) {
    let named: Vec<(StepIx, StepIx)> = definition
        .steps
        .iter()
        .filter_map(|step| match step.on_failure {
            OnFailure::Fallback(fallback) => Some((step.ix, fallback)),
            OnFailure::Stop | OnFailure::Continue => None,
        })
        .collect();
    for (primary, fallback) in &named {
        let earlier = named.iter().find(|(other, same)| same == fallback && other < primary);
        if let Some((earlier, _)) = earlier {
            let (earlier, id) = (&definition.step(*earlier).id, &definition.step(*fallback).id);
            let wrong = complaint(
                format!("`{id}` is the fallback of two steps"),
                format!("it takes the place of `{earlier}` already"),
            );
            at_step(report, outline, *primary, "on_failure", wrong.hint("give each its own"));
        }
        if is_circular(&named, *fallback) {
            let id = &definition.step(*fallback).id;
            let wrong = complaint(
                format!("fallbacks lead back to `{id}`"),
                "somewhere there has to be a last one",
            );
            at_step(report, outline, *primary, "on_failure", wrong);
        }
        if let Some(step) = definition.steps.get_mut(usize::from(*fallback)) {
            step.is_fallback = true;
        }
    }
}

fn is_circular(named: &[(StepIx, StepIx)], start: StepIx) -> bool {
    let next = |ix: &StepIx| named.iter().find(|(from, _)| from == ix).map(|(_, to)| *to);
    std::iter::successors(next(&start), next).take(named.len() + 1).any(|ix| ix == start)
}

/// Each need once, in the author's order.
pub(super) fn tidy_needs(definition: &mut Definition) {
    for step in &mut definition.steps {
        step.needs.sort_unstable();
        step.needs.dedup();
    }
}

/// Needs that contradict what a step is.
pub(super) fn check_needs(report: &mut Report, definition: &Definition, outline: &Outline<'_>) {
    for step in &definition.steps {
        for need in &step.needs {
            let needed = definition.step(*need);
            if needed.is_fallback && !step.is_fallback {
                let wrong = complaint(
                    format!("`{}` needs `{}`, a fallback", step.id, needed.id),
                    "a fallback runs only when another step has failed",
                );
                let hint = "need the step that names it in `on_failure`";
                at_step(report, outline, step.ix, "needs", wrong.hint(hint));
            }
            if needed.on_failure == OnFailure::Fallback(step.ix) {
                let wrong = complaint(
                    format!("fallback `{}` needs the step it replaces", step.id),
                    "it starts by itself when that has failed",
                );
                at_step(report, outline, step.ix, "needs", wrong.hint("remove that need"));
            }
            if needed.background && !step.background {
                let wrong = complaint(
                    format!("`{}` waits for `{}`, a background step", step.id, needed.id),
                    "a run is delivered without waiting for background steps",
                );
                let hint =
                    format!("add `background: true` here, or remove it from `{}`", needed.id);
                at_step(report, outline, step.ix, "needs", wrong.hint(hint));
            }
        }
    }
}

/// A fallback that needs something which needs the step it replaces: each would wait for the
/// other.
pub(super) fn check_fallbacks(report: &mut Report, definition: &Definition, outline: &Outline<'_>) {
    for primary in &definition.steps {
        let OnFailure::Fallback(fallback) = primary.on_failure else { continue };
        let needs = &definition.step(fallback).needs;
        let between = needs.iter().filter(|need| **need != primary.ix);
        let Some(between) = between.copied().find(|need| leads_to(definition, *need, primary.ix))
        else {
            continue;
        };
        let (fallback_id, id) = (&definition.step(fallback).id, &definition.step(between).id);
        let wrong = complaint(
            format!("fallback `{fallback_id}` waits for `{id}`, which waits for `{}`", primary.id),
            "the fallback runs when that has failed, so each would wait for the other",
        );
        let hint = format!("let `{fallback_id}` need only what comes before `{}`", primary.id);
        at_step(report, outline, fallback, "needs", wrong.newer().hint(hint));
    }
}

/// Whether `from` needs `to`, however far away.
fn leads_to(definition: &Definition, from: StepIx, to: StepIx) -> bool {
    let (mut seen, mut open) = (BTreeSet::new(), vec![from]);
    while let Some(ix) = open.pop() {
        if ix == to {
            return true;
        }
        if seen.insert(ix) {
            open.extend(&definition.step(ix).needs);
        }
    }
    false
}

/// Finds cycles and names them; true when there are none.
pub(super) fn check_cycles(
    report: &mut Report,
    definition: &Definition,
    outline: &Outline<'_>,
) -> bool {
    let mut open: Vec<StepIx> = definition.steps.iter().map(|step| step.ix).collect();
    let mut is_free = true;
    loop {
        // A step leaves when all that it needs has left; what stays is on a cycle or behind one.
        let before = open.len();
        let waits = |ix: &StepIx| definition.step(*ix).needs.iter().any(|n| open.contains(n));
        open = open.iter().copied().filter(waits).collect();
        if open.len() < before {
            continue;
        }
        let Some(start) = open.first().copied() else { return is_free };
        let cycle = cycle_behind(definition, &open, start);
        is_free = false;
        tell_cycle(report, definition, outline, &cycle);
        open.retain(|ix| !cycle.contains(ix));
    }
}

/// Follows needs from `start` until a step comes again; the steps from there on. Every open step
/// needs an open one, so one does.
fn cycle_behind(definition: &Definition, open: &[StepIx], start: StepIx) -> Vec<StepIx> {
    let mut way = vec![start];
    loop {
        let last = way.last().map(|last| definition.step(*last));
        let next = last.and_then(|step| step.needs.iter().find(|need| open.contains(need)));
        let Some(next) = next else { return way };
        if let Some(at) = way.iter().position(|ix| ix == next) {
            return way.split_off(at);
        }
        way.push(*next);
    }
}

fn tell_cycle(
    report: &mut Report,
    definition: &Definition,
    outline: &Outline<'_>,
    cycle: &[StepIx],
) {
    let Some(first) = cycle.iter().min().copied() else { return };
    let from = cycle.iter().position(|ix| *ix == first).unwrap_or(0);
    let names: Vec<&str> = cycle
        .iter()
        .cycle()
        .skip(from)
        .take(cycle.len() + 1)
        .map(|ix| definition.step(*ix).id.as_str())
        .collect();
    let wrong = complaint(
        format!("steps wait for each other: {}", names.join(" → ")),
        "none of them could ever start (`a → b` says that a needs b)",
    );
    let hint = "remove one of the references or needs; to repeat work use `loop`";
    at_step(report, outline, first, "needs", wrong.hint(hint));
}
