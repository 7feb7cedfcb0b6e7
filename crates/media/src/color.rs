//! Colours in OKLCH, where equal steps look equal, and contrast as WCAG counts it.

use crate::num::byte;

/// Lightness 0..1, chroma 0..0.37, hue in degrees.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Color {
    pub(crate) l: f64,
    pub(crate) c: f64,
    pub(crate) h: f64,
}

/// A colour of eight bits a channel, as it stands in the file.
pub(crate) type Rgb = [u8; 3];

impl Color {
    pub(crate) const fn new(l: f64, c: f64, h: f64) -> Self {
        Self { l, c, h }
    }

    pub(crate) fn from_hex(text: &str) -> Option<Self> {
        let digits = text.trim().strip_prefix('#')?;
        if !digits.is_ascii() || digits.len() != 6 {
            return None;
        }
        let value = u32::from_str_radix(digits, 16).ok()?;
        let [_, r, g, b] = value.to_be_bytes();
        Some(Self::from_rgb([r, g, b]))
    }

    pub(crate) fn from_rgb(rgb: Rgb) -> Self {
        let [r, g, b] = rgb.map(to_linear);
        let long = (0.412_221_470_8 * r + 0.536_332_536_3 * g + 0.051_445_992_9 * b).cbrt();
        let medium = (0.211_903_498_2 * r + 0.680_699_545_1 * g + 0.107_396_956_6 * b).cbrt();
        let short = (0.088_302_461_9 * r + 0.281_718_837_6 * g + 0.629_978_700_5 * b).cbrt();
        let l = 0.210_454_255_3 * long + 0.793_617_785 * medium - 0.004_072_046_8 * short;
        let a = 1.977_998_495_1 * long - 2.428_592_205 * medium + 0.450_593_709_9 * short;
        let b = 0.025_904_037_1 * long + 0.782_771_766_2 * medium - 0.808_675_766 * short;
        Self { l, c: a.hypot(b), h: b.atan2(a).to_degrees().rem_euclid(360.0) }
    }

    fn linear(self) -> [f64; 3] {
        let (sin, cos) = self.h.to_radians().sin_cos();
        let (a, b) = (self.c * cos, self.c * sin);
        let long = (self.l + 0.396_337_777_4 * a + 0.215_803_757_3 * b).powi(3);
        let medium = (self.l - 0.105_561_345_8 * a - 0.063_854_172_8 * b).powi(3);
        let short = (self.l - 0.089_484_177_5 * a - 1.291_485_548 * b).powi(3);
        [
            4.076_741_662_1 * long - 3.307_711_591_3 * medium + 0.230_969_929_2 * short,
            -1.268_438_004_6 * long + 2.609_757_401_1 * medium - 0.341_319_396_5 * short,
            -0.004_196_086_3 * long - 0.703_418_614_7 * medium + 1.707_614_701 * short,
        ]
    }

    fn fits(self) -> bool {
        self.linear().iter().all(|v| (-0.0005..=1.0005).contains(v))
    }

    /// Eight bits a channel; chroma gives way until the screen can show the colour.
    pub(crate) fn rgb(self) -> Rgb {
        let mut shown = Self { l: self.l.clamp(0.0, 1.0), c: self.c.max(0.0), h: self.h };
        if !shown.fits() {
            let (mut low, mut high) = (0.0, shown.c);
            for _ in 0..14 {
                shown.c = f64::midpoint(low, high);
                if shown.fits() { low = shown.c } else { high = shown.c }
            }
            shown.c = low;
        }
        shown.linear().map(|v| byte(from_linear(v.clamp(0.0, 1.0)) * 255.0))
    }

    pub(crate) fn hex(self) -> String {
        hex(self.rgb())
    }

    pub(crate) fn lightness(self, l: f64) -> Self {
        Self { l: l.clamp(0.0, 1.0), ..self }
    }

    pub(crate) fn lighter(self, by: f64) -> Self {
        self.lightness(self.l + by)
    }

    pub(crate) fn chroma(self, c: f64) -> Self {
        Self { c, ..self }
    }

    pub(crate) fn turned(self, degrees: f64) -> Self {
        Self { h: (self.h + degrees).rem_euclid(360.0), ..self }
    }

    /// How far apart two colours look; 0.02 is barely seen, 0.25 is another colour.
    pub(crate) fn distance(self, other: Self) -> f64 {
        let turn = (self.h - other.h).to_radians().cos();
        let ab = self.c * self.c + other.c * other.c - 2.0 * self.c * other.c * turn;
        (self.l - other.l).hypot(ab.max(0.0).sqrt())
    }

    /// The colour `t` of the way to `other`, straight through OKLab: no muddy middle.
    pub(crate) fn mix(self, other: Self, t: f64) -> Self {
        let ab = |x: Self| {
            let (sin, cos) = x.h.to_radians().sin_cos();
            (x.c * cos, x.c * sin)
        };
        let ((a0, b0), (a1, b1)) = (ab(self), ab(other));
        let (a, b) = (a0 + (a1 - a0) * t, b0 + (b1 - b0) * t);
        let h = if a.hypot(b) < 1e-6 { self.h } else { b.atan2(a).to_degrees().rem_euclid(360.0) };
        Self { l: self.l + (other.l - self.l) * t, c: a.hypot(b), h }
    }
}

/// `#rrggbb`.
pub(crate) fn hex([r, g, b]: Rgb) -> String {
    format!("#{r:02x}{g:02x}{b:02x}")
}

fn to_linear(channel: u8) -> f64 {
    let v = f64::from(channel) / 255.0;
    if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) }
}

fn from_linear(v: f64) -> f64 {
    if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 }
}

/// WCAG relative luminance, 0..1.
pub(crate) fn luminance(rgb: Rgb) -> f64 {
    let [r, g, b] = rgb.map(to_linear);
    0.2126 * r + 0.7152 * g + 0.0722 * b
}

/// WCAG contrast of two luminances, 1..21.
pub(crate) fn contrast(a: f64, b: f64) -> f64 {
    (a.max(b) + 0.05) / (a.min(b) + 0.05)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_colour_survives_the_way_through_oklch() {
        for rgb in [[0, 0, 0], [255, 255, 255], [200, 30, 80], [12, 200, 190], [255, 221, 0]] {
            let back = Color::from_rgb(rgb).rgb();
            for (before, after) in rgb.iter().zip(back) {
                assert!(before.abs_diff(after) <= 1, "{rgb:?} came back as {back:?}");
            }
        }
    }

    #[test]
    fn a_colour_no_screen_can_show_keeps_its_lightness() {
        let shown = Color::from_rgb(Color::new(0.7, 0.4, 145.0).rgb());
        assert!((shown.l - 0.7).abs() < 0.02 && shown.c < 0.3);
    }

    #[test]
    fn contrast_is_what_wcag_says() {
        assert!((contrast(luminance([0; 3]), luminance([255; 3])) - 21.0).abs() < 0.01);
        assert!((contrast(luminance([119; 3]), luminance([255; 3])) - 4.48).abs() < 0.01);
    }

    #[test]
    fn what_is_no_colour_is_none() {
        for text in ["", "#fff", "red", "#gggggg", "#ÿÿÿ", "112233"] {
            assert_eq!(Color::from_hex(text), None, "{text}");
        }
    }
}
