//! Pictures as an encoder wants them: one plane of brightness, two of colour at half size.
//!
//! BT.709 with the limited range of video: brightness 16–235, colour 16–240 around 128
//! (ITU-R BT.709-6, section 3, items 3.4 and 3.5).

use resvg::tiny_skia::Pixmap;

use crate::{
    film::camera::View,
    num::{byte, count, whole},
};

/// One channel of a picture.
#[derive(Debug, Clone)]
pub(super) struct Plane {
    pub(super) w: usize,
    pub(super) h: usize,
    pub(super) data: Vec<u8>,
}

/// A picture.
#[derive(Debug, Clone)]
pub(super) struct Planes(pub(super) [Plane; 3]);

impl Plane {
    pub(super) fn new(w: usize, h: usize, value: u8) -> Self {
        Self { w, h, data: vec![value; w * h] }
    }

    /// Half as wide and high, each value the mean of four.
    pub(super) fn halved(&self) -> Self {
        let (w, h) = (self.w / 2, self.h / 2);
        let mut data = Vec::with_capacity(w * h);
        for pair in self.data.chunks_exact(self.w.max(1) * 2).take(h) {
            let (upper, lower) = pair.split_at(self.w);
            for (a, b) in upper.chunks_exact(2).zip(lower.chunks_exact(2)) {
                let sum: u16 = a.iter().chain(b).map(|value| u16::from(*value)).sum();
                data.push(u8::try_from((sum + 2) / 4).unwrap_or(u8::MAX));
            }
        }
        Self { w, h, data }
    }

    /// Fills `out` with what a view sees of this, each pixel between its four neighbours.
    fn sample(&self, view: View, out: &mut Self) {
        let columns = steps(self.w, out.w, (view.x, view.zoom));
        let rows = steps(self.h, out.h, (view.y, view.zoom));
        let mut mixed = vec![0_u32; self.w];
        let left = columns.first().map_or(0, |(at, _)| *at);
        let right = columns.last().map_or(0, |(at, _)| *at + 2).min(self.w);
        for ((top, weight), line) in rows.into_iter().zip(out.data.chunks_exact_mut(out.w)) {
            let row = |n: usize| self.data.get(n * self.w..(n + 1) * self.w).unwrap_or_default();
            let (upper, lower) = (row(top), row(top + 1));
            let pairs = upper.iter().zip(lower).skip(left);
            for (to, (a, b)) in mixed.iter_mut().take(right).skip(left).zip(pairs) {
                *to = u32::from(*a) * (256 - weight) + u32::from(*b) * weight;
            }
            for ((at, weight), to) in columns.iter().zip(line) {
                if let Some([a, b]) = mixed.get(*at..*at + 2) {
                    let value = (a * (256 - weight) + b * weight + 32_768) >> 16;
                    *to = value.to_le_bytes()[0];
                }
            }
        }
    }
}

/// For each of `to` places the source place before it and the weight of the next one in 256ths.
fn steps(from: usize, to: usize, (middle, zoom): (f64, f64)) -> Vec<(usize, u32)> {
    let seen = count(from) / zoom.max(1.0);
    let start = (middle * count(from) - seen / 2.0).clamp(0.0, count(from) - seen);
    let most = count(from.saturating_sub(2));
    let place = |n: usize| {
        let at = (start + (count(n) + 0.5) * seen / count(to.max(1)) - 0.5).clamp(0.0, most + 1.0);
        let before = at.floor().min(most);
        let weight = whole((at - before) * 256.0, 256);
        (usize::try_from(whole(before, 1 << 20)).unwrap_or(0), weight)
    };
    (0..to).map(place).collect()
}

impl Planes {
    pub(super) fn black(w: usize, h: usize) -> Self {
        Self([Plane::new(w, h, 16), Plane::new(w / 2, h / 2, 128), Plane::new(w / 2, h / 2, 128)])
    }

