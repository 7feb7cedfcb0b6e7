//! The run page: the whole story of one run, top down: what is going on and what comes next, what
//! is asked, what went wrong, the phases, the steps, the files, the money, the events.

mod ask;
mod now;
mod trouble;
mod scale;
mod story;
mod facts;

use std::cmp::Ordering;

use axum::extract::{Path, State};
use maud::{Markup, html};
use showrunner_engine::at::Timestamp;
use showrunner_engine::run::{Run, RunStatus};
use showrunner_journal::query::events::NumberedEvent;

use super::parts::{simulated, state};
use super::shell::{Frame, Reader};
use crate::App;
use crate::auth::Caller;
use crate::problem::{Problem, codes};
use crate::routes::{Gives, Route};
use crate::view::run::{RunJson, is_asking};

/// Events on the page.
const EVENTS_SHOWN: u64 = 60;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/runs/{id}", "show_run")
            .says("The whole story of a run on one page.")
            .owned_by("id")
            .answers(200, Gives::Media("text/html"))
            .problems(&[&codes::UNKNOWN_RUN])
            .to(show),
    ]
}

/// Everything the page is made from.
struct Page<'a> {
    frame: Frame<'a>,
    run: &'a Run,
    json: RunJson,
    now: Timestamp,
    events: Vec<NumberedEvent>,
}

impl Page<'_> {
    /// A step's name in the reader's language.
    fn name(&self, no: u32) -> &str {
        self.run.def(no).label.in_language(self.frame.look.language.code())
    }

    /// What a member of the run's input or output is called.
    fn term(&self, name: &str) -> String {
        self.frame.app.term(name, self.frame.look.language)
    }

    /// The status for people: waiting for somebody's answer is a status of its own here.
    fn status(&self) -> &str {
        let asks = self.run.open.iter().any(|&no| is_asking(self.run.step(no)));
        if self.json.status == "waiting" && asks { "person" } else { &self.json.status }
    }
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    reader: Reader,
) -> Result<Markup, Problem> {
    let run = app.run_of(&caller, &id).await?;
    let after = run.seq.saturating_sub(EVENTS_SHOWN);
    let shown = usize::try_from(EVENTS_SHOWN).unwrap_or(1);
    let mut events = app.runtime().journal().events(&run.id, after, shown).await?;
    events.reverse();
    let page = Page {
        frame: Frame::new(&app, &caller, reader),
        run: &run,
        json: RunJson::of(&run),
        now: app.runtime().clock().now(),
        events,
    };
    let title = page.json.title.as_deref().unwrap_or_else(|| page.frame.look.words().untitled);
    let stream = format!("/api/v1/runs/{}/events/stream?after={}", run.id, run.seq);
    let title = format!("{} {title}", sign(page.status()));
    Ok(page.frame.page(title.trim(), Some(&stream), &render(&page)))
}

/// What the tab tells from afar.
fn sign(status: &str) -> &'static str {
    match status {
        "running" | "delivered" => "●",
        "person" => "✋",
        "completed" => "✓",
        "failed" => "◆",
        "paused" => "‖",
        _ => "",
    }
}

fn render(page: &Page<'_>) -> Markup {
    html! {
        (head(page))
        (phases(page))
        (ask::render(page))
        (trouble::render(page))
        (facts::result(page))
        div class="columns" {
            div class="column-main" {
                (story::render(page))
                (facts::events(page))
            }
            aside class="column-side" {
                (facts::money_card(page))
                (facts::about(page))
                (facts::brief(page))
                (facts::actions(page))
            }
        }
    }
}

fn head(page: &Page<'_>) -> Markup {
    let look = page.frame.look;
    let words = look.words();
    let definition = &page.run.definition;
    let (now, next) = now::sentences(page);
    html! {
        div class="run-head" id="run-head" {
            p class="eyebrow" {
                a href="/runs" { (words.runs) } " / "
                a href=(format!("/definitions/{}?version={}", definition.slug, definition.version)) {
                    (definition.title.in_language(look.language.code()))
                }
            }
            h1 { (page.json.title.as_deref().unwrap_or(words.untitled)) }
            div class="run-now" {
                (state(page.status(), look))
                @if page.json.simulated { (simulated(look)) }
                p class="now" aria-live="polite" { (now) @if let Some(next) = next { " " span class="next" { (next) } } }
            }
        }
    }
}

fn phases(page: &Page<'_>) -> Markup {
    let words = page.frame.look.words();
    let status = page.run.status();
    html! {
        @if !page.json.phases.is_empty() {
            ol class="phases" id="phases" aria-label=(words.phases) {
                @for (ix, phase) in page.json.phases.iter().enumerate() {
                    @let (class, told) = match page.run.phase.map(|here| ix.cmp(&usize::from(here))) {
                        Some(Ordering::Less) => ("is-done", words.phase_done),
                        Some(Ordering::Equal) => match status {
                            RunStatus::Completed | RunStatus::Delivered => ("is-done", words.phase_done),
                            RunStatus::Failed => ("is-here is-failed", words.s_failed),
                            RunStatus::Cancelled => ("is-here is-cancelled", words.s_cancelled),
                            _ => ("is-here is-running", words.phase_now),
                        },
                        _ => ("is-next", words.phase_next),
                    };
                    li class=(class) aria-current=[class.starts_with("is-here").then_some("step")] {
                        span class="dot" aria-hidden="true" {}
                        span { (super::parts::label(&phase.label, page.frame.look.language)) }
                        span class="visually-hidden" { " (" (told) ")" }
                    }
                }
            }
        }
    }
}
