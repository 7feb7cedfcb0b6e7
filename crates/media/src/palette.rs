//! Colours that belong together: from the subject, bent by mood, led by the brand.

use crate::{
    brief::{Brief, Family, Mood, Subject},
    color::Color,
    rng::Rng,
};

mod schemes;
use schemes::scheme;

/// The colours of one picture.
#[derive(Debug, Clone)]
pub(crate) struct Palette {
    /// Hue and strength of the ground that everything stands on.
    base: Color,
    /// The vivid colours, most important first; brand colours come first and unchanged.
    accents: [Color; 4],
    pub(crate) is_dark: bool,
    /// The accents are the brand's: nothing may tint them further.
    pub(crate) is_branded: bool,
}

impl Palette {
    pub(crate) fn choose(brief: &Brief, anchors: &[String], rng: &Rng) -> Self {
        let mut rng = rng.fork("palette");
        let (hue, accents) = scheme(brief.subject, &mut rng);
        let mut palette = Self {
            is_branded: false,
            base: Color::new(0.6, 0.075, hue),
            accents: accents.map(|(l, c, h)| Color::new(l, c, h)),
            is_dark: matches!(brief.subject, Subject::Night | Subject::Music)
                || brief.is(Subject::Night)
                || (brief.subject == Subject::Tech && rng.chance(0.5)),
        };
        if let Some(season) = brief.hint {
            let (_, of_season) = scheme(season, &mut rng);
            if let Some((l, c, h)) = of_season.first() {
                palette.accents[3] = Color::new(*l, *c, *h);
            }
        }
        if brief.family == Family::Geometric && brief.subject == Subject::Open {
            palette.base = Color::new(0.6, 0.05, 82.0);
            palette.accents =
                [(0.60, 0.21, 29.0), (0.85, 0.165, 86.0), (0.48, 0.16, 260.0), (0.78, 0.09, 20.0)]
                    .map(|(l, c, h)| Color::new(l, c, h));
        }
        let drift = rng.range(-9.0, 9.0);
        palette.base = palette.base.turned(drift);
        palette.accents = palette.accents.map(|accent| accent.turned(drift * 0.6));
        for mood in &brief.moods {
            palette.bend(*mood);
        }
        palette.anchor(anchors);
        palette
    }

    fn bend(&mut self, mood: Mood) {
        let (chroma, light) = match mood {
            Mood::Warm => {
                let warm = Color::new(0.7, 0.12, 55.0);
                self.accents = self.accents.map(|accent| {
                    let mixed = accent.mix(warm, 0.22);
                    Color::new(accent.l, mixed.c.max(accent.c * 0.85), mixed.h)
                });
                self.base = Color { h: self.base.mix(warm, 0.6).h, ..self.base };
                (1.0, 0.0)
            },
            Mood::Calm => (0.72, 0.02),
            Mood::Bold => (1.25, 0.0),
            Mood::Luxury => {
                self.is_dark = true;
                self.accents[1] = Color::new(0.82, 0.105, 86.0);
                (0.72, -0.03)
            },
            Mood::Fresh => {
                self.is_dark = false;
                (1.0, 0.05)
            },
            Mood::Dark => {
                self.is_dark = true;
                (1.0, 0.0)
            },
            Mood::Playful => {
                self.accents[2] = self.accents[2].turned(70.0);
                (1.15, 0.03)
            },
        };
        let shift =
            |color: Color| Color::new((color.l + light).min(0.93), color.c * chroma, color.h);
        self.accents = self.accents.map(shift);
        self.base = self.base.chroma(self.base.c * chroma);
    }

    /// Puts the brand's colours first and lets the others follow them.
    fn anchor(&mut self, anchors: &[String]) {
        let named: Vec<Color> =
            anchors.iter().take(8).filter_map(|text| Color::from_hex(text)).collect();
        let vivid: Vec<Color> = named.iter().copied().filter(|color| color.c > 0.035).collect();
        let Some(first) = vivid.first().copied() else { return };
        self.is_branded = true;
        self.base = Color::new(0.6, (first.c * 0.5).clamp(0.02, 0.09), first.h);
        let follow = [
            first,
            first.turned(28.0).lightness((first.l + 0.14).min(0.86)),
            first.turned(172.0).lightness(0.72).chroma(first.c.clamp(0.08, 0.15)),
            first.turned(-34.0).lightness((first.l - 0.08).max(0.42)),
        ];
        for (i, slot) in self.accents.iter_mut().enumerate() {
            *slot = vivid.get(i).copied().or_else(|| follow.get(i).copied()).unwrap_or(*slot);
        }
    }

    /// The ground colour at a lightness: strongest in the middle, pale at both ends.
    pub(crate) fn tone(&self, l: f64) -> Color {
        let strength = 1.0 - (2.0 * (l - 0.5)).abs().powf(2.2) * 0.72;
        Color::new(l, self.base.c * strength, self.base.h)
    }

    pub(crate) fn ink(&self) -> Color {
        self.tone(0.21)
    }

    pub(crate) fn paper(&self) -> Color {
        self.tone(0.962)
    }

    /// The ground of the picture, light or dark.
    pub(crate) fn ground(&self) -> Color {
        if self.is_dark { self.tone(0.19) } else { self.tone(0.945) }
    }

    /// Accent by rank; ranks beyond the last begin again.
    pub(crate) fn accent(&self, rank: usize) -> Color {
        self.accents.get(rank % self.accents.len()).copied().unwrap_or(self.base)
    }

    /// What was used, as `#rrggbb`, most important first.
    pub(crate) fn listing(&self) -> Vec<String> {
        let mut all: Vec<String> = self.accents.iter().map(|accent| accent.hex()).collect();
        all.extend([self.ground().hex(), self.ink().hex(), self.paper().hex()]);
        let mut seen = Vec::new();
        for hex in all {
            if !seen.contains(&hex) {
                seen.push(hex);
            }
        }
        seen
    }
}
