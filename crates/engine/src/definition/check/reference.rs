//! One reference of one expression: does it lead to something, and may it be seen from there?
//! References to steps also order the graph: what is looked at has to have ended.

use crate::definition::check::{around, parent, shape};
use crate::definition::mention::{Mention, Site};
use crate::definition::outline::Outline;
use crate::definition::problem::{Complaint, Report, complaint};
use crate::definition::{Definition, OnFailure, StepIx, StepKind};

/// The roots of the scope. `steps` is looked into, the others are given by the engine.
const ROOTS: [&str; 7] = ["input", "steps", "item", "index", "loop", "run", "feedback"];

/// What is known of a step from outside.
const STEP_MEMBERS: [&str; 4] = ["output", "status", "failure", "attempts"];

/// What the engine gives under `loop` and `run` (`view.rs`).
const LOOP_MEMBERS: [&str; 3] = ["iteration", "max", "previous"];
const RUN_MEMBERS: [&str; 6] = ["id", "title", "labels", "started_by", "started_at", "phase"];

/// What decisions hand out.
const CHECKPOINT_OUTPUT: [&str; 4] = ["decision", "by", "comment", "content"];
const GATE_OUTPUT: [&str; 3] = ["verdict", "reason", "judgement"];

/// Checks `mention`, and adds the need that it implies.
pub(super) fn check(
    report: &mut Report,
    definition: &mut Definition,
    outline: &Outline<'_>,
    mention: &Mention,
) {
    let outcome = match mention.reference.split_first() {
        Some((root, rest)) if root == "steps" => step(definition, outline, mention, rest),
        Some((root, rest)) => other_root(definition, outline, mention, root, rest),
        None => Ok(None),
    };
    match outcome {
        Ok(Some((ix, need))) => {
            if let Some(step) = definition.steps.get_mut(usize::from(ix)) {
                step.needs.push(need);
            }
        },
        Ok(None) => {},
        Err(complaint) => report.add(mention.place, &mention.path, complaint),
    }
}

/// The step that looks, where one does.
fn looker(site: Site) -> Option<StepIx> {
    match site {
        Site::Step(ix) | Site::Body(ix) | Site::Rules(ix) | Site::Undo(ix) => Some(ix),
        Site::Outputs => None,
    }
}

type Outcome = Result<Option<(StepIx, StepIx)>, Complaint>;

fn other_root(
    definition: &Definition,
    outline: &Outline<'_>,
    mention: &Mention,
    root: &str,
    rest: &[String],
) -> Outcome {
    match root {
        "input" => shape::check(definition.input_schema.source(), "input", rest).map(|()| None),
        "item" | "index" => inside(definition, mention, root, "for_each"),
        "loop" => {
            inside(definition, mention, root, "loop")?;
            among("loop", rest, &LOOP_MEMBERS).map(|()| None)
        },
        "run" => among("run", rest, &RUN_MEMBERS).map(|()| None),
        "feedback" => Ok(None),
        _ if outline.ids.contains_key(root) => {
            let wrong = complaint(
                format!("`{root}` is a step, not a root"),
                "steps are found under `steps`",
            );
            Err(wrong.hint(format!("write `steps.{root}.output`")))
        },
        _ => {
            let wrong = complaint(
                format!("`{root}` does not exist"),
                format!("expressions see {}", ROOTS.join(", ")),
            );
            Err(wrong.meant(root, ROOTS.into_iter()))
        },
    }
}

/// `item` and `index` need a `for_each` around, `loop` a loop.
fn inside(definition: &Definition, mention: &Mention, root: &str, kind: &str) -> Outcome {
    let own = match mention.site {
        Site::Body(ix) => Some(ix),
        _ => None,
    };
    let outer = looker(mention.site).into_iter().flat_map(|ix| around(definition, ix));
    let is_inside = own.into_iter().chain(outer).any(|ix| definition.step(ix).kind.name() == kind);
    if is_inside {
        return Ok(None);
    }
    let wrong = complaint(
        format!("`{root}` does not exist here"),
        format!("it belongs to a {kind}, and none is around this"),
    );
    Err(wrong.hint(format!("use it in the body of a {kind} only")))
}

fn step(
    definition: &Definition,
    outline: &Outline<'_>,
    mention: &Mention,
    rest: &[String],
) -> Outcome {
    let Some((id, members)) = rest.split_first() else {
        let wrong = complaint(
            "`steps` without the id of a step",
            "which step is meant has to be known before the run",
        );
        return Err(wrong.hint("write `steps.some_id.output`"));
    };
    let Some(target) = outline.ids.get(id).copied() else {
        let wrong = complaint(format!("unknown step `{id}`"), "no step has this id");
        return Err(wrong.meant(id, outline.ids.keys().map(String::as_str)));
    };
    members_exist(definition, mention, target, members)?;
    visible(definition, mention.site, target)
}

/// Whether `steps.<id>.<members>` can be there.
fn members_exist(
    definition: &Definition,
    mention: &Mention,
    target: StepIx,
    members: &[String],
) -> Result<(), Complaint> {
    let id = definition.step(target).id.as_str();
    let Some((first, rest)) = members.split_first() else { return Ok(()) };
    if !STEP_MEMBERS.contains(&first.as_str()) {
        let wrong = complaint(
            format!("a step has no `{first}`"),
            format!("a step is seen as {}", STEP_MEMBERS.join(", ")),
        );
        let path = [id, "output"].into_iter().chain(members.iter().map(String::as_str));
        let path: Vec<&str> = path.collect();
        return Err(wrong
            .hint(format!("write `steps.{}`", path.join(".")))
            .meant(first, STEP_MEMBERS.into_iter()));
    }
    if first != "output" {
        return Ok(());
    }
    let (step, at) = (definition.step(target), format!("steps.{id}.output"));
    match (&step.output_schema, &step.kind) {
        (Some(schema), _) => shape::check(schema.source(), &at, rest),
        (None, StepKind::Checkpoint(_)) => among(&at, rest, &CHECKPOINT_OUTPUT),
        (None, StepKind::Gate(_)) if mention.site != Site::Rules(target) => {
            among(&at, rest, &GATE_OUTPUT)
        },
        _ => Ok(()),
    }
}

