//! Layered ridges in mist under a low sun; or the sea with the sun's path on it.

use crate::{
    brief::Subject,
    color::Color,
    num::count,
    painter::{Painter, polygon, smooth},
    rng::Rng,
    scenes::{Scene, Waves, weather},
    stage::{Rect, Side},
};

/// The colours of the air, from the zenith to the horizon.
struct Air {
    zenith: Color,
    middle: Color,
    horizon: Color,
    sun: Color,
}

pub(super) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    let stage = scene.stage;
    let mut rng = scene.rng.fork("landscape");
    let air = air(scene);
    let horizon = stage.h
        * match stage.side {
            Side::Left | Side::Top => 0.73,
            Side::Bottom => 0.45,
        };
    sky(painter, scene, &air, horizon);
    let is_night = scene.brief.is(Subject::Night);
    let radius = stage.unit * if is_night { rng.range(0.07, 0.09) } else { rng.range(0.13, 0.18) };
    // Under copy that stands at the top the sun is half set: nothing bright behind the words.
    let rise = if stage.side == Side::Top { rng.range(0.05, 0.3) } else { rng.range(0.75, 1.35) };
    let rise = if is_night { rise + 1.3 } else { rise };
    let sun = (stage.focus.0 + stage.unit * rng.range(-0.1, 0.1), horizon - radius * rise);
    light(painter, scene, &air, sun, radius);
    if !is_night {
        let bird = air.zenith.mix(scene.palette.ink(), 0.55);
        let flock = (sun.0 - stage.unit * 0.26, sun.1 - radius * 0.6);
        weather::birds(painter, flock, stage.unit, &mut rng, bird);
    }
    if scene.brief.is(Subject::Sea) || (scene.brief.subject == Subject::Summer && rng.chance(0.7)) {
        sea(painter, scene, &air, (horizon, sun.0), &mut rng);
    } else {
        ridges(painter, scene, &air, horizon, &mut rng);
    }
    weather::season(painter, scene);
}

fn air(scene: &Scene<'_>) -> Air {
    let palette = scene.palette;
    let is_night = scene.brief.is(Subject::Night);
    let is_cold = scene.brief.is(Subject::Winter);
    if palette.is_dark {
        Air {
            zenith: palette.tone(0.15),
            middle: palette.tone(0.29).mix(palette.accent(2), 0.3),
            horizon: palette.accent(0).mix(palette.accent(1), 0.35).lightness(if is_night {
                0.52
            } else {
                0.68
            }),
            sun: palette.accent(1).lightness(0.92).chroma(if is_night { 0.045 } else { 0.11 }),
        }
    } else {
        let warm = palette.accent(1).mix(Color::new(0.9, 0.08, 70.0), 0.45);
        Air {
            zenith: palette.tone(0.72).mix(palette.accent(0), 0.35).lightness(0.72),
            middle: palette.tone(0.86).mix(warm, 0.25).lightness(0.865),
            horizon: warm.lightness(0.945).chroma(0.055),
            sun: if is_cold {
                Color::new(0.965, 0.035, 80.0)
            } else {
                palette
                    .accent(2)
                    .mix(Color::new(0.74, 0.17, 45.0), 0.55)
                    .lightness(0.755)
                    .chroma(0.165)
            },
        }
    }
}

fn sky(painter: &mut Painter, scene: &Scene<'_>, air: &Air, horizon: f64) {
    let stage = scene.stage;
    let stops = [(0.0, air.zenith, 1.0), (0.55, air.middle, 1.0), (1.0, air.horizon, 1.0)];
    let fill = painter.linear((0.0, 0.0), (0.0, horizon * 1.06), &stops);
    painter.flood(fill);
    if scene.palette.is_dark {
        let mut rng = scene.rng.fork("stars");
        weather::stars(
            painter,
            Rect { x: 0.0, y: 0.0, w: stage.w, h: horizon * 0.85 },
            stage.unit,
            &mut rng,
        );
    }
    let mut rng = scene.rng.fork("clouds");
    for _ in 0..7 {
        let y = horizon * rng.range(0.18, 0.9);
        let (x, length) = (rng.range(-0.1, 0.9) * stage.w, stage.w * rng.range(0.25, 0.6));
        let thick = stage.unit * rng.range(0.006, 0.022);
        let tint = air.horizon.lighter(0.02);
        let stops = [(0.0, tint, 0.0), (0.5, tint, 0.42), (1.0, tint, 0.0)];
        let fill = painter.linear((x, 0.0), (x + length, 0.0), &stops);
        painter.rounded((x, y), (length, thick), thick / 2.0, fill);
    }
}

