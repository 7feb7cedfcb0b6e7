//! Leaves and branches that grow into the picture; a flowering cherry in spring.

use crate::{
    brief::Subject,
    color::Color,
    num::count,
    painter::{Painter, smooth},
    rng::Rng,
    scenes::{Scene, weather},
    stage::Side,
};

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    let stage = scene.stage;
    scene.lit_ground(painter);
    let mut rng = scene.rng.fork("botanical");
    disc(painter, scene, &mut rng);
    if scene.brief.is(Subject::Spring) {
        cherry(painter, scene, &mut rng);
        weather::season(painter, scene);
        return;
    }
    // Far stems first, pale; near stems last, strong.
    for depth in [0.0, 0.5, 1.0] {
        for stem in 0..5 {
            let t = (f64::from(stem) + rng.range(0.1, 0.9)) / 5.0;
            let (root, angle) = root(scene, t, &mut rng);
            let length = stage.radius * rng.range(1.0, 1.55) * (1.12 - 0.22 * depth);
            sprig(painter, scene, (root, angle, length), depth, &mut rng);
        }
    }
    weather::season(painter, scene);
}

/// The pale sun behind the leaves.
fn disc(painter: &mut Painter, scene: &Scene<'_>, rng: &mut Rng) {
    let stage = scene.stage;
    let (x, y) = stage.focus;
    let r = stage.radius * rng.range(0.74, 0.86);
    let rank = if scene.brief.is(Subject::Spring) { 3 } else { 2 };
    let sun = scene.palette.accent(rank).mix(scene.palette.ground(), 0.25);
    let fill = painter.linear(
        (x, y - r),
        (x, y + r),
        &[(0.0, sun.lighter(0.05), 1.0), (1.0, sun.mix(scene.palette.ground(), 0.55), 1.0)],
    );
    painter.circle(x, y, r, fill);
}

/// A place at the edge that belongs to the picture, and the way from it to the focus (radians).
fn root(scene: &Scene<'_>, t: f64, rng: &mut Rng) -> ((f64, f64), f64) {
    let stage = scene.stage;
    let root = match stage.side {
        Side::Left => {
            let corner = if t < 0.5 {
                (stage.w * (0.62 + 0.8 * t), stage.h * 1.03)
            } else {
                (stage.w * 1.02, stage.h * (1.5 - t * 1.3))
            };
            (corner.0, corner.1)
        },
        Side::Top => (stage.w * (-0.02 + 1.04 * t), stage.h * 1.02),
        Side::Bottom => (stage.w * (-0.02 + 1.04 * t), -stage.h * 0.015),
    };
    let aim = (stage.focus.1 - root.1).atan2(stage.focus.0 - root.0);
    let straight = match stage.side {
        Side::Left => aim,
        Side::Top => -std::f64::consts::FRAC_PI_2,
        Side::Bottom => std::f64::consts::FRAC_PI_2,
    };
    (root, straight * 0.6 + aim * 0.4 + rng.range(-0.16, 0.16))
}

fn sprig(
    painter: &mut Painter,
    scene: &Scene<'_>,
    ((x, y), angle, length): ((f64, f64), f64, f64),
    depth: f64,
    rng: &mut Rng,
) {
    let palette = scene.palette;
    let rank = rng.pick(&[0, 0, 1, 1, 3], 0);
    let green = Color::new(0.58, 0.12, 146.0);
    let is_seasonal = scene.brief.is(Subject::Autumn) || scene.brief.is(Subject::Beauty);
    let tint = if palette.is_branded || is_seasonal { 0.0 } else { 0.5 };
    let strong = palette.accent(rank).mix(green, tint).lighter(rng.range(-0.08, 0.05));
    let color = strong.mix(palette.ground(), 0.62 * (1.0 - depth));
    let bend = rng.range(-0.55, 0.55);
    let steps: usize = 9;
    let spine: Vec<(f64, f64, f64)> = (0..=steps)
        .map(|i| {
            let t = count(i) / count(steps);
            let a = angle + bend * t;
            (
                x + length * t * (angle + bend * t * 0.5).cos(),
                y + length * t * (angle + bend * t * 0.5).sin(),
                a,
            )
        })
        .collect();
    let line: Vec<(f64, f64)> = spine.iter().map(|(x, y, _)| (*x, *y)).collect();
    painter.stroke(&smooth(&line), color.lighter(-0.08), length * 0.011);
    let is_round = rng.chance(0.4);
    for (i, (x, y, a)) in spine.iter().enumerate().skip(1) {
        let t = count(i) / count(steps);
        let size = length * (0.30 - 0.17 * t) * rng.range(0.85, 1.1);
        let tint = color.lighter(rng.range(-0.03, 0.03));
        if i == steps {
            leaf(painter, (*x, *y), (size, *a), is_round, tint);
        } else {
            for side in [-1.0, 1.0] {
                leaf(painter, (*x, *y), (size, a + side * rng.range(0.72, 1.0)), is_round, tint);
            }
        }
    }
}

