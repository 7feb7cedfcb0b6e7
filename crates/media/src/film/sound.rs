//! The sound of a film: sentences spoken in their scenes' time, music under them.

use crate::{
    error::MediaError,
    film::{
        FilmSpec, music,
        script::{LEAD, Script, TAIL},
    },
    num::count,
    scratch::Scratch,
    tool::{Tools, Watch},
    voice::{
        PACES, VoiceSpec, utter,
        wave::{Wave, narrow, soft},
    },
};

/// Samples a second of the whole track.
const RATE: u32 = 44_100;
/// Silence between two sentences, in seconds.
const BREATH: f64 = 0.24;
/// A pace up to which a script is spoken in its own scenes; beyond it scenes give way.
const PACE_EASY: f64 = 1.22;
/// How loud a voice is on average.
const VOICE_LEVEL: f64 = 0.11;

/// What is spoken.
#[derive(Debug, Default)]
pub(super) struct Speech {
    sentences: Vec<Sentence>,
}

#[derive(Debug)]
struct Sentence {
    wave: Wave,
    /// When it begins, in seconds of the film.
    at: f64,
}

impl Speech {
    /// When the sentences of a scene are spoken; `None` where nobody speaks.
    pub(super) fn spans_in(&self, from: f64, to: f64) -> Option<Vec<(f64, f64)>> {
        let spans: Vec<(f64, f64)> = self
            .sentences
            .iter()
            .filter(|sentence| (from..to).contains(&sentence.at))
            .map(|sentence| (sentence.at, sentence.at + sentence.wave.seconds()))
            .collect();
        (!self.sentences.is_empty()).then_some(spans)
    }

    pub(super) fn spoken_ms(&self) -> u64 {
        self.sentences.iter().map(|sentence| sentence.wave.duration_ms()).sum()
    }
}

/// Speaks a script so that each scene's words end within it: a little quicker where they must,
/// and with the scenes' times shared out anew where that is not enough.
pub(super) fn speak(
    tools: &Tools,
    script: &mut Script,
    voice: &str,
    scratch: &Scratch,
    watch: &Watch,
) -> Result<Speech, MediaError> {
    let mut pace = 1.0;
    for _ in 0..6 {
        let spoken = at_pace(tools, script, (voice, pace), scratch, watch)?;
        let needs: Vec<f64> = spoken.iter().map(|scene| need(scene)).collect();
        let tightest = tightness(script, &needs);
        if tightest <= 1.0 {
            return Ok(place(script, spoken));
        }
        if tightest * pace > PACE_EASY {
            let weights: Vec<f64> = needs.iter().map(|need| need + LEAD + TAIL).collect();
            script.share(&weights);
            let tightest = tightness(script, &needs);
            if tightest <= 1.0 {
                return Ok(place(script, spoken));
            }
            pace = quicker(script, pace, tightest)?;
        } else {
            pace = quicker(script, pace, tightest)?;
        }
    }
    Err(too_long(script, pace))
}

fn quicker(script: &Script, pace: f64, tightest: f64) -> Result<f64, MediaError> {
    let wanted = pace * tightest * 1.03;
    if pace >= PACES.1 { Err(too_long(script, wanted)) } else { Ok(wanted.min(PACES.1)) }
}

fn too_long(script: &Script, pace: f64) -> MediaError {
    let keep = crate::num::whole((100.0 * PACES.1 / pace.max(PACES.1)).floor(), 95);
    MediaError::Unfilmable {
        reason: format!(
            "its words cannot be spoken within {} s, however quickly: shorten the script to about \
             {keep} % or let the film last longer",
            script.seconds
        ),
    }
}

/// How much more time the worst scene needs than it has; not above 1 if all have enough.
fn tightness(script: &Script, needs: &[f64]) -> f64 {
    let room = script.scenes.iter().map(|scene| (scene.seconds - LEAD - TAIL).max(0.05));
    needs.iter().zip(room).map(|(need, room)| need / room).fold(0.0, f64::max)
}

fn need(sentences: &[Wave]) -> f64 {
    let spoken: f64 = sentences.iter().map(Wave::seconds).sum();
    spoken + BREATH * count(sentences.len().saturating_sub(1))
}

fn at_pace(
    tools: &Tools,
    script: &Script,
    (voice, pace): (&str, f64),
    scratch: &Scratch,
    watch: &Watch,
) -> Result<Vec<Vec<Wave>>, MediaError> {
    let one = |text: &String| {
        let spec = VoiceSpec {
            text: text.clone(),
            language: script.language,
            voice: Some(voice.to_owned()),
            pace,
        };
        utter(tools, &spec, scratch, watch)
    };
    script.scenes.iter().map(|scene| scene.sentences.iter().map(one).collect()).collect()
}

fn place(script: &Script, spoken: Vec<Vec<Wave>>) -> Speech {
    let mut sentences = Vec::new();
    for (scene, (from, _)) in spoken.into_iter().zip(script.spans()) {
        let mut at = from + LEAD;
        for wave in scene {
            let length = wave.seconds();
            sentences.push(Sentence { wave, at });
            at += length + BREATH;
        }
    }
    Speech { sentences }
}

/// The whole track; `None` for a silent film.
pub(super) fn track(spec: &FilmSpec, script: &Script, speech: &Speech) -> Option<Wave> {
    if !spec.has_music && speech.sentences.is_empty() {
        return None;
    }
    let mut track = Wave::silence(script.seconds, RATE);
    if spec.has_music {
        let has_voice = !speech.sentences.is_empty();
        let bed = music::bed(spec, script.seconds, RATE);
        track.add(&bed, 0.0, if has_voice { 0.55 } else { 1.0 });
    }
    for sentence in &speech.sentences {
        let wave = sentence.wave.at_rate(RATE).levelled(VOICE_LEVEL);
        track.add(&wave, sentence.at, 1.0);
    }
    for value in &mut track.samples {
        *value = soft(*value);
    }
    fade_out(&mut track);
    Some(track)
}

/// The last half second dies away.
fn fade_out(track: &mut Wave) {
    let length = crate::num::ticks(0.5, track.rate).min(track.samples.len());
    let start = track.samples.len() - length;
    for (n, value) in track.samples.iter_mut().skip(start).enumerate() {
        *value *= narrow(1.0 - count(n + 1) / count(length.max(1)));
    }
}
