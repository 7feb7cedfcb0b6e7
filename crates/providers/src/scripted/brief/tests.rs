use serde_json::json;

use super::*;

fn read(input: &Value, feedback: Option<&Value>) -> Brief {
    Brief::read(input, feedback, &Readings::default())
}

#[test]
fn english_briefs_are_about_what_a_reader_thinks_they_are_about() {
    for (prompt, noun, audience) in [
        (
            "Create a 15-second video for our new cold-brew green tea, aimed at commuters.",
            "cold-brew green tea",
            Some("commuters"),
        ),
        (
            "Poster for the Summer Jazz Festival in Ueno Park",
            "Summer Jazz Festival in Ueno Park",
            None,
        ),
        (
            "An Instagram post introducing a waterproof backpack that folds flat. For students on a budget.",
            "waterproof backpack",
            Some("students on a budget"),
        ),
        (
            "Video for young parents about our night-light",
            "night-light",
            Some("young parents about our night-light"),
        ),
        ("Handmade soy candles", "Handmade soy candles", None),
        ("Make an ad for \"Luna One\", targeting runners", "Luna One", Some("runners")),
        (
            "Please design a banner of a small ryokan in Kyoto, with maple leaves",
            "small ryokan in Kyoto",
            None,
        ),
    ] {
        let brief = read(&json!({ "prompt": prompt }), None);
        assert_eq!(brief.noun.as_deref(), Some(noun), "{prompt}");
        assert_eq!(brief.audience.as_deref(), audience, "{prompt}");
        assert_eq!(brief.lang, Lang::En);
    }
}

#[test]
fn japanese_briefs_too() {
    for (prompt, noun, audience) in [
        (
            "抹茶ラテの新商品をPRする15秒動画を作ってください。ターゲットは20代女性です。",
            "抹茶ラテ",
            Some("20代女性"),
        ),
        ("京都の老舗旅館の秋の宿泊プランを紹介する画像", "京都の老舗旅館の秋の宿泊プラン", None),
        (
            "新しいハンドクリームの画像を作ってください。乾燥に悩む人向け。",
            "ハンドクリーム",
            Some("乾燥に悩む人"),
        ),
        ("「月あかり」という日本酒の広告", "月あかり", None),
        ("子育て世代向けに、家計簿アプリの広告を作成", "家計簿アプリ", Some("子育て世代")),
    ] {
        let brief = read(&json!({ "prompt": prompt }), None);
        assert_eq!(brief.noun.as_deref(), Some(noun), "{prompt}");
        assert_eq!(brief.audience.as_deref(), audience, "{prompt}");
        assert_eq!(brief.lang, Lang::Ja);
    }
}

#[test]
fn language_can_be_ordered() {
    let lang = |input: Value| read(&input, None).lang;
    assert_eq!(lang(json!({"prompt": "green tea", "language": "ja"})), Lang::Ja);
    assert_eq!(lang(json!({"prompt": "緑茶の広告", "language": "en-GB"})), Lang::En);
}

#[test]
fn rules_are_broken_by_the_word_not_by_the_rule() {
    let breach = |prompt: &str, rules: Value| {
        read(
            &json!({"prompt": prompt, "brand": {"name": "X", "negative_constraints": rules}}),
            None,
        )
        .violation
    };
    assert_eq!(
        breach("Tea with rum", json!(["No alcohol", "never mention rum"])).as_deref(),
        Some("rum")
    );
    assert_eq!(breach("Drums and tea", json!(["rum"])), None, "drums are not rum");
    assert_eq!(breach("お酒に合うおつまみ", json!(["お酒は禁止"])).as_deref(), Some("お酒"));
    assert_eq!(breach("tea", json!([])), None);
}

#[test]
fn fields_of_life_are_told_by_the_last_word() {
    let domain = |prompt: &str| read(&json!({ "prompt": prompt }), None).domain;
    assert_eq!(domain("Poster for a tea festival"), Domain::Event);
    assert_eq!(domain("紅茶の広告"), Domain::Drink);
    assert_eq!(domain("Our steamed buns"), Domain::Other);
}

#[test]
fn hostile_inputs_are_read_without_harm() {
    let mut deep = json!("x");
    for _ in 0..200 {
        deep = json!({ "brief": [deep] });
    }
    let long = "あ「".repeat(20_000);
    for input in
        [deep, json!({ "prompt": long }), json!({"prompt": " \n ", "duration": -5}), json!(null)]
    {
        let brief = read(&input, Some(&json!({"odd": [1, 2]})));
        assert_eq!(brief.duration_tenths, None);
    }
}
