//! Rings around a centre: sound, orbit, a cup from above.

use std::f64::consts::TAU;

use crate::{
    brief::Subject,
    color::Color,
    num::count,
    painter::{Paint, Painter, add},
    rng::Rng,
    scenes::{Scene, Waves},
};

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    let stage = scene.stage;
    let mut rng = scene.rng.fork("radial");
    scene.lit_ground(painter);
    let centre = stage.focus;
    rays(painter, scene, centre);
    let r = stage.radius * if scene.brief.is(Subject::Music) { 0.93 } else { 1.0 };
    if scene.brief.is(Subject::Music) {
        spectrum(painter, scene, centre, r, &mut rng);
        rings(painter, scene, centre, (r * 0.22, r * 0.56), &mut rng);
    } else if scene.brief.is(Subject::Tech) || rng.chance(0.3) {
        rings(painter, scene, centre, (r * 0.2, r * 1.04), &mut rng);
    } else if rng.chance(0.5) {
        bloom(painter, scene, centre, r * 1.06, &mut rng);
        return;
    } else {
        target(painter, scene, centre, r * 1.04, &mut rng);
        return;
    }
    heart(painter, scene, centre, r * 0.24);
    moons(painter, scene, centre, r, &mut rng);
}

/// Broad rays, barely darker than the ground, over the whole canvas.
fn rays(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64)) {
    let stage = scene.stage;
    let far = stage.w.hypot(stage.h);
    let tint = scene.palette.accent(1);
    let (n, opacity) = (28, if scene.palette.is_dark { 0.10 } else { 0.20 });
    let mut d = String::new();
    for ray in 0..n {
        let a = TAU * f64::from(ray) / f64::from(n);
        let b = a + TAU / f64::from(n) * 0.5;
        add(
            &mut d,
            format_args!(
                "M{x:.1} {y:.1}L{:.1} {:.1}L{:.1} {:.1}Z",
                x + far * a.cos(),
                y + far * a.sin(),
                x + far * b.cos(),
                y + far * b.sin()
            ),
        );
    }
    let fill = painter.radial(
        (x, y),
        far * 0.72,
        &[(0.0, tint, opacity * 1.4), (0.5, tint, opacity), (1.0, tint, 0.0)],
    );
    painter.path(&d, fill);
}

/// Arcs of different weight and length on common circles.
fn rings(
    painter: &mut Painter,
    scene: &Scene<'_>,
    (x, y): (f64, f64),
    (inner, outer): (f64, f64),
    rng: &mut Rng,
) {
    let rings: usize = 9;
    let step = (outer - inner) / count(rings);
    for ring in 0..rings {
        let r = inner + step * (count(ring) + 0.6);
        let color = scene.palette.accent(rng.below(4));
        let weight = step * rng.pick(&[0.16, 0.36, 0.62, 0.62, 0.82], 0.5);
        arc(painter, (x, y), r, (0.0, TAU * 0.9999), (color.fade(0.22), (step * 0.08).max(1.2)));
        let mut from = rng.range(0.0, TAU);
        let end = from + TAU;
        while from < end - 0.35 {
            let length = rng.range(0.35, 2.1).min(end - from - 0.1);
            let tint = if rng.chance(0.3) { scene.palette.accent(rng.below(4)) } else { color };
            arc(
                painter,
                (x, y),
                r,
                (from, from + length),
                (tint.lighter(rng.range(-0.04, 0.04)), weight),
            );
            from += length + rng.range(0.18, 0.9) + weight / r;
        }
    }
}

fn arc(
    painter: &mut Painter,
    (x, y): (f64, f64),
    r: f64,
    (from, to): (f64, f64),
    (paint, weight): (impl Into<Paint>, f64),
) {
    let large = u8::from(to - from > std::f64::consts::PI);
    let d = format!(
        "M{:.2} {:.2}A{r:.2} {r:.2} 0 {large} 1 {:.2} {:.2}",
        x + r * from.cos(),
        y + r * from.sin(),
        x + r * to.cos(),
        y + r * to.sin()
    );
    painter.stroke(&d, paint, weight);
}

/// The bars of a sound, bent into a circle.
fn spectrum(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), r: f64, rng: &mut Rng) {
    let waves = Waves::new(rng, 4, 0.75);
    let bars: usize = 120;
    for bar in 0..bars {
        let t = count(bar) / count(bars);
        let angle = TAU * t;
        // Mirrored, so that the sound closes on itself.
        let loud =
            (0.5 + 0.5 * waves.at((t - 0.5).abs() * 2.0)).clamp(0.06, 1.0) * rng.range(0.55, 1.0);
        let (from, to) = (r * 0.63, r * (0.66 + 0.5 * loud));
        let pull = (t - 0.5).abs() * 2.0;
        let color = scene.palette.accent(0).mix(scene.palette.accent(1), pull);
        let d = format!(
            "M{:.1} {:.1}L{:.1} {:.1}",
            x + from * angle.cos(),
            y + from * angle.sin(),
            x + to * angle.cos(),
            y + to * angle.sin()
        );
        painter.stroke(&d, color, r * 0.0165);
    }
}

