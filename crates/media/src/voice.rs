//! Spoken words: text in, sound out, by espeak-ng, with Japanese read by MeCab first.

use serde::{Deserialize, Serialize};

use crate::{
    error::MediaError,
    scratch::Scratch,
    spec::Language,
    text::clean::clean,
    tool::{ESPEAK, Limits, Order, Tools, Watch},
};

mod reading;
pub(crate) mod wave;

use wave::Wave;

/// The longest text that is spoken in one piece, in characters.
const TEXT_MAX: usize = 20_000;
/// Samples a second, as espeak-ng makes them.
const RATE: u32 = 22_050;
/// Words a minute that espeak-ng is asked for at a pace of 1: calm enough for an announcement.
const WORDS_A_MINUTE: f64 = 158.0;
/// The quickest and slowest that can still be followed, against a pace of 1.
pub(crate) const PACES: (f64, f64) = (0.7, 1.9);

const LIMITS: Limits =
    Limits { wall_seconds: 60, cpu_seconds: 60, memory_bytes: 1 << 30, file_bytes: 64 << 20 };

/// A text to be spoken. Text and voice are untrusted.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VoiceSpec {
    /// What is said.
    pub text: String,
    /// The language it is said in.
    #[serde(default)]
    pub language: Language,
    /// Whose voice: `female`, `male`, `deep`, `bright`, or a name of espeak-ng's own (`en-gb`,
    /// `en-us+m3`). One that is not known here is replaced by the usual one.
    #[serde(default)]
    pub voice: Option<String>,
    /// 1 is usual; 0.7 to 1.9 are held to.
    #[serde(default = "usual_pace")]
    pub pace: f64,
}

fn usual_pace() -> f64 {
    1.0
}

/// A voice track.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Voice {
    /// A WAV file: 16 bits, one channel.
    pub wav: Vec<u8>,
    /// How long it is.
    pub duration_ms: u64,
}

/// Speaks a text. The same text and programs give the same bytes.
pub fn speak(tools: &Tools, spec: &VoiceSpec, watch: &Watch) -> Result<Voice, MediaError> {
    let scratch = Scratch::new()?;
    let wave = utter(tools, spec, &scratch, watch)?;
    Ok(Voice { wav: wave.to_file(), duration_ms: wave.duration_ms() })
}

/// Speaks a text into samples, without silence around it.
pub(crate) fn utter(
    tools: &Tools,
    spec: &VoiceSpec,
    scratch: &Scratch,
    watch: &Watch,
) -> Result<Wave, MediaError> {
    let pause = if spec.language == Language::Ja { "、" } else { ", " };
    let text = clean(&spec.text, TEXT_MAX).replace(" / ", pause);
    let text = match spec.language {
        Language::Ja => reading::read(tools, &text, scratch, watch)?,
        Language::En => latin(&text),
    };
    if !text.chars().any(char::is_alphanumeric) {
        return Ok(Wave::silence(0.0, RATE));
    }
    let pace = spec.pace.clamp(PACES.0, PACES.1);
    let speed = crate::num::whole(WORDS_A_MINUTE * pace, 450).max(80);
    let voice = voice_name(spec.language, spec.voice.as_deref().unwrap_or_default());
    let order = Order {
        tool: ESPEAK,
        // `--stdin`, so that no text is ever an option or a file's name.
        arguments: ["-v", &voice, "-s", &speed.to_string(), "-b", "1", "--stdin", "--stdout"]
            .map(str::to_owned)
            .to_vec(),
        folder: scratch.path(),
        limits: LIMITS,
    };
    // espeak-ng 1.51 drops the last byte of what it reads and looks at the one behind it: without
    // a line's end that would be a letter, and a sound that is not always the same.
    let text = format!("{text}\n");
    let answer = tools.run(&order, watch, |stdin| {
        stdin
            .write_all(text.as_bytes())
            .map_err(|error| crate::tool::failed(&order, &error.to_string()))
    })?;
    let wave = Wave::from_espeak(&answer)
        .ok_or_else(|| crate::tool::failed(&order, "what it wrote is no sound"))?;
    Ok(wave.trimmed())
}

/// What an English voice can say: it would spell out each kana and kanji as such.
fn latin(text: &str) -> String {
    let is_japanese = |c: char| matches!(c, '\u{3000}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' | '\u{ff00}'..='\u{ffef}');
    text.chars().filter(|c| !is_japanese(*c)).collect()
}

