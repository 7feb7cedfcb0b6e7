//! A thing on a pedestal in studio light: cup, bottle, bowl, or plain bodies.

use crate::{
    brief::Subject,
    color::Color,
    painter::{Painter, smooth},
    rng::Rng,
    scenes::Scene,
    stage::Side,
};

/// Ellipses of round things lie this flat.
const LID: f64 = 0.26;

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    let stage = scene.stage;
    let mut rng = scene.rng.fork("still-life");
    // In a tall picture there is room under the copy; elsewhere the pedestal stands at the edge.
    let (scale, drop) = match stage.side {
        Side::Left => (1.12, 0.30),
        Side::Top | Side::Bottom if stage.h / stage.w > 1.4 => (1.28, 0.36),
        Side::Top | Side::Bottom => (1.22, 0.36),
    };
    let u = stage.radius * scale;
    let y = stage.focus.1 + u * drop;
    let y = if stage.side == Side::Left { y } else { y.max(stage.h - u * 0.55) };
    let x = stage.focus.0;
    studio(painter, scene, (x, y), u);
    backdrop(painter, scene, (x, y), u, &mut rng);
    pedestals(painter, scene, (x, y), u);
    let subject = (x, y - u * 0.02);
    match (scene.brief.subject, scene.brief.hint) {
        (Subject::Coffee | Subject::Tea, _) | (_, Some(Subject::Coffee | Subject::Tea)) => {
            cup(painter, scene, subject, u);
        },
        (Subject::Beauty, _) | (_, Some(Subject::Beauty)) => bottle(painter, scene, subject, u),
        (Subject::Food, _) | (_, Some(Subject::Food)) => bowl(painter, scene, subject, u, &mut rng),
        _ => ball(painter, subject.0, subject.1 - u * 0.28, u * 0.29, scene.palette.accent(0)),
    }
    beam(painter, scene, (x, y), u);
}

fn studio(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), u: f64) {
    let (stage, palette) = (scene.stage, scene.palette);
    let wall = if palette.is_dark {
        palette.tone(0.21)
    } else {
        palette.tone(0.895).mix(palette.accent(1), 0.22)
    };
    let floor = if palette.is_dark {
        palette.tone(0.16)
    } else {
        palette.tone(0.83).mix(palette.accent(1), 0.26)
    };
    let light = if palette.is_dark {
        wall.lighter(0.20).mix(palette.accent(1), 0.25)
    } else {
        wall.lighter(0.055)
    };
    painter.flood(wall);
    painter.glow((x, y - u * 0.5), u * 2.3, light, 0.95);
    let line = y + u * 0.22;
    let stops =
        [(0.0, floor.mix(wall, 0.35), 1.0), (0.25, floor, 1.0), (1.0, floor.lighter(-0.05), 1.0)];
    let fill = painter.linear((0.0, line), (0.0, stage.h), &stops);
    painter.rect(0.0, line, (stage.w, stage.h - line), fill);
    painter.group(
        &format!("transform=\"translate({x:.1} {:.1}) scale(1 0.3)\"", y + u * 0.5),
        |p| {
            p.glow((0.0, 0.0), u * 1.9, light, 0.6);
        },
    );
}

/// What stands behind: an arch, a disc or a pair of panels.
fn backdrop(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), u: f64, rng: &mut Rng) {
    let palette = scene.palette;
    let color = palette.accent(0).mix(palette.ground(), if palette.is_dark { 0.35 } else { 0.22 });
    let line = y + u * 0.22;
    let stops = [(0.0, color.lighter(0.05), 1.0), (1.0, color.lighter(-0.05), 1.0)];
    match rng.below(3) {
        0 => {
            let (r, top) = (u * 0.62, y - u * 0.49);
            let fill = painter.linear((x - r, top - r), (x + r, line), &stops);
            painter.path(
                &format!(
                    "M{:.1} {line:.1}V{top:.1}A{r:.1} {r:.1} 0 0 1 {:.1} {top:.1}V{line:.1}Z",
                    x - r,
                    x + r
                ),
                fill,
            );
            let (r, tint) =
                (u * 0.475, color.lighter(if palette.is_dark { -0.08 } else { -0.045 }));
            painter.path(
                &format!(
                    "M{:.1} {line:.1}V{top:.1}A{r:.1} {r:.1} 0 0 1 {:.1} {top:.1}V{line:.1}Z",
                    x - r,
                    x + r
                ),
                tint,
            );
        },
        1 => {
            let (r, cy) = (u * 0.78, y - u * 0.46);
            let fill = painter.linear((x - r, cy - r), (x + r, cy + r), &stops);
            painter.circle(x, cy, r, fill);
        },
        _ => {
            let side = if rng.chance(0.5) { 1.0 } else { -1.0 };
            let second = palette.accent(1).mix(palette.ground(), 0.25);
            let top = y - u * 1.15;
            let fill = painter.linear((x, top), (x, line), &stops);
            painter.rounded(
                (x - u * 0.62 + side * u * 0.16, top),
                (u * 0.92, line - top),
                u * 0.46,
                fill,
            );
            let r = u * 0.4;
            painter.circle(x - side * u * 0.52, y - u * 0.62, r, second);
        },
    }
}

