//! Builds the SVG that is rendered: shapes in, one document out.
//!
//! Text reaches the document through [`escape`] only; all else are numbers and our own colours.

use std::fmt::{self, Write as _};

use crate::color::Color;

/// An SVG document under construction. Coordinates are pixels.
#[derive(Debug)]
pub(crate) struct Painter {
    width: f64,
    height: f64,
    defs: String,
    body: String,
    ids: u32,
}

/// How a shape is filled: `#rrggbb`, `none` or a reference to a gradient.
#[derive(Debug, Clone)]
pub(crate) struct Paint {
    value: String,
    opacity: f64,
}

impl Paint {
    fn of(value: String) -> Self {
        Self { value, opacity: 1.0 }
    }

    /// As attributes of what is filled (`fill`) or drawn as a line (`stroke`). Opacity stands on
    /// the paint, not on a group: a group costs the renderer a layer of its own.
    fn attributes(&self, name: &str) -> String {
        if self.opacity < 1.0 {
            format!("{name}=\"{}\" {name}-opacity=\"{:.3}\"", self.value, self.opacity)
        } else {
            format!("{name}=\"{}\"", self.value)
        }
    }
}

impl From<Color> for Paint {
    fn from(color: Color) -> Self {
        Self::of(color.hex())
    }
}

impl Color {
    /// The colour seen through, 0 not at all, 1 wholly.
    pub(crate) fn fade(self, opacity: f64) -> Paint {
        Paint { value: self.hex(), opacity: opacity.clamp(0.0, 1.0) }
    }
}

/// A gradient stop: offset 0..1, colour, opacity 0..1.
pub(crate) type Stop = (f64, Color, f64);

impl Painter {
    pub(crate) fn new(width: f64, height: f64) -> Self {
        Self { width, height, defs: String::new(), body: String::new(), ids: 0 }
    }

    pub(crate) fn finish(self) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{0}\" height=\"{1}\" \
             viewBox=\"0 0 {0} {1}\"><defs>{2}</defs>{3}</svg>",
            self.width, self.height, self.defs, self.body
        )
    }

    fn id(&mut self) -> u32 {
        self.ids += 1;
        self.ids
    }

    /// A gradient along a line, in pixels.
    pub(crate) fn linear(&mut self, from: (f64, f64), to: (f64, f64), stops: &[Stop]) -> Paint {
        let id = self.id();
        add(
            &mut self.defs,
            format_args!(
                "<linearGradient id=\"p{id}\" gradientUnits=\"userSpaceOnUse\" x1=\"{:.1}\" \
             y1=\"{:.1}\" x2=\"{:.1}\" y2=\"{:.1}\">{}</linearGradient>",
                from.0,
                from.1,
                to.0,
                to.1,
                stops_of(stops)
            ),
        );
        Paint::of(format!("url(#p{id})"))
    }

    /// A gradient from a centre outwards, in pixels.
    pub(crate) fn radial(&mut self, centre: (f64, f64), radius: f64, stops: &[Stop]) -> Paint {
        let id = self.id();
        add(
            &mut self.defs,
            format_args!(
                "<radialGradient id=\"p{id}\" gradientUnits=\"userSpaceOnUse\" cx=\"{:.1}\" \
             cy=\"{:.1}\" r=\"{:.1}\">{}</radialGradient>",
                centre.0,
                centre.1,
                radius.max(0.1),
                stops_of(stops)
            ),
        );
        Paint::of(format!("url(#p{id})"))
    }

    pub(crate) fn rect(&mut self, x: f64, y: f64, size: (f64, f64), fill: impl Into<Paint>) {
        self.rounded((x, y), size, 0.0, fill);
    }

    pub(crate) fn rounded(
        &mut self,
        (x, y): (f64, f64),
        (w, h): (f64, f64),
        radius: f64,
        fill: impl Into<Paint>,
    ) {
        let fill = fill.into().attributes("fill");
        add(
            &mut self.body,
            format_args!(
                "<rect x=\"{x:.2}\" y=\"{y:.2}\" width=\"{:.2}\" height=\"{:.2}\" rx=\"{radius:.2}\" \
             {fill}/>",
                w.max(0.0),
                h.max(0.0)
            ),
        );
    }

    /// Fills the whole canvas.
    pub(crate) fn flood(&mut self, fill: impl Into<Paint>) {
        self.rect(0.0, 0.0, (self.width, self.height), fill);
    }

    pub(crate) fn circle(&mut self, x: f64, y: f64, r: f64, fill: impl Into<Paint>) {
        let fill = fill.into().attributes("fill");
        add(
            &mut self.body,
            format_args!("<circle cx=\"{x:.2}\" cy=\"{y:.2}\" r=\"{:.2}\" {fill}/>", r.max(0.0)),
        );
    }

    pub(crate) fn ellipse(&mut self, x: f64, y: f64, (rx, ry): (f64, f64), fill: impl Into<Paint>) {
        let fill = fill.into().attributes("fill");
        add(
            &mut self.body,
            format_args!(
                "<ellipse cx=\"{x:.2}\" cy=\"{y:.2}\" rx=\"{:.2}\" ry=\"{:.2}\" {fill}/>",
                rx.max(0.0),
                ry.max(0.0)
            ),
        );
    }

    /// A soft disc of light or shade that fades to nothing at its rim.
    pub(crate) fn glow(&mut self, (x, y): (f64, f64), r: f64, color: Color, opacity: f64) {
        let stops = [
            (0.0, color, opacity),
            (0.35, color, opacity * 0.55),
            (0.7, color, opacity * 0.14),
            (1.0, color, 0.0),
        ];
        let fill = self.radial((x, y), r, &stops);
        self.circle(x, y, r, fill);
    }

    /// A filled path, `d` in SVG's own path language.
    pub(crate) fn path(&mut self, d: &str, fill: impl Into<Paint>) {
        let fill = fill.into().attributes("fill");
        add(&mut self.body, format_args!("<path d=\"{d}\" {fill}/>"));
    }

    /// A line along a path, with round ends.
    pub(crate) fn stroke(&mut self, d: &str, paint: impl Into<Paint>, width: f64) {
        let paint = paint.into().attributes("stroke");
        add(
            &mut self.body,
            format_args!(
                "<path d=\"{d}\" fill=\"none\" {paint} stroke-width=\"{width:.2}\" \
             stroke-linecap=\"round\" stroke-linejoin=\"round\"/>"
            ),
        );
    }

    /// Everything drawn by `inside` as one layer, moved, turned (degrees) or faded.
    pub(crate) fn group(&mut self, attributes: &str, inside: impl FnOnce(&mut Self)) {
        add(&mut self.body, format_args!("<g {attributes}>"));
        inside(self);
        self.body.push_str("</g>");
    }

    /// Everything drawn by `inside`, seen only within the shape `d`.
    pub(crate) fn clipped(&mut self, d: &str, inside: impl FnOnce(&mut Self)) {
        let id = self.id();
        add(&mut self.defs, format_args!("<clipPath id=\"p{id}\"><path d=\"{d}\"/></clipPath>"));
        self.group(&format!("clip-path=\"url(#p{id})\""), inside);
    }

    /// One line of text; `attributes` are ours, `text` is anybody's.
    pub(crate) fn text(&mut self, x: f64, y: f64, attributes: &str, text: &str) {
        add(
            &mut self.body,
            format_args!(
                "<text x=\"{x:.2}\" y=\"{y:.2}\" xml:space=\"preserve\" {attributes}>{}</text>",
                escape(text)
            ),
        );
    }
}

