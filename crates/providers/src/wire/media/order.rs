//! An agent's input, read as an order that a vendor's model can be given.

use serde_json::Value;

/// The longest text that is made of an input, in characters.
const WORDS_MAX: usize = 2_000;
/// The longest remark about a former result that is passed on, in characters.
const REMARK_MAX: usize = 500;

/// The formats that requests can have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Aspect {
    Square,
    Wide,
    Tall,
    FourToFive,
    ThreeToTwo,
    TwoToThree,
}

impl Aspect {
    fn of(name: &str) -> Option<Self> {
        Some(match name {
            "1:1" => Self::Square,
            "16:9" => Self::Wide,
            "9:16" => Self::Tall,
            "4:5" => Self::FourToFive,
            "3:2" => Self::ThreeToTwo,
            "2:3" => Self::TwoToThree,
            _ => return None,
        })
    }

    /// As requests write it.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Square => "1:1",
            Self::Wide => "16:9",
            Self::Tall => "9:16",
            Self::FourToFive => "4:5",
            Self::ThreeToTwo => "3:2",
            Self::TwoToThree => "2:3",
        }
    }
}

/// The format that is asked for. `None`: one that is not known here.
pub(super) fn aspect(spec: &Value, usual: Aspect) -> Option<Aspect> {
    match text(spec, "aspect_ratio") {
        Some(name) => Aspect::of(name),
        None => Some(usual),
    }
}

/// How long a film is to be, in seconds.
pub(super) fn seconds(spec: &Value) -> Option<f64> {
    spec.get("duration_seconds").and_then(Value::as_f64)
}

/// Whether a film is to speak.
pub(super) fn speaks(spec: &Value) -> bool {
    spec.get("with_voice").and_then(Value::as_bool).unwrap_or(false)
}

/// What is to be seen, in words: the prompt, then manner, mood, colours, and what was wrong with
/// the former result. `None`: nothing is said.
pub(super) fn words(spec: &Value) -> Option<String> {
    let mut words = text(spec, "prompt")?.to_owned();
    for (name, label) in [("style", "Style"), ("mood", "Mood"), ("shot_type", "Shot")] {
        if let Some(text) = text(spec, name) {
            words = format!("{words}\n{label}: {text}");
        }
    }
    let palette = spec.get("palette").and_then(Value::as_array);
    let colors: Vec<&str> = palette.into_iter().flatten().filter_map(Value::as_str).collect();
    if !colors.is_empty() {
        words = format!("{words}\nColours: {}", colors.join(", "));
    }
    if let Some(remark) = spec.get("feedback").filter(|remark| !remark.is_null()) {
        let remark = remark.as_str().map_or_else(|| remark.to_string(), str::to_owned);
        words = format!("{words}\nTo be done better: {}", cut(&remark, REMARK_MAX));
    }
    Some(cut(&words, WORDS_MAX))
}

/// A member that is a text with something in it.
pub(super) fn text<'a>(spec: &'a Value, name: &str) -> Option<&'a str> {
    spec.get(name)?.as_str().map(str::trim).filter(|text| !text.is_empty())
}

fn cut(text: &str, chars_max: usize) -> String {
    text.chars().take(chars_max).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_order_is_said_in_words() {
        let spec = json!({
            "prompt": " Green tea at dawn ", "style": "film photo", "mood": "", "palette": ["#0a0", 7],
            "feedback": { "notes": "warmer" }, "headline": "not painted",
        });
        let words = words(&spec).unwrap();
        let wanted = "Green tea at dawn\nStyle: film photo\nColours: #0a0\n\
                      To be done better: {\"notes\":\"warmer\"}";
        assert_eq!(words, wanted);
        assert_eq!(super::words(&json!({ "prompt": "  " })), None);
        let long = super::words(&json!({ "prompt": "茶".repeat(9_000) })).unwrap();
        assert_eq!(long.chars().count(), WORDS_MAX);
    }

    #[test]
    fn a_format_is_known_or_not() {
        for name in ["1:1", "16:9", "9:16", "4:5", "3:2", "2:3"] {
            let aspect = aspect(&json!({ "aspect_ratio": name }), Aspect::Square);
            assert_eq!(aspect.unwrap().name(), name);
        }
        assert_eq!(aspect(&json!({}), Aspect::Wide), Some(Aspect::Wide));
        assert_eq!(aspect(&json!({ "aspect_ratio": "5:1" }), Aspect::Wide), None);
    }
}
