//! A film's words, cleaned, and its scenes' times, brought to the film's duration.

use crate::{
    brief::has_subject,
    error::MediaError,
    film::{FILM_MS, FilmSpec, SCENES_MAX},
    num::count,
    spec::Language,
    text::clean::{clean, shorten},
};

/// The shortest that a scene is shown, in seconds.
const SCENE_MIN: f64 = 1.0;
/// Silence before and after what is spoken in a scene, in seconds.
pub(super) const LEAD: f64 = 0.35;
pub(super) const TAIL: f64 = 0.3;

/// What is left of untrusted words.
#[derive(Debug)]
pub(super) struct Script {
    pub(super) scenes: Vec<Scene>,
    /// Parts of what the whole is about, each with something that could be drawn.
    pub(super) topics: Vec<String>,
    pub(super) hook: String,
    pub(super) closing: String,
    pub(super) call_to_action: String,
    pub(super) brand: String,
    pub(super) language: Language,
    /// Of the whole film, in seconds.
    pub(super) seconds: f64,
}

/// A scene.
#[derive(Debug)]
pub(super) struct Scene {
    pub(super) visual: String,
    /// What is spoken or read, sentence by sentence.
    pub(super) sentences: Vec<String>,
    pub(super) seconds: f64,
}

impl Script {
    pub(super) fn read(spec: &FilmSpec) -> Result<Self, MediaError> {
        let unfilmable = |reason: String| MediaError::Unfilmable { reason };
        if !(FILM_MS.0..=FILM_MS.1).contains(&spec.duration_ms) {
            let (least, most) = (FILM_MS.0 / 1000, FILM_MS.1 / 1000);
            return Err(unfilmable(format!("a film lasts {least} to {most} seconds")));
        }
        if spec.scenes.is_empty() || spec.scenes.len() > SCENES_MAX {
            let n = spec.scenes.len();
            return Err(unfilmable(format!("it has {n} scenes; 1 to {SCENES_MAX} can be shown")));
        }
        let is_edge = (240..=1080).contains(&spec.short_edge);
        if !is_edge || !(10..=60).contains(&spec.frames_per_second) {
            let words = "the shorter edge is 240 to 1080 pixels, at 10 to 60 pictures a second";
            return Err(unfilmable(words.to_owned()));
        }
        let line = |text: &Option<String>, max| {
            text.as_deref().map(|text| shorten(&clean(text, max + 1), max)).unwrap_or_default()
        };
        let ms = u32::try_from(spec.duration_ms).unwrap_or(u32::MAX);
        let mut script = Self {
            scenes: spec.scenes.iter().map(|scene| Scene::read(scene, spec)).collect(),
            topics: topics(&clean(spec.topic.as_deref().unwrap_or_default(), 5000)),
            hook: line(&spec.hook, 80),
            closing: line(&spec.closing, 80),
            call_to_action: line(&spec.call_to_action, 32),
            brand: line(&spec.brand, 32),
            language: spec.language,
            seconds: f64::from(ms) / 1000.0,
        };
        let n = count(script.scenes.len());
        if n * SCENE_MIN > script.seconds {
            let (n, seconds) = (script.scenes.len(), script.seconds);
            let words = format!("{n} scenes do not fit into {seconds} s: a second each at least");
            return Err(unfilmable(words));
        }
        let wishes: Vec<f64> = script.scenes.iter().map(|scene| scene.seconds).collect();
        script.share(&wishes);
        Ok(script)
    }

    /// Shares the film's time out by these weights, each scene getting a second at least.
    pub(super) fn share(&mut self, weights: &[f64]) {
        let n = count(self.scenes.len());
        let total: f64 = weights.iter().sum();
        let even = 1.0 / n;
        let given = |weight: &f64| {
            let part = if total > 0.0 { weight / total } else { even };
            part * self.seconds
        };
        let wishes: Vec<f64> = weights.iter().map(given).collect();
        // What the short ones are given beyond their wish, the long ones give in proportion.
        let above: f64 = wishes.iter().map(|wish| (wish - SCENE_MIN).max(0.0)).sum();
        let free = self.seconds - n * SCENE_MIN;
        for (scene, wish) in self.scenes.iter_mut().zip(wishes) {
            let part = if above > 0.0 { (wish - SCENE_MIN).max(0.0) / above } else { even };
            scene.seconds = SCENE_MIN + part * free;
        }
    }

    /// When each scene begins and ends, in seconds.
    pub(super) fn spans(&self) -> Vec<(f64, f64)> {
        let mut at = 0.0;
        let mut spans = Vec::with_capacity(self.scenes.len());
        for scene in &self.scenes {
            spans.push((at, at + scene.seconds));
            at += scene.seconds;
        }
        spans
    }
}

impl Scene {
    fn read(scene: &super::FilmScene, spec: &FilmSpec) -> Self {
        let caption = scene.caption.as_deref().filter(|text| !text.trim().is_empty());
        let words = match (&spec.voice, caption) {
            (None, Some(caption)) => caption,
            _ => &scene.voiceover,
        };
        let seconds = scene.duration_seconds;
        Self {
            visual: clean(&scene.visual_prompt, 1000),
            sentences: sentences(&clean(words, 5000)),
            seconds: if seconds.is_finite() { seconds.clamp(0.1, 3600.0) } else { 1.0 },
        }
    }
}

/// The clauses of a brief that say what could be drawn.
fn topics(text: &str) -> Vec<String> {
    let is_pause = |c: char| matches!(c, '。' | '、' | '，' | '.' | ',' | ';' | ':' | '!' | '?');
    let clauses = text.split(is_pause).flat_map(|clause| clause.split(" and "));
    clauses.map(str::trim).filter(|clause| has_subject(clause)).map(str::to_owned).collect()
}

/// Cuts a text behind what ends a sentence; closing brackets stay with theirs.
fn sentences(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut sentence = String::new();
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        sentence.push(c);
        let next = chars.peek().copied();
        let closes = |c: char| matches!(c, '」' | '』' | '）' | '”' | '"' | ')' | '！' | '？');
        let is_end = match c {
            '。' | '！' | '？' => !next.is_some_and(closes),
            '.' | '!' | '?' => next.is_none_or(char::is_whitespace),
            '」' | '』' | '”' => {
                sentence.chars().rev().nth(1).is_some_and(|c| "。！？".contains(c))
            },
            _ => false,
        };
        if is_end {
            found.push(std::mem::take(&mut sentence));
        }
    }
    found.push(sentence);
    let trimmed = found.iter().map(|sentence| sentence.trim().to_owned());
    trimmed.filter(|sentence| sentence.chars().any(char::is_alphanumeric)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_end_where_they_end() {
        for (text, expected) in [
            ("朝です。「おはよう。」と言う。", "朝です。|「おはよう。」|と言う。"),
            ("It costs 3.50 today. Come by!", "It costs 3.50 today.|Come by!"),
            ("本当！？はい", "本当！？|はい"),
            ("...", ""),
            ("", ""),
        ] {
            assert_eq!(sentences(text).join("|"), expected, "{text}");
        }
    }
}