fn light(painter: &mut Painter, scene: &Scene<'_>, air: &Air, (x, y): (f64, f64), r: f64) {
    let unit = scene.stage.unit;
    painter.glow((x, y), unit * 0.75, air.sun.mix(air.horizon, 0.4), 0.6);
    painter.glow((x, y), r * 2.1, air.sun.lighter(0.08), 0.55);
    let stops = [(0.0, air.sun.lighter(0.12), 1.0), (1.0, air.sun, 1.0)];
    let fill = painter.linear((x, y - r), (x, y + r), &stops);
    painter.circle(x, y, r, fill);
}

fn ridges(painter: &mut Painter, scene: &Scene<'_>, air: &Air, horizon: f64, rng: &mut Rng) {
    let stage = scene.stage;
    let is_rocky = scene.brief.is(Subject::Mountain) || scene.brief.is(Subject::Winter);
    let layers = 6;
    let is_snowy = scene.brief.is(Subject::Winter) && !scene.palette.is_dark;
    let near = match (scene.palette.is_dark, is_snowy) {
        (true, _) => scene.palette.tone(0.09),
        (false, true) => scene.palette.tone(0.42),
        (false, false) => scene.palette.tone(0.23),
    };
    let gather = if stage.side == Side::Bottom { 0.55 } else { 0.85 };
    let far = air.horizon.mix(scene.palette.tone(0.7), 0.55).lightness(air.horizon.l - 0.13);
    for layer in 0..layers {
        let t = count(layer) / count(layers - 1);
        let base = horizon + (stage.h - horizon) * (0.02 + 0.68 * t.powf(1.15));
        let reach = stage.unit * if is_rocky { 0.15 - 0.07 * t } else { 0.085 - 0.03 * t };
        let waves = Waves::new(rng, 6, if is_rocky { 0.52 } else { 0.36 });
        let span = stage.w / stage.unit;
        let points: Vec<(f64, f64)> = stage
            .across(140)
            .map(|x| {
                let at = x / stage.w * span * (0.8 + 0.5 * t);
                let rise = if is_rocky { waves.peaks(at) } else { waves.at(at) };
                (x, base - reach * rise)
            })
            .collect();
        let top = far.mix(near, t.powf(gather));
        let mist = if is_snowy {
            top.lighter(0.16)
        } else {
            top.mix(air.horizon, 0.62 * (1.0 - t.powf(gather) * 0.8))
        };
        let top = if is_snowy { scene.palette.tone(0.97).mix(top, 0.12 + 0.25 * t) } else { top };
        let (top, mist) = if is_snowy { (top, mist.mix(near, 0.35)) } else { (top, mist) };
        let depth = (stage.h - horizon) * 0.32;
        let stops = [(0.0, top, 1.0), (1.0, mist, 1.0)];
        let fill = painter.linear((0.0, base - reach * 0.6), (0.0, base + depth), &stops);
        let outline = if is_rocky { polygon_open(&points) } else { smooth(&points) };
        painter.path(
            &format!("{outline}L{:.1} {:.1}L-99 {:.1}Z", stage.w * 1.1, stage.h, stage.h),
            fill,
        );
        if layer + 2 >= layers && !is_rocky {
            trees(painter, scene, &points, top.lighter(-0.035 * t), rng);
        }
    }
}

fn polygon_open(points: &[(f64, f64)]) -> String {
    polygon(points).trim_end_matches('Z').to_owned()
}

/// Firs along a ridge, in groups.
fn trees(
    painter: &mut Painter,
    scene: &Scene<'_>,
    ridge: &[(f64, f64)],
    color: Color,
    rng: &mut Rng,
) {
    let unit = scene.stage.unit;
    let grove = Waves::new(rng, 3, 0.6);
    let mut d = String::new();
    for (x, y) in ridge {
        for _ in 0..2 {
            if grove.at(x / unit * 0.9) < 0.05 {
                continue;
            }
            let height = unit * rng.range(0.026, 0.062);
            let half = height * rng.range(0.15, 0.22);
            let x = x + unit * rng.range(-0.006, 0.006);
            for step in 0..3 {
                let (low, grow) =
                    (height * (0.02 + 0.3 * f64::from(step)), 1.0 - 0.26 * f64::from(step));
                d.push_str(&polygon(&[
                    (x - half * grow, y - low + unit * 0.004),
                    (x, y - low - height * 0.45),
                    (x + half * grow, y - low + unit * 0.004),
                ]));
            }
        }
    }
    painter.path(&d, color);
}

