//! Home: what needs me, what is running, what was finished, and how to begin.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Redirect, Response};
use maud::{Markup, html};
use showrunner_journal::JournalError;
use showrunner_journal::query::checkpoints::CheckpointView;
use showrunner_journal::query::home::HomeCounts;
use showrunner_journal::query::runs::{RunFilter, RunView};

use super::parts::{count, money, simulated, since, state, thumbnail};
use super::shelf::{Shelf, wanted};
use super::shell::{Frame, Reader};
use super::words::{Language, fill};
use crate::auth::{self, Caller};
use crate::problem::{Problem, codes};
use crate::routes::{Gives, Permission, Route};
use crate::view::asset::AssetJson;
use crate::{App, Starter};

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/", "show_home")
            .says("What needs me, what is running, what was finished.")
            .permit(Permission::Open) // who is not known is sent to the sign-in
            .answers(200, Gives::Media("text/html"))
            .answers(303, Gives::Nothing)
            .problems(&[&codes::NOT_STORED])
            .to(show),
    ]
}

/// Everything the page shows.
struct Home {
    counts: HomeCounts,
    asking: Vec<(CheckpointView, Option<AssetJson>)>,
    running: Vec<RunView>,
    recent: Vec<RunView>,
    shelf: Shelf,
}

async fn show(
    State(app): State<App>,
    headers: HeaderMap,
    reader: Reader,
) -> Result<Response, Problem> {
    let caller = match auth::identify(&app, &headers).await {
        Ok(caller) => caller,
        Err(problem) if problem.status() == StatusCode::UNAUTHORIZED => {
            return Ok(Redirect::to("/login").into_response());
        },
        Err(problem) => return Err(problem),
    };
    let frame = Frame::new(&app, &caller, reader);
    let home = read(&app, &caller).await?;
    let page = render(&frame, &home);
    Ok(frame.page(frame.look.words().home, Some("/api/v1/events"), &page).into_response())
}

async fn read(app: &App, caller: &Caller) -> Result<Home, JournalError> {
    let journal = app.runtime().journal();
    let with = |statuses: &[&str], limit| RunFilter {
        org: Some(caller.org.clone()),
        statuses: statuses.iter().map(ToString::to_string).collect(),
        limit,
        ..RunFilter::default()
    };
    let counts = journal.home(&caller.org, app.runtime().clock().now()).await?;
    let mut asking = Vec::new();
    for open in journal.open_checkpoints(&caller.org, None, 12).await? {
        let text = open.show.to_string();
        let assets = journal.assets_of(&open.run_id).await?;
        let shown = assets.iter().find(|asset| text.contains(asset.asset.id.as_str()));
        let shown = shown.map(|asset| AssetJson::of(&asset.asset, asset.step.as_str()));
        asking.push((open, shown));
    }
    let mut running = journal
        .list_runs(&with(&["running", "waiting", "paused", "closing", "delivered"], 20))
        .await?;
    running.retain(|run| !asking.iter().any(|(open, _)| open.run_id == run.id));
    let recent = journal.list_runs(&with(&["completed", "failed", "cancelled"], 8)).await?;
    let shelf = Shelf::of(app, caller, wanted(running.iter().chain(&recent))).await;
    Ok(Home { counts, asking, running, recent, shelf })
}

fn render(frame: &Frame<'_>, home: &Home) -> Markup {
    let words = frame.look.words();
    let n = home.counts.checkpoints_open;
    let headline = match n {
        0 => words.home_needs_none.to_owned(),
        1 => words.home_needs_one.to_owned(),
        n => fill(words.home_needs_many, &[("n", &count(n))]),
    };
    let is_empty = home.asking.is_empty() && home.running.is_empty() && home.recent.is_empty();
    html! {
        div class="page-head" id="home-head" {
            div {
                p class="eyebrow" { (words.home_title) }
                h1 { (headline) }
            }
            dl class="figures" {
                div { dt { (words.home_running) } dd { (count(home.counts.running)) } }
                div { dt { (words.home_waiting) } dd { (count(home.counts.waiting)) } }
                div { dt { (words.home_done_24h) } dd { (count(home.counts.completed_24h)) } }
                div { dt { (words.home_failed_24h) } dd { (count(home.counts.failed_24h)) } }
                div { dt { (words.home_spent) } dd { (money(home.counts.spent_today.cost)) } }
            }
        }
        div class="columns" {
            div class="column-main" {
                @if !home.asking.is_empty() {
                    section id="home-asking" aria-label=(words.home_needs) {
                        ul class="ask-cards" { @for (open, asset) in &home.asking { (ask_card(frame, open, asset.as_ref())) } }
                    }
                }
                @if is_empty { p class="muted" id="home-empty" { (words.home_empty) } }
                @if !home.running.is_empty() {
                    section id="home-running" { h2 { (words.home_running) } (rows(frame, &home.shelf, &home.running)) }
                }
                @if !home.recent.is_empty() {
                    section id="home-recent" {
                        h2 { (words.home_recent) }
                        (rows(frame, &home.shelf, &home.recent))
                        p class="after" { a href="/runs" { (words.show_all) " →" } }
                    }
                }
            }
            aside class="column-side" { (starters(frame, is_empty)) }
        }
    }
}

