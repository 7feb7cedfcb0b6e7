//! What is beside the story: the result, the money, the brief, the events, and what can be done.

use maud::{Markup, html};
use serde_json::Value;

use super::{EVENTS_SHOWN, Page};
use crate::api::expected;
use crate::ui::parts::{
    count, file_facts, instant, money, sentence, simulated, since, span, stage,
};
use crate::view::asset::AssetJson;
use crate::view::event::name;

/// The files that the run hands out, once it does.
pub(super) fn result(page: &Page<'_>) -> Markup {
    let Some(output) = page.run.output.as_deref() else { return html! {} };
    let look = page.frame.look;
    let words = look.words();
    let text = output.to_string();
    let all = AssetJson::of_run(page.run);
    let files: Vec<&AssetJson> = all.iter().filter(|asset| text.contains(&asset.id)).collect();
    html! {
        section class="result" id="result" {
            @if !files.is_empty() {
                div class="stage" { @for asset in &files { figure {
                    (stage(asset, look))
                    figcaption { (file_facts(asset)) }
                } } }
            }
            div class="ask-body" {
                p class="eyebrow" { (words.result) }
                @if files.iter().any(|asset| asset.simulated) { p { (simulated(look)) } }
                (super::ask::shown(page, output))
                div class="actions" { @for asset in &files {
                    a class="button primary" href=(format!("{}?download=1", asset.url)) download { (words.download) " " span class="small" { (asset.name) } }
                } }
                details class="shown-more" { summary { (words.output) " (JSON)" }
                    pre class="code" tabindex="0" { code { (pretty(output)) } }
                }
            }
        }
    }
}

fn pretty(value: &Value) -> String {
    serde_json::to_string_pretty(value).unwrap_or_default()
}

/// What it costs beside what it was expected to.
pub(super) fn money_card(page: &Page<'_>) -> Markup {
    let look = page.frame.look;
    let words = look.words();
    let run = page.run;
    let estimate = expected(&run.definition);
    let took = run.ended_at.unwrap_or(page.now).millis_since(run.started_at).0;
    html! {
        section class="card" id="money" {
            h2 { (words.cost) }
            dl class="pairs" {
                div { dt { (words.cost_actual) } dd class="big num" { (money(run.spent.cost)) } }
                div { dt { (words.cost_estimate) } dd class="num" { (money(estimate.spend.cost)) } }
                @let held = run.reserved.minus(run.unknown);
                @if held.cost.0 > 0 { div { dt { (words.cost_reserved) } dd class="num" { (money(held.cost)) } } }
                @if run.unknown_calls > 0 {
                    @let calls = words.cost_unknown_calls.replace("{n}", &run.unknown_calls.to_string());
                    div { dt { (words.cost_unknown) } dd class="num" { (calls) " " (money(run.unknown.cost)) } }
                }
                @if let Some(budget) = run.budget.cost.or(run.definition.budget.cost) {
                    div { dt { (words.cost_budget) } dd class="num" { (money(budget)) } }
                }
                div { dt { (words.tokens) } dd class="num" { (count(run.spent.tokens)) } }
                div { dt { (words.duration) } dd class="num" {
                    span data-since=[run.ended_at.is_none().then(|| run.started_at.to_rfc3339())] { (span(took, look)) }
                } }
                div { dt { (words.expected) } dd class="num" { (span(estimate.duration.0, look)) } }
            }
        }
    }
}

/// Who, when, and what it belongs to.
pub(super) fn about(page: &Page<'_>) -> Markup {
    let words = page.frame.look.words();
    let (run, json) = (page.run, &page.json);
    let link = |id: &str| html! { a href=(format!("/runs/{id}")) { code { (id) } } };
    html! {
        section class="card" id="about" {
            h2 { (words.facts) }
            dl class="pairs" {
                div { dt { (words.started_by) } dd { (run.started_by) } }
                div { dt { (words.started_at) } dd { (instant(run.started_at)) } }
                @if let Some(ended) = run.ended_at { div { dt { (words.ended_at) } dd { (instant(ended)) } } }
                div { dt { (words.definition) } dd {
                    a href=(format!("/definitions/{}?version={}", json.definition.slug, json.definition.version)) {
                        (json.definition.slug) " v" (json.definition.version)
                    }
                } }
                @if let Some(parent) = &json.parent { div { dt { (words.parent) } dd { (link(parent)) } } }
                @if let Some(origin) = &json.forked_from { div { dt { (words.forked_from) } dd { (link(origin)) } } }
                @for (name, value) in &run.labels { div { dt { (page.term(name)) } dd class="small" { (value) } } }
                div { dt { (words.id) } dd { code class="id" { (run.id) } } }
            }
        }
    }
}

