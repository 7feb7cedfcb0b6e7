//! What was typed becomes what it means: defaults applied, names turned into indices, expressions
//! compiled. Whatever is wrong is reported and a harmless stand-in goes on, so that one walk
//! finds everything.

use std::sync::Arc;

use super::check;
use super::mention::{Mentions, Site};
use super::outline::{Outline, outline};
use super::problem::{Report, complaint};
use super::raw::Node;
use super::read::{Spot, is_id, is_slug};
use super::{Callee, Definition, Label, StepDef};
use crate::id::Digest;
use crate::money::Budget;
use crate::schema::Schema;
use crate::template::Mapping;

pub(super) mod blocks;
pub(super) mod decisions;
mod kind;
pub(super) mod policy;
pub(super) mod step;

/// The version of the language that this loader reads.
const FORMAT: u32 = 1;

/// Keys of the whole definition.
pub(super) const TOP_KEYS: [&str; 14] = [
    "showrunner",
    "id",
    "title",
    "description",
    "tags",
    "input",
    "phases",
    "budget",
    "agent_budgets",
    "timeout",
    "compensate_on_failure",
    "steps",
    "outputs",
    "shared",
];

/// A definition under construction.
pub(super) struct Resolver<'r, 'n> {
    report: &'r mut Report,
    mentions: Mentions,
    outline: Outline<'n>,
    phases: Vec<String>,
    callees: Vec<Callee>,
}

/// Resolves and checks the whole of `tree`.
pub(super) fn resolve(
    report: &mut Report,
    tree: &Node,
    source: &str,
    version: u32,
) -> Option<Definition> {
    let top = Spot::top(tree);
    if !report.keys(&top, &TOP_KEYS) {
        return None;
    }
    format(report, &top);
    let slug = slug(report, &top);
    let (phases, phase_labels) = phases(report, &top);
    let Some(steps) = top.member("steps") else {
        let missing = complaint("no `steps`", "a definition is made of steps");
        report.at(&top, missing.hint("add `steps:` with at least one step"));
        return None;
    };
    let outline = outline(report, &steps)?;
    let (mentions, callees) = (Mentions::default(), Vec::new());
    let mut resolver = Resolver { report, mentions, outline, phases, callees };
    let steps: Vec<StepDef> = resolver.outline.indices().map(|ix| resolver.step(ix)).collect();
    let outputs = top.member("outputs");
    let outputs =
        outputs.map(|spot| resolver.mentions.mapping(resolver.report, &spot, Site::Outputs));
    let Resolver { report, mentions, outline, phases, callees } = resolver;
    let title = top.member("title").and_then(|spot| report.label(&spot));
    let mut definition = Definition {
        title: title.unwrap_or_else(|| Label { en: slug.clone(), ja: None }),
        slug,
        version,
        digest: Digest::of(source.as_bytes()),
        description: top
            .member("description")
            .and_then(|spot| report.label(&spot))
            .unwrap_or_default(),
        input_schema: top
            .member("input")
            .and_then(|spot| report.schema(&spot))
            .unwrap_or_else(Schema::anything),
        phases,
        phase_labels,
        steps,
        root: outline.root.clone(),
        outputs: outputs.unwrap_or_else(Mapping::empty),
        budget: top.member("budget").map(|spot| report.budget(&spot)).unwrap_or_default(),
        agent_budgets: agent_budgets(report, &top),
        timeout: top.member("timeout").and_then(|spot| report.duration(&spot)),
        compensate_on_failure: top
            .member("compensate_on_failure")
            .and_then(|spot| report.flag(&spot))
            .unwrap_or(false),
        tags: tags(report, &top),
        callees,
        source: Arc::from(source),
    };
    check::check(report, &mut definition, &outline, &mentions.all);
    Some(definition)
}

fn format(report: &mut Report, top: &Spot<'_>) {
    let Some(spot) = top.member("showrunner") else {
        let missing =
            complaint("no `showrunner`", "the version of the language says how the rest is read");
        report.at(top, missing.hint(format!("add `showrunner: {FORMAT}` as the first line")));
        return;
    };
    if spot.node.to_json() != serde_json::json!(FORMAT) {
        let found = spot.node.to_json();
        let wrong = complaint(
            format!("version {found} of the language"),
            format!("this server reads version {FORMAT}"),
        );
        report.at(&spot, wrong.hint(format!("write `showrunner: {FORMAT}`")));
    }
}

fn slug(report: &mut Report, top: &Spot<'_>) -> String {
    let Some(spot) = top.member("id") else {
        let missing = complaint("no `id`", "a definition is published and started by its id");
        report.at(top, missing.hint("add `id: some-name`"));
        return String::new();
    };
    let slug = report.text(&spot).unwrap_or_default();
    if !slug.is_empty() && !is_slug(slug) {
        let wrong = complaint(
            format!("`{slug}` cannot be the id of a definition"),
            "it is a small letter, then small letters, digits, `-` and `_`, 64 at most",
        );
        report.at(&spot, wrong);
    }
    slug.to_owned()
}

/// The names of the phases and their labels.
fn phases(report: &mut Report, top: &Spot<'_>) -> (Vec<String>, Vec<Label>) {
    let Some(spot) = top.member("phases") else { return (Vec::new(), Vec::new()) };
    let Some(items) = spot.items() else {
        report.at(&spot, complaint("no list", "`phases` takes a list of names"));
        return (Vec::new(), Vec::new());
    };
    let mut names: Vec<String> = Vec::new();
    let mut labels = Vec::new();
    for item in items {
        let (id_spot, label) = match item.member("id") {
            Some(id) => {
                report.keys(&item, &["id", "label"]);
                (id, item.member("label").and_then(|spot| report.label(&spot)))
            },
            None => (item, None),
        };
        let Some(name) = report.text(&id_spot) else { continue };
        if !is_id(name) {
            let why = "a phase is named like a step: small letters, digits and `_`";
            report.at(&id_spot, complaint(format!("`{name}` cannot be a phase"), why));
        }
        if names.iter().any(|other| other == name) {
            report.at(&id_spot, complaint(format!("phase `{name}` twice"), "phases have an order"));
            continue;
        }
        names.push(name.to_owned());
        labels.push(label.unwrap_or_else(|| humanised(name)));
    }
    (names, labels)
}

fn agent_budgets(report: &mut Report, top: &Spot<'_>) -> Vec<(String, Budget)> {
    let Some(spot) = top.member("agent_budgets") else { return Vec::new() };
    let members = spot.members();
    if members.is_empty() {
        report.at(&spot, complaint("no budgets", "`agent_budgets` takes a budget by agent"));
    }
    members.into_iter().map(|(m, inner)| (m.key.clone(), report.budget(&inner))).collect()
}

fn tags(report: &mut Report, top: &Spot<'_>) -> Vec<String> {
    let Some(spot) = top.member("tags") else { return Vec::new() };
    report.texts(&spot).into_iter().map(|(tag, _)| tag.to_owned()).collect()
}

/// A label made of an id: `draft_copy` becomes `Draft copy`.
fn humanised(id: &str) -> Label {
    let mut words = id.replace(['_', '-'], " ");
    if let Some(first) = words.get_mut(..1) {
        first.make_ascii_uppercase();
    }
    Label { en: words, ja: None }
}
