//! Conditions that can never be true or false, and lists that can never be lists: what is certain
//! from literals and from the schemas, told before anything was paid for.

use crate::definition::check::shape;
use crate::definition::outline::Outline;
use crate::definition::problem::{Report, complaint};
use crate::definition::read::Spot;
use crate::definition::{Definition, StepDef, StepKind};
use crate::template::{Expression, Reference, Types};

/// Checks what each step decides by.
pub(super) fn check(report: &mut Report, definition: &Definition, outline: &Outline<'_>) {
    for step in &definition.steps {
        let Some(found) = outline.get(step.ix) else { continue };
        let top = Some(found.spot.clone());
        if let Some(when) = &step.when {
            condition(report, definition, step, (when, member(top.as_ref(), "when")));
        }
        let own = member(top.as_ref(), step.kind.name());
        match &step.kind {
            StepKind::Loop(repeat) => {
                condition(report, definition, step, (&repeat.until, member(own.as_ref(), "until")));
            },
            StepKind::Gate(gate) => {
                let spots = member(own.as_ref(), "rules").and_then(|rules| rules.items());
                let spots = spots.unwrap_or_default();
                for (rule, spot) in gate.rules.iter().zip(&spots) {
                    condition(report, definition, step, (&rule.when, spot.member("when")));
                }
            },
            StepKind::ForEach(each) => {
                list(report, definition, step, (&each.items, member(own.as_ref(), "items")));
            },
            _ => {},
        }
    }
}

fn member<'n>(spot: Option<&Spot<'n>>, key: &str) -> Option<Spot<'n>> {
    spot.and_then(|spot| spot.member(key))
}

/// An expression and where it is written.
type Written<'e, 'n> = (&'e Expression, Option<Spot<'n>>);

fn condition(report: &mut Report, definition: &Definition, step: &StepDef, what: Written<'_, '_>) {
    let (expression, Some(spot)) = what else { return };
    let types = types(definition, step, expression);
    if types.may_be(Types::TRUTH) {
        return;
    }
    let wrong = complaint(
        format!("`{}` is {}, not true or false", expression.text(), types.words()),
        "a condition holds or does not hold; anything else fails the step",
    );
    report
        .at(&spot, wrong.newer().hint("compare it with something: `==`, `!=`, `<`, `size(…) > 0`"));
}

fn list(report: &mut Report, definition: &Definition, step: &StepDef, what: Written<'_, '_>) {
    let (expression, Some(spot)) = what else { return };
    let types = types(definition, step, expression);
    if types.may_be(Types::LIST) {
        return;
    }
    let wrong = complaint(
        format!("`{}` is {}, not a list", expression.text(), types.words()),
        "for_each works on the elements of a list; anything else fails the step",
    );
    report.at(
        &spot,
        wrong.newer().hint("name a field whose schema says `type: array`, or write `[…]`"),
    );
}

fn types(definition: &Definition, step: &StepDef, expression: &Expression) -> Types {
    expression.types(&|reference| looked_up(definition, step, reference))
}

/// The types of what a path leads to: inputs and outputs are held to their schemas.
fn looked_up(definition: &Definition, step: &StepDef, reference: &Reference) -> Types {
    match reference.split_first() {
        Some((root, rest)) if root == "input" => {
            shape::types(definition.input_schema.source(), rest)
        },
        Some((root, rest)) if root == "steps" => output(definition, step, rest),
        _ => Types::ANY,
    }
}

fn output(definition: &Definition, looker: &StepDef, path: &[String]) -> Types {
    let [id, member, rest @ ..] = path else { return Types::ANY };
    let target = definition.steps.iter().find(|step| step.id == *id);
    // A gate that looks at itself sees its judge.
    let target = target.filter(|step| step.ix != looker.ix && member == "output");
    match target.and_then(|step| step.output_schema.as_ref()) {
        // A step that was skipped has a null for its output.
        Some(schema) if rest.is_empty() => shape::types(schema.source(), rest).or(Types::NULL),
        Some(schema) => shape::types(schema.source(), rest),
        None => Types::ANY,
    }
}
