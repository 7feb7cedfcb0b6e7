//! What is read at the lower edge, and when.

use crate::{
    film::{
        script::{LEAD, Script, TAIL},
        sound::Speech,
        timeline::divide,
    },
    spec::Language,
};

/// One caption.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Caption {
    pub(super) text: String,
    /// From when to when, in seconds.
    pub(super) span: (f64, f64),
}

/// How long a caption stays after its last word, in seconds.
const LINGER: f64 = 0.25;

/// The captions of a film: with what is spoken where somebody speaks, else over their scenes.
/// What the title says already is not said twice.
pub(super) fn of(script: &Script, speech: &Speech) -> Vec<Caption> {
    let mut captions = Vec::new();
    let hook = bare(&script.hook);
    for (scene, (from, to)) in script.scenes.iter().zip(script.spans()) {
        let weights: Vec<usize> = scene.sentences.iter().map(|s| s.chars().count()).collect();
        let room = (from + LEAD, (to - TAIL).max(from + LEAD));
        let spans = speech.spans_in(from, to).unwrap_or_else(|| divide(room, &weights));
        for (sentence, span) in scene.sentences.iter().zip(spans) {
            if captions.is_empty() && !hook.is_empty() && bare(sentence) == hook {
                continue;
            }
            let parts = parts(sentence, script.language);
            let weights: Vec<usize> = parts.iter().map(|part| part.chars().count()).collect();
            for (text, span) in parts.into_iter().zip(divide(span, &weights)) {
                captions.push(Caption { text, span });
            }
        }
    }
    linger(&mut captions, script.seconds);
    captions
}

/// Lets each stay a moment longer, until the next one comes.
fn linger(captions: &mut [Caption], end: f64) {
    let starts: Vec<f64> = captions.iter().skip(1).map(|next| next.span.0).collect();
    let until = starts.into_iter().map(Some).chain([None]);
    for (caption, next) in captions.iter_mut().zip(until) {
        caption.span.1 = (caption.span.1 + LINGER).min(next.unwrap_or(end)).min(end);
    }
}

/// Letters and figures only, so that a full stop makes no difference.
fn bare(text: &str) -> String {
    text.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

/// A sentence in parts that two lines hold, cut at its pauses.
fn parts(sentence: &str, language: Language) -> Vec<String> {
    let max = match language {
        Language::Ja => 34,
        Language::En => 76,
    };
    let clauses = clauses(sentence, language);
    let length = |text: &str| text.chars().count();
    let total = length(sentence);
    let n = total.div_ceil(max);
    // Even parts read better than a full one and a rest.
    let wanted = total.div_ceil(n.max(1));
    let mut parts: Vec<String> = Vec::new();
    for clause in clauses {
        match parts.last_mut() {
            Some(part) if length(part) + length(&clause) <= max.min(wanted + max / 4) => {
                part.push_str(&clause);
            },
            _ => parts.push(clause),
        }
    }
    parts.into_iter().map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
}

/// A sentence behind its commas; in English behind its words, where that is needed.
fn clauses(sentence: &str, language: Language) -> Vec<String> {
    let is_pause = |c: char| match language {
        Language::Ja => matches!(c, '、' | '，' | '」' | '　' | ' '),
        Language::En => c == ' ',
    };
    sentence.split_inclusive(is_pause).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_sentences_come_in_parts_and_short_ones_whole() {
        assert_eq!(parts("朝の一杯が、一日を変える。", Language::Ja).len(), 1);
        let long = "豆は一つの農園から届き、焙煎して七日以内に、あなたの台所へ、静かに、そして確かに運ばれてきます。";
        let cut = parts(long, Language::Ja);
        assert_eq!(cut.concat(), long);
        assert!(cut.len() == 2 && cut[0].ends_with('、'), "{cut:?}");
        let long = "Beans from one farm, roasted for you in small batches and with you at home \
                    within seven days, quietly and surely.";
        let cut = parts(long, Language::En);
        assert_eq!(cut.join(" "), long);
        assert!(cut.len() == 2 && cut.iter().all(|part| part.len() <= 76), "{cut:?}");
    }
}