fn pedestals(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), u: f64) {
    let palette = scene.palette;
    let stone = if palette.is_dark { palette.tone(0.36) } else { palette.tone(0.93) };
    shadow(painter, scene, (x, y + u * 0.46), u * 0.95);
    cylinder(painter, (x + u * 0.62, y + u * 0.10), (u * 0.22, u * 0.32), palette.accent(1));
    cylinder(painter, (x - u * 0.66, y + u * 0.22), (u * 0.19, u * 0.2), palette.accent(3));
    ball(painter, x - u * 0.66, y + u * 0.22 - u * 0.12, u * 0.125, palette.accent(2));
    cylinder(painter, (x, y + u * 0.19), (u * 0.62, u * 0.24), stone.lighter(-0.03));
    cylinder(painter, (x, y), (u * 0.46, u * 0.2), stone);
}

fn shadow(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), r: f64) {
    let dark = scene.palette.tone(0.14);
    painter.group(&format!("transform=\"translate({x:.1} {y:.1}) scale(1 0.27)\""), |p| {
        p.glow((0.0, 0.0), r * 1.25, dark, 0.5);
    });
}

/// A cylinder by its lid's centre; light comes from the left.
fn cylinder(painter: &mut Painter, (x, y): (f64, f64), (r, height): (f64, f64), color: Color) {
    let stops = [
        (0.0, color.lighter(-0.06), 1.0),
        (0.28, color.lighter(0.03), 1.0),
        (0.62, color.lighter(-0.09), 1.0),
        (1.0, color.lighter(-0.20), 1.0),
    ];
    let fill = painter.linear((x - r, 0.0), (x + r, 0.0), &stops);
    let flat = r * LID;
    painter.path(
        &format!(
            "M{:.2} {y:.2}V{2:.2}A{r:.2} {flat:.2} 0 0 0 {1:.2} {2:.2}V{y:.2}Z",
            x - r,
            x + r,
            y + height
        ),
        fill,
    );
    let fill = painter.linear(
        (x - r, y),
        (x + r, y),
        &[(0.0, color.lighter(0.05), 1.0), (1.0, color.lighter(-0.02), 1.0)],
    );
    painter.ellipse(x, y, (r, flat), fill);
}

fn ball(painter: &mut Painter, x: f64, y: f64, r: f64, color: Color) {
    let stops = [
        (0.0, color.lighter(0.17), 1.0),
        (0.45, color, 1.0),
        (0.85, color.lighter(-0.17), 1.0),
        (1.0, color.lighter(-0.12), 1.0),
    ];
    let fill = painter.radial((x - r * 0.32, y - r * 0.38), r * 1.45, &stops);
    painter.circle(x, y, r, fill);
    painter.glow((x - r * 0.36, y - r * 0.42), r * 0.34, Color::new(0.99, 0.01, 90.0), 0.5);
}

