//! The last touch on the pixels: a darker rim, and grain that keeps gradients from banding.

use resvg::tiny_skia::Pixmap;

use crate::{brief::Family, num::byte, scenes::Scene};

/// Works on the finished scene, before the copy: letters stay clean.
pub(super) fn texture(pixmap: &mut Pixmap, scene: &Scene<'_>) {
    let is_flat = matches!(scene.brief.family, Family::Geometric | Family::Seigaiha);
    let (grain, vignette) = match (is_flat, scene.palette.is_dark) {
        (true, _) => (3.2, 0.0),
        (false, true) => (2.6, 0.22),
        (false, false) => (2.2, 0.10),
    };
    let mut rng = scene.rng.fork("grain");
    let (w, h) = (f64::from(pixmap.width()), f64::from(pixmap.height()));
    let width = usize::try_from(pixmap.width()).unwrap_or(1).max(1);
    let mut y = 0.0;
    for row in pixmap.data_mut().chunks_exact_mut(width * 4) {
        let dy = (2.0 * y / h - 1.0_f64).powi(2);
        let mut x = 0.0;
        let mut bits = 0_u64;
        let mut left = 0;
        for pixel in row.chunks_exact_mut(4) {
            if left == 0 {
                (bits, left) = (rng.next(), 4);
            }
            let noise = triangular(&mut bits);
            left -= 1;
            let dx = (2.0 * x / w - 1.0_f64).powi(2);
            let reach = (dx + dy) * 0.5;
            let keep = 1.0 - vignette * reach * reach;
            if let [r, g, b, _] = pixel {
                for channel in [r, g, b] {
                    *channel = byte(f64::from(*channel) * keep + noise * grain);
                }
            }
            x += 1.0;
        }
        y += 1.0;
    }
}

/// −1..1, most often near 0, from sixteen bits.
fn triangular(bits: &mut u64) -> f64 {
    let [a, b, ..] = bits.to_le_bytes();
    *bits >>= 16;
    (f64::from(a) - f64::from(b)) / 255.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    #[test]
    fn grain_is_balanced() {
        let mut rng = Rng::new(7);
        let sum: f64 = (0..4000).map(|_| triangular(&mut rng.next())).sum();
        assert!((sum / 4000.0).abs() < 0.03);
    }
}
