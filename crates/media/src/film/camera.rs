//! A calm camera: one slow move a shot, towards what the picture is about.

use crate::{film::timeline::Kind, rng::Rng};

/// Where a camera looks: the middle as shares of the picture, and how near it is (1: all of it).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct View {
    pub(super) x: f64,
    pub(super) y: f64,
    pub(super) zoom: f64,
}

/// One move.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Move {
    from: View,
    to: View,
}

impl Move {
    /// The move for a shot: titles keep to the middle, so that no letter leaves the frame; others
    /// push in, draw back or pass by.
    pub(super) fn choose(kind: Kind, focus: (f64, f64), rng: &mut Rng) -> Self {
        let middle = |zoom| View { x: 0.5, y: 0.5, zoom };
        match kind {
            Kind::Card => Self { from: middle(1.0), to: middle(1.035) },
            Kind::Titled(_) => Self { from: middle(1.0), to: middle(1.085) },
            Kind::Plain => {
                let near = |share: f64, zoom| View {
                    x: 0.5 + (focus.0 - 0.5) * share,
                    y: 0.5 + (focus.1 - 0.5) * share,
                    zoom,
                };
                let aside = rng.range(0.07, 0.11) * if rng.chance(0.5) { 1.0 } else { -1.0 };
                let beside = |view: View, by: f64| View { x: view.x + by, ..view };
                let (from, to) = match rng.below(4) {
                    0 => (near(0.45, 1.10), near(0.95, 1.34)),
                    1 => (near(0.95, 1.36), near(0.50, 1.14)),
                    2 => (beside(near(0.8, 1.24), aside), beside(near(0.8, 1.28), -aside)),
                    _ => {
                        let low = near(0.85, 1.26);
                        let by = rng.range(0.06, 0.10);
                        (View { y: low.y + by, ..low }, View { y: low.y - by, zoom: 1.3, ..low })
                    },
                };
                Self { from, to }
            },
        }
    }

    /// The view at a share of the move, 0..1. Starts and ends softly; within, its pace is even.
    pub(super) fn at(&self, share: f64) -> View {
        let share = share.clamp(0.0, 1.0);
        let soft = super::timeline::ease(share) * 0.35 + share * 0.65;
        let mix = |a: f64, b: f64| a + (b - a) * soft;
        // Nearness grows by factors: equal shares of the move look equally quick.
        let zoom = self.from.zoom * (self.to.zoom / self.from.zoom).powf(soft);
        View { x: mix(self.from.x, self.to.x), y: mix(self.from.y, self.to.y), zoom }
    }
}
