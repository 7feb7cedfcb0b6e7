//! Small parts that every screen is made of: states, instants, spans, money, pictures.

use maud::{Markup, html};
use showrunner_engine::at::Timestamp;
use showrunner_engine::money::MicroUsd;

use super::look::Look;
use super::words::{Language, fill};
use crate::view::LabelView;
use crate::view::asset::AssetJson;

/// A text in the reader's language.
pub fn label(label: &LabelView, language: Language) -> &str {
    match language {
        Language::En => &label.en,
        Language::Ja => &label.ja,
    }
}

/// How a state is drawn: its shape and its colour, beside its word.
fn state_class(status: &str) -> &'static str {
    match status {
        "running" | "delivered" => "is-running",
        "person" => "is-asking",
        "waiting" => "is-waiting",
        "completed" | "succeeded" => "is-done",
        "failed" => "is-failed",
        "paused" => "is-paused",
        "skipped" => "is-skipped",
        "cancelled" | "closing" => "is-cancelled",
        _ => "is-pending",
    }
}

/// The word for a state; `person` is waiting for somebody's answer.
pub fn state_word(status: &str, look: Look) -> &'static str {
    let words = look.words();
    match status {
        "running" => words.s_running,
        "person" => words.s_waiting_person,
        "waiting" => words.s_waiting,
        "delivered" => words.s_delivered,
        "paused" => words.s_paused,
        "closing" => words.s_closing,
        "completed" => words.s_completed,
        "succeeded" => words.s_succeeded,
        "failed" => words.s_failed,
        "cancelled" => words.s_cancelled,
        "skipped" => words.s_skipped,
        _ => words.s_pending,
    }
}

/// The shape of a state, drawn in its colour.
pub fn state_icon(status: &str) -> Markup {
    let class = format!("icon {}", state_class(status));
    html! {
        svg class=(class) viewBox="0 0 16 16" aria-hidden="true" {
            @match state_class(status) {
                "is-done" => { circle cx="8" cy="8" r="7" {} path class="cut" d="M4.8 8.3 7 10.5l4.3-4.8" {} }
                "is-failed" => { path d="M8 .8 15.2 8 8 15.2.8 8z" {} path class="cut" d="M8 4.6v4M8 10.9v.4" {} }
                "is-running" => { circle class="ring" cx="8" cy="8" r="6" {} path class="sweep" d="M8 2a6 6 0 0 1 6 6" {} }
                "is-asking" => { rect x="1.5" y="1.5" width="13" height="13" rx="4" {} path class="cut" d="M6.2 6.3a1.9 1.9 0 1 1 2.6 1.8c-.5.2-.8.5-.8 1M8 11.3v.2" {} }
                "is-waiting" => { circle class="ring" cx="8" cy="8" r="6.2" {} path class="hand" d="M8 4.6V8l2.2 1.6" {} }
                "is-paused" => { rect x="3.5" y="2.5" width="3.2" height="11" rx="1.2" {} rect x="9.3" y="2.5" width="3.2" height="11" rx="1.2" {} }
                "is-skipped" => { path class="line" d="M2.5 4 7 8l-4.5 4M8 4l4.5 4L8 12" {} }
                "is-cancelled" => { circle class="ring" cx="8" cy="8" r="6.2" {} path class="line" d="M5.5 5.5l5 5" {} }
                _ => { circle class="ring dashed" cx="8" cy="8" r="6.2" {} }
            }
        }
    }
}

/// A state: shape, word and colour.
pub fn state(status: &str, look: Look) -> Markup {
    html! {
        span class=(format!("state {}", state_class(status))) {
            (state_icon(status)) (state_word(status, look))
        }
    }
}

/// The mark of what nobody real made.
pub fn simulated(look: Look) -> Markup {
    let words = look.words();
    html! { span class="badge simulated" title=(words.simulated_about) { (words.simulated) } }
}

/// An instant: absolute text, which the script turns into the reader's own time.
pub fn instant(at: Timestamp) -> Markup {
    let machine = at.to_rfc3339();
    html! { time datetime=(machine) { (plain_instant(at)) } }
}

/// An instant that is told as a distance from now.
pub fn since(at: Timestamp) -> Markup {
    let machine = at.to_rfc3339();
    html! { time datetime=(machine) data-relative="" { (plain_instant(at)) } }
}

fn plain_instant(at: Timestamp) -> String {
    let text = at.to_rfc3339();
    let day = text.get(..10).unwrap_or_default();
    let clock = text.get(11..19).unwrap_or_default();
    format!("{day} {clock} UTC")
}

/// A span, as short as it can be said.
pub fn span(ms: u64, look: Look) -> String {
    let words = look.words();
    let gap = if look.language == Language::Ja { "" } else { " " };
    let seconds = ms / 1000;
    match seconds {
        0..60 => {
            let tenths = ms / 100;
            format!("{}.{}{gap}{}", tenths / 10, tenths % 10, words.second)
        },
        60..3600 if seconds.is_multiple_of(60) => format!("{}{gap}{}", seconds / 60, words.minute),
        60..3600 => {
            format!("{}{gap}{} {}{gap}{}", seconds / 60, words.minute, seconds % 60, words.second)
        },
        _ => format!(
            "{}{gap}{} {}{gap}{}",
            seconds / 3600,
            words.hour,
            seconds / 60 % 60,
            words.minute
        ),
    }
}

