//! All runs, with a filter that is a plain form.

use axum::extract::State;
use maud::{Markup, html};
use showrunner_journal::query::runs::RunFilter;

use super::home::rows;
use super::parts::state_word;
use super::shelf::{Shelf, wanted};
use super::shell::{Frame, Reader};
use crate::App;
use crate::auth::Caller;
use crate::page::{Cursor, Query};
use crate::problem::Problem;
use crate::routes::{Gives, Route};

/// The statuses one can choose between.
const CHOICES: [&str; 6] = ["running", "waiting", "paused", "completed", "failed", "cancelled"];

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/runs", "show_runs")
            .says("All runs, newest first.")
            .paged()
            .query("status", "string", "A status.")
            .query("definition", "string", "The name of a definition.")
            .query("text", "string", "Part of the title.")
            .answers(200, Gives::Media("text/html"))
            .to(show),
    ]
}

async fn show(
    State(app): State<App>,
    caller: Caller,
    query: Query,
    reader: Reader,
) -> Result<Markup, Problem> {
    let paging = query.paging()?;
    let journal = app.runtime().journal();
    let filter = RunFilter {
        org: Some(caller.org.clone()),
        statuses: query.get("status").into_iter().map(str::to_owned).collect(),
        slug: query.get("definition").map(str::to_owned),
        text: query.get("text").map(str::to_owned),
        after: paging.after.clone().map(Cursor::of_run),
        limit: paging.limit,
        ..RunFilter::default()
    };
    let found = journal.list_runs(&filter).await?;
    let shelf = Shelf::of(&app, &caller, wanted(&found)).await;
    let definitions = journal.definitions(&caller.org).await?;
    let slugs: Vec<&str> = definitions.iter().map(|definition| definition.slug.as_str()).collect();
    let last = || found.last().map(|row| Cursor { at: row.started_at, id: row.id.to_string() });
    let older = paging.next(found.len(), last);
    let frame = Frame::new(&app, &caller, reader);
    let words = frame.look.words();
    let content = html! {
        div class="page-head" { div { h1 { (words.runs_title) } } }
        (filter_form(&frame, &query, &slugs))
        section id="runs-list" aria-label=(words.runs_title) {
            @if found.is_empty() { p class="muted empty" { (words.runs_none) } } @else { (rows(&frame, &shelf, &found)) }
            @if let Some(older) = older {
                form class="pager" method="get" action="/runs" {
                    @for name in ["status", "definition", "text"] {
                        @if let Some(value) = query.get(name) { input type="hidden" name=(name) value=(value); }
                    }
                    input type="hidden" name="cursor" value=(older);
                    button { (words.older) }
                }
            }
        }
    };
    // A page further back stays as it is; the newest one lives.
    let stream = paging.after.is_none().then_some("/api/v1/events");
    Ok(frame.page(words.runs_title, stream, &content))
}

fn filter_form(frame: &Frame<'_>, query: &Query, slugs: &[&str]) -> Markup {
    let words = frame.look.words();
    let is_filtered = ["status", "definition", "text"].iter().any(|name| query.get(name).is_some());
    html! {
        form class="filter" method="get" action="/runs" role="search" {
            label { span { (words.filter_text) }
                input type="search" name="text" value=(query.get("text").unwrap_or_default());
            }
            label { span { (words.filter_status) }
                select name="status" {
                    option value="" { (words.filter_any) }
                    @for status in CHOICES {
                        option value=(status) selected[query.get("status") == Some(status)] { (state_word(status, frame.look)) }
                    }
                }
            }
            label { span { (words.filter_definition) }
                select name="definition" {
                    option value="" { (words.filter_any) }
                    @for slug in slugs {
                        option value=(slug) selected[query.get("definition") == Some(slug)] { (slug) }
                    }
                }
            }
            button { (words.filter) }
            @if is_filtered { a class="button link" href="/runs" { (words.filter_clear) } }
        }
    }
}