fn sea(
    painter: &mut Painter,
    scene: &Scene<'_>,
    air: &Air,
    (horizon, sun_x): (f64, f64),
    rng: &mut Rng,
) {
    let stage = scene.stage;
    let palette = scene.palette;
    let depth = stage.h - horizon;
    let (deep, shallow) = if palette.is_dark {
        (palette.tone(0.10), palette.accent(0).mix(air.horizon, 0.4).lightness(0.46))
    } else {
        (
            palette.accent(0).lightness(0.33).chroma(0.09),
            palette.accent(0).mix(air.horizon, 0.5).lightness(0.79),
        )
    };
    isles(painter, scene, air, horizon, rng);
    let stops = [(0.0, shallow, 1.0), (0.32, shallow.mix(deep, 0.5), 1.0), (1.0, deep, 1.0)];
    let fill = painter.linear((0.0, horizon), (0.0, stage.h), &stops);
    painter.rect(0.0, horizon, (stage.w, depth), fill);
    for row in 0..46 {
        let t = f64::from(row) / 46.0;
        let y = horizon + depth * (0.006 + 0.62 * t.powf(1.5));
        let spread = stage.unit * (0.06 + 0.22 * t);
        for _ in 0..3 {
            let length = stage.unit * rng.range(0.02, 0.11) * (0.5 + t);
            let x = sun_x + rng.range(-spread, spread) - length / 2.0;
            let thick = stage.unit * (0.0018 + 0.0042 * t);
            let opacity = (0.75 - 0.55 * t) * rng.range(0.5, 1.0);
            painter.rounded(
                (x, y),
                (length, thick),
                thick / 2.0,
                air.sun.lighter(0.13).fade(opacity),
            );
        }
    }
    for wave in 0..5 {
        let t = f64::from(wave) / 4.0;
        let base = horizon + depth * (0.34 + 0.5 * t);
        let shape = Waves::new(rng, 3, 0.5);
        let points: Vec<(f64, f64)> = stage
            .across(40)
            .map(|x| (x, base + stage.unit * (0.012 + 0.018 * t) * shape.at(x / stage.unit * 0.8)))
            .collect();
        let crest = smooth(&points);
        let tint = shallow.mix(deep, 0.35 + 0.5 * t);
        let stops = [(0.0, tint, 0.9), (1.0, deep, 0.25)];
        let fill =
            painter.linear((0.0, base - stage.unit * 0.02), (0.0, base + depth * 0.3), &stops);
        painter.path(
            &format!("{crest}L{:.1} {:.1}L-99 {:.1}Z", stage.w * 1.1, stage.h, stage.h),
            fill,
        );
        painter.stroke(&crest, air.horizon.fade(0.45), stage.unit * 0.0016);
    }
}

/// One or two islands on the horizon, away from the sun.
fn isles(painter: &mut Painter, scene: &Scene<'_>, air: &Air, horizon: f64, rng: &mut Rng) {
    let stage = scene.stage;
    for (at, color) in [(0.02, 0.45), (0.93, 0.7)] {
        let x = stage.w * (at + rng.range(-0.05, 0.05));
        let (width, height) = (stage.w * rng.range(0.16, 0.3), stage.unit * rng.range(0.03, 0.075));
        let waves = Waves::new(rng, 5, 0.5);
        let points: Vec<(f64, f64)> = (0..=30)
            .map(|i| {
                let t = f64::from(i) / 30.0;
                let bell = (t * std::f64::consts::PI).sin().powf(0.8);
                (
                    x - width + 2.0 * width * t,
                    horizon - height * bell * (1.0 + 0.35 * waves.at(t * 2.0)),
                )
            })
            .collect();
        let tint = air.horizon.mix(scene.palette.tone(0.35), color);
        painter.path(&format!("{}Z", smooth(&points)), tint);
    }
}
