//! The first walk: which steps there are, where they stand and what they are called, before any
//! of them is understood.

use std::collections::BTreeMap;

use super::StepIx;
use super::problem::{Report, complaint};
use super::raw::{Node, Raw};
use super::read::{Spot, is_id, like_id};

/// Most steps of a definition, bodies included. More than a screen can show is more than a
/// person can check; data-driven width is `for_each`, depth is child orchestrations.
pub(super) const STEPS_MAX: usize = 500;

/// Deepest nesting of bodies.
const BLOCKS_MAX: usize = 4;

/// Why a step stands in the definition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// It is one of the steps of its block.
    Own,
    /// It undoes the step at this index.
    Undoes(StepIx),
}

/// A step that was found.
#[derive(Debug)]
pub(super) struct Found<'n> {
    pub(super) spot: Spot<'n>,
    pub(super) id: String,
    pub(super) parent: Option<StepIx>,
    pub(super) position: u16,
    pub(super) role: Role,
}

/// All steps, and the indices of each block.
#[derive(Debug)]
pub(super) struct Outline<'n> {
    pub(super) found: Vec<Found<'n>>,
    pub(super) ids: BTreeMap<String, StepIx>,
    pub(super) root: Vec<StepIx>,
}

impl Outline<'_> {
    /// The steps of a block in the author's order.
    pub(super) fn block(&self, parent: Option<StepIx>) -> Vec<StepIx> {
        let own =
            |ix: &StepIx| self.get(*ix).is_some_and(|f| f.parent == parent && f.role == Role::Own);
        self.indices().filter(own).collect()
    }

    pub(super) fn get(&self, ix: StepIx) -> Option<&Found<'_>> {
        self.found.get(usize::from(ix))
    }

    pub(super) fn indices(&self) -> impl Iterator<Item = StepIx> + use<> {
        (0..self.found.len()).map(index)
    }
}

/// A position as an index; there are at most [`STEPS_MAX`] steps and as many compensations.
pub(super) fn index(at: usize) -> StepIx {
    StepIx::try_from(at).unwrap_or(StepIx::MAX)
}

/// Finds every step under `steps`; nothing when there are too many to go on.
pub(super) fn outline<'n>(report: &mut Report, steps: &Spot<'n>) -> Option<Outline<'n>> {
    let count = count(steps.node);
    if count > STEPS_MAX {
        let what = format!("the definition has {count} steps");
        let many = complaint(what, format!("the limit is {STEPS_MAX}, bodies included"));
        report.at(
            steps,
            many.hint("let `for_each` repeat a step, or move parts into child orchestrations"),
        );
        return None;
    }
    let mut outline = Outline { found: Vec::new(), ids: BTreeMap::new(), root: Vec::new() };
    walk(report, &mut outline, steps, None, 1);
    outline.root = outline.block(None);
    undoing(report, &mut outline);
    Some(outline)
}

/// How many steps there are under a list of steps.
fn count(steps: &Node) -> usize {
    let Raw::List(items) = &steps.raw else { return 0 };
    let inner = |item: &Node| body(item).map_or(0, count);
    items.iter().map(|item| 1 + inner(item)).sum()
}

/// The list of steps in the body of a container.
fn body(step: &Node) -> Option<&Node> {
    ["loop", "for_each"].iter().find_map(|kind| step.get(kind)?.get("steps"))
}

fn walk<'n>(
    report: &mut Report,
    outline: &mut Outline<'n>,
    steps: &Spot<'n>,
    parent: Option<StepIx>,
    depth: usize,
) {
    if depth > BLOCKS_MAX {
        let deep = complaint(
            format!("bodies nested deeper than {BLOCKS_MAX}"),
            "nobody can follow it on a screen",
        );
        report.at(steps, deep.hint("move the inner part into a child orchestration"));
        return;
    }
    let Some(items) = steps.items() else {
        report.at(steps, complaint("no list", format!("`{}` takes a list of steps", steps.path)));
        return;
    };
    if items.is_empty() {
        report.at(steps, complaint("an empty list", "a block needs at least one step"));
    }
    for (position, spot) in items.into_iter().enumerate() {
        let id = id_of(report, &spot, position);
        let inner = ["loop", "for_each"].iter().find_map(|kind| spot.member(kind)?.member("steps"));
        let found = Found { spot, id, parent, position: index(position), role: Role::Own };
        let ix = add(report, outline, found);
        if let Some(inner) = inner {
            walk(report, outline, &inner, Some(ix), depth + 1);
        }
    }
}

/// Adds what `compensate:` describes as steps of their own, in no block.
fn undoing(report: &mut Report, outline: &mut Outline<'_>) {
    let mut found = Vec::new();
    for (at, step) in outline.found.iter().enumerate() {
        if let Some(spot) = step.spot.member("compensate") {
            let id = format!("undo_{}", step.id);
            let role = Role::Undoes(index(at));
            found.push(Found { spot, id, parent: step.parent, position: step.position, role });
        }
    }
    for step in found {
        add(report, outline, step);
    }
}

fn add<'n>(report: &mut Report, outline: &mut Outline<'n>, found: Found<'n>) -> StepIx {
    let ix = index(outline.found.len());
    let earlier = outline.ids.get(&found.id).and_then(|ix| outline.get(*ix));
    if let Some(earlier) = earlier {
        let line = earlier.spot.place().line;
        let twice = complaint(
            format!("step id `{}` is used twice", found.id),
            format!("outputs are found by id; the first is in line {line}"),
        );
        let spot = found.spot.member("id").unwrap_or_else(|| found.spot.clone());
        report.at(&spot, twice.hint(format!("rename one, for example `{}_2`", found.id)));
    } else {
        outline.ids.insert(found.id.clone(), ix);
    }
    outline.found.push(found);
    ix
}

/// The id of a step, or a made-up one where it is missing or wrong.
fn id_of(report: &mut Report, spot: &Spot<'_>, position: usize) -> String {
    let made_up = || format!("{}#{position}", spot.path);
    if !matches!(spot.node.raw, Raw::Map(_)) {
        let wrong = complaint(
            format!("{} where a step is expected", spot.node.kind()),
            "a step is an object with an id and a kind",
        );
        report.at(spot, wrong);
        return made_up();
    }
    let Some(id_spot) = spot.member("id") else {
        let missing = complaint("a step without `id`", "others refer to a step by its id");
        report.at(spot, missing.hint("add `id: some_name`"));
        return made_up();
    };
    let Some(id) = report.text(&id_spot) else { return made_up() };
    if is_id(id) {
        return id.to_owned();
    }
    let mut wrong = complaint(
        format!("`{id}` cannot be an id"),
        "an id is a small letter, then small letters, digits and `_`, 64 at most",
    );
    if let Some(like) = like_id(id) {
        wrong = wrong.hint(format!("for example `{like}`"));
    }
    report.at(&id_spot, wrong);
    made_up()
}
