//! The few number conversions that drawing needs, each saturating and in one place.

/// A count as a coordinate; exact for every count that fits a picture.
#[expect(clippy::cast_precision_loss, reason = "counts here are far below 2^52")]
pub(crate) fn count(n: usize) -> f64 {
    n as f64
}

/// A channel value, rounded and held within 0..=255.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
pub(crate) fn byte(value: f64) -> u8 {
    value.round().clamp(0.0, 255.0) as u8
}

/// A whole non-negative number not above `max`.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
pub(crate) fn whole(value: f64, max: u32) -> u32 {
    value.floor().clamp(0.0, f64::from(max)) as u32
}

/// A sample of sound from −1..1, held within what sixteen bits can say.
#[expect(clippy::cast_possible_truncation, reason = "clamped just before")]
pub(crate) fn sample(value: f64) -> i16 {
    (value * 32_767.0).round().clamp(-32_768.0, 32_767.0) as i16
}

/// How many there are in so many seconds at so many a second, at least 0.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped just before")]
pub(crate) fn ticks(seconds: f64, per_second: u32) -> usize {
    (seconds * f64::from(per_second)).round().clamp(0.0, 1e12) as usize
}
