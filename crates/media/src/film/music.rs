//! A quiet bed: slow chords and a few plucked notes, made of sines from a seed and a mood.

use std::f64::consts::TAU;

use crate::{
    film::FilmSpec,
    num::count,
    rng::Rng,
    voice::wave::{Wave, narrow},
};

/// Chords as steps above the key note, four voices each. Major: I vi IV V and kin; minor: i VI
/// III VII and kin.
const MAJOR: [[[i32; 4]; 4]; 3] = [
    [[0, 4, 7, 14], [-3, 0, 4, 12], [-7, 0, 5, 9], [-5, 2, 7, 11]],
    [[0, 4, 7, 11], [5, 9, 12, 4], [-3, 0, 4, 7], [-7, 0, 5, 9]],
    [[0, 7, 12, 16], [-5, 2, 7, 11], [-3, 4, 7, 12], [-7, 0, 5, 12]],
];
const MINOR: [[[i32; 4]; 4]; 2] = [
    [[0, 3, 7, 14], [-4, 0, 3, 8], [3, 7, 10, 15], [-2, 2, 5, 10]],
    [[0, 3, 7, 10], [5, 8, 12, 3], [-4, 3, 8, 12], [-2, 2, 7, 10]],
];
/// How long a chord sounds, in seconds.
const CHORD: f64 = 4.0;
/// How much louder than silence: the whole bed stays some 26 dB below full.
const PAD: f64 = 0.016;
const PLUCK: f64 = 0.03;

/// The bed for a film of this length.
pub(super) fn bed(spec: &FilmSpec, seconds: f64, rate: u32) -> Wave {
    let mut rng = Rng::new(spec.seed).fork("music");
    let mood = spec.mood.join(" ").to_lowercase();
    let dark = ["dark", "night", "luxury", "mystery", "serious", "夜", "静寂", "高級", "暗", "哀"];
    let is_minor = dark.iter().any(|word| mood.contains(word));
    let chords = if is_minor { rng.pick(&MINOR, MINOR[0]) } else { rng.pick(&MAJOR, MAJOR[0]) };
    let key = 196.0 * 2.0_f64.powf(count(rng.below(6)) / 12.0);
    let mut wave = Wave::silence(seconds, rate);
    let mut at = 0.0;
    for chord in chords.iter().cycle() {
        if at >= seconds {
            break;
        }
        for (n, step) in (0_u32..).zip(chord) {
            let pitch = tone(key, *step);
            pad(&mut wave, pitch, at, f64::from(n));
            if n == 0 {
                pad(&mut wave, pitch / 2.0, at, 2.5);
            }
        }
        for beat in 0..4_u32 {
            if rng.chance(0.72) {
                let step = rng.pick(chord, 0) + 12;
                pluck(&mut wave, tone(key, step), at + f64::from(beat) * CHORD / 4.0);
            }
        }
        at += CHORD;
    }
    wave
}

fn tone(key: f64, step: i32) -> f64 {
    key * 2.0_f64.powf(f64::from(step) / 12.0)
}

/// A tone that swells and fades, with its octave faintly above.
fn pad(wave: &mut Wave, pitch: f64, at: f64, place: f64) {
    let length = CHORD + 1.6;
    add(wave, at, length, |t| {
        let swell = (t / 1.2).min((length - t) / 1.6).clamp(0.0, 1.0);
        let waver = 1.0 + 0.12 * (TAU * 0.21 * t + place).sin();
        let body = (TAU * pitch * t).sin() + 0.55 * (TAU * pitch * 1.003 * t).sin();
        PAD * swell * swell * waver * (body + 0.18 * (TAU * pitch * 2.0 * t).sin())
    });
}

/// A struck string that dies away.
fn pluck(wave: &mut Wave, pitch: f64, at: f64) {
    add(wave, at, 1.8, |t| {
        let strike = (t / 0.008).min(1.0) * (-3.2 * t).exp();
        PLUCK * strike * ((TAU * pitch * t).sin() + 0.25 * (TAU * pitch * 2.0 * t).sin())
    });
}

fn add(wave: &mut Wave, at: f64, length: f64, value: impl Fn(f64) -> f64) {
    let from = crate::num::ticks(at, wave.rate);
    let most = crate::num::ticks(length, wave.rate);
    let rate = f64::from(wave.rate);
    for (n, to) in wave.samples.iter_mut().skip(from).take(most).enumerate() {
        *to += narrow(value(count(n) / rate));
    }
}