/// What the run was given.
pub(super) fn brief(page: &Page<'_>) -> Markup {
    let words = page.frame.look.words();
    let members = page.run.input.as_object();
    let texts = members.into_iter().flatten().filter_map(|(name, value)| match value {
        Value::String(text) if !text.is_empty() => Some((name, text.clone())),
        Value::Number(number) => Some((name, number.to_string())),
        Value::Bool(flag) => Some((name, flag.to_string())),
        Value::Object(object) => Some((name, object.get("name")?.as_str()?.to_owned())),
        _ => None,
    });
    if members.is_none_or(serde_json::Map::is_empty) {
        return html! {};
    }
    html! {
        section class="card" id="brief" {
            h2 { (words.brief) }
            dl class="shown" { @for (name, text) in texts { div { dt { (page.term(name)) } dd { (text) } } } }
            details class="shown-more" { summary { "JSON" }
                pre class="code" tabindex="0" { code { (pretty(&page.run.input)) } }
            }
        }
    }
}

/// What can be done with the run as a whole.
pub(super) fn actions(page: &Page<'_>) -> Markup {
    let words = page.frame.look.words();
    let may = |what: &str| page.json.allowed.iter().any(|allowed| allowed == what);
    let to = |what: &str| format!("/runs/{}/{what}", page.run.id);
    html! {
        @if may("cancel") {
            section class="card" id="actions" {
                h2 { (words.actions) }
                div class="actions" {
                    @for (what, name) in [("pause", words.pause), ("resume", words.resume)] {
                        @if may(what) {
                            form method="post" action=(to(what)) { (page.frame.form_key()) button { (name) } }
                        }
                    }
                }
                details class="shown-more" { summary { (words.cancel_run) }
                    form method="post" action=(to("cancel")) {
                        (page.frame.form_key())
                        label for="reason" { (words.cancel_reason) }
                        input id="reason" type="text" name="reason" maxlength="2000";
                        button class="danger" { (words.cancel_run) }
                    }
                }
            }
        }
    }
}

/// The newest events, the newest first.
pub(super) fn events(page: &Page<'_>) -> Markup {
    let words = page.frame.look.words();
    let (all, shown) = (count(page.run.seq), page.events.len().to_string());
    html! {
        section class="events" id="events" {
            h2 { (words.events) }
            ol class="event-list" reversed start=(page.run.seq) {
                @for event in &page.events {
                    @let json = event.json.get();
                    li id=(format!("event-{}", event.seq)) {
                        span class="num muted" { (event.seq) }
                        code { (name(json)) }
                        span class="event-about" { (about_event(json)) }
                        (since(event.at))
                    }
                }
            }
            p class="muted small" {
                @if page.run.seq > EVENTS_SHOWN { (sentence(words.events_older, &[("n", &shown), ("all", &all)])) " · " }
                a href=(format!("/api/v1/runs/{}/events", page.run.id)) { (words.events_all) }
            }
        }
    }
}

/// The part of an event that tells most: its step, then its words.
fn about_event(json: &str) -> String {
    let Ok(Value::Object(event)) = serde_json::from_str::<Value>(json) else {
        return String::new();
    };
    let text = |name: &str| event.get(name).and_then(Value::as_str).map(str::to_owned);
    let failure = || Some(event.get("failure")?.get("message")?.as_str()?.to_owned());
    let answer = || {
        let answer = event.get("answer")?;
        let verb = answer.get("verb")?.as_str()?;
        Some(format!("{verb} · {}", answer.get("by")?.as_str()?))
    };
    let words = failure()
        .or_else(answer)
        .or_else(|| text("phase"))
        .or_else(|| text("message"))
        .or_else(|| text("reason"));
    let parts: Vec<String> = text("step").into_iter().chain(words).collect();
    parts.join(" · ")
}
