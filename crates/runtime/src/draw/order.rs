//! Reads orders as they come out of a definition: strings where strings are, and a seed made from
//! the order, so that the same order is the same picture or film.

use serde_json::Value;
use showrunner_engine::failure::{ErrorClass, Failure};
use showrunner_media::{ArtSpec, AspectRatio, FilmScene, FilmSpec, Language, VoiceSpec};
use showrunner_providers::MediaKind;

/// What is to be made, and how: providers wrap an order as `{kind, spec}`.
pub(super) fn opened(mut order: Value) -> (MediaKind, Value) {
    let kind = order.get("kind").and_then(|kind| serde_json::from_value(kind.clone()).ok());
    let spec = order.get_mut("spec").filter(|spec| spec.is_object()).map(Value::take);
    (kind.unwrap_or(MediaKind::Image), spec.unwrap_or(order))
}

pub(super) fn art(order: &Value) -> Result<ArtSpec, Failure> {
    let headline = text(order, "headline").unwrap_or_default();
    let prompt = text(order, "prompt").unwrap_or_default();
    Ok(ArtSpec {
        language: language(order, &format!("{prompt}{headline}")),
        prompt,
        headline,
        subline: text(order, "subline"),
        call_to_action: text(order, "call_to_action"),
        brand: text(order, "brand"),
        palette: texts(order, "palette"),
        mood: texts(order, "mood"),
        style: text(order, "style"),
        aspect: aspect(order, "1:1")?,
        seed: seed(order),
    })
}

pub(super) fn film(order: &Value) -> Result<FilmSpec, Failure> {
    let invalid = |code: &str, message: &str| Failure::new(ErrorClass::Validation, code, message);
    let listed = order.get("scenes").and_then(Value::as_array).map(Vec::as_slice);
    let scenes: Vec<FilmScene> = listed.unwrap_or_default().iter().map(scene).collect();
    let asked = order.get("duration_seconds").and_then(Value::as_f64);
    let seconds = asked.unwrap_or_else(|| scenes.iter().map(|scene| scene.duration_seconds).sum());
    let duration_ms = std::time::Duration::try_from_secs_f64(seconds)
        .ok()
        .and_then(|span| u64::try_from(span.as_millis()).ok())
        .ok_or_else(|| invalid("duration", "`duration_seconds` is no length of time"))?;
    let spoken: String = scenes.iter().map(|scene| scene.voiceover.as_str()).collect();
    let has_voice = order.get("with_voice").and_then(Value::as_bool).unwrap_or(false);
    Ok(FilmSpec {
        language: language(order, &spoken),
        scenes,
        duration_ms,
        topic: text(order, "prompt"),
        hook: text(order, "hook"),
        closing: text(order, "headline"),
        call_to_action: text(order, "call_to_action"),
        brand: text(order, "brand"),
        palette: texts(order, "palette"),
        mood: texts(order, "mood"),
        style: text(order, "style"),
        aspect: aspect(order, "16:9")?,
        seed: seed(order),
        voice: has_voice.then(|| text(order, "voice_id").unwrap_or_default()),
        has_music: order.get("music").and_then(Value::as_bool).unwrap_or(true),
        short_edge: number(order, "short_edge").unwrap_or(720),
        frames_per_second: number(order, "frames_per_second").unwrap_or(24),
    })
}

pub(super) fn voice(order: &Value) -> VoiceSpec {
    let words = text(order, "text").or_else(|| text(order, "prompt")).unwrap_or_default();
    VoiceSpec {
        language: language(order, &words),
        text: words,
        voice: text(order, "voice_id"),
        pace: order.get("pace").and_then(Value::as_f64).unwrap_or(1.0),
    }
}

fn scene(scene: &Value) -> FilmScene {
    FilmScene {
        visual_prompt: text(scene, "visual_prompt").unwrap_or_default(),
        voiceover: text(scene, "voiceover").unwrap_or_default(),
        caption: text(scene, "caption"),
        duration_seconds: scene.get("duration_seconds").and_then(Value::as_f64).unwrap_or(1.0),
    }
}

fn text(order: &Value, name: &str) -> Option<String> {
    order.get(name).and_then(Value::as_str).map(str::to_owned)
}

fn texts(order: &Value, name: &str) -> Vec<String> {
    let list = order.get(name).and_then(Value::as_array);
    list.into_iter().flatten().filter_map(|v| v.as_str().map(str::to_owned)).collect()
}

fn number(order: &Value, name: &str) -> Option<u32> {
    order.get(name).and_then(Value::as_u64).and_then(|n| u32::try_from(n).ok())
}

fn aspect(order: &Value, usual: &str) -> Result<AspectRatio, Failure> {
    let asked = text(order, "aspect_ratio").unwrap_or_else(|| usual.to_owned());
    asked.parse().map_err(|error: showrunner_media::MediaError| {
        Failure::new(ErrorClass::Validation, "aspect_ratio", error.to_string())
    })
}

/// The language that is named, or else that of the words.
fn language(order: &Value, words: &str) -> Language {
    let is_japanese = |c: char| matches!(c, '\u{3040}'..='\u{30ff}' | '\u{4e00}'..='\u{9fff}');
    match text(order, "language").as_deref() {
        Some("ja") => Language::Ja,
        Some("en") => Language::En,
        _ if words.chars().any(is_japanese) => Language::Ja,
        _ => Language::En,
    }
}

fn seed(order: &Value) -> u64 {
    let digest = showrunner_engine::turn::digest_of(order);
    let seed = digest.as_str().get(..16).and_then(|hex| u64::from_str_radix(hex, 16).ok());
    seed.unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_is_the_same_wrapped_or_not() {
        let order = json!({"prompt": "春の珈琲", "kind": "image"});
        let (kind, inner) = opened(json!({"kind": "video", "spec": order, "seed": 3}));
        assert_eq!((kind, &inner), (MediaKind::Video, &order));
        let (kind, inner) = opened(order.clone());
        assert_eq!((kind, inner), (MediaKind::Image, order));
    }

    #[test]
    fn a_film_lasts_as_long_as_is_asked_or_as_its_scenes() {
        let scenes =
            json!([{"duration_seconds": 2.5}, {"voiceover": "はい。", "duration_seconds": 3}]);
        let spec = film(&json!({"scenes": scenes})).unwrap();
        assert_eq!((spec.duration_ms, spec.voice, spec.language), (5_500, None, Language::Ja));
        let order = json!({"scenes": scenes, "duration_seconds": 12, "with_voice": true});
        let spec = film(&order).unwrap();
        assert_eq!((spec.duration_ms, spec.voice.as_deref()), (12_000, Some("")));
        let bad = json!({"scenes": scenes, "duration_seconds": -1});
        assert_eq!(film(&bad).unwrap_err().code, "duration");
        let bad = json!({"scenes": scenes, "aspect_ratio": "5:4"});
        assert_eq!(film(&bad).unwrap_err().code, "aspect_ratio");
    }
}
