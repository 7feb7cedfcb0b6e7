//! One picture after another: what the camera sees, faded and lettered.

use std::collections::BTreeMap;

use fast_image_resize::{
    PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use resvg::tiny_skia::{IntSize, Pixmap};

use crate::{
    art::{Still, composition_of, render_still},
    brief::has_subject,
    error::MediaError,
    film::{
        FilmSpec,
        camera::Move,
        captions::Caption,
        lettering::Lettering,
        plane::{Overlay, Planes},
        script::Script,
        timeline::{Kind, Shot, ease, presence, seen_at},
    },
    fonts::Fonts,
    num::{count, whole},
    rng::Rng,
    spec::{ArtSpec, Language},
};

/// How long one shot fades into the next, in seconds.
const FADE: f64 = 0.7;
/// How long captions and titles take to come and go.
const CAPTION_FADE: f64 = 0.18;
const TITLE_FADE: f64 = 0.6;
/// A still is kept so much larger than the film that coming nearer stays sharp.
const RESERVE: f64 = 1.25;

/// The pictures of a film, made when they are asked for, in order.
#[derive(Debug)]
pub(super) struct Reel<'a> {
    fonts: &'a Fonts,
    shots: Vec<Shot>,
    orders: Vec<ArtSpec>,
    captions: Vec<Caption>,
    seed: Rng,
    size: (u32, u32),
    language: Language,
    seconds: f64,
    rate: u32,
    has_own_palette: bool,
    palette: Vec<String>,
    /// What the first shot shows, in words.
    opening: Option<String>,
    developed: BTreeMap<usize, Developed>,
    shade: Option<(Overlay, (f64, f64))>,
    caption: Option<(usize, Overlay)>,
    frames: [Planes; 2],
    poster: Option<Planes>,
}

/// A shot ready to be looked at.
#[derive(Debug)]
struct Developed {
    plain: Planes,
    titled: Option<Planes>,
    path: Move,
}

impl<'a> Reel<'a> {
    pub(super) fn new(
        fonts: &'a Fonts,
        spec: &FilmSpec,
        script: &Script,
        shots: Vec<Shot>,
        captions: Vec<Caption>,
    ) -> Result<Self, MediaError> {
        let size = size_of(spec);
        let card = shots.iter().find(|shot| shot.kind == Kind::Card).map(|card| card.from);
        let shade = match (captions.first(), captions.last()) {
            (Some(first), Some(last)) => {
                let end = card.map_or(last.span.1, |card| last.span.1.min(card + 0.2));
                let shade = Lettering::new(size, spec.language).shade(fonts)?;
                Some((shade, (first.span.0 - 0.3, end + 0.3)))
            },
            _ => None,
        };
        let (w, h) = (edge(size.0), edge(size.1));
        let black = || Planes::black(w, h);
        Ok(Self {
            fonts,
            orders: orders(spec, script, &shots),
            shots,
            captions: captions
                .into_iter()
                .filter(|caption| card.is_none_or(|card| caption.span.0 < card))
                .collect(),
            seed: Rng::new(spec.seed),
            size,
            language: spec.language,
            seconds: script.seconds,
            rate: spec.frames_per_second,
            has_own_palette: !spec.palette.is_empty(),
            palette: spec.palette.clone(),
            opening: None,
            developed: BTreeMap::new(),
            shade,
            caption: None,
            frames: [black(), black()],
            poster: None,
        })
    }

    pub(super) fn size(&self) -> (u32, u32) {
        self.size
    }

    pub(super) fn rate(&self) -> u32 {
        self.rate
    }

    /// How many pictures there are.
    pub(super) fn length(&self) -> usize {
        crate::num::ticks(self.seconds, self.rate).max(1)
    }

    /// The picture of this number.
    pub(super) fn frame(&mut self, n: usize) -> Result<&Planes, MediaError> {
        let at = count(n) / f64::from(self.rate);
        let (now, share) = seen_at(&self.shots, at, FADE);
        self.shoot(now, at, 0)?;
        if share > 0.0 {
            self.shoot(now + 1, at, 1)?;
            let [frame, next] = &mut self.frames;
            frame.mix(next, share);
        }
        self.letter(at)?;
        let [frame, _] = &self.frames;
        // The moment at which the title stands, or else the first one, stands for the film.
        if self.poster.is_none()
            && (at >= 1.0 || n + 1 == crate::num::ticks(self.seconds, self.rate))
        {
            self.poster = Some(frame.clone());
        }
        self.developed.retain(|shot, _| *shot >= now);
        Ok(frame)
    }

