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
