//! What a person sees while a run goes on.

use console::measure_text_width;
use serde_json::json;

use super::{Size, draw, money, span};
use crate::client::RunEvent;
use crate::config::Terminal;
use crate::progress::Story;
use crate::talk::{Amount, Talk};

fn talk(is_japanese: bool) -> Talk {
    let terminal = Terminal { has_colour: false, is_live: true, can_ask: true, is_japanese };
    Talk::new(Amount::default(), terminal)
}

fn story(language: &'static str) -> Story {
    let run = json!({
        "id": "run_01k9zw7v5mqe8x2r4t6y8p0abc", "status": "running", "phase": "draft",
        "definition": {"slug": "content-request-image", "version": 1},
        "title": "朝の一杯が、一日を変える。", "seq": 5, "cost_micros": 12_345, "simulated": true,
        "budget": {"usd": 2.0}, "started_at": "2026-11-20T02:00:00Z",
        "phases": [
            {"id": "intake", "label": {"en": "Intake", "ja": "受付"}},
            {"id": "draft", "label": {"en": "Draft", "ja": "企画"}},
            {"id": "qa", "label": {"en": "Review", "ja": "確認"}}],
    });
    let steps = json!([
        {"key": "executive", "label": {"en": "Intent Parsing", "ja": "依頼内容の確認"},
         "phase": "intake", "status": "succeeded",
         "started_at": "2026-11-20T02:00:00Z", "ended_at": "2026-11-20T02:00:05Z"},
        {"key": "strategist", "label": {"en": "Visual Concept", "ja": "ビジュアルコンセプト立案"},
         "phase": "draft", "status": "running", "started_at": "2026-11-20T02:00:05Z"},
        {"key": "approval", "label": {"en": "Approval", "ja": "承認"}, "phase": "qa",
         "status": "pending"},
    ]);
    Story::new(
        serde_json::from_value(run).unwrap(),
        serde_json::from_value(steps).unwrap(),
        language,
    )
}

fn drawn(story: Story, width: usize, is_japanese: bool) -> Vec<String> {
    let now = "2026-11-20T02:00:21Z".parse().unwrap();
    draw(&[story], now, 3, Size { width, rows: 24 }, &talk(is_japanese))
}

#[test]
fn a_run_under_way_in_english() {
    let lines = drawn(story("en"), 96, false);
    assert_eq!(
        lines,
        [
            "朝の一杯が、一日を変え…   run_01k9zw7v5mqe8x   ▸ running  00:00:21   $0.0123 / $2.00   simulated",
            "  Intake       ✓ Intent Parsing                                                             0:05",
            "  Draft        ⠸ Visual Concept                                                             0:16",
            "  Review       · Approval                                                                       ",
            "  ctrl-c detaches (the run goes on)",
        ]
    );
}

#[test]
fn japanese_lines_are_as_wide_as_the_screen_and_no_wider() {
    for width in [40, 60, 80, 100, 132] {
        let lines = drawn(story("ja"), width, true);
        for line in &lines {
            assert!(measure_text_width(line) <= width, "{width}: {line}");
        }
        assert!(lines.iter().any(|line| line.contains("受付")), "{lines:?}");
    }
}

#[test]
fn an_event_moves_its_step_and_a_question_shows_what_to_type() {
    let mut story = story("en");
    for (seq, body) in [
        (6, json!({"type": "step.succeeded", "step": "strategist"})),
        (7, json!({"type": "checkpoint.opened", "step": "approval", "question": "Publish it?"})),
    ] {
        let mut body = body;
        body["seq"] = json!(seq);
        body["at"] = json!("2026-11-20T02:00:20Z");
        story.apply(&RunEvent::read("run_01k9zw7v5mqe8x2r4t6y8p0abc", body).unwrap());
    }
    let lines = drawn(story, 100, false).join("\n");
    assert!(lines.contains("✓ Visual Concept"), "{lines}");
    assert!(lines.contains("✋ Approval"), "{lines}");
    assert!(lines.contains("✋ Publish it?  → showrunner approve run_01k9zw7v5mqe8x"), "{lines}");
    assert!(lines.contains("waiting on you"), "{lines}");
}

#[test]
fn an_event_that_the_picture_knows_changes_nothing() {
    let mut story = story("en");
    let old = json!({"type": "run.failed", "seq": 5, "at": "2026-11-20T02:00:05Z"});
    story.apply(&RunEvent::read("run_01k9zw7v5mqe8x2r4t6y8p0abc", old).unwrap());
    assert_eq!(story.run.status, "running");
}

#[test]
fn sums_and_spans_read_well() {
    assert_eq!(
        [0, 50_000, 12_345, 2_000_000, -10_000].map(money),
        ["$0.00", "$0.05", "$0.0123", "$2.00", "-$0.01"]
    );
    let spans = [5, 221, 7_421].map(|seconds| span(jiff::SignedDuration::from_secs(seconds)));
    assert_eq!(spans, ["0:05", "3:41", "2:03:41"]);
}