/// Layers of translucent petals that overlap into a flower of light.
fn bloom(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), r: f64, rng: &mut Rng) {
    let palette = scene.palette;
    for (layer, share) in [1.0, 0.78, 0.54, 0.32].into_iter().enumerate() {
        let petals: usize = 12;
        let color = palette.accent(layer);
        let (length, wide) = (r * share, r * share * rng.range(0.20, 0.27));
        let offset = rng.range(0.0, 30.0);
        for petal in 0..petals {
            let angle = offset + 360.0 * count(petal) / count(petals);
            let turn = format!("transform=\"translate({x:.1} {y:.1}) rotate({angle:.2})\"");
            painter.group(&turn, |p| {
                let tip = color.lighter(0.06);
                let stops =
                    [(0.0, color.lighter(-0.08), 0.9), (0.6, color, 0.62), (1.0, tip, 0.42)];
                let fill = p.linear((0.0, 0.0), (length, 0.0), &stops);
                let d = format!(
                    "M0 0C{:.1} {:.1} {:.1} {:.1} {length:.1} 0C{2:.1} -{3:.1} {0:.1} -{1:.1} 0 0Z",
                    length * 0.35,
                    wide,
                    length * 0.85,
                    wide * 1.25
                );
                p.path(&d, fill);
            });
        }
    }
    heart(painter, scene, (x, y), r * 0.16);
}

/// Rings cut in half and shifted against each other, in flat colour.
fn target(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), r: f64, rng: &mut Rng) {
    let palette = scene.palette;
    let bands: usize = 6;
    let colors = [0, 1, 2, 3].map(|rank| palette.accent(rank));
    let tilt = rng.pick(&[0.0, 45.0, 90.0, -45.0], 0.0);
    let turn = format!("transform=\"translate({x:.1} {y:.1}) rotate({tilt})\"");
    painter.group(&turn, |p| {
        for side in [0_usize, 1] {
            let shift = if side == 0 { -r * 0.12 } else { r * 0.12 };
            let sweep = side;
            for band in 0..bands {
                let size = r * 0.94 * (1.0 - count(band) / count(bands));
                let color = match (band + side) % 2 {
                    0 => colors
                        .get((band / 2 + side * 2) % 4)
                        .copied()
                        .unwrap_or_else(|| palette.ink()),
                    _ => {
                        if side == 0 {
                            palette.ink()
                        } else {
                            palette.paper()
                        }
                    },
                };
                let d = format!(
                    "M{shift:.1} -{size:.1}A{size:.1} {size:.1} 0 0 {sweep} {shift:.1} {size:.1}Z"
                );
                p.path(&d, color);
            }
        }
    });
}

/// The middle: a cup from above for coffee, else a lit ball.
fn heart(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), r: f64) {
    let palette = scene.palette;
    if scene.brief.is(Subject::Coffee) {
        let brew = Color::new(0.30, 0.06, 48.0);
        painter.circle(x, y, r * 1.12, palette.paper());
        painter.circle(x, y, r * 0.98, palette.tone(0.86));
        let fill = painter.radial(
            (x - r * 0.2, y - r * 0.25),
            r,
            &[(0.0, brew.lighter(0.22), 1.0), (0.75, brew, 1.0), (1.0, brew.lighter(-0.06), 1.0)],
        );
        painter.circle(x, y, r * 0.9, fill);
        for (size, tint) in [(0.6, 0.80), (0.34, 0.40), (0.2, 0.80)] {
            painter.ellipse(
                x,
                y + r * 0.04,
                (r * size, r * size * 0.92),
                Color::new(tint, 0.07, 68.0),
            );
        }
        return;
    }
    let color = palette.accent(0);
    let stops =
        [(0.0, color.lighter(0.2), 1.0), (0.6, color, 1.0), (1.0, color.lighter(-0.16), 1.0)];
    let fill = painter.radial((x - r * 0.35, y - r * 0.4), r * 1.5, &stops);
    painter.circle(x, y, r * 0.86, fill);
}

fn moons(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), r: f64, rng: &mut Rng) {
    for _ in 0..7 {
        let a = rng.range(0.0, TAU);
        let far = r * rng.range(0.5, 1.12);
        let size = r * rng.range(0.018, 0.06);
        let color = scene.palette.accent(rng.below(4));
        let (x, y) = (x + far * a.cos(), y + far * a.sin());
        painter.circle(x, y, size * 1.5, scene.palette.ground());
        painter.circle(x, y, size, color);
    }
}
