//! A poster of the Swiss and Bauhaus schools: a strict grid, plain shapes, flat colour.

use crate::{
    color::Color,
    num::{count, whole},
    painter::Painter,
    rng::Rng,
    scenes::Scene,
};

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    let (stage, palette) = (scene.stage, scene.palette);
    let mut rng = scene.rng.fork("geometric");
    let ground = palette.ground();
    painter.flood(ground);
    let area = stage.scene;
    let wanted = rng.pick(&[3.0, 4.0, 4.0, 5.0], 4.0);
    let cell = if area.w > area.h { area.h } else { area.w } / wanted;
    let columns = whole((area.w / cell).ceil(), 24);
    let rows = whole((area.h / cell).ceil(), 24);
    // Cells grow from the edge that bleeds, so that the cut row is never beside the copy.
    let origin_x = if area.x > 0.0 { stage.w - cell * f64::from(columns) } else { 0.0 };
    let (cell_x, origin_x) =
        if area.x > 0.0 { (cell, origin_x) } else { (stage.w / f64::from(columns), 0.0) };
    let origin_y = if area.y > 0.0 { stage.h - cell_x * f64::from(rows) } else { 0.0 };
    let colors: Vec<Color> = (0..4)
        .map(|rank| palette.accent(rank))
        .chain([palette.ink(), palette.tone(if palette.is_dark { 0.32 } else { 0.88 })])
        .collect();
    let mut before = (ground, ground);
    for row in 0..rows {
        for column in 0..columns {
            let at = (origin_x + cell_x * f64::from(column), origin_y + cell_x * f64::from(row));
            let pair = pair(&colors, &mut rng, before);
            before = pair;
            tile(painter, at, cell_x, pair, &mut rng);
        }
    }
    hero(painter, scene, (origin_x, origin_y), cell_x, (columns, rows));
}

/// Ground and figure of a tile: far enough apart in lightness or hue, and a new ground each time.
fn pair(colors: &[Color], rng: &mut Rng, before: (Color, Color)) -> (Color, Color) {
    let mut chosen = before;
    for _ in 0..24 {
        let back = rng.pick(colors, before.0);
        let figure = rng.pick(colors, before.1);
        let is_apart = (back.l - figure.l).abs() > 0.16;
        if is_apart && back != before.0 {
            return (back, figure);
        }
        chosen = (back, figure);
    }
    chosen
}

fn tile(
    painter: &mut Painter,
    (x, y): (f64, f64),
    s: f64,
    (back, figure): (Color, Color),
    rng: &mut Rng,
) {
    // Half a pixel of overlap: neighbours leave no hairline.
    painter.rect(x - 0.4, y - 0.4, (s + 0.8, s + 0.8), back);
    let quarter = 90.0 * count(rng.below(4));
    let kind = rng.below(9);
    let turn =
        format!("transform=\"translate({x:.2} {y:.2}) rotate({quarter} {0:.2} {0:.2})\"", s / 2.0);
    painter.group(&turn, |p| match kind {
        0 | 1 => p.path(&format!("M0 0H{s:.2}A{s:.2} {s:.2} 0 0 1 0 {s:.2}Z"), figure),
        2 => p.path(&format!("M0 0H{s:.2}A{0:.2} {0:.2} 0 0 1 0 0Z", s / 2.0), figure),
        3 => p.circle(s / 2.0, s / 2.0, s * 0.34, figure),
        4 => p.path(&format!("M0 0L{s:.2} {s:.2}H0Z"), figure),
        5 => {
            for band in 0..4 {
                p.rect(s * (0.25 * f64::from(band)), 0.0, (s * 0.125, s), figure);
            }
        },
        6 => {
            for (r, color) in [(1.0, figure), (0.75, back), (0.5, figure), (0.25, back)] {
                let r = s * r;
                p.path(&format!("M0 0H{r:.2}A{r:.2} {r:.2} 0 0 1 0 {r:.2}Z"), color);
            }
        },
        7 => p.path(
            &format!("M0 0A{s:.2} {s:.2} 0 0 1 {s:.2} {s:.2}A{s:.2} {s:.2} 0 0 1 0 0Z"),
            figure,
        ),
        _ => {
            for i in 0..16 {
                let (column, row) = (f64::from(i % 4), f64::from(i / 4));
                p.circle(s * (0.125 + 0.25 * column), s * (0.125 + 0.25 * row), s * 0.055, figure);
            }
        },
    });
}

/// One shape over four tiles, so that the grid has a centre.
fn hero(
    painter: &mut Painter,
    scene: &Scene<'_>,
    origin: (f64, f64),
    s: f64,
    (columns, rows): (u32, u32),
) {
    let palette = scene.palette;
    let mut rng = scene.rng.fork("hero");
    let spot = |n: u32, rng: &mut Rng| {
        f64::from(whole(rng.range(0.0, f64::from(n.max(2) - 1)), n.max(2) - 2))
    };
    let (x, y) = (origin.0 + s * spot(columns, &mut rng), origin.1 + s * spot(rows, &mut rng));
    let (back, figure) = (palette.ink(), palette.accent(0));
    let back = if palette.is_dark { palette.paper() } else { back };
    painter.rect(x - 0.4, y - 0.4, (2.0 * s + 0.8, 2.0 * s + 0.8), back);
    let (cx, cy) = (x + s, y + s);
    match rng.below(3) {
        0 => {
            painter.circle(cx, cy, s, figure);
            painter.path(
                &format!("M{cx:.1} {y:.1}A{s:.1} {s:.1} 0 0 1 {cx:.1} {:.1}Z", y + 2.0 * s),
                palette.accent(1),
            );
        },
        1 => {
            for (i, r) in [1.0, 0.8, 0.6, 0.4, 0.2].into_iter().enumerate() {
                painter.circle(cx, cy, s * r, if i % 2 == 0 { figure } else { back });
            }
        },
        _ => {
            painter.circle(cx, cy, s, palette.accent(1));
            painter.circle(cx, cy, s * 0.5, figure);
        },
    }
}
