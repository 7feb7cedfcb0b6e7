//! Answers as people read them. The files beside this are the samples; look at them when they
//! change: they are the product.

use std::fmt::Write as _;

use expect_test::expect_file;

use super::*;

pub(super) fn strategist() -> Value {
    json!({"type": "object", "additionalProperties": false,
        "required": ["creative_direction", "hook_concept", "target_emotion", "call_to_action", "key_messages"],
        "properties": {
            "creative_direction": {"type": "string", "minLength": 40},
            "hook_concept": {"type": "string"},
            "target_emotion": {"type": "string"},
            "call_to_action": {"type": "string", "maxLength": 60},
            "key_messages": {"type": "array", "items": {"type": "string"}, "minItems": 3, "maxItems": 5},
            "recommended_trend": {"type": "string"},
            "visual_style": {"type": "string"}}})
}

pub(super) fn copywriter() -> Value {
    json!({"type": "object", "required": ["hook", "scenes", "total_duration", "cta"],
        "properties": {
            "hook": {"type": "string", "maxLength": 80},
            "scenes": {"type": "array", "minItems": 1, "maxItems": 12, "items": {"$ref": "#/$defs/scene"}},
            "total_duration": {"type": "number", "minimum": 1},
            "cta": {"type": "string"},
            "script_text": {"type": "string"}},
        "$defs": {"scene": {"type": "object",
            "required": ["visual_prompt", "voiceover", "duration_seconds"],
            "properties": {
                "visual_prompt": {"type": "string"},
                "voiceover": {"type": "string"},
                "duration_seconds": {"type": "number", "exclusiveMinimum": 0}}}}})
}

pub(super) fn quality() -> Value {
    json!({"type": "object", "required": ["decision", "quality_score", "reasons"],
        "properties": {
            "decision": {"enum": ["reject", "approve"]},
            "quality_score": {"type": "number", "minimum": 0, "maximum": 100},
            "approved": {"type": "boolean"},
            "has_issues": {"type": "boolean"},
            "issues": {"type": "array", "items": {"type": "string"}},
            "reasons": {"type": "array", "items": {"type": "string"}, "minItems": 1},
            "summary": {"type": "string"},
            "summaryJa": {"type": "string"}}})
}

pub(super) fn social() -> Value {
    json!({"type": "object", "required": ["title", "headline", "body", "caption", "hashtags"],
        "properties": {
            "title": {"type": "string", "maxLength": 60},
            "headline": {"type": "string", "maxLength": 40},
            "body": {"type": "string", "minLength": 80, "maxLength": 400},
            "caption": {"type": "string"},
            "hashtags": {"type": "array", "items": {"type": "string", "pattern": "^#"}, "maxItems": 5},
            "palette": {"type": "array", "items": {"type": "string", "pattern": "^#[0-9a-f]{6}$"}},
            "mood": {"type": "string"},
            "image_prompt": {"type": "string"},
            "negative_prompt": {"type": "string"},
            "notes": {"type": "string"}}})
}

fn tea() -> Value {
    json!({"request_type": "video_with_vo",
        "prompt": "Create a 15-second vertical video for our new cold-brew green tea, aimed at commuters in Tokyo who skip breakfast. Brewed for twelve hours in cold water. No sugar, no additives. Tone: calm and honest.",
        "duration_seconds": 15, "aspect_ratio": "9:16",
        "brand": {"name": "Kaze", "tone": "calm", "rules": ["never shout"]}})
}

fn matcha() -> Value {
    json!({"prompt": "抹茶ラテの新商品をPRする20秒動画を作ってください。ターゲットは20代の女性です。京都・宇治の一番茶だけを使用。甘さは控えめ。",
        "duration_seconds": 20, "brand": {"name": "宇治庵"}})
}

fn app() -> Value {
    json!({"brief": "Launch campaign introducing a budgeting app that rounds up every purchase and saves the difference. Targeting young professionals with their first salary.",
        "brandProfile": {"name": "Pocketful", "description": "a savings startup"},
        "features": ["No fees in the first year"], "duration": 30})
}

fn ryokan() -> Value {
    json!({"title": "秋の宿泊プラン", "prompt": "京都の老舗旅館の秋の宿泊プランを紹介する画像。紅葉と露天風呂を見せたい。家族連れ向け。朝食は部屋出し。"})
}

fn show(told: &mut String, what: &str, value: &Value) {
    writeln!(told, "== {what}\n{}\n", serde_json::to_string_pretty(value).unwrap()).unwrap();
}

/// Everything that four agents make of one brief.
fn campaign(input: &Value, feedback: Option<&str>) -> String {
    let mut told = String::new();
    let agents = [
        ("strategist", strategist()),
        ("copywriter", copywriter()),
        ("qa", quality()),
        ("social", social()),
    ];
    for (agent, schema) in agents {
        show(&mut told, agent, &answer(call_of(agent, input, Some(&schema), feedback), 7));
    }
    show(&mut told, "plain", &answer(call_of("writer", input, None, feedback), 7));
    told
}

#[test]
fn a_tea_in_english() {
    expect_file!["../samples/tea.en.txt"].assert_eq(&campaign(&tea(), None));
}

#[test]
fn a_latte_in_japanese() {
    expect_file!["../samples/matcha.ja.txt"].assert_eq(&campaign(&matcha(), None));
}

#[test]
fn an_app_in_english() {
    expect_file!["../samples/app.en.txt"].assert_eq(&campaign(&app(), None));
}

#[test]
fn an_inn_in_japanese() {
    expect_file!["../samples/ryokan.ja.txt"].assert_eq(&campaign(&ryokan(), None));
}

#[test]
fn feedback_is_taken_up() {
    let note = "Make it warmer and mention the recyclable bottle.";
    let told = campaign(&tea(), Some(note));
    assert!(told.matches("recyclable bottle").count() > 6);
    expect_file!["../samples/tea.feedback.en.txt"].assert_eq(&told);
    let note = "もっと明るい雰囲気に。数量限定であることを入れてください。";
    expect_file!["../samples/matcha.feedback.ja.txt"].assert_eq(&campaign(&matcha(), Some(note)));
}

#[test]
fn a_brief_against_the_rules_is_turned_down() {
    let mut input = tea();
    input["negative_constraints"] = json!(["No alcohol", "breakfast"]);
    expect_file!["../samples/tea.refused.en.txt"]
        .assert_eq(&format!("{:#}", answer(call_of("qa", &input, Some(&quality()), None), 7)));
}
