//! Captions drawn by our own typesetter, over a shade that keeps them legible on any picture.

use resvg::tiny_skia::Pixmap;

use crate::{
    art::paint,
    color::Color,
    error::MediaError,
    film::plane::Overlay,
    fonts::{Fonts, Voice},
    num::count,
    painter::{Painter, escape},
    spec::Language,
    text::fit::{Box, fit},
};

/// The frame that captions are set into.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lettering {
    w: f64,
    h: f64,
    language: Language,
}

impl Lettering {
    pub(super) fn new((width, height): (u32, u32), language: Language) -> Self {
        Self { w: f64::from(width), h: f64::from(height), language }
    }

    fn unit(&self) -> f64 {
        self.w.min(self.h)
    }

    fn is_upright(&self) -> bool {
        self.h > self.w
    }

    /// The lowest line of a caption; on a phone the player's own controls lie below it.
    fn floor(&self) -> f64 {
        self.h * if self.is_upright() { 0.855 } else { 0.925 }
    }

    fn canvas(&self) -> Result<Pixmap, MediaError> {
        let side = |length: f64| crate::num::whole(length, 4096);
        Pixmap::new(side(self.w), side(self.h))
            .ok_or_else(|| MediaError::Drawing { reason: "no memory for a caption".to_owned() })
    }

    /// The shade at the lower edge, there as long as there are captions.
    pub(super) fn shade(&self, fonts: &Fonts) -> Result<Overlay, MediaError> {
        let mut painter = Painter::new(self.w, self.h);
        let top = self.floor() - self.unit() * 0.24;
        let night = Color::new(0.13, 0.012, 260.0);
        let stops =
            [(0.0, night, 0.0), (0.45, night, 0.42), (0.75, night, 0.66), (1.0, night, 0.74)];
        let fill = painter.linear((0.0, top), (0.0, self.h), &stops);
        painter.rect(0.0, top, (self.w, self.h - top), fill);
        let mut canvas = self.canvas()?;
        paint(fonts, &painter.finish(), &mut canvas)?;
        Ok(Overlay::of(&canvas))
    }

    /// One caption, set in two lines at most.
    pub(super) fn caption(&self, fonts: &Fonts, text: &str) -> Result<Overlay, MediaError> {
        let unit = self.unit();
        let is_ja = self.language == Language::Ja;
        let size = unit * if self.is_upright() { 0.054 } else { 0.050 };
        let leading = if is_ja { 1.38 } else { 1.26 };
        let frame = Box {
            voice: Voice::Loud,
            width: self.w * if self.is_upright() { 0.87 } else { 0.80 },
            height: size * leading * 2.0 + 1.0,
            size_max: size,
            size_min: size * 0.6,
            lines_max: 2,
            leading,
            tracking: if is_ja { 0.03 } else { 0.0 },
        };
        let setting = fit(fonts, text, &frame);
        let (family, weight) = fonts.name(Voice::Loud);
        let attributes = format!(
            "font-family=\"{}\" font-weight=\"{weight}\" font-size=\"{:.2}\" \
             letter-spacing=\"{:.3}\" text-anchor=\"middle\" fill=\"#ffffff\" stroke=\"#0b0d12\" \
             stroke-opacity=\"0.55\" stroke-width=\"{:.2}\" stroke-linejoin=\"round\" \
             paint-order=\"stroke\"",
            escape(family),
            setting.size,
            frame.tracking * setting.size,
            setting.size * 0.11,
        );
        let mut painter = Painter::new(self.w, self.h);
        let step = setting.size * leading;
        let first = self.floor() - step * count(setting.lines.len().saturating_sub(1));
        for (n, line) in setting.lines.iter().enumerate() {
            // A full stop at the end has half an em of air behind it: the eye centres without it.
            let pull = if line.ends_with(['、', '。']) { setting.size * 0.25 } else { 0.0 };
            painter.text(self.w / 2.0 + pull, first + step * count(n), &attributes, line);
        }
        let mut canvas = self.canvas()?;
        paint(fonts, &painter.finish(), &mut canvas)?;
        Ok(Overlay::of(&canvas))
    }
}
