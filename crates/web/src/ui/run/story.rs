//! The steps as rows on one time axis: who did what when, for how long, and what came of it.

use maud::{Markup, html};
use showrunner_engine::at::Timestamp;
use showrunner_engine::run::{Run, Step, StepNo, StepStatus, Wait};

use super::Page;
use super::scale::{AXIS, Scale};
use crate::ui::parts::{money, sentence, since, span, state_icon, state_word, thumbnail};
use crate::view::asset::AssetJson;
use crate::view::step::{duration_ms, in_order};

/// No bar is thinner than this.
const BAR_MIN: u64 = 6;
/// What is over sooner took no time.
const INSTANT_MS: u64 = 100;

pub(super) fn render(page: &Page<'_>) -> Markup {
    let words = page.frame.look.words();
    let run = page.run;
    let scale = Scale::of(run, page.now);
    html! {
        section class="story" id="story" {
            h2 { (words.story) }
            ol class="steps" {
                @for no in in_order(run) { (row(page, no, &scale)) }
            }
        }
    }
}

/// Waiting for somebody's answer looks different from other waiting.
fn shown_status(step: &Step) -> &'static str {
    match (step.status, &step.wait) {
        (StepStatus::Waiting, Some(Wait::Person { .. } | Wait::Doubt)) => "person",
        (StepStatus::Waiting, Some(Wait::Retry { .. })) => "failed",
        (status, _) => status.name(),
    }
}

fn row(page: &Page<'_>, no: StepNo, scale: &Scale) -> Markup {
    let (run, look) = (page.run, page.frame.look);
    let words = look.words();
    let step = run.step(no);
    let status = shown_status(step);
    let id = format!("step-{}", step.key);
    let depth = depth(run, step);
    html! {
        li class=(format!("step is-{status} depth-{depth}")) id=(id) {
            div class="step-name" {
                (state_icon(status))
                div {
                    span class="step-label" { (page.name(no)) @if depth > 0 { " " span class="muted small" { (step.key) } } }
                    span class="muted small" {
                        (state_word(status, look))
                        @if let Some(agent) = agent(page, no) { " · " (agent) }
                        @if step.attempts > 1 { " · " (sentence(words.attempts, &[("n", &step.attempts.to_string())])) }
                        @if step.spent.cost.0 > 0 { " · " (money(step.spent.cost)) }
                    }
                    (waits(page, step))
                }
            }
            div class="step-bar" { (bar(step, page.now, scale)) }
            div class="step-time num" { (time(page, no, step)) }
            @if !step.assets.is_empty() {
                div class="step-media" { @for asset in AssetJson::of_step(step) {
                    a href=(asset.url) { (thumbnail(&asset, "small")) }
                } }
            }
        }
    }
}

/// Who works on a step, unless its name says so already.
fn agent<'p>(page: &'p Page<'_>, no: StepNo) -> Option<&'p str> {
    match &page.run.def(no).kind {
        showrunner_engine::definition::StepKind::Agent(agent) => Some(&agent.agent),
        _ => None,
    }
}

fn waits(page: &Page<'_>, step: &Step) -> Markup {
    let words = page.frame.look.words();
    html! {
        @if let Some(wait) = &step.wait {
            span class="small wait" {
                (words.since) " " (since(step.since))
                @if let Some(until) = wait.until() { " · " (words.until) " " (since(until)) }
            }
        }
    }
}

/// How deep a step stands in loops and lists.
fn depth(run: &Run, step: &Step) -> usize {
    let mut scope = step.scope;
    let mut depth = 0;
    while let Some(enclosing) = run.enclosing(scope) {
        scope = enclosing;
        depth += 1;
    }
    depth.min(3)
}

/// The step's time within the run's.
fn bar(step: &Step, now: Timestamp, scale: &Scale) -> Markup {
    let Some(started) = step.started_at else { return html! {} };
    let (from, to) = (scale.place(started), scale.place(step.ended_at.unwrap_or(now)));
    let width = to.saturating_sub(from).max(BAR_MIN);
    let from = from.min(AXIS - BAR_MIN);
    html! {
        svg class="axis" viewBox=(format!("0 0 {AXIS} 10")) preserveAspectRatio="none" aria-hidden="true" {
            rect class="rail" x="0" y="4.5" width=(AXIS) height="1" {}
            rect class="span" x=(from) y="0" width=(width) height="10" {}
        }
    }
}

/// How long it has taken, growing while it goes on; before it begins, how long it should take.
/// What takes no time by its nature says nothing.
fn time(page: &Page<'_>, no: StepNo, step: &Step) -> Markup {
    let look = page.frame.look;
    let estimate = page.run.def(no).estimate.duration.0;
    let grows = (!step.status.is_terminal()).then_some(step.started_at).flatten();
    html! {
        @match duration_ms(step, page.now) {
            Some(ms) if ms >= INSTANT_MS || step.attempts > 0 => {
                span data-since=[grows.map(Timestamp::to_rfc3339)] { (span(ms, look)) }
            },
            None if estimate > 0 && !step.status.is_terminal() => {
                span class="muted" { "~" (span(estimate, look)) }
            },
            _ => {},
        }
    }
}