/// Money, with as many digits as it takes to see something.
pub fn money(cost: MicroUsd) -> String {
    let micros = cost.0.unsigned_abs();
    let sign = if cost.0 < 0 { "−" } else { "" };
    let (whole, rest) = (micros / 1_000_000, micros % 1_000_000);
    if micros == 0 || micros >= 10_000 {
        format!("{sign}${whole}.{:02}", rest / 10_000)
    } else {
        // Under a cent: four places, or the first that shows anything at all.
        let text = format!("{sign}${whole}.{rest:06}");
        let short = if rest >= 100 { format!("{sign}$0.{:04}", (rest + 50) / 100) } else { text };
        short.trim_end_matches('0').to_owned()
    }
}

/// A count with thin gaps between thousands.
pub fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// A file as a small picture, or as its kind.
pub fn thumbnail(asset: &AssetJson, size: &str) -> Markup {
    html! {
        @if asset.kind == "image" {
            img class=(format!("thumb {size}")) src=(asset.url) alt=(asset.alt.as_deref().unwrap_or(&asset.name))
                width=[asset.width] height=[asset.height] loading="lazy" decoding="async";
        } @else if asset.kind == "video" {
            // A moment behind the beginning is what stands for a film where nobody plays it.
            video class=(format!("thumb {size}")) src=(format!("{}#t=1", asset.url)) preload="metadata" muted playsinline
                aria-label=(asset.alt.as_deref().unwrap_or(&asset.name)) width=[asset.width] height=[asset.height] {}
        } @else {
            span class=(format!("thumb file {size}")) { (asset.kind) }
        }
    }
}

/// A file as large as there is room: to be looked at, or to be played.
pub fn stage(asset: &AssetJson, look: Look) -> Markup {
    let words = look.words();
    let name = asset.alt.as_deref().unwrap_or(&asset.name);
    html! {
        @match asset.kind.as_str() {
            "image" => { a href=(asset.url) title=(words.open_full) {
                img src=(asset.url) alt=(name) width=[asset.width] height=[asset.height];
            } }
            "video" => { video src=(format!("{}#t=0.001", asset.url)) controls preload="metadata" playsinline
                aria-label=(name) width=[asset.width] height=[asset.height] {
                a href=(asset.url) { (asset.name) }
            } }
            "audio" => { audio src=(asset.url) controls preload="metadata" aria-label=(name) {
                a href=(asset.url) { (asset.name) }
            } }
            _ => {}
        }
    }
}

/// One line about a file.
pub fn file_facts(asset: &AssetJson) -> String {
    let mut facts = Vec::new();
    if let (Some(width), Some(height)) = (asset.width, asset.height) {
        facts.push(format!("{width} × {height}"));
    }
    if let Some(seconds) = asset.duration_seconds {
        facts.push(format!("{seconds:.1} s"));
    }
    facts.push(size(asset.bytes));
    facts.push(asset.mime.clone());
    facts.join(" · ")
}

/// A size in bytes, as people say it.
pub fn size(bytes: u64) -> String {
    match bytes {
        0..1024 => format!("{bytes} B"),
        1024..1_048_576 => format!("{} KB", bytes.div_ceil(1024)),
        _ => format!("{}.{} MB", bytes / 1_048_576, bytes % 1_048_576 * 10 / 1_048_576),
    }
}

/// `call_to_action` as `Call to action`.
pub(crate) fn readable(name: &str) -> String {
    let spaced = name.replace('_', " ");
    let mut letters = spaced.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}

/// A sentence with its places filled in.
pub fn sentence(text: &str, places: &[(&str, &str)]) -> Markup {
    html! { (fill(text, places)) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::Theme;

    #[test]
    fn money_shows_what_there_is() {
        let shown = [0, 12, 9_999, 10_000, 1_234_567, -50_000].map(|m| money(MicroUsd(m)));
        assert_eq!(shown, ["$0.00", "$0.000012", "$0.01", "$0.01", "$1.23", "−$0.05"]);
    }

    #[test]
    fn spans_are_short() {
        let en = Look { language: Language::En, theme: Theme::System };
        let ja = Look { language: Language::Ja, theme: Theme::System };
        assert_eq!(span(1_250, en), "1.2 s");
        assert_eq!(span(61_000, en), "1 min 1 s");
        assert_eq!(span(3_700_000, ja), "1時間 1分");
    }

    #[test]
    fn thousands_stand_apart() {
        assert_eq!(
            ["0", "999", "1,000", "12,345,678"].map(str::to_owned),
            [0, 999, 1000, 12_345_678].map(count)
        );
    }
}
