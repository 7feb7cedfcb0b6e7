//! `/api/v1/runs/{id}/events` and `/api/v1/events`: what happened, in pages or live.

use axum::Json as Answer;
use axum::extract::{Path, State};
use axum::http::HeaderMap;
use axum::http::header::ACCEPT;
use axum::response::{IntoResponse, Response};

use crate::App;
use crate::auth::Caller;
use crate::page::Query;
use crate::problem::{Problem, codes};
use crate::routes::{Gives, Route, Shape};
use crate::sse;
use crate::view::event::{EventJson, EventsJson};

/// Events a page where nobody says.
const LIMIT_USUAL: u64 = 200;
/// Events a page at most.
const LIMIT_MAX: u64 = 1000;

pub(super) fn table() -> Vec<Route> {
    vec![
        Route::get("/api/v1/runs/{id}/events", "list_events")
            .says("The events of a run after a number; live where text/event-stream is accepted.")
            .owned_by("id")
            .endless()
            .query("after", "integer", "The number of the last event that is known.")
            .query("limit", "integer", "How many; 1 to 1000, 200 by default.")
            .answers(200, Gives::Json(Shape::of::<EventsJson>()))
            .answers(200, Gives::Media("text/event-stream"))
            .problems(&[&codes::UNKNOWN_RUN, &codes::BAD_CURSOR])
            .to(list_events),
        Route::get("/api/v1/runs/{id}/events/stream", "stream_events")
            .says("The events of a run, live; goes on after Last-Event-ID or `after`.")
            .owned_by("id")
            .endless()
            .query("after", "integer", "The number of the last event that is known.")
            .answers(200, Gives::Media("text/event-stream"))
            .problems(&[&codes::UNKNOWN_RUN, &codes::BAD_CURSOR])
            .to(stream_events),
        Route::get("/api/v1/events", "stream_all_events")
            .says("The events of all runs, live, from now on.")
            .endless()
            .answers(200, Gives::Media("text/event-stream"))
            .to(stream_all_events),
    ]
}

async fn list_events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let after = sse::cursor(&headers, query.get("after"))?;
    let run = app.run_of(&caller, &id).await?;
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/event-stream") {
        return sse::run_stream(app, run.id.clone(), after).await;
    }
    let limit = query.number("limit")?.unwrap_or(LIMIT_USUAL);
    if limit == 0 || limit > LIMIT_MAX {
        return Err(Problem::new(&codes::BAD_QUERY, format!("`limit` is 1 to {LIMIT_MAX}")));
    }
    let limit = usize::try_from(limit).unwrap_or(1);
    let events = app.runtime().journal().events(&run.id, after, limit).await?;
    let next_after = events.last().map_or(after, |event| event.seq);
    let data = events.iter().map(EventJson::of).collect();
    Ok(Answer(EventsJson { data, next_after }).into_response())
}

async fn stream_events(
    State(app): State<App>,
    caller: Caller,
    Path(id): Path<String>,
    headers: HeaderMap,
    query: Query,
) -> Result<Response, Problem> {
    let after = sse::cursor(&headers, query.get("after"))?;
    let run = app.run_of(&caller, &id).await?;
    sse::run_stream(app, run.id.clone(), after).await
}

async fn stream_all_events(State(app): State<App>, caller: Caller) -> Response {
    sse::all_stream(app, caller.org)
}
