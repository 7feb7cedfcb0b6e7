//! What follows from the order of the graph: what `retry` can go back to, and phases.

use std::collections::BTreeSet;

use crate::definition::check::{graph::at_step, parent};
use crate::definition::outline::Outline;
use crate::definition::problem::{Report, complaint};
use crate::definition::{Definition, StepDef, StepIx, StepKind};

/// Checks each step against what comes before it.
pub(super) fn check(report: &mut Report, definition: &Definition, outline: &Outline<'_>) {
    for step in &definition.steps {
        retry_from(report, definition, outline, step);
        phases(report, definition, outline, step);
    }
}

/// `retry_from` names a step of the same block that this one comes after: only that can be done
/// again without undoing more than was asked.
fn retry_from(report: &mut Report, definition: &Definition, outline: &Outline<'_>, step: &StepDef) {
    let (kind, target) = match &step.kind {
        StepKind::Checkpoint(checkpoint) => ("checkpoint", checkpoint.retry_from),
        StepKind::Gate(gate) => ("gate", gate.retry_from),
        _ => return,
    };
    let Some(target) = target else { return };
    if upstream(definition, step.ix).contains(&target) {
        return;
    }
    let id = &definition.step(target).id;
    let wrong = complaint(
        format!("`retry_from: {id}` does not come before `{}`", step.id),
        "work goes back along the way that it came",
    );
    let wrong = wrong.hint(format!("add `needs: [{id}]`, or show something of it here"));
    let Some(found) = outline.get(step.ix) else { return };
    let spot = found.spot.member(kind).and_then(|spot| spot.member("retry_from"));
    report.at(&spot.unwrap_or_else(|| found.spot.clone()), wrong);
}

/// Everything of the same block that has ended before `ix` starts.
fn upstream(definition: &Definition, ix: StepIx) -> BTreeSet<StepIx> {
    let mut found = BTreeSet::new();
    let mut open = vec![ix];
    while let Some(next) = open.pop() {
        for need in &definition.step(next).needs {
            if found.insert(*need) {
                open.push(*need);
            }
        }
    }
    found
}

/// Phases go forward: a step does not stand in an earlier phase than what it waits for.
fn phases(report: &mut Report, definition: &Definition, outline: &Outline<'_>, step: &StepDef) {
    let Some(own) = step.phase else { return };
    let name = |phase: u16| definition.phases.get(usize::from(phase)).map_or("", String::as_str);
    for need in &step.needs {
        let needed = definition.step(*need);
        if let Some(before) = needed.phase.filter(|before| *before > own) {
            let wrong = complaint(
                format!("`{}` goes back to phase `{}`", step.id, name(own)),
                format!("it comes after `{}` in phase `{}`", needed.id, name(before)),
            );
            let hint = format!("put it into `{}` or later, or change the order", name(before));
            at_step(report, outline, step.ix, "phase", wrong.hint(hint));
        }
    }
    let container = parent(definition, step.ix).map(|ix| definition.step(ix));
    let Some(container) = container else { return };
    if let Some(outer) = container.phase.filter(|outer| *outer > own) {
        let wrong = complaint(
            format!("`{}` goes back to phase `{}`", step.id, name(own)),
            format!("it stands in `{}` of phase `{}`", container.id, name(outer)),
        );
        at_step(report, outline, step.ix, "phase", wrong);
    }
}
