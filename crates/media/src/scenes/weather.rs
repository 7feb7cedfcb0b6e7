//! What floats in the air: stars, snow, petals, leaves, birds.

use crate::{brief::Subject, color::Color, painter::Painter, rng::Rng, scenes::Scene, stage::Rect};

/// What the season of the brief lets fall.
pub(super) fn season(painter: &mut Painter, scene: &Scene<'_>) {
    let brief = scene.brief;
    let mut rng = scene.rng.fork("season");
    if brief.is(Subject::Winter) {
        snow(painter, scene, &mut rng);
    } else if brief.is(Subject::Spring) {
        petals(painter, scene, &mut rng, scene.palette.accent(1).mix(scene.palette.paper(), 0.2));
    } else if brief.is(Subject::Autumn) {
        petals(painter, scene, &mut rng, scene.palette.accent(0));
    }
}

fn snow(painter: &mut Painter, scene: &Scene<'_>, rng: &mut Rng) {
    let (w, h, unit) = (scene.stage.w, scene.stage.h, scene.stage.unit);
    for _ in 0..130 {
        let depth = rng.unit();
        let r = unit * (0.0012 + 0.0052 * depth * depth);
        let opacity = 0.35 + 0.5 * rng.unit();
        let (x, y) = (rng.range(0.0, w), rng.range(0.0, h * 0.92));
        painter.circle(x, y, r, Color::new(0.99, 0.005, 230.0).fade(opacity));
    }
}

fn petals(painter: &mut Painter, scene: &Scene<'_>, rng: &mut Rng, color: Color) {
    let (w, h, unit) = (scene.stage.w, scene.stage.h, scene.stage.unit);
    for _ in 0..26 {
        let size = unit * rng.range(0.008, 0.02);
        let (x, y) = (rng.range(0.0, w), rng.range(0.0, h));
        petal(painter, (x, y), size, rng.range(0.0, 360.0), color.lighter(rng.range(-0.04, 0.04)));
    }
}

/// One petal with the notch of a cherry blossom; `angle` in degrees.
pub(super) fn petal(
    painter: &mut Painter,
    (x, y): (f64, f64),
    size: f64,
    angle: f64,
    color: Color,
) {
    let d = format!(
        "M0 0C{0:.2} {1:.2} {2:.2} {3:.2} {4:.2} {5:.2}L0 {6:.2}L-{4:.2} {5:.2}\
         C-{2:.2} {3:.2} -{0:.2} {1:.2} 0 0Z",
        size * 0.55,
        -size * 0.25,
        size * 0.72,
        -size * 0.85,
        size * 0.17,
        -size * 1.12,
        -size * 0.97
    );
    let turn = format!("transform=\"translate({x:.1} {y:.1}) rotate({angle:.1})\"");
    painter.group(&turn, |p| p.path(&d, color));
}

/// Stars within a rectangle, denser and brighter the fewer there are.
pub(super) fn stars(painter: &mut Painter, sky: Rect, unit: f64, rng: &mut Rng) {
    for _ in 0..150 {
        let bright = rng.unit().powi(3);
        let r = unit * (0.0009 + 0.0026 * bright);
        let (x, y) = (sky.x + rng.unit() * sky.w, sky.y + rng.unit().powf(1.4) * sky.h);
        painter.circle(x, y, r, Color::new(0.97, 0.03, 90.0).fade(0.35 + 0.65 * bright));
    }
}

/// A few birds far away.
pub(super) fn birds(painter: &mut Painter, at: (f64, f64), unit: f64, rng: &mut Rng, color: Color) {
    for _ in 0..5 {
        let s = unit * rng.range(0.009, 0.019);
        let (x, y) = (at.0 + unit * rng.range(-0.2, 0.2), at.1 + unit * rng.range(-0.07, 0.07));
        let d = format!(
            "M{:.1} {:.1}q{:.1} {:.1} {:.1} {:.1}q{:.1} {:.1} {:.1} {:.1}",
            x - s,
            y,
            s * 0.55,
            -s * 0.55,
            s,
            s * 0.08,
            s * 0.45,
            -s * 0.63,
            s,
            -s * 0.08
        );
        painter.stroke(&d, color, (s * 0.16).max(1.2));
    }
}
