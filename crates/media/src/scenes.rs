//! The families of compositions, one file each, and what they share.

use crate::{
    brief::{Brief, Family},
    color::Color,
    painter::Painter,
    palette::Palette,
    rng::Rng,
    stage::Stage,
};

mod botanical;
mod geometric;
mod isometric;
mod landscape;
mod night_city;
mod radial;
mod ribbons;
mod seigaiha;
mod still_life;
mod weather;

/// What a composition is given to draw with.
#[derive(Debug)]
pub(crate) struct Scene<'a> {
    pub(crate) stage: &'a Stage,
    pub(crate) palette: &'a Palette,
    pub(crate) brief: &'a Brief,
    pub(crate) rng: &'a Rng,
}

/// Draws the whole canvas but the copy.
pub(crate) fn draw(painter: &mut Painter, scene: &Scene<'_>) {
    match scene.brief.family {
        Family::Landscape => landscape::draw(painter, scene),
        Family::Geometric => geometric::draw(painter, scene),
        Family::Ribbons => ribbons::draw(painter, scene),
        Family::Isometric => isometric::draw(painter, scene),
        Family::Botanical => botanical::draw(painter, scene),
        Family::Radial => radial::draw(painter, scene),
        Family::NightCity => night_city::draw(painter, scene),
        Family::StillLife => still_life::draw(painter, scene),
        Family::Seigaiha => seigaiha::draw(painter, scene),
    }
}

impl Scene<'_> {
    /// A ground that is lighter where the subject is, so that the eye goes there.
    fn lit_ground(&self, painter: &mut Painter) {
        let ground = self.palette.ground();
        let stage = self.stage;
        painter.flood(ground);
        let light = if self.palette.is_dark { 0.13 } else { 0.03 };
        let glow = ground.lighter(light).mix(self.palette.accent(1), 0.16);
        painter.glow((stage.focus.0, stage.focus.1), stage.w.max(stage.h) * 0.62, glow, 0.9);
        let shade = ground.lighter(-0.06).mix(self.palette.accent(0), 0.12);
        painter.glow((stage.w * 0.02, stage.h * 1.02), stage.unit * 0.9, shade, 0.6);
    }
}

/// The light, middle and shaded side of a body of one colour.
fn faces(color: Color) -> (Color, Color, Color) {
    let light = Color::new((color.l + 0.09).min(0.96), color.c * 0.9, color.h);
    let shade = Color::new((color.l - 0.17).max(0.06), color.c * 0.95, color.h - 8.0);
    (light, color, shade)
}

/// Smooth noise around 0, about −1..1, from a few waves of random phase.
#[derive(Debug)]
struct Waves(Vec<(f64, f64, f64)>);

impl Waves {
    /// `roughness` 0.4 is soft hills, 0.7 is broken rock.
    fn new(rng: &mut Rng, octaves: u32, roughness: f64) -> Self {
        let mut waves = Vec::new();
        let (mut amplitude, mut frequency) = (0.6, 1.0);
        for _ in 0..octaves {
            waves.push((
                amplitude,
                frequency * rng.range(0.8, 1.25),
                rng.range(0.0, std::f64::consts::TAU),
            ));
            amplitude *= roughness;
            frequency *= 1.93;
        }
        Self(waves)
    }

    fn at(&self, t: f64) -> f64 {
        self.0.iter().map(|(a, f, p)| a * (t * f * std::f64::consts::TAU + p).sin()).sum()
    }

    /// As [`Waves::at`], folded so that summits are sharp.
    fn peaks(&self, t: f64) -> f64 {
        self.0
            .iter()
            .map(|(a, f, p)| a * (1.0 - 2.0 * (t * f * std::f64::consts::PI + p).sin().abs()))
            .sum()
    }
}
