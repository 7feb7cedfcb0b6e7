//! Sound as samples, and as a WAV file.

use crate::num::{count, sample, ticks};

/// Sound of one channel, −1..1.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Wave {
    pub(crate) rate: u32,
    pub(crate) samples: Vec<f32>,
}

/// Below this a sample counts as silence: 50 dB under full.
const SILENCE: f32 = 0.003;

impl Wave {
    pub(crate) fn silence(seconds: f64, rate: u32) -> Self {
        Self { rate, samples: vec![0.0; ticks(seconds, rate)] }
    }

    pub(crate) fn seconds(&self) -> f64 {
        count(self.samples.len()) / f64::from(self.rate.max(1))
    }

    pub(crate) fn duration_ms(&self) -> u64 {
        self.samples.len() as u64 * 1000 / u64::from(self.rate.max(1))
    }

    /// Reads a WAV file of sixteen bits and one channel. espeak-ng writes the header before it
    /// knows the length, so what the header says of lengths is not believed.
    pub(crate) fn from_espeak(file: &[u8]) -> Option<Self> {
        let at = |from: usize, n: usize| file.get(from..from + n);
        if at(0, 4)? != b"RIFF" || at(8, 4)? != b"WAVE" || at(22, 2)? != [1, 0] {
            return None;
        }
        let rate = u32::from_le_bytes(at(24, 4)?.try_into().ok()?);
        if !(8_000..=192_000).contains(&rate) || at(34, 2)? != [16, 0] {
            return None;
        }
        let start = file.windows(4).position(|four| four == b"data")? + 8;
        let samples = file.get(start..)?.chunks_exact(2).map(|pair| match pair {
            [low, high] => f32::from(i16::from_le_bytes([*low, *high])) / 32_768.0,
            _ => 0.0,
        });
        Some(Self { rate, samples: samples.collect() })
    }

    /// As a file: 16 bits, one channel, little endian (RIFF/WAVE, PCM).
    pub(crate) fn to_file(&self) -> Vec<u8> {
        let bytes = u32::try_from(self.samples.len() * 2).unwrap_or(u32::MAX - 36);
        let mut file = Vec::with_capacity(self.samples.len() * 2 + 44);
        file.extend_from_slice(b"RIFF");
        file.extend_from_slice(&(bytes + 36).to_le_bytes());
        file.extend_from_slice(b"WAVEfmt \x10\0\0\0\x01\0\x01\0");
        file.extend_from_slice(&self.rate.to_le_bytes());
        file.extend_from_slice(&(self.rate * 2).to_le_bytes());
        file.extend_from_slice(&[2, 0, 16, 0]);
        file.extend_from_slice(b"data");
        file.extend_from_slice(&bytes.to_le_bytes());
        for value in &self.samples {
            file.extend_from_slice(&sample(f64::from(*value)).to_le_bytes());
        }
        file
    }

    /// Without the silence at both ends.
    pub(crate) fn trimmed(mut self) -> Self {
        let is_loud = |value: &f32| value.abs() > SILENCE;
        let from = self.samples.iter().position(is_loud).unwrap_or(0);
        let to = self.samples.iter().rposition(is_loud).map_or(0, |last| last + 1);
        self.samples.truncate(to);
        self.samples.drain(..from.min(to));
        self
    }

    /// The same sound at another rate, straight lines between its samples.
    pub(crate) fn at_rate(&self, rate: u32) -> Self {
        let step = f64::from(self.rate) / f64::from(rate.max(1));
        let length = ticks(self.seconds(), rate);
        let value = |n: usize| self.samples.get(n).copied().unwrap_or(0.0);
        let samples = (0..length).map(|n| {
            let place = count(n) * step;
            let before = ticks(place.floor(), 1);
            let share = narrow(place.fract());
            value(before) * (1.0 - share) + value(before + 1) * share
        });
        Self { rate, samples: samples.collect() }
    }

    /// Adds another sound from this moment on; what reaches beyond the end is lost.
    pub(crate) fn add(&mut self, other: &Self, at_seconds: f64, gain: f32) {
        let from = ticks(at_seconds, self.rate);
        for (to, value) in self.samples.iter_mut().skip(from).zip(&other.samples) {
            *to += value * gain;
        }
    }

    /// Root mean square, 0..1.
    pub(crate) fn loudness(&self) -> f64 {
        let sum: f64 = self.samples.iter().map(|value| f64::from(*value).powi(2)).sum();
        (sum / count(self.samples.len().max(1))).sqrt()
    }

    /// Makes it this loud on average, and rounds off peaks rather than cutting them.
    pub(crate) fn levelled(mut self, loudness: f64) -> Self {
        let gain = narrow(loudness / self.loudness().max(1e-4));
        for value in &mut self.samples {
            *value = soft(*value * gain);
        }
        self
    }
}

/// Straight up to 0.6, from there ever flatter towards 1.
pub(crate) fn soft(value: f32) -> f32 {
    let over = value.abs() - 0.6;
    if over <= 0.0 { value } else { value.signum() * (0.6 + 0.4 * (over / 0.4).tanh()) }
}

/// A value of sound with the precision that sound needs.
#[expect(clippy::cast_possible_truncation, reason = "24 bits of precision are enough for sound")]
pub(crate) fn narrow(value: f64) -> f32 {
    value as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_read_as_it_was_written() {
        let wave = Wave { rate: 22_050, samples: vec![0.0, 0.5, -0.5, 0.25, 0.0] };
        let read = Wave::from_espeak(&wave.to_file()).unwrap();
        assert_eq!(read.rate, 22_050);
        assert!(read.samples.iter().zip(&wave.samples).all(|(a, b)| (a - b).abs() < 1e-3));
        assert_eq!(read.trimmed().samples.len(), 3);
        assert_eq!(Wave::from_espeak(b"RIFF????WAVEfmt "), None);
    }

    #[test]
    fn another_rate_keeps_length_and_level() {
        let samples: Vec<f32> = (0..2_205).map(|n| narrow((count(n) * 0.1).sin())).collect();
        let wave = Wave { rate: 22_050, samples };
        let again = wave.at_rate(44_100);
        assert!((again.seconds() - wave.seconds()).abs() < 1e-3);
        assert!((again.loudness() - wave.loudness()).abs() < 0.01);
        assert!((again.levelled(0.1).loudness() - 0.1).abs() < 0.005);
    }
}
