//! The question that waits for a person: the picture large, the words, and the answers as real
//! buttons. An answer carries the digest of what is shown.

use maud::{Markup, html};
use serde_json::Value;

use super::Page;
use crate::ui::parts::{file_facts, instant, label, simulated, since, stage};
use crate::ui::words::Language;
use crate::view::checkpoint::{CheckpointJson, OptionJson};
use crate::view::run::is_asking;

pub(super) fn render(page: &Page<'_>) -> Markup {
    let run = page.run;
    let asking = run.open.iter().filter(|&&no| is_asking(run.step(no)));
    html! {
        @for &no in asking {
            @if let Some(open) = CheckpointJson::of(run, no) { (panel(page, no, &open)) }
        }
    }
}

fn panel(page: &Page<'_>, no: u32, open: &CheckpointJson) -> Markup {
    let look = page.frame.look;
    let words = look.words();
    let question = match (&open.question_ja, look.language) {
        (Some(ja), Language::Ja) => ja,
        _ => &open.question,
    };
    let is_simulated = open.assets.iter().any(|asset| asset.simulated) || page.json.simulated;
    html! {
        section class="ask" id="ask" aria-labelledby="ask-question" data-digest=(open.digest) {
            @if !open.assets.is_empty() {
                div class="stage" { @for asset in &open.assets {
                    figure {
                        (stage(asset, look))
                        figcaption { (file_facts(asset)) }
                    }
                } }
            }
            div class="ask-body" {
                p class="eyebrow" { (page.name(no)) " · " (since(open.opened_at.0)) }
                h2 id="ask-question" { (question) }
                @if is_simulated { p { (simulated(look)) } }
                (shown(page, &open.show))
                form method="post" action=(format!("/runs/{}/answer/{}", open.run, open.step)) {
                    (page.frame.form_key())
                    input type="hidden" name="digest" value=(open.digest);
                    label for="comment" { (words.approve_note) }
                    textarea id="comment" name="comment" rows="3" maxlength="5000" placeholder=(words.approve_note_hint) {}
                    div class="actions" { @for option in &open.options { (button(page, option)) } }
                }
                p class="muted small" {
                    (words.decision_bound)
                    @if let Some(until) = open.until { " " (words.until) " " (instant(until.0)) }
                }
            }
        }
    }
}

fn button(page: &Page<'_>, option: &OptionJson) -> Markup {
    let class = match option.verb.as_str() {
        "continue" => "primary",
        "abort" => "quiet danger",
        _ => "",
    };
    html! {
        button class=(class) name="verb" value=(option.verb) { (label(&option.label, page.frame.look.language)) }
    }
}

/// What is shown beside the files: texts as texts, anything else folded away.
pub(super) fn shown(page: &Page<'_>, show: &Value) -> Markup {
    let members = show.as_object();
    let texts = members.into_iter().flatten().filter_map(|(name, value)| {
        let text = value.as_str()?;
        (!text.is_empty() && !text.starts_with("ast_")).then_some((name, text))
    });
    html! {
        dl class="shown" { @for (name, text) in texts {
            div { dt { (page.term(name)) } dd { (text) } }
        } }
        @for (name, value) in show.as_object().into_iter().flatten().filter(|(_, value)| is_group(value)) {
            details class="shown-more" {
                summary { (page.term(name)) }
                (group(page, value))
            }
        }
    }
}

/// An object or list that is no file: those are shown as pictures.
fn is_group(value: &Value) -> bool {
    match value {
        Value::Object(members) => !members.contains_key("sha256"),
        Value::Array(items) => !items.is_empty(),
        _ => false,
    }
}

fn group(page: &Page<'_>, value: &Value) -> Markup {
    html! {
        @match value {
            Value::Object(members) => {
                dl class="shown" { @for (name, value) in members {
                    div { dt { (page.term(name)) } dd { (group(page, value)) } }
                } }
            },
            Value::Array(items) => { ul { @for item in items { li { (group(page, item)) } } } },
            Value::String(text) => (text),
            other => (other),
        }
    }
}