/// Adds to a text in place.
pub(crate) fn add(text: &mut String, more: fmt::Arguments<'_>) {
    // Writing to a String cannot fail: there is nothing to tell anybody.
    let _always_ok = text.write_fmt(more);
}

fn stops_of(stops: &[Stop]) -> String {
    let mut out = String::new();
    for (offset, color, opacity) in stops {
        add(
            &mut out,
            format_args!(
                "<stop offset=\"{offset:.3}\" stop-color=\"{}\" stop-opacity=\"{opacity:.3}\"/>",
                color.hex()
            ),
        );
    }
    out
}

/// Text made safe to stand in a document, as content or as a quoted value.
pub(crate) fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len() + 16);
    for ch in text.chars() {
        match ch {
            '&' => safe.push_str("&amp;"),
            '<' => safe.push_str("&lt;"),
            '>' => safe.push_str("&gt;"),
            '"' => safe.push_str("&quot;"),
            '\'' => safe.push_str("&#39;"),
            _ => safe.push(ch),
        }
    }
    safe
}

/// A smooth closed or open curve through points, as path data (Catmull-Rom).
pub(crate) fn smooth(points: &[(f64, f64)]) -> String {
    let Some(first) = points.first() else { return String::new() };
    let mut d = format!("M{:.2} {:.2}", first.0, first.1);
    for i in 0..points.len().saturating_sub(1) {
        let at = |k: usize| points.get(k).copied().unwrap_or(*first);
        let (p0, p1, p2) = (at(i.saturating_sub(1)), at(i), at(i + 1));
        let p3 = at((i + 2).min(points.len() - 1));
        let c1 = (p1.0 + (p2.0 - p0.0) / 6.0, p1.1 + (p2.1 - p0.1) / 6.0);
        let c2 = (p2.0 - (p3.0 - p1.0) / 6.0, p2.1 - (p3.1 - p1.1) / 6.0);
        add(
            &mut d,
            format_args!(
                "C{:.2} {:.2} {:.2} {:.2} {:.2} {:.2}",
                c1.0, c1.1, c2.0, c2.1, p2.0, p2.1
            ),
        );
    }
    d
}

/// A polygon as path data.
pub(crate) fn polygon(points: &[(f64, f64)]) -> String {
    let mut d = String::new();
    for (i, (x, y)) in points.iter().enumerate() {
        add(&mut d, format_args!("{}{x:.2} {y:.2}", if i == 0 { 'M' } else { 'L' }));
    }
    d.push('Z');
    d
}
