//! Makes sure that what is written can be read: ink chosen and ground quietened by measurement.

use resvg::tiny_skia::Pixmap;

use crate::{
    color::{Color, Rgb, contrast, luminance},
    num::{byte, whole},
    stage::{Rect, Side},
};

/// WCAG asks 4.5; a little more is asked here, so that smoothing at edges cannot fall below.
const WANTED: f64 = 4.9;

/// Chooses between light and dark ink for text in `areas`, and where neither is readable on what
/// is really there, lays a veil of the opposite tone that fades out away from the edge.
pub(super) fn settle(
    pixmap: &mut Pixmap,
    areas: &[Rect],
    from: Side,
    (light, dark, prefers_light): (Color, Color, bool),
) -> Color {
    let behind: Vec<Rgb> = areas.iter().flat_map(|area| sample(pixmap, *area)).collect();
    let needs = |ink: Color, veil: Color| veil_needed(&behind, ink.rgb(), veil.rgb());
    let (for_light, for_dark) = (needs(light, dark), needs(dark, light));
    let (ink, veil, strength) = if for_light <= for_dark + if prefers_light { 0.45 } else { -0.30 }
    {
        (light, dark, for_light)
    } else {
        (dark, light, for_dark)
    };
    if strength > 0.0 {
        lay_veil(pixmap, areas, from, veil.rgb(), strength);
    }
    ink
}

/// The mean colour of an area.
pub(super) fn average(pixmap: &Pixmap, area: Rect) -> Rgb {
    let colors = sample(pixmap, area);
    let n = crate::num::count(colors.len().max(1));
    let mut sums = [0.0; 3];
    for color in &colors {
        for (sum, channel) in sums.iter_mut().zip(color) {
            *sum += f64::from(*channel);
        }
    }
    sums.map(|sum| byte(sum / n))
}

/// Ink that can be read on a flat colour; one of the last two always can.
pub(super) fn ink_on(ground: Rgb, wishes: &[Color]) -> Color {
    let behind = luminance(ground);
    let extremes = [Color::new(1.0, 0.0, 0.0), Color::new(0.0, 0.0, 0.0)];
    wishes
        .iter()
        .chain(&extremes)
        .copied()
        .find(|ink| contrast(luminance(ink.rgb()), behind) >= 4.5)
        .unwrap_or(Color::new(0.0, 0.0, 0.0))
}

fn sample(pixmap: &Pixmap, area: Rect) -> Vec<Rgb> {
    let (from_x, to_x) = (whole(area.x, pixmap.width()), whole(area.x + area.w, pixmap.width()));
    let (from_y, to_y) = (whole(area.y, pixmap.height()), whole(area.y + area.h, pixmap.height()));
    let mut colors = Vec::new();
    for y in (from_y..to_y).step_by(2) {
        for x in (from_x..to_x).step_by(2) {
            if let Some(pixel) = pixmap.pixel(x, y) {
                colors.push([pixel.red(), pixel.green(), pixel.blue()]);
            }
        }
    }
    colors
}

/// The least strength of the veil at which the ink is readable on every pixel; 2 if none is.
fn veil_needed(behind: &[Rgb], ink: Rgb, veil: Rgb) -> f64 {
    let ink = luminance(ink);
    let mut hard: Vec<(f64, Rgb)> =
        behind.iter().map(|rgb| (contrast(luminance(*rgb), ink), *rgb)).collect();
    hard.sort_by(|a, b| a.0.total_cmp(&b.0));
    hard.truncate(64);
    let reads = |strength: f64| {
        hard.iter().all(|(_, rgb)| contrast(luminance(blend(*rgb, veil, strength)), ink) >= WANTED)
    };
    (0..=24).map(|step| f64::from(step) / 24.0).find(|strength| reads(*strength)).unwrap_or(2.0)
}

fn blend(below: Rgb, above: Rgb, strength: f64) -> Rgb {
    let mut out = below;
    for (channel, over) in out.iter_mut().zip(above) {
        *channel = byte(f64::from(*channel) * (1.0 - strength) + f64::from(over) * strength);
    }
    out
}

fn farthest(areas: &[Rect], reach: impl Fn(&Rect) -> f64) -> f64 {
    areas.iter().map(reach).fold(0.0, f64::max)
}

/// Full strength over the areas and on to the edge it belongs to, then softly to nothing.
fn lay_veil(pixmap: &mut Pixmap, areas: &[Rect], from: Side, veil: Rgb, strength: f64) {
    let strength = strength.min(1.0);
    let (across, height) = (f64::from(pixmap.width()), f64::from(pixmap.height()));
    let width = usize::try_from(pixmap.width()).unwrap_or(1).max(1);
    let (full, fade) = match from {
        Side::Left => (farthest(areas, |area| area.x + area.w), across * 0.34),
        Side::Top => (farthest(areas, |area| area.y + area.h), height * 0.17),
        Side::Bottom => (farthest(areas, |area| height - area.y), height * 0.17),
    };
    let mut y = 0.0;
    for row in pixmap.data_mut().chunks_exact_mut(width * 4) {
        let mut x = 0.0;
        for pixel in row.chunks_exact_mut(4) {
            let distance = match from {
                Side::Left => x,
                Side::Top => y,
                Side::Bottom => height - y,
            };
            let t = (1.0 - (distance - full - 2.0) / fade).clamp(0.0, 1.0);
            let alpha = strength * t * t * (3.0 - 2.0 * t);
            if let ([r, g, b, _], true) = (pixel, alpha > 0.0) {
                for (channel, over) in [r, g, b].into_iter().zip(veil) {
                    *channel = byte(f64::from(*channel) * (1.0 - alpha) + f64::from(over) * alpha);
                }
            }
            x += 1.0;
        }
        y += 1.0;
    }
}