    /// A picture of the film, once one has been made.
    pub(super) fn poster(
        &self,
        encode: impl FnOnce(&[u8], (u32, u32)) -> Result<Vec<u8>, MediaError>,
    ) -> Result<Vec<u8>, MediaError> {
        match &self.poster {
            Some(picture) => encode(&picture.to_rgb(), self.size),
            None => Err(MediaError::Drawing { reason: "no picture was made".to_owned() }),
        }
    }

    /// What is seen and heard, in words.
    pub(super) fn alt_text(&self, script: &Script, is_spoken: bool) -> String {
        let (seconds, scenes) = (script.seconds, script.scenes.len());
        let first = self.opening.as_deref().unwrap_or_default();
        match (self.language, is_spoken) {
            (Language::Ja, true) => {
                format!("{seconds:.0}秒の動画、{scenes}シーン、ナレーション付き。冒頭: {first}")
            },
            (Language::Ja, false) => {
                format!("{seconds:.0}秒の動画、{scenes}シーン、ナレーションなし。冒頭: {first}")
            },
            (Language::En, true) => format!(
                "A film of {seconds:.0} seconds in {scenes} scenes, with a voice. It opens with: {first}"
            ),
            (Language::En, false) => format!(
                "A film of {seconds:.0} seconds in {scenes} scenes. Nobody speaks. It opens with: {first}"
            ),
        }
    }

    /// Puts what the camera of a shot sees at this moment into one of the two frames.
    fn shoot(&mut self, shot: usize, at: f64, into: usize) -> Result<(), MediaError> {
        self.develop(shot)?;
        let (Some(plan), Some(developed)) = (self.shots.get(shot), self.developed.get(&shot))
        else {
            return Ok(());
        };
        let length = plan.to - plan.from + FADE;
        let view = developed.path.at((at - plan.from + FADE / 2.0) / length);
        let Some(frame) = self.frames.get_mut(into) else { return Ok(()) };
        match (&developed.titled, plan.kind) {
            (Some(titled), Kind::Titled(until)) if at < until + TITLE_FADE => {
                titled.sample(view, frame);
                let gone = ease((at - until) / TITLE_FADE);
                if gone > 0.0 {
                    let mut below = frame.clone();
                    developed.plain.sample(view, &mut below);
                    frame.mix(&below, gone);
                }
            },
            (Some(titled), Kind::Card) => titled.sample(view, frame),
            _ => developed.plain.sample(view, frame),
        }
        Ok(())
    }

    fn develop(&mut self, shot: usize) -> Result<(), MediaError> {
        if self.developed.contains_key(&shot) {
            return Ok(());
        }
        let (Some(plan), Some(order)) = (self.shots.get(shot), self.orders.get(shot)) else {
            return Ok(());
        };
        let order = ArtSpec { palette: self.palette.clone(), ..order.clone() };
        let still = render_still(self.fonts, &order, plan.kind != Kind::Plain)?;
        let mut rng = self.seed.fork(&format!("camera {shot}"));
        let path = Move::choose(plan.kind, still.focus, &mut rng);
        let Still { plain, titled, palette, alt_text, .. } = still;
        self.opening.get_or_insert(alt_text);
        if !self.has_own_palette {
            // Without a brand's colours the first scene's hold, so that the film is of one piece.
            self.has_own_palette = true;
            self.palette = palette.into_iter().take(4).collect();
        }
        let target = (reserve(self.size.0), reserve(self.size.1));
        let planes = |pixmap: &Pixmap| shrink(pixmap, target).map(|small| Planes::of(&small));
        let titled = titled.as_ref().map(planes).transpose()?;
        let developed = Developed { plain: planes(&plain)?, titled, path };
        self.developed.insert(shot, developed);
        Ok(())
    }