    /// From pixels without transparency; odd edges lose a line.
    pub(super) fn of(pixmap: &Pixmap) -> Self {
        let (w, h) = (edge(pixmap.width()), edge(pixmap.height()));
        let mut whole = [0; 3].map(|_| Plane { w, h, data: Vec::with_capacity(w * h) });
        let row = usize::try_from(pixmap.width()).unwrap_or(1) * 4;
        for line in pixmap.data().chunks_exact(row.max(1)).take(h) {
            for pixel in line.chunks_exact(4).take(w) {
                let [r, g, b, ..] = pixel else { continue };
                let colour = yuv([*r, *g, *b]);
                for (plane, value) in whole.iter_mut().zip(colour) {
                    plane.data.push(value);
                }
            }
        }
        let [y, u, v] = whole;
        Self([y, u.halved(), v.halved()])
    }

    pub(super) fn sample(&self, view: View, out: &mut Self) {
        for (from, to) in self.0.iter().zip(&mut out.0) {
            from.sample(view, to);
        }
    }

    /// Lets another picture of the same size shine through, 0 not at all, 1 wholly.
    pub(super) fn mix(&mut self, other: &Self, share: f64) {
        let share = whole(share * 256.0 + 0.5, 256);
        if share == 0 {
            return;
        }
        for (to, from) in self.0.iter_mut().zip(&other.0) {
            for (a, b) in to.data.iter_mut().zip(&from.data) {
                let value = u32::from(*a) * (256 - share) + u32::from(*b) * share + 128;
                *a = (value >> 8).to_le_bytes()[0];
            }
        }
    }

    /// As red, green and blue, three bytes a pixel.
    pub(super) fn to_rgb(&self) -> Vec<u8> {
        let [y, u, v] = &self.0;
        let mut rgb = Vec::with_capacity(y.data.len() * 3);
        for (at, light) in y.data.iter().enumerate() {
            let place = (at / y.w / 2) * u.w + (at % y.w) / 2;
            let colour =
                |plane: &Plane| f64::from(plane.data.get(place).copied().unwrap_or(128)) - 128.0;
            let (light, cb, cr) = (
                (f64::from(*light) - 16.0) * 255.0 / 219.0,
                colour(u) * 255.0 / 224.0,
                colour(v) * 255.0 / 224.0,
            );
            rgb.push(byte(light + 1.5748 * cr));
            rgb.push(byte(light - 0.1873 * cb - 0.4681 * cr));
            rgb.push(byte(light + 1.8556 * cb));
        }
        rgb
    }
}

/// An even number of pixels.
fn edge(pixels: u32) -> usize {
    usize::try_from(pixels / 2 * 2).unwrap_or(0)
}

/// Brightness and colour of a pixel.
pub(super) fn yuv(rgb: [u8; 3]) -> [u8; 3] {
    let [r, g, b] = rgb.map(f64::from);
    let light = 0.2126 * r + 0.7152 * g + 0.0722 * b;
    [
        byte(16.0 + light * 219.0 / 255.0),
        byte(128.0 + (b - light) / 1.8556 * 224.0 / 255.0),
        byte(128.0 + (r - light) / 1.5748 * 224.0 / 255.0),
    ]
}

/// Something with transparency that lies over a band of the picture.
#[derive(Debug)]
pub(super) struct Overlay {
    /// The first line it covers; even.
    top: usize,
    colour: Planes,
    /// How much of it covers what is below, for brightness and for colour.
    cover: [Plane; 2],
}

impl Overlay {
    /// From drawn pixels of the film's own size; only the lines that have something are kept.
    pub(super) fn of(pixmap: &Pixmap) -> Self {
        let (w, h) = (edge(pixmap.width()), edge(pixmap.height()));
        let row = usize::try_from(pixmap.width()).unwrap_or(1).max(1);
        let is_used = |line: &[resvg::tiny_skia::PremultipliedColorU8]| {
            line.iter().any(|pixel| pixel.alpha() > 0)
        };
        let lines: Vec<_> = pixmap.pixels().chunks_exact(row).take(h).collect();
        let top = lines.iter().position(|line| is_used(line)).unwrap_or(0) / 2 * 2;
        let end = lines.iter().rposition(|line| is_used(line)).map_or(top, |last| last + 1);
        let end = (end.div_ceil(2) * 2).min(h);
        let kept = lines.get(top..end).unwrap_or_default();
        let mut whole = [0; 4].map(|_| Plane { w, h: end - top, data: Vec::new() });
        for pixel in kept.iter().flat_map(|line| line.iter().take(w)) {
            let ink = pixel.demultiply();
            let [y, u, v] = yuv([ink.red(), ink.green(), ink.blue()]);
            for (plane, value) in whole.iter_mut().zip([y, u, v, pixel.alpha()]) {
                plane.data.push(value);
            }
        }
        let [y, u, v, alpha] = whole;
        let half = alpha.halved();
        Self { top, colour: Planes([y, u.halved(), v.halved()]), cover: [alpha, half] }
    }

