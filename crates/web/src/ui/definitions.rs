//! Definitions: what can be made, how it goes, and the author's text.

use axum::extract::{Path, State};
use maud::{Markup, html};
use showrunner_engine::definition::{Definition, StepDef, StepIx, StepKind};

use super::parts::{money, since, span};
use super::shell::{Frame, Reader};
use super::words::fill;
use crate::App;
use crate::api::expected;
use crate::auth::Caller;
use crate::page::Query;
use crate::problem::{Problem, codes};
use crate::routes::{Gives, Route};

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/definitions", "show_definitions")
            .says("What can be made.")
            .answers(200, Gives::Media("text/html"))
            .to(show_all),
        Route::get("/definitions/{slug}", "show_definition")
            .says("How it goes, and the author's text.")
            .owned_by("slug")
            .query("version", "integer", "Which version.")
            .answers(200, Gives::Media("text/html"))
            .problems(&[&codes::UNKNOWN_DEFINITION])
            .to(show_one),
    ]
}

async fn show_all(
    State(app): State<App>,
    caller: Caller,
    reader: Reader,
) -> Result<Markup, Problem> {
    let frame = Frame::new(&app, &caller, reader);
    let (words, language) = (frame.look.words(), frame.look.language.code());
    let stored = app.runtime().journal().definitions(&caller.org).await?;
    let mut cards = Vec::new();
    for row in stored {
        // One that was published by an earlier version and does not load any more is left out.
        let library = app.runtime().library();
        let loaded = library.get(&caller.org, &row.slug, Some(row.version)).await;
        if let Ok(definition) = loaded {
            cards.push((row, definition));
        }
    }
    let content = html! {
        div class="page-head" { div { h1 { (words.definitions_title) } } }
        @if cards.is_empty() { p class="muted empty" { (words.definitions_none) } }
        ul class="cards" { @for (row, definition) in &cards {
            li class="card" {
                h2 { a href=(format!("/definitions/{}", row.slug)) { (definition.title.in_language(language)) } }
                p { (definition.description.in_language(language)) }
                p class="muted small" {
                    code { (row.slug) } " · " (words.version) " " (row.version) " · "
                    (fill(words.step_count, &[("n", &definition.steps.len().to_string())])) " · "
                    (since(row.created_at))
                }
            }
        } }
    };
    Ok(frame.page(words.definitions_title, None, &content))
}

async fn show_one(
    State(app): State<App>,
    caller: Caller,
    Path(slug): Path<String>,
    query: Query,
    reader: Reader,
) -> Result<Markup, Problem> {
    let version = query.number("version")?.map(|n| u32::try_from(n).unwrap_or(u32::MAX));
    let definition = app.runtime().library().get(&caller.org, &slug, version).await?;
    let frame = Frame::new(&app, &caller, reader);
    let (words, language) = (frame.look.words(), frame.look.language.code());
    let title = definition.title.in_language(language);
    let estimate = expected(&definition);
    let content = html! {
        div class="page-head" {
            div {
                p class="eyebrow" { a href="/definitions" { (words.definitions) } }
                h1 { (title) }
                p class="lead" { (definition.description.in_language(language)) }
            }
            dl class="figures" {
                div { dt { (words.version) } dd { (definition.version) } }
                div { dt { (words.expected) } dd { (span(estimate.duration.0, frame.look)) } }
                div { dt { (words.cost_estimate) } dd { (money(estimate.spend.cost)) } }
            }
        }
        div class="columns even" {
        section id="flow" {
            h2 { (words.flow) }
            (block(&frame, &definition, &definition.root))
        }
        section id="source" {
            h2 { (words.source) }
            pre class="code" tabindex="0" lang="en" { code { (definition.source) } }
        }
        }
    };
    Ok(frame.page(title, None, &content))
}

/// A block in its order; what stands in a loop or list stands inside it.
fn block(frame: &Frame<'_>, definition: &Definition, steps: &[StepIx]) -> Markup {
    html! {
        ol class="flow" { @for &ix in steps { (step(frame, definition, definition.step(ix))) } }
    }
}

fn step(frame: &Frame<'_>, definition: &Definition, step: &StepDef) -> Markup {
    let (words, language) = (frame.look.words(), frame.look.language.code());
    let phase = step.phase.and_then(|ix| definition.phase_labels.get(usize::from(ix)));
    let agent = match &step.kind {
        StepKind::Agent(agent) => Some(agent.agent.as_str()),
        _ => None,
    };
    let needs: Vec<&str> = step.needs.iter().map(|&ix| definition.step(ix).id.as_str()).collect();
    html! {
        li class=(format!("flow-step kind-{}", step.kind.name())) {
            div class="flow-line" {
                span class="badge kind" { (step.kind.name()) }
                strong { (step.label.in_language(language)) }
                @if let Some(agent) = agent { span class="muted small" { (agent) } }
                @if let Some(phase) = phase { span class="badge" { (phase.in_language(language)) } }
                @if step.estimate.duration.0 > 0 { span class="muted small" { (span(step.estimate.duration.0, frame.look)) } }
            }
            @if !needs.is_empty() { p class="muted small" { (words.needs) " " (needs.join(", ")) } }
            @match &step.kind {
                StepKind::Loop(body) => (block(frame, definition, &body.body)),
                StepKind::ForEach(body) => (block(frame, definition, &body.body)),
                _ => {},
            }
        }
    }
}
