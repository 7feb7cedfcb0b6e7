//! Everything an author's expressions refer to, with where they stand, kept for the checks that
//! need to know all steps.

use super::StepIx;
use super::problem::{Place, Report, complaint};
use super::raw::Raw;
use super::read::Spot;
use crate::template::{Expression, Mapping, ParseFault, Reference, Template};

/// From where an expression looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Site {
    /// A step, before it starts: what it mentions has to have ended.
    Step(StepIx),
    /// A finished iteration or element of this container: its body's steps are visible too.
    Body(StepIx),
    /// The rules of this gate: its own judge's output is visible too.
    Rules(StepIx),
    /// The compensation at this index.
    Undo(StepIx),
    /// The outputs of the run.
    Outputs,
}

/// One reference.
#[derive(Clone, Debug)]
pub(super) struct Mention {
    pub(super) site: Site,
    pub(super) place: Place,
    pub(super) path: String,
    pub(super) reference: Reference,
}

/// Compiles expressions and remembers what they mention.
#[derive(Debug, Default)]
pub(super) struct Mentions {
    pub(super) all: Vec<Mention>,
}

impl Mentions {
    fn remember<'r>(
        &mut self,
        site: Site,
        spot: &Spot<'_>,
        references: impl IntoIterator<Item = &'r Reference>,
    ) {
        self.all.extend(references.into_iter().map(|reference| Mention {
            site,
            place: spot.place(),
            path: spot.path.clone(),
            reference: reference.clone(),
        }));
    }

    /// An expression, with or without `{{ }}` around it. Truth values and numbers are
    /// expressions too.
    pub(super) fn expression(
        &mut self,
        report: &mut Report,
        spot: &Spot<'_>,
        site: Site,
    ) -> Option<Expression> {
        let text = match &spot.node.raw {
            Raw::Text(text) => unwrapped(text).to_owned(),
            Raw::Bool(_) | Raw::Number(_) => spot.node.to_json().to_string(),
            _ => {
                let what = format!("{} where an expression is expected", spot.node.kind());
                report.at(spot, complaint(what, "expressions are texts in CEL"));
                return None;
            },
        };
        match Expression::parse(&text) {
            Ok(expression) => {
                self.remember(site, spot, expression.references());
                refuse_zero(report, spot, expression.divides_by_zero());
                Some(expression)
            },
            Err(fault) => {
                unreadable(report, spot, &text, &fault);
                None
            },
        }
    }

    /// A text with `{{ }}` in it.
    pub(super) fn template(
        &mut self,
        report: &mut Report,
        spot: &Spot<'_>,
        site: Site,
    ) -> Option<Template> {
        let text = report.text(spot)?;
        match Template::parse(text) {
            Ok(template) => {
                self.remember(site, spot, template.references());
                refuse_zero(report, spot, template.divides_by_zero());
                Some(template)
            },
            Err(fault) => {
                unreadable(report, spot, text, &fault);
                None
            },
        }
    }

    /// A value whose texts are templates. Each text complains at its own place.
    pub(super) fn mapping(&mut self, report: &mut Report, spot: &Spot<'_>, site: Site) -> Mapping {
        match &spot.node.raw {
            Raw::Text(text) if !text.contains("{{") => Mapping::Fixed(spot.node.to_json()),
            Raw::Text(text) => match Mapping::parse(&spot.node.to_json()) {
                Ok(mapping) => {
                    self.remember(site, spot, mapping.references());
                    if let Mapping::Text(template) = &mapping {
                        refuse_zero(report, spot, template.divides_by_zero());
                    }
                    mapping
                },
                Err((_, fault)) => {
                    unreadable(report, spot, text, &fault);
                    Mapping::empty()
                },
            },
            Raw::List(_) => {
                let items = spot.items().unwrap_or_default();
                Mapping::List(items.iter().map(|item| self.mapping(report, item, site)).collect())
            },
            Raw::Map(_) => {
                let members = spot.members();
                let members = members
                    .iter()
                    .map(|(member, inner)| (member.key.clone(), self.mapping(report, inner, site)));
                Mapping::Object(members.collect())
            },
            Raw::Null | Raw::Bool(_) | Raw::Number(_) => Mapping::Fixed(spot.node.to_json()),
        }
    }
}

/// The expression inside `{{ }}` when a whole text is one.
fn unwrapped(text: &str) -> &str {
    let trimmed = text.trim();
    let inner = trimmed.strip_prefix("{{").and_then(|rest| rest.strip_suffix("}}"));
    inner.filter(|inner| !inner.contains("{{")).unwrap_or(trimmed).trim()
}

fn unreadable(report: &mut Report, spot: &Spot<'_>, text: &str, fault: &ParseFault) {
    const SHOWN: usize = 24;
    let before = fault.offset.saturating_sub(SHOWN / 2);
    let near: String = text.chars().skip(before).take(SHOWN).collect();
    let what = format!("an expression cannot be read: {}", fault.message);
    let why = format!("at character {} of the text, near `{}`", fault.offset + 1, near.trim());
    report.at(spot, complaint(what, why));
}

/// What fails for certain is told before anything was paid for.
fn refuse_zero(report: &mut Report, spot: &Spot<'_>, divides_by_zero: bool) {
    if divides_by_zero {
        let wrong = complaint("a division by zero", "it fails whenever the run comes here");
        report.at(spot, wrong.newer().hint("divide by something else"));
    }
}
