//! A city after dark over still water: windows, a moon, lights out of focus.

use crate::{
    color::Color,
    num::count,
    painter::Painter,
    rng::Rng,
    scenes::{Scene, weather},
    stage::{Rect, Side},
};

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    let stage = scene.stage;
    let mut rng = scene.rng.fork("night-city");
    let shore = stage.h
        * match stage.side {
            Side::Left => 0.80,
            Side::Top => 0.86,
            Side::Bottom => 0.475,
        };
    let warm = scene.palette.accent(0).mix(scene.palette.accent(1), 0.35);
    sky(painter, scene, shore, warm, &mut rng);
    for (depth, part) in [(0.0, 0.66), (0.5, 0.50), (1.0, 0.33)] {
        skyline(painter, scene, shore, (depth, part, warm), &mut rng);
    }
    water(painter, scene, shore, warm, &mut rng);
    bokeh(painter, scene, shore, &mut rng);
    weather::season(painter, scene);
}

fn sky(painter: &mut Painter, scene: &Scene<'_>, shore: f64, warm: Color, rng: &mut Rng) {
    let (stage, palette) = (scene.stage, scene.palette);
    let stops = [
        (0.0, palette.tone(0.13), 1.0),
        (0.5, palette.tone(0.25).mix(palette.accent(2), 0.22).lightness(0.27), 1.0),
        (0.82, palette.accent(2).mix(warm, 0.45).lightness(0.42).chroma(0.12), 1.0),
        (1.0, warm.lightness(0.62).chroma(0.13), 1.0),
    ];
    let fill = painter.linear((0.0, 0.0), (0.0, shore), &stops);
    painter.flood(fill);
    weather::stars(painter, Rect { x: 0.0, y: 0.0, w: stage.w, h: shore * 0.6 }, stage.unit, rng);
    let (x, r) =
        (stage.focus.0 + stage.unit * rng.range(-0.18, 0.18), stage.unit * rng.range(0.075, 0.115));
    let y = shore * if stage.side == Side::Top { 0.56 } else { 0.27 };
    let moon = palette.accent(1).lightness(0.93).chroma(0.055);
    painter.glow((x, y), r * 4.2, moon, 0.42);
    let fill = painter.radial(
        (x - r * 0.3, y - r * 0.3),
        r * 1.5,
        &[(0.0, moon.lighter(0.05), 1.0), (1.0, moon.lighter(-0.08), 1.0)],
    );
    painter.circle(x, y, r, fill);
}

fn skyline(
    painter: &mut Painter,
    scene: &Scene<'_>,
    shore: f64,
    (depth, part, warm): (f64, f64, Color),
    rng: &mut Rng,
) {
    let (stage, palette) = (scene.stage, scene.palette);
    let far = palette.accent(2).mix(warm, 0.3).lightness(0.40).chroma(0.09);
    let wall = far.mix(palette.tone(0.105), 0.25 + 0.75 * depth);
    let height = shore.min(stage.unit * 1.1) * part;
    let mut x = -stage.unit * 0.03;
    while x < stage.w {
        let width = stage.unit * rng.range(0.055, 0.125) * (0.8 + 0.4 * depth);
        // Towers gather near the focus and leave the copy its sky.
        let near_focus =
            1.0 - ((x + width / 2.0 - stage.focus.0) / (stage.w * 0.42)).powi(2).min(1.0);
        let tall = height * rng.range(0.34, 0.78) * (0.62 + 0.62 * near_focus);
        tower(painter, scene, (x, shore - tall, width, tall), (wall, depth), rng);
        x += width + stage.unit * rng.range(-0.002, 0.016);
    }
    let haze = warm.lightness(0.55);
    let fill = painter.linear(
        (0.0, shore - height * 0.6),
        (0.0, shore),
        &[(0.0, haze, 0.0), (1.0, haze, 0.32 * (1.0 - depth))],
    );
    painter.rect(0.0, shore - height * 0.6, (stage.w, height * 0.6), fill);
}