/// Whether the first of `members` is one of those that the engine gives.
fn among(at: &str, members: &[String], given: &[&str]) -> Result<(), Complaint> {
    match members.first() {
        Some(member) if !given.contains(&member.as_str()) => {
            let why = format!("it has {}", given.join(", "));
            Err(complaint(format!("`{at}` has no `{member}`"), why)
                .meant(member, given.iter().copied()))
        },
        _ => Ok(()),
    }
}

/// Whether `target` can be seen from `site`, and the need that follows.
fn visible(definition: &Definition, site: Site, target: StepIx) -> Outcome {
    let id = &definition.step(target).id;
    let (looker, body) = match site {
        Site::Outputs => return at_the_end(definition, target),
        Site::Undo(ix) => return undoing(definition, ix, target),
        Site::Rules(ix) if ix == target => return own_judge(definition, ix),
        Site::Step(ix) | Site::Rules(ix) => (ix, None),
        Site::Body(ix) => (ix, Some(ix)),
    };
    reserved(definition, looker, target)?;
    if body.is_some() && parent(definition, target) == body {
        return Ok(None);
    }
    if target == looker {
        let wrong = complaint(format!("step `{id}` looks at itself"), "it has no output yet");
        return Err(wrong.hint("look at an earlier step, or at `feedback` after a retry"));
    }
    if replaced(definition, looker) == Some(target) {
        return Ok(None);
    }
    // The looker, or the container around it, that stands in the target's block.
    let lifted = std::iter::once(looker)
        .chain(around(definition, looker))
        .find(|ix| parent(definition, *ix) == parent(definition, target));
    match lifted {
        Some(lifted) if lifted == target => {
            let wrong = complaint(
                format!("`{id}` is the container around this"),
                "its output is known only when its body has ended",
            );
            Err(wrong.hint("look at a step of the body, or at `loop`"))
        },
        Some(lifted) => Ok(Some((lifted, target))),
        None => Err(in_a_body(definition, target)),
    }
}

/// Fallbacks and compensations are no steps that others look at.
fn reserved(definition: &Definition, looker: StepIx, target: StepIx) -> Result<(), Complaint> {
    let step = definition.step(target);
    if step.is_compensation {
        let wrong =
            complaint(format!("`{}` is a compensation", step.id), "it runs only when all is over");
        return Err(wrong.hint("look at the step that it undoes"));
    }
    let own_chain = definition.step(looker).is_fallback;
    match replaced(definition, target) {
        Some(primary) if step.is_fallback && !own_chain => {
            let primary = &definition.step(primary).id;
            let wrong = complaint(
                format!("`{}` is a fallback", step.id),
                format!("it runs only when `{primary}` has failed"),
            );
            Err(wrong.hint(format!(
                "look at `steps.{primary}.output`: it is the fallback's when that has run"
            )))
        },
        _ => Ok(()),
    }
}

/// The step that `ix` takes the place of.
fn replaced(definition: &Definition, ix: StepIx) -> Option<StepIx> {
    let names = |step: &&crate::definition::StepDef| step.on_failure == OnFailure::Fallback(ix);
    definition.steps.iter().find(names).map(|step| step.ix)
}

fn in_a_body(definition: &Definition, target: StepIx) -> Complaint {
    let step = definition.step(target);
    let Some(container) = step.parent else {
        return complaint(format!("step `{}` cannot be seen from here", step.id), "it is outside");
    };
    let container = definition.step(container);
    complaint(
        format!("step `{}` cannot be seen from here", step.id),
        format!("it runs in the body of `{}`, perhaps many times", container.id),
    )
    .hint(format!("use `steps.{}.output`, and its `result:` to say what that is", container.id))
}

fn at_the_end(definition: &Definition, target: StepIx) -> Outcome {
    reserved_at_the_end(definition, target)?;
    if definition.step(target).parent.is_some() {
        return Err(in_a_body(definition, target));
    }
    Ok(None)
}

fn reserved_at_the_end(definition: &Definition, target: StepIx) -> Result<(), Complaint> {
    // Nobody looks from the outputs, so no fallback chain excuses it.
    let step = definition.step(target);
    if step.is_fallback || step.is_compensation {
        let wrong = complaint(
            format!("`{}` may never run", step.id),
            "outputs come from steps that belong to the plan",
        );
        return Err(wrong.hint("look at the step that it stands in for"));
    }
    Ok(())
}

/// A compensation sees its own step and whatever that may see.
fn undoing(definition: &Definition, ix: StepIx, target: StepIx) -> Outcome {
    let around_undone: Vec<Option<StepIx>> =
        around(definition, ix).map(Some).chain([None]).collect();
    if around_undone.contains(&parent(definition, target)) {
        return Ok(None);
    }
    Err(in_a_body(definition, target))
}

/// A gate's rules see its judge as the gate's own output.
fn own_judge(definition: &Definition, ix: StepIx) -> Outcome {
    let step = definition.step(ix);
    match &step.kind {
        StepKind::Gate(gate) if gate.judge.is_some() => Ok(None),
        _ => {
            let wrong = complaint(
                format!("gate `{}` looks at itself", step.id),
                "without a judge it has no output of its own",
            );
            Err(wrong.hint("add `judge:`, or look at an earlier step"))
        },
    }
}