fn ask_card(frame: &Frame<'_>, open: &CheckpointView, asset: Option<&AssetJson>) -> Markup {
    let words = frame.look.words();
    let question = match (&open.question_ja, frame.look.language) {
        (Some(ja), Language::Ja) => ja,
        _ => &open.question,
    };
    html! {
        li class="ask-card" {
            a class="ask-picture" href=(format!("/runs/{}", open.run_id)) tabindex="-1" aria-hidden="true" {
                @if let Some(asset) = asset { (thumbnail(asset, "wide")) } @else { span class="thumb file wide" { "?" } }
            }
            div class="ask-text" {
                (state("person", frame.look))
                h2 { a href=(format!("/runs/{}", open.run_id)) { (question) } }
                p class="muted small" {
                    (open.run_title.as_deref().unwrap_or(words.untitled)) " · " (since(open.opened_at))
                }
                p { a class="button primary" href=(format!("/runs/{}#ask", open.run_id)) { (words.review) } }
            }
        }
    }
}

fn starters(frame: &Frame<'_>, is_empty: bool) -> Markup {
    let words = frame.look.words();
    let card = |starter: &Starter| {
        html! {
            li class="starter" {
                div {
                    h3 { (starter.title.in_language(frame.look.language)) }
                    p class="muted" { (starter.about.in_language(frame.look.language)) }
                }
                div class="actions" {
                    a class=(if is_empty { "button" } else { "button primary" }) href=(starter.form) { (words.new) }
                    form method="post" action=(starter.demo) {
                        (frame.form_key())
                        button class=[is_empty.then_some("primary")] { (words.run_demo) }
                    }
                }
                @if is_empty { p class="muted small" { (words.or_command) ": " code { "showrunner demo" } } }
            }
        }
    };
    html! {
        @if !frame.app.starters().is_empty() {
            section id="home-start" {
                h2 { (words.home_start) }
                ul class="starters" { @for starter in frame.app.starters() { (card(starter)) } }
            }
        }
    }
}

/// Runs as compact rows; the runs page shows the same.
pub(super) fn rows(frame: &Frame<'_>, shelf: &Shelf, runs: &[RunView]) -> Markup {
    let words = frame.look.words();
    html! {
        div class="table-wrap" {
            table class="rows" {
                thead { tr {
                    th scope="col" { (words.col_status) }
                    th scope="col" { (words.col_run) }
                    th scope="col" class="wide-only" { (words.col_phase) }
                    th scope="col" { (words.col_started) }
                    th scope="col" class="num wide-only" { (words.col_cost) }
                } }
                tbody { @for run in runs { (row(frame, shelf, run)) } }
            }
        }
    }
}

fn row(frame: &Frame<'_>, shelf: &Shelf, run: &RunView) -> Markup {
    let words = frame.look.words();
    let language = frame.look.language;
    let asks = run.waits.iter().any(|wait| wait.what == "person");
    let status = if run.status == "waiting" && asks { "person" } else { &run.status };
    html! {
        tr id=(run.id) {
            td { (state(status, frame.look)) }
            td {
                a class="row-title" href=(format!("/runs/{}", run.id)) { (run.title.as_deref().unwrap_or(words.untitled)) }
                span class="muted small" { (shelf.title(run, language)) }
                @if run.simulated { (simulated(frame.look)) }
                @if let Some(failure) = &run.failure { span class="small wrong-text" { (failure.message) } }
            }
            td class="wide-only" { (shelf.phase(run, language)) }
            td { (since(run.started_at)) }
            td class="num wide-only" { (money(run.spent.cost)) }
        }
    }
}