fn cup(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), u: f64) {
    let palette = scene.palette;
    let body = if palette.is_dark {
        palette.paper().lighter(-0.05)
    } else {
        palette.paper().lighter(-0.01)
    };
    shadow(painter, scene, (x + u * 0.04, y + u * 0.03), u * 0.36);
    painter.ellipse(x, y + u * 0.015, (u * 0.36, u * 0.36 * LID), body.lighter(-0.14));
    painter.ellipse(x, y, (u * 0.36, u * 0.36 * LID), body.lighter(-0.02));
    painter.ellipse(x, y + u * 0.008, (u * 0.24, u * 0.24 * LID), body.lighter(-0.10));
    let (top, r) = (y - u * 0.34, u * 0.26);
    let handle = format!(
        "M{:.1} {:.1}c{:.1} {:.1} {:.1} {:.1} {:.1} {:.1}",
        x + r * 0.92,
        top + u * 0.07,
        u * 0.19,
        -u * 0.04,
        u * 0.17,
        u * 0.2,
        -u * 0.03,
        u * 0.17
    );
    painter.stroke(&handle, body.lighter(-0.13), u * 0.042);
    let stops = [
        (0.0, body.lighter(-0.09), 1.0),
        (0.3, body.lighter(0.02), 1.0),
        (0.7, body.lighter(-0.10), 1.0),
        (1.0, body.lighter(-0.24), 1.0),
    ];
    let fill = painter.linear((x - r, 0.0), (x + r, 0.0), &stops);
    let d = cup_outline(x, (top, y), r, u);
    painter.path(&d, fill);
    painter.ellipse(x, top, (r, r * LID), body.lighter(-0.03));
    painter.ellipse(x, top + u * 0.006, (r * 0.92, r * LID * 0.9), body.lighter(-0.16));
    let is_tea = scene.brief.is(Subject::Tea);
    let brew = if is_tea { Color::new(0.56, 0.12, 125.0) } else { Color::new(0.33, 0.07, 48.0) };
    let foam = if is_tea { Color::new(0.78, 0.13, 122.0) } else { Color::new(0.78, 0.08, 68.0) };
    let fill = painter.linear(
        (x - r, 0.0),
        (x + r, 0.0),
        &[(0.0, brew, 1.0), (0.6, brew.lighter(0.12), 1.0), (1.0, brew, 1.0)],
    );
    painter.ellipse(x, top + u * 0.014, (r * 0.88, r * LID * 0.82), fill);
    painter.ellipse(x - r * 0.05, top + u * 0.016, (r * 0.5, r * LID * 0.42), foam);
    painter.ellipse(x - r * 0.05, top + u * 0.014, (r * 0.27, r * LID * 0.2), brew.lighter(0.1));
    steam(painter, scene, (x, top - u * 0.06), u);
}

fn cup_outline(x: f64, (top, y): (f64, f64), r: f64, u: f64) -> String {
    let foot = r * 0.52;
    format!(
        "M{:.1} {top:.1}C{0:.1} {:.1} {:.1} {:.1} {:.1} {y:.1}A{foot:.1} {:.1} 0 0 0 {:.1} {y:.1}C{:.1} {3:.1} {:.1} {1:.1} {8:.1} {top:.1}Z",
        x - r,
        top + u * 0.22,
        x - r * 0.85,
        y - u * 0.03,
        x - foot,
        foot * LID,
        x + foot,
        x + r * 0.85,
        x + r
    )
}

fn steam(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), u: f64) {
    let color = scene.palette.paper();
    for (shift, tall, width) in [(-0.09, 0.42, 0.030), (0.02, 0.56, 0.042), (0.11, 0.36, 0.026)] {
        let points: Vec<(f64, f64)> = (0..=8)
            .map(|i| {
                let t = f64::from(i) / 8.0;
                (
                    x + u * (shift + 0.05 * (t * 7.0 + shift * 20.0).sin() * (0.3 + t)),
                    y - u * tall * t,
                )
            })
            .collect();
        let paint = painter.linear(
            (0.0, y),
            (0.0, y - u * tall),
            &[(0.0, color, 0.0), (0.35, color, 0.55), (1.0, color, 0.0)],
        );
        painter.stroke(&smooth(&points), paint, u * width);
    }
}

