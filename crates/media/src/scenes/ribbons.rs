//! Silk in the wind: bundles of fine lines between two curves that cross and part.

use crate::{
    color::Color,
    num::count,
    painter::{Painter, smooth},
    rng::Rng,
    scenes::{Scene, Waves},
    stage::Side,
};

const THREADS: usize = 84;

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    scene.lit_ground(painter);
    let mut rng = scene.rng.fork("ribbons");
    let bundles: usize = 3;
    let lean = rng.range(-0.1, 0.1);
    for bundle in 0..bundles {
        let t = count(bundle) / count(bundles - 1) - 0.5;
        let from = scene.palette.accent(bundle);
        let to = scene.palette.accent(bundle + 1);
        ribbon(painter, scene, &mut rng, (from, to), (t, lean));
    }
    dust(painter, scene, &mut rng);
}

fn ribbon(
    painter: &mut Painter,
    scene: &Scene<'_>,
    rng: &mut Rng,
    (from, to): (Color, Color),
    (offset, lean): (f64, f64),
) {
    let stage = scene.stage;
    let (height, centre) = match stage.side {
        Side::Left => (stage.h * 0.30, stage.h * 0.52),
        Side::Top => (stage.h * 0.15, stage.h * 0.765),
        Side::Bottom => (stage.h * 0.15, stage.h * 0.30),
    };
    let (upper, lower) = (Waves::new(rng, 3, 0.45), Waves::new(rng, 3, 0.45));
    let pace = rng.range(0.55, 0.85);
    let centre = centre + offset * height * 1.1;
    let is_left = stage.side == Side::Left;
    let curve = |waves: &Waves, shift: f64| -> Vec<(f64, f64)> {
        (0..16)
            .map(|i| {
                let t = f64::from(i) / 15.0;
                // In a wide picture the silk enters narrow behind the copy and opens to the right.
                let open = if is_left {
                    0.12 + 0.88 * ((t - 0.25) / 0.55).clamp(0.0, 1.0).powf(1.4)
                } else {
                    1.0
                };
                let x = -0.06 * stage.w + 1.12 * stage.w * t;
                let fall = if is_left { stage.h * 0.36 * (1.0 - open) } else { 0.0 };
                let slope = lean * stage.h * (t - 0.5);
                (x, centre + fall + slope + open * height * (0.85 * waves.at(t * pace) + shift))
            })
            .collect()
    };
    let (a, b) = (curve(&upper, -0.22), curve(&lower, 0.22));
    // Behind copy at the left the silk fades in; elsewhere it comes from beyond the edge.
    let edge = if is_left { 0.0 } else { 0.25 };
    let spread = height / count(THREADS);
    for thread in 0..THREADS {
        let t = count(thread) / count(THREADS - 1);
        let points: Vec<(f64, f64)> =
            a.iter().zip(&b).map(|(p, q)| (p.0, p.1 + (q.1 - p.1) * t)).collect();
        let sheen = 0.5 + 0.5 * (t * 9.0 + offset * 5.0).sin();
        let body = from.mix(to, t).lighter(0.10 * sheen - 0.06);
        let paint = painter.linear(
            (0.0, 0.0),
            (stage.w, 0.0),
            &[
                (0.0, body.lighter(-0.05), edge),
                (0.38, body, if is_left { 0.12 } else { 0.8 }),
                (0.62, body.lighter(0.09), 0.95),
                (1.0, to.lighter(-0.03), 0.8),
            ],
        );
        painter.stroke(&smooth(&points), paint, spread * rng.range(0.7, 1.5) + 0.6);
    }
}

fn dust(painter: &mut Painter, scene: &Scene<'_>, rng: &mut Rng) {
    let stage = scene.stage;
    for _ in 0..34 {
        let (x, y) = (
            stage.focus.0 + stage.w * 0.5 * rng.range(-1.0, 1.0),
            stage.focus.1 + stage.h * 0.24 * rng.range(-1.0, 1.0),
        );
        let r = stage.unit * rng.range(0.001, 0.0042);
        let color = scene.palette.accent(1).lighter(0.12);
        painter.circle(x, y, r, color.fade(rng.range(0.3, 0.9)));
    }
}
