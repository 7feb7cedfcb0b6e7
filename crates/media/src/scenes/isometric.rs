//! Blocks seen from above at a constant angle: a town of data, a shelf of wares.

use crate::{
    brief::Subject,
    color::Color,
    num::count,
    painter::{Painter, add, polygon},
    rng::Rng,
    scenes::{Scene, Waves, faces},
    stage::Side,
};

/// Half a tile is this high for each half wide.
const FLAT: f64 = 0.577;

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    let stage = scene.stage;
    let mut rng = scene.rng.fork("isometric");
    scene.lit_ground(painter);
    let n: usize = 9;
    let half = match stage.side {
        Side::Left => stage.h * 0.082,
        Side::Top | Side::Bottom => stage.w * 0.078,
    };
    let centre = (stage.focus.0, stage.focus.1 + stage.unit * 0.06);
    let place = |i: f64, j: f64| (centre.0 + (i - j) * half, centre.1 + (i + j) * half * FLAT);
    floor(painter, scene, &place);
    let hills = (Waves::new(&mut rng, 3, 0.5), Waves::new(&mut rng, 3, 0.5));
    let middle = count(n - 1) / 2.0;
    for i in 0..n {
        for j in 0..n {
            let (a, b) = (count(i) - middle, count(j) - middle);
            let distance = a.hypot(b) / middle;
            if distance > 1.08 || rng.chance(0.10) {
                continue;
            }
            let (x, y) = place(a, b);
            if stage.side == Side::Left
                && x - half < stage.copy.x + stage.copy.w + stage.unit * 0.03
            {
                continue;
            }
            let swell = hills.0.at(a * 0.11) + hills.1.at(b * 0.11);
            let crown = (1.15 - distance).max(0.0);
            let level = (crown * (0.9 + 0.8 * swell) * rng.range(0.45, 1.25)).max(0.08);
            let room =
                if stage.side == Side::Top { y - half * FLAT - stage.scene.y } else { stage.h };
            let tall = (level * half * 2.5).min(room.max(half * 0.15));
            block(painter, scene, (x, y), (half * 0.9, tall), &mut rng);
        }
    }
    sparks(painter, scene, &place, half, &mut rng);
}

fn floor(painter: &mut Painter, scene: &Scene<'_>, place: &impl Fn(f64, f64) -> (f64, f64)) {
    let ground = scene.palette.ground();
    let line = ground.mix(scene.palette.accent(0), 0.3);
    let mut d = String::new();
    for k in -9..=9 {
        let k = f64::from(k);
        for (from, to) in [(place(k, -9.0), place(k, 9.0)), (place(-9.0, k), place(9.0, k))] {
            add(&mut d, format_args!("M{:.1} {:.1}L{:.1} {:.1}", from.0, from.1, to.0, to.1));
        }
    }
    painter.stroke(&d, line.fade(0.45), 1.4);
    let (x, y) = place(0.0, 0.0);
    let shade = ground.lighter(-0.13);
    let reach = place(6.4, -6.4).0 - x;
    painter.group(&format!("transform=\"translate({x:.1} {y:.1}) scale(1 {FLAT})\""), |p| {
        p.glow((0.0, 0.0), reach, shade, 0.75);
    });
}

fn block(
    painter: &mut Painter,
    scene: &Scene<'_>,
    (x, y): (f64, f64),
    (half, height): (f64, f64),
    rng: &mut Rng,
) {
    let rank = rng.pick(&[0, 0, 0, 1, 1, 2, 3], 0);
    let color = scene.palette.accent(rank).lighter(rng.range(-0.05, 0.05));
    let (light, body, shade) = faces(color);
    let flat = half * FLAT;
    let top = y - height;
    let left = polygon(&[(x - half, top), (x, top + flat), (x, y + flat), (x - half, y)]);
    let right = polygon(&[(x + half, top), (x, top + flat), (x, y + flat), (x + half, y)]);
    let fill = painter.linear(
        (x, top),
        (x, y + flat),
        &[(0.0, body, 1.0), (1.0, body.lighter(-0.10), 1.0)],
    );
    painter.path(&left, fill);
    let fill = painter.linear(
        (x, top),
        (x, y + flat),
        &[(0.0, shade, 1.0), (1.0, shade.lighter(-0.08), 1.0)],
    );
    painter.path(&right, fill);
    painter.path(
        &polygon(&[(x, top - flat), (x + half, top), (x, top + flat), (x - half, top)]),
        light,
    );
    let is_tall = height > half * 1.1;
    if is_tall && scene.brief.subject != Subject::Food {
        windows(painter, (x, top), (half, height), (light.lighter(0.06), body), rng);
    }
    roof(painter, (x, top), half, (light, body, shade), rng);
}

