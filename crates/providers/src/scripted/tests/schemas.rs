//! Whatever the schema, what comes back fits it, or is refused.

use proptest::prelude::*;

use super::samples::{copywriter, quality, social, strategist};
use super::*;

/// Schemas as people write them.
#[expect(clippy::too_many_lines, reason = "a list")]
fn catalogue() -> Vec<Value> {
    let mut all = vec![strategist(), copywriter(), quality(), social()];
    all.extend([
        json!({}),
        json!(true),
        json!({"type": "object"}),
        json!({"type": "array"}),
        json!({"type": "string"}),
        json!({"type": "number"}),
        json!({"type": "integer"}),
        json!({"type": "boolean"}),
        json!({"type": "null"}),
        json!({"type": ["null", "string"]}),
        json!({"const": {"a": 1}}),
        json!({"enum": [1, "two", null]}),
        json!({"type": "string", "enum": ["x", 1]}),
        json!({"type": "string", "minLength": 300, "maxLength": 310}),
        json!({"type": "string", "maxLength": 0}),
        json!({"type": "string", "maxLength": 1}),
        json!({"type": "string", "minLength": 12, "maxLength": 12}),
        json!({"type": "string", "minLength": 3000}),
    ]);
    for format in [
        "date",
        "date-time",
        "time",
        "duration",
        "uri",
        "email",
        "uuid",
        "hostname",
        "ipv4",
        "ipv6",
        "json-pointer",
        "regex",
        "made-up",
    ] {
        all.push(json!({"type": "string", "format": format}));
    }
    for pattern in [
        "^[A-Z]{3}-\\d{4}$",
        "^#[0-9a-f]{6}$",
        "^(a|b)+$",
        "^[a-z0-9-]+$",
        "^\\S+$",
        "[0-9]",
        "^https?://",
        "^.{10,20}$",
    ] {
        all.push(json!({"type": "string", "pattern": pattern}));
    }
    all.extend([
        json!({"type": "integer", "minimum": 3, "maximum": 3}),
        json!({"type": "integer", "exclusiveMinimum": 3, "exclusiveMaximum": 5}),
        json!({"type": "number", "exclusiveMinimum": 0, "exclusiveMaximum": 1}),
        json!({"type": "integer", "multipleOf": 7, "minimum": 50}),
        json!({"type": "number", "multipleOf": 0.25, "maximum": -1}),
        json!({"type": "integer", "minimum": -20, "maximum": -10}),
        json!({"type": "number", "minimum": 1e12}),
        json!({"type": "array", "items": {"type": "string"}, "minItems": 12}),
        json!({"type": "array", "items": {"type": "integer"}, "uniqueItems": true, "minItems": 5}),
        json!({"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": true, "minItems": 3}),
        json!({"type": "array", "items": {"type": "string"}, "maxItems": 0}),
        json!({"type": "array", "prefixItems": [{"type": "integer"}, {"type": "string"}], "items": false}),
        json!({"type": "array", "contains": {"const": 5}, "items": {"type": "integer"}, "minItems": 3}),
        json!({"type": "object", "required": ["undeclared"]}),
        json!({"type": "object", "additionalProperties": {"type": "integer"}, "minProperties": 3}),
        json!({"type": "object", "properties": {"a": false, "b": {"type": "string"}}}),
        json!({"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "string"}}, "maxProperties": 1}),
        json!({"oneOf": [{"type": "string"}, {"type": "integer"}]}),
        json!({"oneOf": [{"type": "integer"}, {"type": "number", "minimum": 1000}]}),
        json!({"anyOf": [{"type": "null"}, {"type": "object", "required": ["hook"], "properties": {"hook": {"type": "string"}}}]}),
        json!({"allOf": [{"type": "object", "required": ["a"]}, {"properties": {"a": {"type": "integer", "minimum": 4}}}, {"properties": {"a": {"maximum": 4}}}]}),
        json!({"$ref": "#/$defs/a", "$defs": {"a": {"type": "array", "items": {"$ref": "#/$defs/b"}, "minItems": 1}, "b": {"type": "integer", "minimum": 9}}}),
        json!({"type": "object", "required": ["kind"], "properties": {"kind": {"enum": ["film", "still"]}},
            "oneOf": [{"properties": {"kind": {"const": "still"}, "width": {"type": "integer"}}, "required": ["width"]},
                      {"properties": {"kind": {"const": "film"}, "seconds": {"type": "integer"}}, "required": ["seconds"]}]}),
        json!({"$defs": {"leaf": {"type": "object", "required": ["title"], "properties": {"title": {"type": "string"}}}}, "type": "array", "minItems": 2, "items": {"$ref": "#/$defs/leaf"}}),
        json!({"type": "object", "properties": {"a": {"$ref": "#/properties/b"}, "b": {"type": "integer", "minimum": 6}}, "required": ["a"]}),
        json!({"if": {"properties": {"a": {"const": 1}}, "required": ["a"]}, "then": {"required": ["b"]}, "else": {"required": ["c"]}, "type": "object", "properties": {"a": {"type": "integer"}}}),
        json!({"not": {"type": "string"}, "type": ["integer", "string"]}),
        json!({"type": "object", "required": ["score", "rating", "confidence"], "properties": {"score": {"type": "number", "minimum": 0, "maximum": 1}, "rating": {"type": "integer", "minimum": 1, "maximum": 5}, "confidence": {"type": "number"}}}),
        json!({"type": "object", "required": ["scenes"], "properties": {"scenes": {"type": "array", "minItems": 8, "items": {"type": "object", "required": ["duration"], "properties": {"duration": {"type": "integer", "minimum": 1, "maximum": 4}}}}}}),
        json!({"type": "object", "properties": {"strategicInsight": {"type": "object", "required": ["awarenessLevel", "lf8Desires", "copywritingFramework", "targetInsight"], "properties": {
            "awarenessLevel": {"enum": ["unaware", "problem_aware", "solution_aware", "product_aware", "most_aware"]},
            "lf8Desires": {"type": "array", "minItems": 1, "uniqueItems": true, "items": {"enum": ["survival", "food", "freedom", "companionship", "comfort", "superiority", "care", "approval"]}},
            "copywritingFramework": {"enum": ["PAS", "AIDA", "BAB", "SB7"]},
            "targetInsight": {"type": "string", "minLength": 10}, "summaryJa": {"type": "string"}}}}, "required": ["strategicInsight"]}),
    ]);
    all
}

fn briefs() -> Vec<Value> {
    vec![
        json!({"prompt": "A poster for our new trail running shoes, targeting weekend runners. Grip on wet rock.", "brand": {"name": "Ibex"}}),
        json!({"prompt": "新しいハンドクリームの画像を作ってください。乾燥に悩む人向け。無香料。", "duration_seconds": 12}),
        json!({}),
        json!(["nothing", 1, null]),
        json!("just text"),
    ]
}

#[test]
fn every_answer_fits_its_schema() {
    let catalogue = catalogue();
    assert!(catalogue.len() >= 60, "{} schemas", catalogue.len());
    for schema in &catalogue {
        let compiled = Schema::compile(schema.clone()).unwrap();
        for input in briefs() {
            for seed in 0..4 {
                let call = call_of("writer", &input, Some(schema), None);
                let made = answer(call, seed);
                assert!(compiled.accepts(&made), "{schema}\n{made}");
            }
        }
    }
}

#[test]
fn what_cannot_be_satisfied_is_refused_not_guessed() {
    for schema in [
        json!(false),
        json!({"type": "string", "minLength": 5, "maxLength": 3}),
        json!({"type": "integer", "minimum": 5, "maximum": 4}),
        json!({"type": "integer", "exclusiveMinimum": 4, "exclusiveMaximum": 5}),
        json!({"type": "array", "items": {"const": 1}, "uniqueItems": true, "minItems": 2}),
        json!({"type": "object", "required": ["a"], "properties": {"a": false}}),
        json!({"enum": []}),
    ] {
        let call = call_of("writer", &json!({}), Some(&schema), None);
        let refused = world(json!({})).ask(&request("k", call)).unwrap_err();
        assert_eq!(refused.code, "scripted_cannot_satisfy_schema", "{schema}");
        assert_eq!((refused.class, refused.outcome), (ErrorClass::Validation, Outcome::Refused));
    }
}

#[test]
fn the_same_seed_and_request_give_the_same_answer_others_give_others() {
    let input = &briefs()[0];
    let ask = |seed| answer(call_of("strategist", input, Some(&strategist()), None), seed);
    assert_eq!(ask(3), ask(3));
    let different: std::collections::BTreeSet<String> =
        (0..12).map(|seed| ask(seed).to_string()).collect();
    assert!(different.len() >= 8, "{} of 12 differ", different.len());
}

#[test]
fn scenes_last_as_long_as_was_asked() {
    for (asked, least) in [(5.0, 2), (15.0, 3), (30.0, 6), (12.5, 2), (300.0, 6)] {
        let input = json!({"prompt": "A film about our new lamp.", "duration_seconds": asked});
        let made = answer(call_of("copywriter", &input, Some(&copywriter()), None), 1);
        let scenes = made["scenes"].as_array().unwrap();
        let sum: f64 = scenes.iter().map(|scene| scene["duration_seconds"].as_f64().unwrap()).sum();
        assert!((sum - asked).abs() < 0.001, "{asked}: {made:#}");
        assert!((made["total_duration"].as_f64().unwrap() - asked).abs() < 0.001);
        assert!(scenes.len() >= least, "{} scenes for {asked} s", scenes.len());
    }
}

#[test]
fn a_script_that_the_client_wrote_is_split_not_rewritten() {
    let input = json!({"prompt": "Film", "duration_seconds": 20,
        "script_text": "Good morning.\n\nThis is our bakery.\nCome by."});
    let made = answer(call_of("copywriter", &input, Some(&copywriter()), None), 1);
    let said: Vec<&str> = made["scenes"]
        .as_array()
        .unwrap()
        .iter()
        .map(|scene| scene["voiceover"].as_str().unwrap())
        .collect();
    assert_eq!(said, ["Good morning.", "This is our bakery.", "Come by."]);
}

#[test]
fn copywriter_and_strategist_work_on_the_same_idea() {
    let mut input = briefs()[0].clone();
    let strategy = answer(call_of("strategist", &input, Some(&strategist()), None), 5);
    input["strategist"] = strategy.clone();
    let copy = answer(call_of("copywriter", &input, Some(&copywriter()), None), 5);
    assert_eq!(copy["cta"], strategy["call_to_action"]);
}

/// Schemas made at random from the keywords that the plan knows.
fn any_schema() -> impl Strategy<Value = Value> {
    let names = ["hook", "score", "title", "scenes", "approved", "summaryJa", "cost", "x"];
    let leaf = prop_oneof![
        (0usize..60, 0usize..80).prop_map(|(min, more)| json!({"type": "string", "minLength": min, "maxLength": min + more})),
        (-50i64..50, 0i64..50).prop_map(|(min, more)| json!({"type": "integer", "minimum": min, "maximum": min + more})),
        (-50i64..50, 1i64..50).prop_map(|(min, more)| json!({"type": "number", "exclusiveMinimum": min, "exclusiveMaximum": min + more})),
        (1i64..9).prop_map(|step| json!({"type": "integer", "multipleOf": step})),
        Just(json!({"type": "boolean"})),
        Just(json!({"type": "string", "format": "date-time"})),
        Just(json!({"type": ["string", "null"]})),
        proptest::collection::vec("[a-z]{1,8}", 1..5).prop_map(|words| json!({"enum": words})),
        "[a-z]{1,4}".prop_map(|word| json!({"type": "string", "pattern": format!("^{word}-[0-9]{{2}}$")})),
    ];
    leaf.prop_recursive(3, 24, 4, move |inner| {
        let members = proptest::collection::btree_map(proptest::sample::select(names.to_vec()), (inner.clone(), any::<bool>()), 0..5);
        prop_oneof![
            (inner.clone(), 0usize..4, 0usize..4).prop_map(|(item, min, more)| json!({"type": "array", "items": item, "minItems": min, "maxItems": min + more})),
            (members, any::<bool>()).prop_map(|(members, is_open)| {
                let required: Vec<&str> = members.iter().filter(|(_, (_, is))| *is).map(|(name, _)| *name).collect();
                let properties: serde_json::Map<String, Value> = members.iter().map(|(name, (schema, _))| ((*name).to_owned(), schema.clone())).collect();
                json!({"type": "object", "required": required, "properties": properties, "additionalProperties": is_open})
            }),
            proptest::collection::vec(inner, 1..3).prop_map(|branches| json!({"anyOf": branches})),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_schema_that_can_be_satisfied_is(schema in any_schema(), seed in 0u64..1000) {
        let compiled = Schema::compile(schema.clone()).unwrap();
        let made = answer(call_of("writer", &briefs()[0], Some(&schema), None), seed);
        prop_assert!(compiled.accepts(&made), "{}\n{}", schema, made);
    }
}