    /// Lays it over a picture, as far as it is there (0..1).
    pub(super) fn lay(&self, picture: &mut Planes, presence: f64) {
        let presence = whole(presence * 256.0 + 0.5, 256);
        if presence == 0 {
            return;
        }
        let [light, half] = &self.cover;
        let covers = [light, half, half];
        let tops = [self.top, self.top / 2, self.top / 2];
        let planes = picture.0.iter_mut().zip(&self.colour.0);
        for ((to, ink), (cover, top)) in planes.zip(covers.into_iter().zip(tops)) {
            let below = to.data.iter_mut().skip(top * to.w);
            for ((a, b), cover) in below.zip(&ink.data).zip(&cover.data) {
                if *cover > 0 {
                    let share = u32::from(*cover) * presence;
                    let value = u32::from(*a) * (65_280 - share) + u32::from(*b) * share;
                    *a = ((value + 32_640) / 65_280).to_le_bytes()[0];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use resvg::tiny_skia::Color;

    fn flat(w: u32, h: u32, rgb: [u8; 3]) -> Pixmap {
        let mut pixmap = Pixmap::new(w, h).unwrap();
        let [r, g, b] = rgb;
        pixmap.fill(Color::from_rgba8(r, g, b, 255));
        pixmap
    }

    #[test]
    fn colours_survive_the_way_there_and_back() {
        for rgb in [[255, 255, 255], [0, 0, 0], [200, 30, 40], [20, 120, 200]] {
            let back = Planes::of(&flat(4, 4, rgb)).to_rgb();
            for (was, is) in rgb.iter().zip(&back) {
                assert!(was.abs_diff(*is) <= 3, "{rgb:?} {:?}", &back[..3]);
            }
        }
        assert_eq!(yuv([255, 255, 255]), [235, 128, 128]);
        assert_eq!(yuv([0, 0, 0]), [16, 128, 128]);
    }

    #[test]
    fn a_view_of_everything_is_the_picture_and_a_nearer_one_its_part() {
        let mut plane = Plane::new(100, 2, 0);
        for (n, value) in plane.data.iter_mut().enumerate() {
            *value = u8::try_from(n % 100).unwrap() * 2;
        }
        let mut out = Plane::new(100, 2, 0);
        plane.sample(View { x: 0.5, y: 0.5, zoom: 1.0 }, &mut out);
        assert!(plane.data.iter().zip(&out.data).all(|(a, b)| a.abs_diff(*b) <= 1));
        plane.sample(View { x: 0.75, y: 0.5, zoom: 2.0 }, &mut out);
        assert!(out.data[0].abs_diff(100) <= 2 && out.data[99].abs_diff(198) <= 2);
        // Beyond the edge there is nothing to be seen: the view stays inside.
        plane.sample(View { x: 2.0, y: 0.5, zoom: 2.0 }, &mut out);
        assert!(out.data[99].abs_diff(198) <= 2);
    }

    #[test]
    fn an_overlay_covers_its_band_as_far_as_it_is_there() {
        let mut ink = Pixmap::new(8, 8).unwrap();
        for pixel in ink.pixels_mut().iter_mut().skip(8 * 4).take(16) {
            *pixel = resvg::tiny_skia::PremultipliedColorU8::from_rgba(255, 255, 255, 255).unwrap();
        }
        let overlay = Overlay::of(&ink);
        let mut picture = Planes::black(8, 8);
        overlay.lay(&mut picture, 0.5);
        let line = |n: usize| picture.0[0].data[n * 8];
        assert_eq!([line(3), line(4), line(5), line(6)], [16, 126, 126, 16]);
    }
}
