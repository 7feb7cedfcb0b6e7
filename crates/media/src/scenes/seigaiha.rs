//! Japanese modern: overlapping waves, a great sun, bands of gold cloud, a far summit.

use crate::{
    color::Color,
    num::{count, whole},
    painter::{Painter, add, smooth},
    rng::Rng,
    scenes::{Scene, weather},
    stage::Side,
};

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    let (stage, palette) = (scene.stage, scene.palette);
    let mut rng = scene.rng.fork("seigaiha");
    let paper = if palette.is_dark {
        palette.tone(0.20)
    } else {
        palette.tone(0.955).mix(Color::new(0.95, 0.03, 85.0), 0.6)
    };
    painter.flood(paper);
    let shore = stage.h
        * match stage.side {
            Side::Left => 0.80,
            Side::Top => 0.79,
            Side::Bottom => 0.46,
        };
    sun(painter, scene, shore);
    summit(painter, scene, shore, paper, &mut rng);
    clouds(painter, scene, shore, &mut rng);
    waves(painter, scene, shore);
    weather::season(painter, scene);
}

fn sun(painter: &mut Painter, scene: &Scene<'_>, shore: f64) {
    let stage = scene.stage;
    let red = scene.palette.accent(0);
    let r = stage.unit * if stage.side == Side::Left { 0.285 } else { 0.20 };
    let (x, y) = (stage.focus.0 + stage.unit * 0.14, shore - r * 0.72);
    let fill = painter.linear(
        (x, y - r),
        (x, y + r),
        &[(0.0, red.lighter(0.03), 1.0), (1.0, red.lighter(-0.03), 1.0)],
    );
    painter.circle(x, y, r, fill);
}

fn summit(painter: &mut Painter, scene: &Scene<'_>, shore: f64, paper: Color, rng: &mut Rng) {
    let stage = scene.stage;
    let (x, height) = (
        stage.focus.0 - stage.unit * 0.17,
        stage.unit * if stage.side == Side::Left { 0.33 } else { 0.20 },
    );
    let half = height * 2.0;
    let slope = |side: f64| -> Vec<(f64, f64)> {
        (0..=10)
            .map(|i| {
                let t = f64::from(i) / 10.0;
                let fall = t.powf(0.72);
                (x + side * (height * 0.14 + half * t), shore + 14.0 - height * (1.0 - fall))
            })
            .collect()
    };
    let mut left = slope(-1.0);
    left.reverse();
    left.extend(slope(1.0));
    let blue = scene.palette.accent(2);
    let stops = [(0.0, blue, 1.0), (1.0, blue.mix(paper, 0.62), 1.0)];
    let fill = painter.linear((0.0, shore - height), (0.0, shore), &stops);
    let outline = smooth(&left);
    painter.path(&format!("{outline}Z"), fill);
    let cap = shore - height * 0.66;
    let mut snow = format!(
        "M{:.1} {:.1}L{:.1} {:.1}",
        x - height * 0.7,
        shore - height * 1.2,
        x - height * 0.7,
        cap
    );
    for i in 0..12 {
        let to = x - height * 0.7 + height * 1.4 * count(i + 1) / 12.0;
        let drop = if i % 2 == 0 { rng.range(0.02, 0.10) } else { -rng.range(0.04, 0.09) };
        add(&mut snow, format_args!("L{to:.1} {:.1}", cap + height * drop));
    }
    add(&mut snow, format_args!("V{:.1}Z", shore - height * 1.2));
    painter.clipped(&format!("{outline}Z"), |p| p.path(&snow, Color::new(0.985, 0.008, 90.0)));
}

/// Long rounded bands, in gold and paper, as on old screens.
fn clouds(painter: &mut Painter, scene: &Scene<'_>, shore: f64, rng: &mut Rng) {
    let stage = scene.stage;
    let gold = scene.palette.accent(1);
    let thick = stage.unit * 0.022;
    let top = if stage.side == Side::Bottom { stage.h * 0.06 } else { stage.h * 0.53 };
    let top = if stage.side == Side::Left { stage.h * 0.12 } else { top };
    for i in 0..6_usize {
        let y = top + (shore - thick * 3.0 - top) * (count(i) + rng.range(0.0, 0.6)) / 6.0;
        let x = if stage.side == Side::Left { rng.range(0.5, 0.92) } else { rng.range(-0.12, 0.8) }
            * stage.w;
        let length = stage.unit * rng.range(0.22, 0.5);
        let fill = painter.linear(
            (x, 0.0),
            (x + length, 0.0),
            &[(0.0, gold.lighter(0.05), 1.0), (1.0, gold.lighter(-0.04), 1.0)],
        );
        painter.rounded((x, y), (length, thick), thick / 2.0, fill.clone());
        painter.rounded(
            (x + length * rng.range(0.12, 0.4), y + thick * 0.94),
            (length * 0.72, thick),
            thick / 2.0,
            fill,
        );
    }
}

fn waves(painter: &mut Painter, scene: &Scene<'_>, shore: f64) {
    let (stage, palette) = (scene.stage, scene.palette);
    let (deep, light) = (palette.accent(2).lightness(0.27), palette.accent(2).lightness(0.58));
    let (line, gold) = (palette.tone(0.97), palette.accent(1));
    let r = stage.unit * 0.084;
    painter.rect(0.0, shore + r * 0.2, (stage.w, stage.h - shore), light);
    let rows = whole(((stage.h - shore) / (r * 0.5)).ceil() + 2.0, 60);
    let columns = whole((stage.w / (2.0 * r)).ceil() + 1.0, 60);
    for row in 0..rows {
        let t = f64::from(row) / f64::from(rows.max(1));
        let y = shore + r * 0.5 * (1.0 + f64::from(row));
        let shift = if row % 2 == 0 { 0.0 } else { r };
        let tint = light.mix(deep, t.powf(0.75));
        for column in 0..=columns {
            let x = 2.0 * r * f64::from(column) - r + shift;
            let rim = if (column * 7 + row * 5) % 11 == 0 {
                gold
            } else {
                line.mix(tint, 0.12 + 0.5 * t)
            };
            for (share, color) in [
                (1.0, rim),
                (0.93, tint),
                (0.72, rim),
                (0.66, tint.lighter(0.02)),
                (0.46, rim),
                (0.40, tint),
                (0.2, rim),
            ] {
                painter.circle(x, y, r * share, color);
            }
        }
    }
}