/// The name espeak-ng knows a voice by. Only variants without an echo: those of espeak-ng 1.51 that
/// have one (f2–f5, m2) read memory that nobody has written, and do not always sound the same.
/// A name of its own is taken as it is if its language is the one spoken: letters, digits and `-`,
/// and one variant after `+`.
fn voice_name(language: Language, asked: &str) -> String {
    let (tongue, usual) = match language {
        Language::Ja => ("ja", "ja+f1"),
        Language::En => ("en", "en-us+f1"),
    };
    let base = usual.split('+').next().unwrap_or(tongue);
    let asked = asked.trim().to_ascii_lowercase();
    match asked.as_str() {
        "female" | "woman" | "女性" => usual.to_owned(),
        "male" | "man" | "男性" => format!("{base}+m3"),
        "deep" | "low" => format!("{base}+m7"),
        "bright" | "young" => format!("{base}+Annie"),
        own if is_own(own, tongue) => own.to_owned(),
        _ => usual.to_owned(),
    }
}

fn is_own(name: &str, tongue: &str) -> bool {
    let (base, variant) = name.split_once('+').unwrap_or((name, "f1"));
    let is_plain = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
    let is_variant = matches!(variant, "f1" | "m1" | "m3" | "m4" | "m5" | "m6" | "m7" | "m8");
    let regions = ["", "-us", "-gb", "-029", "-gb-scotland", "-gb-x-rp"];
    let region = base.strip_prefix(tongue).unwrap_or("-");
    is_plain(base)
        && is_variant
        && regions.contains(&region)
        && (tongue == "en" || region.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn say(text: &str, language: Language, pace: f64) -> Voice {
        let spec = VoiceSpec { text: text.to_owned(), language, voice: None, pace };
        speak(&Tools::default(), &spec, &Watch::default()).unwrap()
    }

    #[test]
    fn both_languages_are_spoken_at_a_plausible_length() {
        let ja = say("朝の一杯が、一日を変える。新作の豆が届きました。", Language::Ja, 1.0);
        let en = say("One cup in the morning changes the whole day.", Language::En, 1.0);
        for (voice, least, most) in [(&ja, 3_000, 8_000), (&en, 1_800, 5_000)] {
            assert!((least..most).contains(&voice.duration_ms), "{} ms", voice.duration_ms);
            let wave = Wave::from_espeak(&voice.wav).unwrap();
            assert!(wave.loudness() > 0.02, "{}", wave.loudness());
        }
    }

    #[test]
    fn kanji_are_read_and_not_called_chinese_letters() {
        // espeak-ng alone says "Chinese letter" for each of them, 16 s for such a sentence.
        let kanji = say("一日を変える新作発売", Language::Ja, 1.0);
        let kana = say("いちにちをかえるしんさくはつばい", Language::Ja, 1.0);
        let ratio = kanji.duration_ms * 100 / kana.duration_ms;
        assert!((70..=140).contains(&ratio), "{} {}", kanji.duration_ms, kana.duration_ms);
    }

    #[test]
    fn an_english_voice_leaves_japanese_names_out() {
        let both = say("あおぞら珈琲 / Aozora Coffee.", Language::En, 1.0);
        let one = say("Aozora Coffee.", Language::En, 1.0);
        assert!(both.duration_ms.abs_diff(one.duration_ms) < 400, "{}", both.duration_ms);
        assert!(say("珈琲", Language::En, 1.0).duration_ms < 50);
    }

    #[test]
    fn a_quicker_pace_takes_less_time_and_the_same_order_gives_the_same_bytes() {
        let text = "Beans from one farm, with you within seven days of roasting.";
        let usual = say(text, Language::En, 1.0);
        assert!(say(text, Language::En, 1.5).duration_ms < usual.duration_ms * 85 / 100);
        assert!(say(text, Language::En, 1.0).wav == usual.wav);
    }

    #[test]
    fn text_is_never_an_option_and_a_voice_never_a_path() {
        let voice = say("--version -f /etc/passwd", Language::En, 1.0);
        assert!(voice.duration_ms > 500);
        for bad in ["../../etc/passwd", "en-us+../x", "en+f2", "mb-jp1", "--help", "", "zh"] {
            assert_eq!(voice_name(Language::En, bad), "en-us+f1", "{bad}");
        }
        assert_eq!(voice_name(Language::En, "en-GB"), "en-gb");
        assert_eq!(voice_name(Language::Ja, "male"), "ja+m3");
        assert_eq!(voice_name(Language::Ja, "en-us"), "ja+f1");
    }
}
