//! The graph that needs and references make: fallbacks, foreground and background, no cycles.

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

/// Finds cycles and names them; true when there are none.
pub(super) fn check_cycles(
    report: &mut Report,
    definition: &Definition,
    outline: &Outline<'_>,
) -> bool {
    let mut is_free = true;
    // A step leaves when all it needs has left; what stays is on a cycle or behind one.
    let mut staying: Vec<StepIx> = definition.steps.iter().map(|step| step.ix).collect();
    loop {
        let stays = |ix: &StepIx| definition.step(*ix).needs.iter().any(|n| staying.contains(n));
        let still: Vec<StepIx> = staying.iter().copied().filter(stays).collect();
        if still.len() == staying.len() {
            break;
        }
        staying = still;
    }
    while let Some(start) = staying.first().copied() {
        let cycle = cycle_from(definition, &staying, start);
        staying.retain(|ix| !cycle.contains(ix));
        // What was only behind a cycle that is told of already leaves with it.
        let Some(first) = cycle.iter().min().copied() else { continue };
        let leads_back =
            cycle.last().is_some_and(|last| definition.step(*last).needs.contains(&first))
                || cycle.len() > 1
                || definition.step(first).needs.contains(&first);
        if !leads_back {
            continue;
        }
        is_free = false;
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
            "none of them could ever start (`a → b` reads: a needs b)",
        );
        let hint = "remove one of the references or needs; to repeat work use `loop`";
        at_step(report, outline, first, "needs", wrong.hint(hint));
    }
    is_free
}

/// Follows needs among `staying` until a step comes again; the steps from there on.
fn cycle_from(definition: &Definition, staying: &[StepIx], start: StepIx) -> Vec<StepIx> {
    let mut way = vec![start];
    loop {
        let Some(last) = way.last() else { return way };
        let next = definition.step(*last).needs.iter().find(|need| staying.contains(need));
        let Some(next) = next else { return vec![start] };
        if let Some(at) = way.iter().position(|ix| ix == next) {
            return way.split_off(at);
        }
        way.push(*next);
    }
}