/// Rows of light on both visible walls.
fn windows(
    painter: &mut Painter,
    (x, top): (f64, f64),
    (half, height): (f64, f64),
    (lit, dim): (Color, Color),
    rng: &mut Rng,
) {
    let step = half * 0.34;
    let mut y = step * 0.75;
    let (mut bright, mut faint) = (String::new(), String::new());
    while y + step < height {
        for wall in [-1.0, 1.0] {
            for slot in 0..3 {
                let from = 0.16 + 0.26 * f64::from(slot);
                let to = from + 0.15;
                let corner = |t: f64, dy: f64| {
                    let down = (1.0 - t) * half * FLAT;
                    (x + wall * half * t, top + y + down + dy)
                };
                let d = polygon(&[
                    corner(from, 0.0),
                    corner(to, 0.0),
                    corner(to, step * 0.5),
                    corner(from, step * 0.5),
                ]);
                if rng.chance(0.55) { bright.push_str(&d) } else { faint.push_str(&d) }
            }
        }
        y += step;
    }
    painter.path(&bright, lit.fade(0.85));
    painter.path(&faint, dim.fade(0.35));
}

fn roof(
    painter: &mut Painter,
    (x, top): (f64, f64),
    half: f64,
    (light, body, shade): (Color, Color, Color),
    rng: &mut Rng,
) {
    let flat = half * FLAT;
    match rng.below(4) {
        0 => painter.ellipse(x, top, (half * 0.42, flat * 0.42), body),
        1 => {
            let (s, f, up) = (half * 0.45, flat * 0.45, half * 0.28);
            painter.path(
                &polygon(&[(x - s, top - up), (x, top + f - up), (x, top + f), (x - s, top)]),
                body,
            );
            painter.path(
                &polygon(&[(x + s, top - up), (x, top + f - up), (x, top + f), (x + s, top)]),
                shade,
            );
            painter.path(
                &polygon(&[
                    (x, top - f - up),
                    (x + s, top - up),
                    (x, top + f - up),
                    (x - s, top - up),
                ]),
                light.lighter(0.03),
            );
        },
        2 => painter.path(
            &polygon(&[
                (x, top - flat * 0.6),
                (x + half * 0.6, top),
                (x, top + flat * 0.6),
                (x - half * 0.6, top),
            ]),
            body.mix(light, 0.5),
        ),
        _ => {},
    }
}

/// Small balls that float over the roofs, tied to them by a fine line.
fn sparks(
    painter: &mut Painter,
    scene: &Scene<'_>,
    place: &impl Fn(f64, f64) -> (f64, f64),
    half: f64,
    rng: &mut Rng,
) {
    for _ in 0..6 {
        let (x, y) = place(rng.range(-2.8, 2.8), rng.range(-2.8, 2.8));
        let y = y - half * rng.range(3.0, 4.6);
        let r = half * rng.range(0.1, 0.2);
        if scene.stage.side == Side::Top && y < scene.stage.scene.y + half {
            continue;
        }
        let color = scene.palette.accent(rng.below(4));
        painter.stroke(&format!("M{x:.1} {y:.1}v{:.1}", half * 1.4), color.fade(0.5), 1.6);
        let (light, body, shade) = faces(color);
        let fill = painter.radial(
            (x - r * 0.3, y - r * 0.4),
            r * 1.5,
            &[(0.0, light.lighter(0.08), 1.0), (0.5, body, 1.0), (1.0, shade, 1.0)],
        );
        painter.circle(x, y, r, fill);
    }
}