/// One leaf, its farther half in shade, with a fine midrib.
fn leaf(
    painter: &mut Painter,
    (x, y): (f64, f64),
    (size, angle): (f64, f64),
    is_round: bool,
    color: Color,
) {
    let wide = size * if is_round { 0.36 } else { 0.21 };
    let half = |side: f64| {
        format!(
            "M0 0C{:.1} {:.1} {:.1} {:.1} {size:.1} 0Z",
            size * 0.2,
            wide * side * 1.25,
            size * 0.72,
            wide * side
        )
    };
    let (upper, lower) = (half(-1.0), half(1.0));
    let turn = format!("transform=\"translate({x:.1} {y:.1}) rotate({:.1})\"", angle.to_degrees());
    painter.group(&turn, |p| {
        let fill = p.linear(
            (0.0, 0.0),
            (size, 0.0),
            &[(0.0, color.lighter(-0.05), 1.0), (1.0, color.lighter(0.05), 1.0)],
        );
        p.path(&upper, fill);
        p.path(&lower, color.lighter(-0.075));
        p.stroke(&format!("M0 0H{:.1}", size * 0.9), color.lighter(0.09), (size * 0.012).max(0.8));
    });
}

fn cherry(painter: &mut Painter, scene: &Scene<'_>, rng: &mut Rng) {
    let stage = scene.stage;
    let bark = scene.palette.tone(0.30).mix(Color::new(0.3, 0.05, 40.0), 0.6);
    let (fx, fy) = stage.focus;
    let reach = stage.radius * 1.3;
    let mut flowers = Vec::new();
    let starts: [((f64, f64), f64); 3] = match stage.side {
        Side::Left => [
            ((stage.w * 1.03, fy - reach * 0.62), 0.9),
            ((stage.w * 1.03, fy + reach * 0.15), 0.8),
            ((stage.w * 0.9, -stage.h * 0.03), 0.55),
        ],
        Side::Top => [
            ((-stage.w * 0.03, fy + reach * 0.75), 1.0),
            ((stage.w * 1.03, fy + reach * 0.35), 0.85),
            ((stage.w * 0.3, stage.h * 1.03), 0.6),
        ],
        Side::Bottom => [
            ((stage.w * 1.03, fy - reach * 0.65), 1.0),
            ((-stage.w * 0.03, fy - reach * 0.2), 0.8),
            ((stage.w * 0.72, -stage.h * 0.03), 0.6),
        ],
    };
    for ((x, y), share) in starts {
        let aim = (fy + reach * 0.12 - y).atan2(fx - x);
        branch(
            painter,
            ((x, y), aim, reach * 1.15 * share),
            (stage.unit * 0.024, bark),
            (2, stage.unit),
            (rng, &mut flowers),
        );
    }
    let (white, pink) =
        (scene.palette.accent(1).lightness(0.955).chroma(0.022), scene.palette.accent(0));
    flowers.sort_by(|a, b| a.2.total_cmp(&b.2));
    for (x, y, size) in flowers {
        let pale = pink.mix(white, rng.range(0.30, 0.97));
        if rng.chance(0.16) {
            painter.circle(x, y, size * 0.34, pink.lighter(-0.06));
        } else {
            flower(painter, (x, y), size, (pale, pink), rng);
        }
    }
}

/// A branch that forks; where it is thin it bears flowers.
fn branch(
    painter: &mut Painter,
    ((x, y), angle, length): ((f64, f64), f64, f64),
    (thick, bark): (f64, Color),
    (generations, unit): (u32, f64),
    (rng, flowers): (&mut Rng, &mut Vec<(f64, f64, f64)>),
) {
    let steps: usize = 7;
    let (mut x, mut y, mut heading) = (x, y, angle);
    let mut before = (x, y);
    for i in 0..steps {
        heading += rng.range(-0.26, 0.26);
        let stride = length / count(steps);
        (x, y) = (x + stride * heading.cos(), y + stride * heading.sin());
        let t = count(i) / count(steps);
        painter.stroke(
            &format!("M{:.1} {:.1}L{x:.1} {y:.1}", before.0, before.1),
            bark,
            thick * (1.0 - 0.6 * t),
        );
        before = (x, y);
        if generations < 2 || t > 0.3 {
            let flowering = if rng.chance(0.35) { 2 } else { 1 };
            for _ in 0..flowering {
                let off = unit * 0.034;
                let size = unit * rng.range(0.015, 0.036);
                flowers.push((x + rng.range(-off, off), y + rng.range(-off, off), size));
            }
        }
        if generations > 0 && i > 0 && rng.chance(0.62) {
            let fork = heading + rng.range(0.4, 0.95) * if rng.chance(0.5) { 1.0 } else { -1.0 };
            branch(
                painter,
                ((x, y), fork, length * rng.range(0.36, 0.55)),
                (thick * 0.55, bark),
                (generations - 1, unit),
                (rng, flowers),
            );
        }
    }
}

fn flower(
    painter: &mut Painter,
    (x, y): (f64, f64),
    size: f64,
    (pale, pink): (Color, Color),
    rng: &mut Rng,
) {
    let turn = rng.range(0.0, 72.0);
    for petal in 0..5 {
        let angle = turn + 72.0 * f64::from(petal);
        weather::petal(
            painter,
            (x, y),
            size,
            angle,
            pale.lighter(if petal % 2 == 0 { 0.012 } else { -0.018 }),
        );
    }
    painter.glow((x, y), size * 0.55, pink.lighter(-0.09), 0.75);
    for stamen in 0..7 {
        let a = (turn + 51.4 * f64::from(stamen)).to_radians();
        let r = size * 0.36;
        painter.circle(
            x + r * a.cos(),
            y + r * a.sin(),
            size * 0.042,
            Color::new(0.85, 0.13, 85.0),
        );
    }
}