    /// Lays shade and caption over the first frame.
    fn letter(&mut self, at: f64) -> Result<(), MediaError> {
        let [frame, _] = &mut self.frames;
        if let Some((shade, span)) = &self.shade {
            shade.lay(frame, presence(at, *span, 0.3));
        }
        let is_now = |caption: &Caption| caption.span.0 <= at && at < caption.span.1;
        let Some(now) = self.captions.iter().position(is_now) else { return Ok(()) };
        let Some(caption) = self.captions.get(now) else { return Ok(()) };
        if self.caption.as_ref().is_none_or(|(set, _)| *set != now) {
            let lettering = Lettering::new(self.size, self.language);
            self.caption = Some((now, lettering.caption(self.fonts, &caption.text)?));
        }
        if let Some((_, overlay)) = &self.caption {
            overlay.lay(frame, presence(at, caption.span, CAPTION_FADE));
        }
        Ok(())
    }
}

/// Width and height: the shorter edge as ordered, the longer one by the proportions, both even.
fn size_of(spec: &FilmSpec) -> (u32, u32) {
    let (w, h) = spec.aspect.pixels();
    let scale = f64::from(spec.short_edge) / f64::from(w.min(h));
    let even = |length: u32| whole((f64::from(length) * scale / 2.0).round(), 4096) * 2;
    (even(w), even(h))
}

fn edge(pixels: u32) -> usize {
    usize::try_from(pixels).unwrap_or(0)
}

fn reserve(pixels: u32) -> u32 {
    whole((f64::from(pixels) * RESERVE / 2.0).round(), 4096) * 2
}

/// What a shot shows: its scene's own words, or, where they say nothing that could be drawn, a
/// part of what the whole is about, another one each time.
fn visual(script: &Script, shot: &Shot) -> String {
    let own = script.scenes.get(shot.scene).map(|scene| scene.visual.clone()).unwrap_or_default();
    let turn = (shot.scene + shot.view) % script.topics.len().max(1);
    match script.topics.get(turn) {
        Some(topic) if !has_subject(&own) => format!("{topic}\n{own}"),
        _ => own,
    }
}

/// The pictures to be drawn, one a shot. Neighbours get different compositions where the words
/// leave a choice.
fn orders(spec: &FilmSpec, script: &Script, shots: &[Shot]) -> Vec<ArtSpec> {
    let mut orders: Vec<ArtSpec> = Vec::with_capacity(shots.len());
    let some = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let mut before = "";
    for (n, shot) in (0_u64..).zip(shots) {
        let mut order = ArtSpec {
            prompt: visual(script, shot),
            headline: String::new(),
            subline: None,
            call_to_action: None,
            brand: some(&script.brand),
            palette: spec.palette.clone(),
            mood: spec.mood.clone(),
            style: spec.style.clone(),
            aspect: spec.aspect,
            seed: spec.seed.wrapping_add(n.wrapping_mul(7919)),
            language: spec.language,
        };
        match shot.kind {
            Kind::Plain => {},
            Kind::Titled(_) => order.headline.clone_from(&script.hook),
            Kind::Card => {
                order.headline = if script.closing.is_empty() {
                    script.brand.clone()
                } else {
                    script.closing.clone()
                };
                order.call_to_action = some(&script.call_to_action);
            },
        }
        for _ in 0..5 {
            if composition_of(&order) != before {
                break;
            }
            order.seed = order.seed.wrapping_add(1);
        }
        before = composition_of(&order);
        orders.push(order);
    }
    orders
}

/// The picture at another size, carefully.
fn shrink(pixmap: &Pixmap, (w, h): (u32, u32)) -> Result<Pixmap, MediaError> {
    let drawing = |reason: String| MediaError::Drawing { reason };
    let source = ImageRef::new(pixmap.width(), pixmap.height(), pixmap.data(), PixelType::U8x4)
        .map_err(|error| drawing(error.to_string()))?;
    let mut small = Image::new(w, h, PixelType::U8x4);
    let filter = ResizeAlg::Convolution(fast_image_resize::FilterType::CatmullRom);
    let options = ResizeOptions::new().resize_alg(filter).use_alpha(false);
    Resizer::new()
        .resize(&source, &mut small, &options)
        .map_err(|error| drawing(error.to_string()))?;
    IntSize::from_wh(w, h)
        .and_then(|size| Pixmap::from_vec(small.into_vec(), size))
        .ok_or_else(|| drawing("no memory for a still".to_owned()))
}