fn tower(
    painter: &mut Painter,
    scene: &Scene<'_>,
    (x, y, w, h): (f64, f64, f64, f64),
    (wall, depth): (Color, f64),
    rng: &mut Rng,
) {
    let fill = painter.linear(
        (x, 0.0),
        (x + w, 0.0),
        &[(0.0, wall.lighter(0.035), 1.0), (1.0, wall.lighter(-0.02), 1.0)],
    );
    painter.rect(x, y, (w, h), fill);
    match rng.below(5) {
        0 => painter.rect(x + w * 0.22, y - w * 0.3, (w * 0.56, w * 0.32), wall),
        1 => {
            painter.rect(x + w * 0.48, y - w * 0.75, (w * 0.045, w * 0.76), wall);
            painter.circle(x + w * 0.5, y - w * 0.76, w * 0.035, Color::new(0.66, 0.2, 25.0));
        },
        2 => painter.path(
            &format!(
                "M{x:.1} {:.1}L{:.1} {:.1}V{:.1}H{x:.1}Z",
                y + 0.5,
                x + w,
                y - w * 0.42,
                y + 0.5
            ),
            wall,
        ),
        _ => {},
    }
    let cell = scene.stage.unit * (0.0115 + 0.0055 * depth);
    let (mut warm, mut cool) = (String::new(), String::new());
    let lit = rng.range(0.18, 0.55);
    let columns = (w / cell).floor() - 1.0;
    let mut row = y + cell * 1.1;
    while row + cell < y + h {
        let mut column = 0.0;
        while column < columns {
            if rng.chance(lit) {
                let at = x + (w - columns * cell) / 2.0 + cell * (column + 0.2);
                let d =
                    format!("M{at:.1} {row:.1}h{0:.1}v{1:.1}h-{0:.1}Z", cell * 0.55, cell * 0.66);
                if rng.chance(0.82) { warm.push_str(&d) } else { cool.push_str(&d) }
            }
            column += 1.0;
        }
        row += cell * 1.45;
    }
    let glow = scene.palette.accent(1).lightness(0.88);
    let strength = 0.4 + 0.5 * depth;
    painter.path(&warm, glow.fade(strength));
    painter.path(&cool, scene.palette.accent(3).lightness(0.84).fade(strength));
}

fn water(painter: &mut Painter, scene: &Scene<'_>, shore: f64, warm: Color, rng: &mut Rng) {
    let (stage, palette) = (scene.stage, scene.palette);
    let depth = stage.h - shore;
    let stops = [
        (0.0, warm.mix(palette.tone(0.2), 0.5).lightness(0.36), 1.0),
        (0.3, palette.tone(0.19).mix(palette.accent(2), 0.2).lightness(0.20), 1.0),
        (1.0, palette.tone(0.10), 1.0),
    ];
    let fill = painter.linear((0.0, shore), (0.0, stage.h), &stops);
    painter.rect(0.0, shore, (stage.w, depth + 1.0), fill);
    let reach = depth.min(stage.unit * 0.34);
    for streak in 0..46 {
        let x = stage.w * (f64::from(streak) + rng.unit()) / 46.0;
        let color = palette.accent(rng.pick(&[1, 1, 0, 3], 1)).lightness(0.78);
        let length = reach * rng.range(0.25, 0.95);
        let width = stage.unit * rng.range(0.003, 0.009);
        let fill = painter.linear(
            (0.0, shore),
            (0.0, shore + length),
            &[(0.0, color, 0.5), (1.0, color, 0.0)],
        );
        let mut y = shore;
        while y < shore + length {
            let dash = stage.unit * rng.range(0.004, 0.012);
            let sway = stage.unit * rng.range(-0.003, 0.003);
            painter.rounded((x + sway, y), (width, dash), dash * 0.4, fill.clone());
            y += dash * rng.range(1.2, 1.9);
        }
    }
}

/// Lights out of focus in front of everything, at the edges.
fn bokeh(painter: &mut Painter, scene: &Scene<'_>, shore: f64, rng: &mut Rng) {
    let stage = scene.stage;
    for i in 0..20_usize {
        let x =
            if stage.side == Side::Left { rng.range(0.42, 1.02) } else { rng.range(-0.02, 1.02) }
                * stage.w;
        let y = shore + stage.unit * rng.range(-0.13, 0.13);
        let r = stage.unit * (0.012 + 0.036 * rng.unit().powi(2));
        let color = scene.palette.accent(i).lightness(0.78);
        let opacity = rng.range(0.10, 0.34) * (1.0 - 0.3 * count(i % 2));
        painter.circle(x, y, r, color.fade(opacity));
        let rim = format!(
            "M{:.1} {y:.1}a{r:.1} {r:.1} 0 1 0 {1:.1} 0a{r:.1} {r:.1} 0 1 0 -{1:.1} 0",
            x - r,
            2.0 * r
        );
        painter.stroke(&rim, color.lighter(0.1).fade(opacity), 1.5);
    }
}