fn bottle(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), u: f64) {
    let palette = scene.palette;
    let glass = palette.accent(0);
    let gold = palette.accent(3);
    shadow(painter, scene, (x + u * 0.03, y + u * 0.02), u * 0.32);
    let (w, h) = (u * 0.22, u * 0.62);
    let stops = [
        (0.0, glass.lighter(0.02), 0.96),
        (0.22, glass.lighter(0.20), 0.96),
        (0.55, glass, 0.96),
        (1.0, glass.lighter(-0.18), 0.98),
    ];
    let fill = painter.linear((x - w, 0.0), (x + w, 0.0), &stops);
    painter.rounded((x - w, y - h), (2.0 * w, h + u * 0.03), w * 0.34, fill);
    let shine = Color::new(0.99, 0.01, 90.0);
    painter.rounded((x - w * 0.78, y - h * 0.9), (w * 0.15, h * 0.8), w * 0.08, shine.fade(0.5));
    let metal = [
        (0.0, gold.lighter(-0.12), 1.0),
        (0.3, gold.lighter(0.13), 1.0),
        (0.6, gold, 1.0),
        (1.0, gold.lighter(-0.25), 1.0),
    ];
    let fill = painter.linear((x - w * 0.5, 0.0), (x + w * 0.5, 0.0), &metal);
    painter.rounded((x - w * 0.5, y - h - u * 0.25), (w, u * 0.25), w * 0.1, fill.clone());
    painter.rect(x - w * 0.62, y - h - u * 0.035, (w * 1.24, u * 0.035), fill);
    painter.rounded((x - w * 0.6, y - h * 0.6), (w * 1.2, h * 0.36), 2.0, palette.paper());
    painter.rect(x - w * 0.34, y - h * 0.5, (w * 0.68, u * 0.012), glass.lighter(-0.15));
    painter.rect(x - w * 0.22, y - h * 0.43, (w * 0.44, u * 0.007), glass.lighter(-0.05));
}

fn bowl(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), u: f64, rng: &mut Rng) {
    let palette = scene.palette;
    shadow(painter, scene, (x + u * 0.03, y + u * 0.02), u * 0.36);
    let (r, top) = (u * 0.40, y - u * 0.27);
    painter.ellipse(x, top, (r, r * LID), palette.accent(3).lighter(-0.06));
    for (dx, dy, size) in [
        (-0.5, -0.14, 0.36),
        (0.46, -0.16, 0.38),
        (0.0, -0.28, 0.42),
        (-0.26, 0.02, 0.3),
        (0.28, 0.02, 0.31),
    ] {
        let color = palette.accent(rng.pick(&[0, 0, 1], 0)).lighter(rng.range(-0.04, 0.03));
        let size = r * size;
        let (bx, by) = (x + r * dx, top + r * dy);
        ball(painter, bx, by, size, color);
        let twig = format!(
            "M{bx:.1} {:.1}q{:.1} {:.1} {:.1} {:.1}",
            by - size * 0.9,
            size * 0.05,
            -size * 0.25,
            size * 0.25,
            -size * 0.4
        );
        painter.stroke(&twig, Color::new(0.38, 0.06, 60.0), size * 0.07);
    }
    let clay = palette.ink().mix(palette.accent(3), 0.45);
    let stops = [
        (0.0, clay.lighter(0.03), 1.0),
        (0.3, clay.lighter(0.14), 1.0),
        (1.0, clay.lighter(-0.12), 1.0),
    ];
    let fill = painter.linear((x - r, 0.0), (x + r, 0.0), &stops);
    let foot = r * 0.4;
    painter.path(
        &format!(
            "M{0:.1} {top:.1}A{r:.1} {1:.1} 0 0 0 {2:.1} {top:.1}C{2:.1} {3:.1} {4:.1} {y:.1} {5:.1} {y:.1}A{foot:.1} {6:.1} 0 0 1 {7:.1} {y:.1}C{8:.1} {y:.1} {0:.1} {3:.1} {0:.1} {top:.1}Z",
            x - r, r * LID, x + r, top + u * 0.17, x + r * 0.66, x + foot, foot * LID, x - foot, x - r * 0.66
        ),
        fill,
    );
}

/// A broad beam from above the picture, over everything.
fn beam(painter: &mut Painter, scene: &Scene<'_>, (x, y): (f64, f64), u: f64) {
    let light = scene.palette.accent(1).mix(Color::new(0.98, 0.03, 85.0), 0.6).lightness(0.97);
    let strength = if scene.palette.is_dark { 0.26 } else { 0.30 };
    let from = (x - u * 1.5, y - u * 2.1);
    let fill = painter.linear(
        from,
        (x + u * 0.5, y + u * 0.35),
        &[(0.0, light, strength), (0.7, light, strength * 0.35), (1.0, light, 0.0)],
    );
    for (start, width) in [(0.0, 0.42), (0.62, 0.18)] {
        let a = from.0 + u * start;
        painter.path(
            &format!(
                "M{a:.1} {0:.1}H{1:.1}L{2:.1} {3:.1}H{4:.1}Z",
                from.1.min(-9.0),
                a + u * width,
                a + u * (width + 2.0),
                y + u * 0.35,
                a + u * (1.45 - width * 0.3)
            ),
            fill.clone(),
        );
    }
}
