//! Where things stand: margins, the place for copy, the place for the picture's subject.

use crate::{brief::Family, num::count, rng::Rng, spec::AspectRatio};

/// A rectangle in pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Rect {
    pub(crate) x: f64,
    pub(crate) y: f64,
    pub(crate) w: f64,
    pub(crate) h: f64,
}

/// On which side the copy stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    Left,
    Top,
    Bottom,
}

/// The plan of one picture.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stage {
    pub(crate) w: f64,
    pub(crate) h: f64,
    /// The shorter edge: sizes are fractions of it.
    pub(crate) unit: f64,
    pub(crate) margin: f64,
    /// Nothing that must be read stands above this; on a phone held upright the player's own
    /// controls do, and `copy` ends above those at the bottom.
    pub(crate) safe_top: f64,
    pub(crate) side: Side,
    pub(crate) copy: Rect,
    /// The part of the canvas that belongs to the picture alone.
    pub(crate) scene: Rect,
    /// Where the eye should land, and how large its subject is.
    pub(crate) focus: (f64, f64),
    pub(crate) radius: f64,
}

impl Stage {
    /// `side` where it is decided already; a wide picture has its copy on the left all the same.
    pub(crate) fn plan(aspect: AspectRatio, family: Family, rng: &Rng, side: Option<Side>) -> Self {
        let (w, h) = aspect.pixels();
        let (w, h) = (f64::from(w), f64::from(h));
        let unit = w.min(h);
        let margin = unit * 0.074;
        let is_tall = aspect == AspectRatio::Tall;
        let safe_top = if is_tall { h * 0.088 } else { margin };
        let safe_bottom = if is_tall { h * 0.125 } else { margin };
        let side = if w > h { Side::Left } else { side.unwrap_or_else(|| side_of(family, rng)) };
        let inner = w - 2.0 * margin;
        let (copy, scene) = match side {
            Side::Left => (
                Rect { x: margin, y: margin, w: w * 0.455 - margin, h: h - 2.0 * margin },
                Rect { x: w * 0.48, y: 0.0, w: w * 0.52, h },
            ),
            Side::Top => {
                let (share, top) = if h / w > 1.1 { (0.33, 0.46) } else { (0.37, 0.55) };
                (
                    Rect { x: margin, y: safe_top, w: inner, h: h * share },
                    // A square leaves less under its copy than a poster does.
                    Rect { x: 0.0, y: h * top, w, h: h * (1.0 - top) },
                )
            },
            Side::Bottom => {
                let share = if h / w > 1.1 { 0.33 } else { 0.37 };
                let height = h * share;
                (
                    Rect { x: margin, y: h - safe_bottom - height, w: inner, h: height },
                    Rect { x: 0.0, y: 0.0, w, h: h * 0.54 },
                )
            },
        };
        let focus = match side {
            Side::Left => (w * 0.735, h * 0.5),
            Side::Top => (w * 0.5, scene.y + scene.h * 0.475),
            Side::Bottom => (w * 0.5, h * 0.325),
        };
        let radius = (scene.w * 0.44).min(scene.h * 0.44);
        Self { w, h, unit, margin, safe_top, side, copy, scene, focus, radius }
    }

    /// The same plan for a picture without copy, as a film shows it: the scene has all the room,
    /// and its subject stands nearer to the middle.
    pub(crate) fn without_copy(self) -> Self {
        let (x, y) = self.focus;
        Self {
            copy: Rect { x: 0.0, y: 0.0, w: 0.0, h: 0.0 },
            scene: Rect { x: 0.0, y: 0.0, w: self.w, h: self.h },
            focus: if self.side == Side::Left { (self.w * 0.62, y) } else { (x, y) },
            ..self
        }
    }

    /// `n` values spread evenly from the left edge to the right, a little beyond both.
    pub(crate) fn across(&self, n: usize) -> impl Iterator<Item = f64> + use<> {
        let (from, step) = (-0.05 * self.w, 1.1 * self.w / count(n.max(2) - 1));
        (0..n).map(move |i| from + step * count(i))
    }
}

/// Copy above what grows from the ground, below what hangs in the air.
fn side_of(family: Family, rng: &Rng) -> Side {
    match family {
        Family::Isometric | Family::StillLife | Family::Seigaiha => Side::Top,
        Family::NightCity | Family::Radial => Side::Bottom,
        Family::Landscape | Family::Geometric | Family::Ribbons | Family::Botanical => {
            rng.fork("side").pick(&[Side::Top, Side::Bottom], Side::Top)
        },
    }
}
